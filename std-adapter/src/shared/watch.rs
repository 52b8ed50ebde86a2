//! The watch: a thread that is told when a process dies with which this one shares memory.
//!
//! There is one for the process, named `brigade-watch`, started when the first segment is made or
//! opened. It sleeps in the kernel on the pidfds of all peers of all segments. When a peer has
//! ended it has each segment take back what the dead one held.
//!
//! It adds no trust: every process does this for itself, several at once do no harm, and so the death
//! of one who is doing it is just one more.

use std::collections::HashMap;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::sys::mask;
use crate::sys::pidfd::{Life, Pidfd};
use crate::sys::vigil::Vigil;

/// A segment, as the watch sees it.
pub(crate) trait Peers: Send + Sync {
    /// Takes back all that this process, which is dead, held in the segment, if it was there.
    fn bury(&self, dead: Life);
}

/// Whether a process lives, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It lived; the watch tells when that is over.
    Watched,
    /// It is dead.
    Dead,
}

struct Watch {
    /// Whose it is. A fork without exec has a copy of this, whose vigil is its parent's, and not the thread.
    process: u32,
    vigil: Arc<Vigil>,
    /// By keys that are never used again.
    peers: HashMap<u64, (Life, Pidfd)>,
    known: HashMap<Life, u64>,
    next: u64,
    segments: Vec<Weak<dyn Peers>>,
    /// Above this number of segments, those that are gone are looked for.
    crowd: usize,
}

static WATCH: Mutex<Option<Watch>> = Mutex::new(None);

fn lock() -> MutexGuard<'static, Option<Watch>> {
    WATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The watch, with its thread.
fn started(watch: &mut Option<Watch>) -> io::Result<&mut Watch> {
    let process = std::process::id();
    if watch.as_ref().is_none_or(|watch| watch.process != process) {
        let vigil = Arc::new(Vigil::new()?);
        let keeper = Arc::clone(&vigil);
        mask::while_all_are_blocked(|| {
            std::thread::Builder::new()
                .name("brigade-watch".into())
                .spawn(move || keep(&keeper))
        })??;
        let inherited = watch.replace(Watch {
            process,
            vigil,
            peers: HashMap::new(),
            known: HashMap::new(),
            next: 0,
            segments: Vec::new(),
            crowd: 16,
        });
        // Nothing in it is ours.
        mem::forget(inherited);
    }
    watch.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Has this segment told of the deaths of all peers that are [watched](peer).
pub(crate) fn segment(segment: Weak<dyn Peers>) -> io::Result<()> {
    let mut watch = lock();
    let watch = started(&mut watch)?;
    if watch.segments.len() >= watch.crowd {
        watch.segments.retain(|segment| segment.strong_count() > 0);
        watch.crowd = 2 * watch.segments.len() + 16;
    }
    watch.segments.push(segment);
    Ok(())
}

/// Has this peer watched; says if it is dead already, which is then nobody else's concern.
pub(crate) fn peer(life: Life) -> io::Result<Fate> {
    let mut watch = lock();
    let watch = started(&mut watch)?;
    if watch.known.contains_key(&life) {
        return Ok(Fate::Watched);
    }
    let Some(pidfd) = Pidfd::open(life)? else {
        return Ok(Fate::Dead);
    };
    if pidfd.has_ended()? {
        return Ok(Fate::Dead);
    }
    let key = watch.next;
    watch.next += 1;
    watch.vigil.add(&pidfd, key)?;
    watch.peers.insert(key, (life, pidfd));
    watch.known.insert(life, key);
    Ok(Fate::Watched)
}

/// What the thread does.
fn keep(vigil: &Vigil) {
    let mut ended = Vec::new();
    // Waiting fails only if the descriptor is not ours any more: somebody closed it.
    while vigil.wait(&mut ended, None).is_ok() {
        for key in ended.drain(..) {
            let Some((dead, segments)) = forget(key) else {
                continue;
            };
            for segment in segments {
                let bury = || segment.bury(dead);
                // What is wrong with one segment is nothing to the others.
                let _ = catch_unwind(AssertUnwindSafe(bury));
            }
        }
    }
}

/// Ends the watch over one that is dead; says who it was, and where it may have been.
fn forget(key: u64) -> Option<(Life, Vec<Arc<dyn Peers>>)> {
    let mut watch = lock();
    let watch = watch.as_mut()?;
    // The kernel's word, not that of whoever else may have the vigil's descriptor.
    if !watch.peers.get(&key)?.1.has_ended().unwrap_or(false) {
        return None;
    }
    let (life, pidfd) = watch.peers.remove(&key)?;
    watch.known.remove(&life);
    let _ = watch.vigil.remove(&pidfd);
    let segments = watch.segments.iter().filter_map(Weak::upgrade).collect();
    Some((life, segments))
}
