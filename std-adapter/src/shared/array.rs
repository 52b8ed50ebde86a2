//! [`Array`]: many values between processes.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use super::atomic::{AtomicU64, Ordering};
use super::lock_error::LockResult;
use super::participants::Owner;
use super::raw_lock::RawLock;
use super::rlock::Held;
use super::segment::{Contents, PARTICIPANTS, Plan, Room, Segment};
use super::travel;
use crate::sys::memory::{WORD, Words, copy_in, copy_out};
use crate::sys::plain::{self, Plain};

/// A fixed number of values that processes share: what Python calls `multiprocessing.Array`.
///
/// Elements are copied in and out; there are no references to them, as others may write at any
/// moment. It is a handle: it can be cloned, and passed to other processes like any argument.
///
/// An element of 1, 2, 4 or 8 bytes is read and written as a whole; a larger one, and a range, may be
/// found half written by who does not hold the [`lock`](Self::lock). The lock keeps out nobody but those
/// who take it as well. Only through it does one process see the other's writes in their order.
///
/// # When a process dies
///
/// Each element of 1, 2, 4 or 8 bytes is the old one or the new one. If it died with the lock, whoever takes
/// the lock next is told.
///
/// # Progress
///
/// Access is lock-free, and wait-free where whole words of 8 bytes are written. Not for signal handlers is
/// the lock.
///
/// # Example
///
/// ```
/// use brigade::shared::Array;
///
/// let squares = Array::from_slice(&[0_u32; 100])?;
/// for n in 0..100 {
///     squares.set(n, (n * n) as u32); // here, or in a process that it was passed to
/// }
/// let mut some = [0; 3];
/// squares.read(7, &mut some);
/// assert_eq!(some, [49, 64, 81]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Array<T: Plain> {
    segment: Segment<Elements>,
    element: PhantomData<fn() -> T>,
}

/// The contents: a lock, then the elements side by side.
struct Elements {
    lock: RawLock,
    words: Words,
    size: u64,
    length: usize,
}

impl Contents for Elements {
    const KIND: u32 = 8;
    const NAME: &'static str = "array";

    fn attach(room: &Arc<Room>) -> Option<Self> {
        let [size, length, ..] = room.config();
        let bytes = usize::try_from(size.checked_mul(length)?).ok()?;
        Some(Self {
            lock: RawLock::attach(room, 0, 0)?,
            words: room.words(WORD, bytes.div_ceil(WORD))?,
            size,
            length: usize::try_from(length).ok()?,
        })
    }

    fn recover(&self, dead: Owner) {
        self.lock.recover(dead);
    }
}

impl<T: Plain> Array<T> {
    /// An array with these elements.
    ///
    /// # Errors
    ///
    /// The system's: there is no memory, or there are too many files open.
    pub fn from_slice(elements: &[T]) -> io::Result<Self> {
        let array = Self::zeroed(elements.len())?;
        array.write(0, elements);
        Ok(array)
    }

    /// An array of this length whose elements have the value that is all zero bytes. Memory is taken as it
    /// is written to.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it would be larger than memory can be; otherwise as
    /// [`from_slice`](Self::from_slice).
    pub fn zeroed(length: usize) -> io::Result<Self> {
        let bytes = size_of::<T>()
            .checked_mul(length)
            .and_then(|bytes| bytes.checked_next_multiple_of(WORD)?.checked_add(WORD));
        let plan = Plan {
            participants: PARTICIPANTS,
            bells: 1,
            length: bytes.ok_or(io::ErrorKind::InvalidInput)?,
            config: [size_of::<T>() as u64, length as u64, 0, 0, 0, 0, 0, 0],
        };
        Ok(Self {
            segment: Segment::create(plan, |_| ())?,
            element: PhantomData,
        })
    }

    /// How many elements it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.segment.length
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An element. Progress: wait-free.
    ///
    /// # Panics
    ///
    /// If there is none of this index.
    #[must_use]
    pub fn get(&self, index: usize) -> T {
        let mut element = [plain::zero()];
        self.read(index, &mut element);
        element[0]
    }

    /// Replaces an element. Progress: lock-free.
    ///
    /// # Panics
    ///
    /// If there is none of this index.
    pub fn set(&self, index: usize, element: T) {
        self.write(index, &[element]);
    }

    /// Reads as many elements as there is room for, from this index on. Progress: wait-free.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    pub fn read(&self, index: usize, elements: &mut [T]) {
        let place = self.place(index, elements.len());
        read(&self.segment.words, place.start, plain::bytes_mut(elements));
    }

    /// Writes elements, from this index on. Progress: lock-free.
    ///
    /// # Panics
    ///
    /// If there are not so many; then none is written.
    pub fn write(&self, index: usize, elements: &[T]) {
        let place = self.place(index, elements.len());
        write(&self.segment.words, place.start, plain::bytes(elements));
    }

    /// All elements.
    #[must_use]
    pub fn to_vec(&self) -> Vec<T> {
        let mut elements = vec![plain::zero(); self.len()];
        self.read(0, &mut elements);
        elements
    }

    /// Takes the lock of the array, waiting until it is free. Blocks.
    ///
    /// # Errors
    ///
    /// [`OwnerDied`](super::LockError::OwnerDied), with the guard, if a process died with the lock;
    /// [`HeldByThisThread`](super::LockError::HeldByThisThread) instead of waiting for ever.
    pub fn lock(&self) -> LockResult<Held<'_>> {
        let lock = &self.segment.lock;
        loop {
            // Without a deadline it does not give up.
            if let Some(taken) = lock.take(None) {
                return Held::new_once(lock, taken);
            }
        }
    }

    /// Calls the closure with the lock held, also if a process died with it before. Blocks.
    ///
    /// # Panics
    ///
    /// If this thread holds the lock already, and if the closure does.
    pub fn with_lock<R>(&self, action: impl FnOnce(&Self) -> R) -> R {
        let held = match self.lock() {
            Ok(held) => held,
            Err(error) => error
                .into_guard()
                .expect("the lock of an array is held by this thread already"),
        };
        let result = action(self);
        drop(held);
        result
    }

    /// Where elements are, in bytes.
    fn place(&self, index: usize, count: usize) -> Range<usize> {
        let end = index.checked_add(count).filter(|&end| end <= self.len());
        let end = end.unwrap_or_else(|| {
            let length = self.len();
            panic!("{count} elements from {index} on, of an array that has {length}")
        });
        index * size_of::<T>()..end * size_of::<T>()
    }
}

/// Copies bytes out, from any place.
pub(super) fn read(words: &[AtomicU64], place: usize, bytes: &mut [u8]) {
    let (head, first) = head(place, bytes.len());
    let (edge, rest) = bytes.split_at_mut(head);
    if !edge.is_empty() {
        // ORDERING: Relaxed: elements are numbers that stand for themselves; the lock orders more.
        let word = words[place / WORD].load(Ordering::Relaxed).to_ne_bytes();
        edge.copy_from_slice(&word[place % WORD..][..head]);
    }
    if !rest.is_empty() {
        copy_out(&words[first..], rest);
    }
}

/// Copies bytes in, to any place. Bytes beside them keep what others write there meanwhile.
pub(super) fn write(words: &[AtomicU64], place: usize, bytes: &[u8]) {
    let (head, first) = head(place, bytes.len());
    let (edge, rest) = bytes.split_at(head);
    let (whole, tail) = rest.split_at(rest.len() / WORD * WORD);
    merge(words, place, edge);
    if !whole.is_empty() {
        copy_in(&words[first..], whole);
    }
    merge(words, (first * WORD) + whole.len(), tail);
}

/// How many bytes come before the first that begins a word, and which word that is.
fn head(place: usize, length: usize) -> (usize, usize) {
    let first = place.div_ceil(WORD);
    ((first * WORD - place).min(length), first)
}

/// Writes to part of one word.
fn merge(words: &[AtomicU64], place: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    // ORDERING: Relaxed, as in `read`.
    let _ = words[place / WORD].fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
        let mut word = word.to_ne_bytes();
        word[place % WORD..][..bytes.len()].copy_from_slice(bytes);
        Some(u64::from_ne_bytes(word))
    });
}

impl<T: Plain> Clone for Array<T> {
    fn clone(&self) -> Self {
        Self {
            segment: self.segment.clone(),
            element: PhantomData,
        }
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl<T: Plain> serde::Serialize for Array<T> {
    /// Writes a reference, not the elements. Whoever reads it has the same array, as long as this process
    /// has.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.segment.serialize(serializer)
    }
}

impl<'de, T: Plain> serde::Deserialize<'de> for Array<T> {
    /// Reads a reference, to an array of another process or of this one. Fails if its elements are not of the
    /// size of `T`; more is not known of their type.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let segment: Segment<Elements> = serde::Deserialize::deserialize(deserializer)?;
        if segment.size != size_of::<T>() as u64 {
            let what = "the shared array has elements of another type";
            return Err(travel::refuse(what));
        }
        Ok(Self {
            segment,
            element: PhantomData,
        })
    }
}
