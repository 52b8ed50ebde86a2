//! How shared objects travel: as a reference to a descriptor of the sender's.
//!
//! ```text
//!     sender                            receiver
//!     serialise: pid, descriptor,  -->  has it already? then that one
//!     device and inode                  else open /proc/PID/fd/N, see whether it is that file, map it
//! ```
//!
//! All descriptors stay close-on-exec, and nothing is passed by a socket, so a reference can travel
//! through anything that carries bytes. The sender has to keep the object until the receiver has had
//! the chance to open it: what is serialised within [`collect`] is kept by its [`Attachments`]. Whoever
//! comes too late gets a clear error, never another object.
//!
//! A process has an object once: a table knows all, by device and inode.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::open_error::OpenError;
use crate::sys::memory::{self, Identity};

/// Has a type travel that is nothing but a handle on a segment.
macro_rules! travels {
    ($name:ident $(<$parameter:ident: $bound:path>)?) => {
        impl $(<$parameter: $bound>)? serde::Serialize for $name $(<$parameter>)? {
            /// Writes a reference. Whoever reads it has the same object, as long as this process has.
            fn serialize<Z: serde::Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de $(, $parameter: $bound)?> serde::Deserialize<'de> for $name $(<$parameter>)? {
            /// Reads a reference, to an object of another process or of this one.
            fn deserialize<Z: serde::Deserializer<'de>>(deserializer: Z) -> Result<Self, Z::Error> {
                serde::Deserialize::deserialize(deserializer).map(Self)
            }
        }
    };
}
pub(crate) use travels;

/// Anything that has to be kept.
pub(crate) type Kept = Arc<dyn Any + Send + Sync>;

/// Keeps what was serialised, as long as it exists itself.
#[derive(Debug, Default, Clone)]
pub(crate) struct Attachments(Vec<Kept>);

impl Attachments {
    /// Whether nothing has to be kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

thread_local! {
    /// What was serialised on this thread, if somebody wants to know.
    static COLLECTED: RefCell<Option<Attachments>> = const { RefCell::new(None) };
}

/// Runs `serialize`, and collects all shared objects that it serialises on this thread.
pub(crate) fn collect<R>(serialize: impl FnOnce() -> R) -> (R, Attachments) {
    /// Puts back what was collected before, also if `serialize` panics.
    struct Outer(Option<Attachments>);

    impl Drop for Outer {
        fn drop(&mut self) {
            COLLECTED.set(self.0.take());
        }
    }

    let _outer = Outer(COLLECTED.replace(Some(Attachments::default())));
    let result = serialize();
    (result, COLLECTED.take().unwrap_or_default())
}

/// Writes a reference to an object, and keeps the object for [`collect`].
pub(crate) fn serialize<S: Serializer>(
    identity: Identity,
    descriptor: i32,
    keep: Kept,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    COLLECTED.with_borrow_mut(|collected| {
        if let Some(Attachments(kept)) = collected {
            kept.push(keep);
        }
    });
    let Identity { device, inode } = identity;
    (std::process::id(), descriptor, device, inode).serialize(serializer)
}

thread_local! {
    /// Why a reference was refused on this thread: postcard's errors do not say.
    static REFUSED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The deserialiser's error for a reference that is refused.
pub(crate) fn refuse<E: serde::de::Error>(why: impl fmt::Display) -> E {
    let error = E::custom(&why);
    REFUSED.set(Some(why.to_string()));
    error
}

/// Runs `deserialize`; if that fails, says why, also if it was a reference that was refused.
pub(crate) fn explain<T, E: fmt::Display>(
    deserialize: impl FnOnce() -> Result<T, E>,
) -> Result<T, String> {
    // What was refused before is another story.
    drop(REFUSED.take());
    deserialize().map_err(|error| REFUSED.take().unwrap_or_else(|| error.to_string()))
}

/// A reference that has come in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passed {
    pid: u32,
    descriptor: i32,
    pub(crate) identity: Identity,
}

/// Reads a reference.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Passed, D::Error> {
    let (pid, descriptor, device, inode) = Deserialize::deserialize(deserializer)?;
    Ok(Passed {
        pid,
        descriptor,
        identity: Identity { device, inode },
    })
}

impl Passed {
    /// Opens the file itself.
    pub(crate) fn open(&self) -> Result<OwnedFd, OpenError> {
        memory::open_of(self.pid, self.descriptor, self.identity)?.ok_or(OpenError::Gone)
    }
}

/// All shared objects of this process.
struct Table {
    /// Whose it is. A fork without exec has a copy of this, and not the memory of the objects.
    process: u32,
    objects: HashMap<Identity, Weak<dyn Any + Send + Sync>>,
    /// Above this number, those that are gone are looked for.
    crowd: usize,
}

static TABLE: Mutex<Option<Table>> = Mutex::new(None);

fn lock() -> MutexGuard<'static, Option<Table>> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Table {
    fn insert<T: Any + Send + Sync>(&mut self, identity: Identity, object: &Arc<T>) {
        if self.objects.len() >= self.crowd {
            self.objects.retain(|_, object| object.strong_count() > 0);
            self.crowd = 2 * self.objects.len() + 16;
        }
        let object: Weak<T> = Arc::downgrade(object);
        self.objects.insert(identity, object);
    }

    fn find<T: Any + Send + Sync>(&self, identity: Identity) -> Option<Result<Arc<T>, OpenError>> {
        let found = self.objects.get(&identity)?.upgrade()?;
        Some(found.downcast().map_err(|_| OpenError::Mismatch))
    }
}

/// Enters a new object.
pub(crate) fn enter<T: Any + Send + Sync>(identity: Identity, object: &Arc<T>) {
    table(&mut lock()).insert(identity, object);
}

/// The object if this process has it already, or else what `open` makes. Nobody makes another one
/// meanwhile. An error if it is of another kind.
pub(crate) fn find_or<T: Any + Send + Sync>(
    identity: Identity,
    open: impl FnOnce() -> Result<Arc<T>, OpenError>,
) -> Result<Arc<T>, OpenError> {
    let mut locked = lock();
    let table = table(&mut locked);
    if let Some(found) = table.find(identity) {
        return found;
    }
    let object = open()?;
    table.insert(identity, &object);
    Ok(object)
}

fn table(table: &mut Option<Table>) -> &mut Table {
    let process = std::process::id();
    if let Some(inherited) = table.take_if(|table| table.process != process) {
        // Nothing in it is ours.
        mem::forget(inherited);
    }
    table.get_or_insert_with(|| Table {
        process,
        objects: HashMap::new(),
        crowd: 16,
    })
}

#[cfg(test)]
mod tests {
    use super::collect;
    use crate::shared::Event;

    #[test]
    fn what_was_collected_is_kept_and_not_longer() {
        let (outer, inner) = (Event::new().unwrap(), Event::new().unwrap());
        let (texts, attachments) = collect(|| {
            let (inner, kept) = collect(|| postcard::to_stdvec(&inner).unwrap());
            assert!(!kept.is_empty());
            let outer = postcard::to_stdvec(&outer).unwrap();
            [outer, inner]
        });
        drop((outer, inner));
        let read = |text: &[u8]| postcard::from_bytes::<Event>(text);
        let event = read(&texts[0]).unwrap();
        assert!(!event.is_set());
        assert!(
            read(&texts[1]).is_err(),
            "kept by the inner attachments only"
        );
        drop((event, attachments));
        assert!(read(&texts[0]).is_err());
        let ((), nothing) = collect(|| ());
        assert!(nothing.is_empty());
    }
}
