//! Values that are no more than their bytes: the one place that takes them for bytes and back.

/// A type of which every pattern of bits is a value, and every bit part of the value: it may be copied
/// into memory that other processes share, and read from memory that they have written.
///
/// Integers, floating-point numbers, `()` and arrays of them are plain. `bool` and `char` are not, as
/// not every pattern is one; references are not, as they mean nothing elsewhere.
///
/// # Safety
///
/// Whoever implements it for a type promises:
///
/// - Every pattern of bits of its size is a valid value of it.
/// - It has no padding: a `#[repr(C)]` structure of plain fields whose sizes add up to its own has none.
/// - It has no pointers, references or interior mutability, and means the same in every process.
///
/// # Example
///
/// ```
/// use brigade::shared::{Plain, Value};
///
/// #[derive(Clone, Copy)]
/// #[repr(C)]
/// struct Reading {
///     sensor: u32,
///     celsius: f32,
/// }
///
/// // SAFETY: `repr(C)`, both fields are plain, and 4 + 4 bytes are all of its 8.
/// unsafe impl Plain for Reading {}
///
/// let last = Value::new(Reading { sensor: 0, celsius: 0.0 })?;
/// last.set(Reading { sensor: 3, celsius: 21.5 });
/// assert_eq!(last.get().sensor, 3);
/// # Ok::<(), std::io::Error>(())
/// ```
pub unsafe trait Plain: Copy + Send + Sync + 'static {}

macro_rules! plain {
    ($($plain:ty)+) => {$(
        // SAFETY: a number without niches or padding.
        unsafe impl Plain for $plain {}
    )+};
}

plain!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);

// SAFETY: it has no bytes.
unsafe impl Plain for () {}

// SAFETY: elements stand side by side.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// The value whose bytes are zero.
pub(crate) fn zero<T: Plain>() -> T {
    // SAFETY: every pattern of bits is a value of a plain type.
    unsafe { std::mem::zeroed() }
}

/// Values as bytes.
pub(crate) fn bytes<T: Plain>(values: &[T]) -> &[u8] {
    // SAFETY: a plain type has no padding, so all its bytes are initialised.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

/// Values as bytes to write to.
pub(crate) fn bytes_mut<T: Plain>(values: &mut [T]) -> &mut [u8] {
    let length = size_of_val(values);
    // SAFETY: as above, and whatever is written makes a value.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), length) }
}
