//! The end where items come out.

use core::fmt;
use core::iter::FusedIterator;

use super::CLOSED;
use super::ReadChunk;
use super::hold::Hold;
use crate::error::PopError;

/// The consumers' end of a [`RawSpsc`](super::RawSpsc): who has it pops.
///
/// It may be sent to another thread or kept by an interrupt handler; dropped, it leaves the end to
/// the next. Its operations are wait-free, load and store and nothing else, and may be used
/// wherever the handle is.
///
/// ```
/// use brigade_core::PopError;
/// use brigade_core::bounded::Spsc;
///
/// let mut queue = Spsc::<_, 2>::new();
/// let (mut producer, mut consumer) = queue.split();
/// assert_eq!(consumer.pop(), Err(PopError::Empty));
/// producer.push(7).unwrap();
/// assert_eq!(consumer.peek(), Ok(&7));
/// assert_eq!(consumer.pop(), Ok(7));
/// ```
pub struct Consumer<'a, T>(pub(super) Hold<'a, T>);

impl<'a, T> Consumer<'a, T> {
    /// Looks how many items there are now, which are never fewer than before.
    #[inline(always)]
    fn look(&mut self) -> Result<(), PopError> {
        let tail = self.0.other();
        // SAFETY: the producer is done with all slots before the tail; and we are never closed.
        unsafe { self.0.allow_to(tail & !CLOSED) };
        if !self.0.is_at_limit() {
            Ok(())
        } else if tail & CLOSED != 0 {
            Err(PopError::Closed)
        } else {
            Err(PopError::Empty)
        }
    }

    /// Takes the oldest item.
    ///
    /// Progress: wait-free; never waits.
    ///
    /// # Errors
    ///
    /// [`PopError::Empty`] if there is none now, [`PopError::Closed`] if there will never be one
    /// again.
    #[inline]
    pub fn pop(&mut self) -> Result<T, PopError> {
        if self.0.is_at_limit() {
            self.look()?;
        }
        // SAFETY: we are not at the limit.
        let slot = unsafe { self.0.slot() };
        // SAFETY: the slot is ours alone, and holds an item; we pass it now, so it is read once.
        let item = slot.0.with(|place| unsafe { place.cast::<T>().read() });
        // SAFETY: we are not at the limit, and the item is out.
        unsafe { self.0.pass(1) };
        Ok(item)
    }

    /// Looks at the oldest item, and leaves it where it is.
    ///
    /// Progress: wait-free; never waits.
    ///
    /// # Errors
    ///
    /// As for [`pop`](Self::pop).
    #[inline]
    pub fn peek(&mut self) -> Result<&T, PopError> {
        self.peek_mut().map(|item| &*item)
    }

    /// Lends the oldest item to be changed where it is.
    ///
    /// Progress: wait-free; never waits.
    ///
    /// # Errors
    ///
    /// As for [`pop`](Self::pop).
    #[inline]
    pub fn peek_mut(&mut self) -> Result<&mut T, PopError> {
        if self.0.is_at_limit() {
            self.look()?;
        }
        // SAFETY: we are not at the limit.
        let slot = unsafe { self.0.slot() };
        // SAFETY: the slot is ours alone until we pass it, and holds an item. The reference keeps
        // this handle borrowed as long as it lives.
        Ok(slot.0.with_mut(|place| unsafe { &mut *place.cast::<T>() }))
    }

    /// Lends up to `most` items, to be read in place.
    ///
    /// It is as many as there are, so fewer than `most` says that there are no more. Nothing is
    /// popped before the chunk is committed.
    ///
    /// Progress: wait-free; never waits.
    ///
    /// # Errors
    ///
    /// As for [`pop`](Self::pop).
    ///
    /// ```
    /// use brigade_core::bounded::Spsc;
    ///
    /// let mut queue = Spsc::<u8, 8>::new();
    /// let (mut producer, mut consumer) = queue.split();
    /// producer.push_slice(b"brigade");
    /// let chunk = consumer.read_chunk(5).unwrap();
    /// assert_eq!(chunk.as_slices(), (&b"briga"[..], &b""[..]));
    /// chunk.commit(3);
    /// assert_eq!(consumer.pop(), Ok(b'g'));
    /// ```
    #[inline]
    pub fn read_chunk(&mut self, most: usize) -> Result<ReadChunk<'_, 'a, T>, PopError> {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        if self.0.allowed() < most.max(1) {
            self.look()?;
        }
        Ok(ReadChunk::new(self, most))
    }

    /// Copies items out, as many as there are and fit, and says how many.
    ///
    /// 0 if there are none, now or for ever, or if the slice is empty.
    ///
    /// Progress: wait-free; never waits. It takes as long as the copying.
    #[inline]
    pub fn pop_slice(&mut self, items: &mut [T]) -> usize
    where
        T: Copy,
    {
        self.read_chunk(items.len())
            .map_or(0, |chunk| chunk.copy(items))
    }

    /// Takes out all items that are inside now, oldest first.
    ///
    /// What is pushed meanwhile is left for later, so it comes to an end. What is not taken stays
    /// in the queue.
    ///
    /// Progress: wait-free; never waits.
    ///
    /// ```
    /// use brigade_core::bounded::Spsc;
    ///
    /// let mut queue = Spsc::<_, 4>::new();
    /// let (mut producer, mut consumer) = queue.split();
    /// producer.push_slice(&[1, 2, 3]);
    /// assert_eq!(consumer.drain().sum::<i32>(), 6);
    /// ```
    #[inline]
    pub fn drain(&mut self) -> Drain<'_, 'a, T> {
        // With nothing inside, nothing is allowed.
        let _ = self.look();
        let left = self.0.allowed() as usize;
        Drain {
            consumer: self,
            left,
        }
    }

    /// How many items are inside, or more: the producer may be adding some.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.0.behind(self.0.other()) as usize
    }

    /// Whether nothing is inside. If so, that may not be for long; if not, nobody else can change
    /// that.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_at_limit() && self.len() == 0
    }

    /// Whether as many items are inside as fit. If so, it stays so until you pop.
    #[must_use]
    #[inline]
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// Whether the producer [closed](super::Producer::close) the queue. Items may be left inside.
    #[must_use]
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.0.other() & CLOSED != 0
    }

    /// The most items the queue holds.
    #[must_use]
    #[inline]
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<T> fmt::Debug for Consumer<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .finish()
    }
}

/// Takes items out, one by one: see [`Consumer::drain`] and [`ReadChunk`].
///
/// Each is out of the queue as soon as it is given out. What is not taken stays inside.
#[must_use = "iterators do nothing unless they are consumed"]
pub struct Drain<'c, 'a, T> {
    pub(super) consumer: &'c mut Consumer<'a, T>,
    /// No more than are inside.
    pub(super) left: usize,
}

impl<T> Iterator for Drain<'_, '_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        self.consumer.pop().ok()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for Drain<'_, '_, T> {}

impl<T> FusedIterator for Drain<'_, '_, T> {}

impl<T> fmt::Debug for Drain<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").field("left", &self.left).finish()
    }
}
