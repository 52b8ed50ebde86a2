//! [`Value`]: one value between processes.

use std::fmt;
use std::io;
use std::marker::PhantomData;

use super::lock::Locked;
use super::raw_lock::Taken;
use super::segment::Segment;
use crate::sys::plain::Plain;

/// A value that processes share: what Python calls `multiprocessing.Value`.
///
/// It is read and replaced as a whole. It is a handle: it can be cloned, and passed to other processes
/// like any argument.
///
/// # When a process dies
///
/// The value is the old one or the new one, also if the process is killed in the middle of
/// [`set`](Self::set) or [`update`](Self::update). Nobody has to be told.
///
/// # Progress
///
/// [`get`](Self::get) is lock-free: it never waits for a writer. What writes is blocking, as
/// writers have their turn one after the other. Not for signal handlers.
///
/// # Wrap-around
///
/// Writes are counted modulo 2^64.
///
/// # Example
///
/// ```
/// use brigade::shared::Value;
///
/// let best = Value::new(0.0_f64)?;
/// let found = 0.75;
/// best.update(|best| *best = best.max(found)); // here, or in a process that it was passed to
/// assert_eq!(best.get(), 0.75);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Value<T: Plain> {
    segment: Segment<Locked>,
    value: PhantomData<fn() -> T>,
}

impl<T: Plain> Value<T> {
    /// Something to share, with this value at first.
    ///
    /// # Errors
    ///
    /// The system's: there is no memory, or there are too many files open.
    pub fn new(value: T) -> io::Result<Self> {
        Ok(Self {
            segment: Locked::create(value)?,
            value: PhantomData,
        })
    }

    /// The value. Progress: lock-free; it looks again if it was replaced twice while it looked.
    #[must_use]
    pub fn get(&self) -> T {
        self.segment.cell.read()
    }

    /// Replaces the value. Blocks while others write.
    ///
    /// # Panics
    ///
    /// In the closure of an [`update`](Self::update) of the same value, which it would wait for.
    pub fn set(&self, value: T) {
        self.update(|place| *place = value);
    }

    /// Changes the value, and nobody else does meanwhile. What the closure returns is returned. Blocks
    /// while others write; they wait for the closure.
    ///
    /// # Panics
    ///
    /// If the closure does; then the value is as it was. In the closure of another update of the same
    /// value, which it would wait for.
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let _turn = self.turn();
        let mut value = self.get();
        let result = change(&mut value);
        self.segment.cell.write(&value);
        result
    }

    fn turn(&self) -> Turn<'_> {
        loop {
            match self.segment.lock.take(None) {
                // Without a deadline it does not give up.
                None => {}
                Some(Taken::Mine) => {
                    panic!("a shared value is changed by this thread already, in an `update`")
                }
                Some(Taken::Clean) => return Turn(&self.segment),
                // One has died in a turn. The value is not halfway between two.
                Some(Taken::Abandoned) => {
                    self.segment.lock.mark_clean();
                    return Turn(&self.segment);
                }
            }
        }
    }
}

/// A turn to write; over when dropped.
struct Turn<'a>(&'a Locked);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.lock.release();
    }
}

impl<T: Plain> Clone for Value<T> {
    fn clone(&self) -> Self {
        Self {
            segment: self.segment.clone(),
            value: PhantomData,
        }
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Value").field(&self.get()).finish()
    }
}

impl<T: Plain> serde::Serialize for Value<T> {
    /// Writes a reference, not the value. Whoever reads it has the same object, as long as this process
    /// has.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.segment.serialize(serializer)
    }
}

impl<'de, T: Plain> serde::Deserialize<'de> for Value<T> {
    /// Reads a reference, to an object of another process or of this one. Fails if its value is not of the
    /// size of `T`; more is not known of its type.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self {
            segment: Locked::deserialize::<T, D>(deserializer)?,
            value: PhantomData,
        })
    }
}
