//! Room in the ring, to be written in place and published at once.

use core::fmt;
use core::mem::MaybeUninit;

use super::hold::Pass;
use super::{Producer, Slot};
use crate::sync::CellSlice;

/// Room for items, lent by [`Producer::write_chunk`].
///
/// Two slices, because the room may reach around the end of the ring; the second may be empty.
/// Dropped without a commit, the chunk changes nothing.
///
/// ```
/// use brigade_core::bounded::Spsc;
///
/// let mut queue = Spsc::<u8, 8>::new();
/// let (mut producer, mut consumer) = queue.split();
/// let mut chunk = producer.write_chunk(3).unwrap();
/// let (room, _) = chunk.as_mut_slices();
/// for (place, byte) in room.iter_mut().zip(*b"abc") {
///     place.write(byte);
/// }
/// // SAFETY: this is what was just written.
/// unsafe { chunk.commit(3) };
/// assert_eq!(consumer.pop(), Ok(b'a'));
/// ```
#[must_use = "nothing is pushed before the chunk is committed"]
pub struct WriteChunk<'p, 'a, T> {
    // Given back in this order: the room, then the slots, as many as are written.
    slices: [CellSlice<'p, T>; 2],
    written: Pass<'p, 'a, T>,
}

impl<'p, 'a, T> WriteChunk<'p, 'a, T> {
    /// Room for up to `most` items of those allowed.
    #[inline(always)]
    pub(super) fn new(producer: &'p mut Producer<'a, T>, most: u32) -> Self {
        // SAFETY: the slots are ours alone as long as they are not passed, for which the producer
        // is needed, and that is ours too. The two pieces do not overlap.
        let slices = producer
            .0
            .run(most)
            .map(|slots| unsafe { Slot::lend(slots) });
        Self {
            slices,
            written: Pass::none(&mut producer.0),
        }
    }

    /// For how many items there is room.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.slices[0].len() + self.slices[1].len()
    }

    /// Whether there is no room: only if none was asked for.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The room, in the order of the queue. The second slice goes on where the first ends.
    #[must_use]
    #[inline]
    pub fn as_mut_slices(&mut self) -> (&mut [MaybeUninit<T>], &mut [MaybeUninit<T>]) {
        let [first, second] = &mut self.slices;
        (first, second)
    }

    /// Pushes the first `items` items that were written. The rest of the room is as before.
    ///
    /// # Safety
    ///
    /// - The first `items` places of [`as_mut_slices`](Self::as_mut_slices), those of the first
    ///   slice before those of the second, have been initialised.
    ///
    /// # Panics
    ///
    /// If there is no room for so many.
    #[inline]
    pub unsafe fn commit(mut self, items: usize) {
        assert!(
            items <= self.len(),
            "{items} items do not fit into a chunk of {}",
            self.len()
        );
        // SAFETY: the caller has written them, and there was room.
        unsafe { self.written.add(items) };
    }

    /// Pushes items from an iterator until the chunk is full or the iterator has ended, and says
    /// how many. It takes no item from the iterator that it does not push.
    ///
    /// # Panics
    ///
    /// If the iterator does; what it gave before is pushed.
    #[inline]
    pub fn fill(mut self, items: impl IntoIterator<Item = T>) -> usize {
        let mut items = items.into_iter();
        'all: for slice in &mut self.slices {
            for place in slice.iter_mut() {
                let Some(item) = items.next() else {
                    break 'all;
                };
                place.write(item);
                // SAFETY: one more is written, to a slot that is allowed.
                unsafe { self.written.add(1) };
            }
        }
        self.written.items()
    }

    /// Pushes as many of the items as there is room for, and says how many.
    #[inline(always)]
    pub(super) fn copy(mut self, items: &[T]) -> usize
    where
        T: Copy,
    {
        let items = &items[..self.len().min(items.len())];
        let (first, second) = self.as_mut_slices();
        let (straight, around) = items.split_at(first.len().min(items.len()));
        copy(straight, first);
        copy(around, second);
        // SAFETY: so many have been written.
        unsafe { self.commit(items.len()) };
        items.len()
    }
}

/// Copies items to the places of the same number, at least, that they have.
#[inline(always)]
fn copy<T: Copy>(items: &[T], places: &mut [MaybeUninit<T>]) {
    let places = &mut places[..items.len()];
    // SAFETY: as many places as items; a reference to write to overlaps with no other.
    unsafe {
        places
            .as_mut_ptr()
            .cast::<T>()
            .copy_from_nonoverlapping(items.as_ptr(), items.len());
    }
}

impl<T> fmt::Debug for WriteChunk<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteChunk")
            .field("len", &self.len())
            .finish()
    }
}
