//! A segment: memory that processes share, with contents of some kind.
//!
//! A process has a segment once, and takes part in it once, however many handles it has: see `travel.rs`. It
//! leaves when the last is dropped; what it still held then is taken back, as if it had died.
//!
//! To **make a kind of contents**, implement [`Contents`] on what the process keeps about it: the
//! [`Words`](crate::sys::memory::Words) it works on, and the [`Room`] to wait in (`room.rs` says how it is laid out). [`Segment<C>`] then is a handle that can be
//! cloned, travels, and dereferences to `C`.

use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use super::open_error::OpenError;
use super::participants::Owner;
use super::room;
pub(crate) use super::room::{PARTICIPANTS, Plan, Room};
use super::travel::{self, Passed};
use super::watch::Peers;
use crate::sys::memory::Memory;
use crate::sys::pidfd::Life;

/// What is in a segment, on the side of one process.
pub(crate) trait Contents: Sized + Send + Sync + 'static {
    /// Which kind it is, in the header: any number that no other kind has.
    const KIND: u32;
    /// How `/proc/PID/maps` calls it, after "brigade-".
    const NAME: &'static str;

    /// Finds its way in the segment, from [`Room::config`] above all, which must not be trusted.
    /// `None` if it makes no sense.
    fn attach(room: &Arc<Room>) -> Option<Self>;

    /// Takes back what a participant held that is dead, or has left.
    ///
    /// Called by any thread of any survivors, several at once, again after it was completed, and in
    /// part if a survivor dies in it. So it is idempotent, does not wait, and touches only what is
    /// tagged with this very owner: in the compare-and-swap, as its place may have gone to another
    /// process while the caller was stopped. It need not wake anybody: all bells are rung afterwards.
    fn recover(&self, dead: Owner);

    /// Takes back what this process holds when its last handle is dropped: as if it had died, unless the kind
    /// has another opinion.
    fn leave(&self, me: Owner) {
        self.recover(me);
    }
}

/// A handle on a segment with contents of one kind. It can be cloned, and travels: as an argument, a
/// result or an item, to any process of the same user, as long as the sender has it until then. A process of
/// [`Process`](crate::Process) ends before its result is read, so what it has made itself is gone.
pub(crate) struct Segment<C: Contents>(Arc<Joined<C>>);

/// A process's part in a segment.
struct Joined<C: Contents> {
    contents: C,
    room: Arc<Room>,
}

impl<C: Contents> Segment<C> {
    /// Makes a segment. `initialize` writes what is not zero into its contents, before anybody else
    /// can see it.
    ///
    /// # Errors
    ///
    /// The system's; `InvalidInput` if it would be too large or have too many participants.
    pub(crate) fn create(plan: Plan, initialize: impl FnOnce(&C)) -> io::Result<Self> {
        let memory = room::lay_out(C::NAME, C::KIND, plan)?;
        let identity = memory.identity();
        let segment = Self::attach(memory, initialize)?;
        travel::enter(identity, &segment.0);
        Ok(segment)
    }

    /// Opens what has come in, or finds it if this process has it already.
    fn open(passed: Passed) -> Result<Self, OpenError> {
        let open = || match Memory::open(passed.open()?) {
            Ok(memory) => Ok(Self::attach(memory, |_| ())?.0),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(OpenError::Mismatch),
            Err(error) => Err(error.into()),
        };
        travel::find_or(passed.identity, open).map(Self)
    }

    fn attach(memory: Memory, initialize: impl FnOnce(&C)) -> Result<Self, OpenError> {
        let room = Arc::new(Room::open(memory, C::KIND)?);
        let contents = C::attach(&room).ok_or(OpenError::Corrupted)?;
        initialize(&contents);
        let joined = Arc::new(Joined { contents, room });
        let peers: Arc<dyn Peers> = Arc::clone(&joined) as _;
        joined.room.join(Arc::downgrade(&peers))?;
        Ok(Self(joined))
    }
}

impl<C: Contents> Peers for Joined<C> {
    fn bury(&self, dead: Life) {
        for (owner, life) in self.room.participants() {
            if life == dead {
                self.contents.recover(owner);
                // Before the place is free: who finds it free leaves it at that, though whoever has
                // freed it may have been stopped since.
                self.room.disturb();
                self.room.free(owner, life);
            }
        }
    }
}

impl<C: Contents> Drop for Joined<C> {
    fn drop(&mut self) {
        if let Some((me, life)) = self.room.leaving() {
            self.contents.leave(me);
            // Before the place is free, as above.
            self.room.disturb();
            self.room.free(me, life);
        }
    }
}

impl<C: Contents> Clone for Segment<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C: Contents> Deref for Segment<C> {
    type Target = C;

    #[inline]
    fn deref(&self) -> &C {
        &self.0.contents
    }
}

impl<C: Contents> fmt::Debug for Segment<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment")
            .field("name", &C::NAME)
            .finish_non_exhaustive()
    }
}

impl<C: Contents> serde::Serialize for Segment<C> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let memory = self.0.room.memory();
        let keep = Arc::clone(&self.0);
        travel::serialize(memory.identity(), memory.descriptor(), keep, serializer)
    }
}

impl<'de, C: Contents> serde::Deserialize<'de> for Segment<C> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let passed = travel::deserialize(deserializer)?;
        Self::open(passed).map_err(travel::refuse)
    }
}
