//! The end where items go in.

use core::fmt;
use core::mem::MaybeUninit;

use super::WriteChunk;
use super::hold::Hold;
use crate::error::PushError;

/// The producers' end of a [`RawSpsc`](super::RawSpsc): who has it pushes.
///
/// It may be sent to another thread or kept by an interrupt handler; dropped, it leaves the end to
/// the next. Its operations are wait-free, load and store and nothing else, and may be used
/// wherever the handle is.
///
/// ```
/// use brigade_core::PushError;
/// use brigade_core::bounded::Spsc;
///
/// let mut queue = Spsc::<_, 2>::new();
/// let (mut producer, mut consumer) = queue.split();
/// assert_eq!(producer.push_slice(&[1, 2, 3]), 2);
/// assert_eq!(producer.push(3), Err(PushError::Full(3)));
/// assert_eq!(consumer.pop(), Ok(1));
/// assert_eq!(producer.push(3), Ok(()));
/// ```
pub struct Producer<'a, T>(pub(super) Hold<'a, T>);

impl<'a, T> Producer<'a, T> {
    /// Looks how much room there is now, which is never less than before.
    #[inline(always)]
    fn look(&mut self) -> Result<(), PushError<()>> {
        if self.0.is_closed() {
            return Err(PushError::Closed(()));
        }
        let head = self.0.other();
        let limit = self.0.wrap(head + self.0.most());
        // SAFETY: the consumer is done with all slots before the head, so with all that are not
        // from there to our position; and we are not closed.
        unsafe { self.0.allow_to(limit) };
        if self.0.is_at_limit() {
            return Err(PushError::Full(()));
        }
        Ok(())
    }

    /// Appends an item.
    ///
    /// Progress: wait-free; never waits.
    ///
    /// # Errors
    ///
    /// Gives the item back if the queue is full or was closed.
    #[inline]
    pub fn push(&mut self, item: T) -> Result<(), PushError<T>> {
        if self.0.is_at_limit() {
            match self.look() {
                Ok(()) => {}
                Err(PushError::Full(())) => return Err(PushError::Full(item)),
                Err(PushError::Closed(())) => return Err(PushError::Closed(item)),
            }
        }
        // SAFETY: we are not at the limit.
        let slot = unsafe { self.0.slot() };
        // SAFETY: the slot is ours alone, and empty.
        slot.0
            .with_mut(|place| unsafe { place.write(MaybeUninit::new(item)) });
        // SAFETY: we are not at the limit, hence not closed, and the slot is written.
        unsafe { self.0.pass(1) };
        Ok(())
    }

    /// Lends room for up to `most` items, to be written in place.
    ///
    /// It is as much as there is, so less than `most` says that the queue is full but for that.
    /// Nothing is pushed before the chunk is committed.
    ///
    /// Progress: wait-free; never waits.
    ///
    /// # Errors
    ///
    /// If the queue is full or was closed.
    ///
    /// ```
    /// use brigade_core::bounded::Spsc;
    ///
    /// let mut queue = Spsc::<_, 8>::new();
    /// let (mut producer, mut consumer) = queue.split();
    /// let chunk = producer.write_chunk(5).unwrap();
    /// assert_eq!(chunk.fill("brigade".chars()), 5);
    /// assert_eq!(consumer.drain().collect::<String>(), "briga");
    /// ```
    #[inline]
    pub fn write_chunk(&mut self, most: usize) -> Result<WriteChunk<'_, 'a, T>, PushError<()>> {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        // A look also if nothing is asked for: only what is not closed may be committed to.
        if self.0.allowed() < most.max(1) {
            self.look()?;
        }
        Ok(WriteChunk::new(self, most))
    }

    /// Copies items in, as many as there is room for, and says how many.
    ///
    /// 0 if the queue is full or closed.
    ///
    /// Progress: wait-free; never waits. It takes as long as the copying.
    #[inline]
    pub fn push_slice(&mut self, items: &[T]) -> usize
    where
        T: Copy,
    {
        self.write_chunk(items.len())
            .map_or(0, |chunk| chunk.copy(items))
    }

    /// Lets no further item in; those inside can still be popped.
    ///
    /// The consumer then finds [`PopError::Closed`](crate::PopError::Closed) in the place of Empty,
    /// and knows that all is out. Dropping the handle does not close, as another may follow it.
    ///
    /// Progress: wait-free; never waits.
    ///
    /// ```
    /// use brigade_core::bounded::Spsc;
    /// use brigade_core::{PopError, PushError};
    ///
    /// let mut queue = Spsc::<_, 2>::new();
    /// let (mut producer, mut consumer) = queue.split();
    /// producer.push("last").unwrap();
    /// producer.close();
    /// assert_eq!(producer.push("late"), Err(PushError::Closed("late")));
    /// assert_eq!(consumer.pop(), Ok("last"));
    /// assert_eq!(consumer.pop(), Err(PopError::Closed));
    /// ```
    #[inline]
    pub fn close(&mut self) {
        self.0.close();
    }

    /// How many items are inside, or fewer: the consumer may be taking some.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.0.ahead_of(self.0.other()) as usize
    }

    /// Whether nothing is inside. If so, it stays so until you push.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no further item fits. If so, that may not be for long; if not, nobody else can
    /// change that.
    #[must_use]
    #[inline]
    pub fn is_full(&self) -> bool {
        self.0.is_at_limit() && self.len() == self.capacity()
    }

    /// Whether the queue was [closed](Self::close), by this handle or one before it.
    #[must_use]
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// The most items the queue holds.
    #[must_use]
    #[inline]
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<T> fmt::Debug for Producer<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .finish()
    }
}
