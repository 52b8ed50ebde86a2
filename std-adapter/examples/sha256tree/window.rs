//! The window: what the walk has found, in its order, on its way to be printed.
//!
//! The walk gives each file to the pool and puts the task into a bounded queue; the output takes
//! the tasks out in the same order and waits for each. However the workers overtake each other,
//! the order is kept, and the bound is what keeps memory flat: a walk that is too far ahead
//! waits in `put`.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use brigade::{Executor, Queue, Shutdown, Task};

use crate::hash::{self, Outcome};
use crate::walk::{Failure, Walk};

pub(crate) type Window = Queue<Pending>;

pub(crate) enum Pending {
    File(Arc<Path>, Task<Outcome>),
    Failed(Failure),
}

/// Walks over all that is below `roots`, until its end or until the pool or the window is shut
/// down. Shuts the window down in any case, so that the output comes to an end.
pub(crate) fn fill(window: &Window, roots: &[OsString], pool: &impl Executor) {
    let _end = End(window);
    for found in Walk::new(roots) {
        let pending = match found {
            Ok(path) => match pool.submit_with(hash::hash, path.as_os_str().to_owned()) {
                Ok(task) => Pending::File(path, task),
                Err(_) => return,
            },
            Err(failure) => Pending::Failed(failure),
        };
        if window.put(pending).is_err() {
            return;
        }
    }
}

/// Shuts the window down when dropped, also by a panic.
struct End<'a>(&'a Window);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.shutdown(Shutdown::Drain);
    }
}
