//! The little that a program needs when nothing stands below it: a way in, a way out, a panic
//! handler, and the functions that the compiler calls by name. For Linux on x86-64.

use core::arch::{asm, global_asm};

// The kernel starts the program here, on an aligned stack and with nowhere to return to.
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "call {main}",
    "ud2",
    main = sym main
);

extern "C" fn main() -> ! {
    exit(crate::run())
}

fn exit(status: i32) -> ! {
    const EXIT_GROUP: i32 = 231;
    // SAFETY: the system call ends the process; nothing after it runs.
    unsafe { asm!("syscall", in("eax") EXIT_GROUP, in("edi") status, options(noreturn)) }
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    exit(101)
}

/// The unwind tables of the precompiled core name it. Nothing unwinds, so nobody calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// What moving a large value is compiled to. In assembly, since the compiler would make a call of
/// itself of a loop.
///
/// # Safety
///
/// - `from` is valid for reads, and `to` for writes, of `length` bytes.
/// - The two do not overlap.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    // SAFETY: as the caller promises; the direction flag is clear by the calling convention.
    unsafe {
        asm!("rep movsb", inout("rcx") length => _, inout("rdi") to => _, inout("rsi") from => _);
    }
    to
}

/// What filling an array is compiled to.
///
/// # Safety
///
/// `to` is valid for writes of `length` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, length: usize) -> *mut u8 {
    // SAFETY: as the caller promises; the direction flag is clear by the calling convention.
    unsafe {
        asm!("rep stosb", inout("rcx") length => _, inout("rdi") to => _, in("al") byte as u8);
    }
    to
}
