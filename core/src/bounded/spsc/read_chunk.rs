//! Items in the ring, to be read in place and given up at once.

use core::fmt;
use core::mem::MaybeUninit;

use super::hold::Pass;
use super::{Consumer, Drain, Slot};
use crate::sync::CellSlice;

/// Items, lent by [`Consumer::read_chunk`].
///
/// Two slices, because they may reach around the end of the ring; the second may be empty. Dropped
/// without a commit, the chunk leaves all items in the queue. As an iterator it takes them out, one
/// by one, and leaves those that are not taken.
///
/// ```
/// use brigade_core::bounded::Spsc;
///
/// let mut queue = Spsc::<_, 8>::new();
/// let (mut producer, mut consumer) = queue.split();
/// producer.push_slice(&[1, 2, 3]);
/// let chunk = consumer.read_chunk(2).unwrap();
/// assert!(chunk.into_iter().eq([1, 2]));
/// assert_eq!(consumer.len(), 1);
/// ```
#[must_use = "nothing is popped before the chunk is committed"]
pub struct ReadChunk<'c, 'a, T> {
    consumer: &'c mut Consumer<'a, T>,
    /// All initialised.
    slices: [CellSlice<'c, T>; 2],
}

impl<'c, 'a, T> ReadChunk<'c, 'a, T> {
    /// Up to `most` items of those allowed.
    #[inline(always)]
    pub(super) fn new(consumer: &'c mut Consumer<'a, T>, most: u32) -> Self {
        // SAFETY: the slots are ours alone as long as they are not passed, for which the consumer
        // is needed, and that is ours too. The two pieces do not overlap.
        let slices = consumer
            .0
            .run(most)
            .map(|slots| unsafe { Slot::lend(slots) });
        Self { consumer, slices }
    }

    /// How many items there are.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.slices[0].len() + self.slices[1].len()
    }

    /// Whether there is no item: only if none was asked for.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items, oldest first. The second slice goes on where the first ends.
    #[must_use]
    #[inline]
    pub fn as_slices(&self) -> (&[T], &[T]) {
        let [first, second] = &self.slices;
        // SAFETY: all are initialised.
        let first = unsafe { items(first) };
        // SAFETY: as above.
        (first, unsafe { items(second) })
    }

    /// The items, oldest first, to be changed in place.
    #[must_use]
    #[inline]
    pub fn as_mut_slices(&mut self) -> (&mut [T], &mut [T]) {
        let [first, second] = &mut self.slices;
        // SAFETY: all are initialised, and `T` is all that can be put into them.
        let first = unsafe { items_mut(first) };
        // SAFETY: as above.
        (first, unsafe { items_mut(second) })
    }

    /// Pops and drops the first `items` items. The others stay in the queue.
    ///
    /// # Panics
    ///
    /// If there are not so many; then nothing is popped. If the destructor of an item does; all of
    /// them are popped and dropped nevertheless.
    #[inline]
    pub fn commit(self, items: usize) {
        assert!(
            items <= self.len(),
            "there are not {items} items in a chunk of {}",
            self.len()
        );
        // These are dropped last to first, whichever panics: the items, then the slices that lend
        // them, and then their slots are passed.
        let Self { consumer, slices } = self;
        let mut popped = Pass::none(&mut consumer.0);
        // SAFETY: so many were in the chunk, hence allowed, and this function drops them.
        unsafe { popped.add(items) };
        let [mut first, mut second] = slices;
        let straight = items.min(first.len());
        // SAFETY: they are initialised, and passed next.
        let _second = Drops(unsafe { items_mut(&mut second[..items - straight]) });
        // SAFETY: as above.
        let _first = Drops(unsafe { items_mut(&mut first[..straight]) });
    }

    /// Pops as many items as fit, and says how many.
    #[inline(always)]
    pub(super) fn copy(self, into: &mut [T]) -> usize
    where
        T: Copy,
    {
        let fit = self.len().min(into.len());
        let (first, second) = self.as_slices();
        let (straight, around) = into[..fit].split_at_mut(first.len().min(fit));
        straight.copy_from_slice(&first[..straight.len()]);
        around.copy_from_slice(&second[..around.len()]);
        self.commit(fit);
        fit
    }
}

impl<'c, 'a, T> IntoIterator for ReadChunk<'c, 'a, T> {
    type Item = T;
    type IntoIter = Drain<'c, 'a, T>;

    #[inline]
    fn into_iter(self) -> Drain<'c, 'a, T> {
        let left = self.len();
        Drain {
            consumer: self.consumer,
            left,
        }
    }
}

/// # Safety
///
/// - All places are initialised.
#[inline(always)]
unsafe fn items<T>(places: &[MaybeUninit<T>]) -> &[T] {
    let items = core::ptr::from_ref(places) as *const [T];
    // SAFETY: initialised, a place is like its item.
    unsafe { &*items }
}

/// # Safety
///
/// - All places are initialised.
#[inline(always)]
unsafe fn items_mut<T>(places: &mut [MaybeUninit<T>]) -> &mut [T] {
    let items = core::ptr::from_mut(places) as *mut [T];
    // SAFETY: as above.
    unsafe { &mut *items }
}

/// Drops items in place. They are not used again.
struct Drops<'s, T>(&'s mut [T]);

impl<T> Drop for Drops<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: only `commit` makes these, of items that it gives up.
        unsafe { core::ptr::drop_in_place(self.0) };
    }
}

impl<T> fmt::Debug for ReadChunk<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadChunk")
            .field("len", &self.len())
            .finish()
    }
}
