//! Nothing is linked that the program does not bring along: no C library, no start-up files. So a
//! reference to an allocator, or to anything else of std, is an error of the linker.

fn main() {
    for argument in ["-nostdlib", "-nostartfiles", "-static", "-no-pie"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
