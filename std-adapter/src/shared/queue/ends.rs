//! What both queues between processes do in the same way.

/// The methods of `$Queue`, a handle on contents with a `depot`. It has its own `attempt` to put an
/// item, and makes its items and leases of tickets by `item_of` and `lease_of`.
macro_rules! ends {
    ($Queue:ident<T: $bound:path>, $Lease:ident) => {
        impl<T: $bound> $Queue<T> {
            /// Puts an item if there is room now.
            ///
            /// Never waits; lock-free for items that fit into a block.
            ///
            /// # Errors
            ///
            /// Gives the item back, and says why.
            #[inline]
            pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
                self.attempt(&item)
                    .map_err(|hold| PutError::new(item, hold))
            }

            /// Puts an item, waiting for room if the queue is full. Blocks.
            ///
            /// # Errors
            ///
            /// Gives the item back, and says why: the queue was shut down, also while waiting, or it cannot take
            /// such an item.
            #[inline]
            pub fn put(&self, item: T) -> Result<(), PutError<T>> {
                self.put_until(item, None)
            }

            /// Puts an item, waiting for room for `timeout` at most. Blocks.
            ///
            /// # Errors
            ///
            /// As [`put`](Self::put), and if there was no room in time.
            pub fn put_timeout(&self, item: T, timeout: Duration) -> Result<(), PutError<T>> {
                // Too far for the clock is for ever.
                self.put_until(item, Instant::now().checked_add(timeout))
            }

            /// Puts an item, waiting for room until `deadline` at most. Blocks.
            ///
            /// # Errors
            ///
            /// As [`put`](Self::put), and if there was no room in time.
            pub fn put_deadline(&self, item: T, deadline: Instant) -> Result<(), PutError<T>> {
                self.put_until(item, Some(deadline))
            }

            #[inline]
            fn put_until(&self, item: T, deadline: Option<Instant>) -> Result<(), PutError<T>> {
                self.depot()
                    .put_until(deadline, || self.attempt(&item))
                    .map_err(|hold| PutError::new(item, hold))
            }

            /// Puts an item when there is room. Dropping the future drops the item, unless it was put. A thread of this
            /// process sleeps for the task.
            ///
            /// # Errors
            ///
            /// As [`put`](Self::put).
            pub async fn put_async(&self, item: T) -> Result<(), PutError<T>> {
                let put = self
                    .depot()
                    .put_async(Box::new(item), |item| self.attempt(item));
                put.await.map_err(|(item, hold)| PutError::new(*item, hold))
            }

            /// Puts items one after the other, waiting for room. Blocks.
            ///
            /// # Errors
            ///
            /// As [`put`](Self::put), for the first that was not put; those behind it are still in the iterator, if
            /// it was given `by_ref`.
            pub fn put_many(&self, items: impl IntoIterator<Item = T>) -> Result<(), PutError<T>> {
                items.into_iter().try_for_each(|item| self.put(item))
            }

            /// Gets an item if there is one now. Report it by [`task_done`](Self::task_done) if anybody
            /// [joins](Self::join); one that cannot be read is reported already.
            ///
            /// Never waits; lock-free.
            ///
            /// # Errors
            ///
            /// If there is none.
            #[inline]
            pub fn try_get(&self) -> Result<T, GetError> {
                self.depot()
                    .take()
                    .map_err(GetError::from)
                    .and_then(Self::item_of)
            }

            /// Gets an item, waiting for one if the queue is empty. Blocks.
            ///
            /// # Errors
            ///
            /// If the queue was shut down and is empty, also while waiting, or the item makes no sense.
            #[inline]
            pub fn get(&self) -> Result<T, GetError> {
                self.get_until(None)
            }

            /// Gets an item, waiting for one for `timeout` at most. Blocks.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get), and if none came in time.
            pub fn get_timeout(&self, timeout: Duration) -> Result<T, GetError> {
                self.get_until(Instant::now().checked_add(timeout))
            }

            /// Gets an item, waiting for one until `deadline` at most. Blocks.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get), and if none came in time.
            pub fn get_deadline(&self, deadline: Instant) -> Result<T, GetError> {
                self.get_until(Some(deadline))
            }

            #[inline]
            fn get_until(&self, deadline: Option<Instant>) -> Result<T, GetError> {
                Self::item_of(self.depot().take_until(deadline)?)
            }

            /// Gets an item when there is one. Cancel-safe: dropping the future takes nothing. A thread of this process
            /// sleeps for the task.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get).
            pub async fn get_async(&self) -> Result<T, GetError> {
                Self::item_of(self.depot().take_async().await?)
            }

            /// Gets up to `most` items, waiting for the first; says how many. Blocks.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get), if there was none.
            pub fn get_many(
                &self,
                most: usize,
                into: &mut impl Extend<T>,
            ) -> Result<usize, GetError> {
                if most == 0 {
                    return Ok(0);
                }
                into.extend([self.get()?]);
                let more = (1..most).map_while(|_| self.try_get().ok());
                let mut count = 1;
                into.extend(more.inspect(|_| count += 1));
                Ok(count)
            }

            /// Gets items until the queue is shut down and empty; waits for each.
            ///
            /// ```
            /// # use brigade::{Shutdown, shared::Queue};
            /// let queue = Queue::bounded(4)?;
            /// queue.put('a')?;
            /// queue.put('b')?;
            /// queue.shutdown(Shutdown::Drain);
            /// assert_eq!(queue.iter().collect::<Result<String, _>>()?, "ab");
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            #[must_use]
            pub fn iter(&self) -> Iter<'_, T> {
                Iter::new(self.depot(), Self::item_of)
            }

            /// Leases an item if there is one now: it is delivered again if this process dies before it has
            /// finished with it. Never waits; lock-free.
            ///
            /// # Errors
            ///
            /// If there is none.
            pub fn try_lease(&self) -> Result<$Lease<'_, T>, GetError> {
                self.depot()
                    .take()
                    .map_err(GetError::from)
                    .and_then(Self::lease_of)
            }

            /// Leases an item, waiting for one if the queue is empty. Blocks.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get).
            pub fn lease(&self) -> Result<$Lease<'_, T>, GetError> {
                self.lease_until(None)
            }

            /// Leases an item, waiting for one for `timeout` at most. Blocks.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get), and if none came in time.
            pub fn lease_timeout(&self, timeout: Duration) -> Result<$Lease<'_, T>, GetError> {
                self.lease_until(Instant::now().checked_add(timeout))
            }

            /// Leases an item, waiting for one until `deadline` at most. Blocks.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get), and if none came in time.
            pub fn lease_deadline(&self, deadline: Instant) -> Result<$Lease<'_, T>, GetError> {
                self.lease_until(Some(deadline))
            }

            fn lease_until(&self, deadline: Option<Instant>) -> Result<$Lease<'_, T>, GetError> {
                Self::lease_of(self.depot().take_until(deadline)?)
            }

            /// Leases an item when there is one. Cancel-safe, as [`get_async`](Self::get_async).
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get).
            pub async fn lease_async(&self) -> Result<$Lease<'_, T>, GetError> {
                Self::lease_of(self.depot().take_async().await?)
            }

            /// Reports one item as finished that this process has got. The last wakes those who [`join`](Self::join).
            ///
            /// # Errors
            ///
            /// [`TooManyDone`] if this process has got no other that it has not reported.
            pub fn task_done(&self) -> Result<(), TooManyDone> {
                self.depot().report().then_some(()).ok_or(TooManyDone)
            }

            /// Waits until every item put has been finished: its lease dropped, or reported by who got it. After an
            /// immediate [shutdown](Self::shutdown), every item that somebody has taken. Blocks.
            ///
            /// # Errors
            ///
            /// [`Corrupted`] if a process has written into the queue's memory where it should not.
            pub fn join(&self) -> Result<(), Corrupted> {
                self.depot().join_until(None).map(drop)
            }

            /// Waits for that, for `timeout` at most; says whether it is so. Blocks.
            ///
            /// # Errors
            ///
            /// As [`join`](Self::join).
            pub fn join_timeout(&self, timeout: Duration) -> Result<bool, Corrupted> {
                self.depot().join_until(Instant::now().checked_add(timeout))
            }

            /// Waits for that, until `deadline` at most; says whether it is so. Blocks.
            ///
            /// # Errors
            ///
            /// As [`join`](Self::join).
            pub fn join_deadline(&self, deadline: Instant) -> Result<bool, Corrupted> {
                self.depot().join_until(Some(deadline))
            }

            /// Waits for that. Cancel-safe.
            ///
            /// # Errors
            ///
            /// As [`join`](Self::join).
            pub async fn join_async(&self) -> Result<(), Corrupted> {
                self.depot().join_async().await
            }

            /// Lets no put succeed any more, in any process, and wakes all who wait.
            ///
            /// With [`Shutdown::Drain`] consumers get what is left and are then told; what a process had leased that
            /// dies after that is there for whoever asks again. With [`Shutdown::Immediate`] they are told at
            /// once, and what is left is in the iterator that is returned, for whoever takes it out; what is not
            /// taken out is dropped with it, and nobody who [joins](Self::join) waits for it. Never waits.
            #[allow(
                clippy::must_use_candidate,
                reason = "the rest is often nobody's concern"
            )]
            pub fn shutdown(&self, how: Shutdown) -> Remaining<'_, T> {
                let immediate = how == Shutdown::Immediate;
                let closed = self.depot().shut_down(immediate);
                let finish = |ticket| Self::lease_of(ticket).map($Lease::finish);
                Remaining::new(self.depot(), finish, immediate && closed.is_ok())
            }

            /// Whether it was shut down, or is corrupted.
            #[must_use]
            pub fn is_shut_down(&self) -> bool {
                self.depot().is_shut_down().unwrap_or(true)
            }

            /// About how many items wait, those that were put back or died with not among them; old news as soon as it
            /// is read.
            #[must_use]
            pub fn len(&self) -> usize {
                self.depot().len().unwrap_or(0)
            }

            /// Whether about nothing waits.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Whether about no further item fits.
            #[must_use]
            pub fn is_full(&self) -> bool {
                self.len() == self.capacity()
            }

            /// The most items it holds.
            #[must_use]
            pub fn capacity(&self) -> usize {
                self.depot().capacity()
            }
        }

        impl<T: $bound> std::fmt::Debug for $Queue<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($Queue))
                    .field("len", &self.len())
                    .field("capacity", &self.capacity())
                    .finish_non_exhaustive()
            }
        }

        impl<'a, T: $bound> IntoIterator for &'a $Queue<T> {
            type Item = Result<T, GetError>;
            type IntoIter = Iter<'a, T>;

            fn into_iter(self) -> Iter<'a, T> {
                self.iter()
            }
        }
    };
}
pub(in crate::shared) use ends;
