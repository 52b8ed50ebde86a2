//! Objects that a process of their own owns, and any process of the same user can use: what Python calls
//! `multiprocessing.Manager`.
//!
//! ```text
//!     process            process            process
//!     Queue, Dict, ...   Queue, Lock, ...   Manager (started it)
//!        |                  |                  |
//!        +--- Unix socket --+------------------+
//!                           |
//!                  server process: the queue, the dictionary, the lock
//! ```
//!
//! | Python | here |
//! |---|---|
//! | `Manager()` | [`Manager::start`], or a [`Builder`] |
//! | `.Queue()`, `.Queue(n)` | [`queue`](Client::queue), [`bounded_queue`](Client::bounded_queue) |
//! | `.dict()`, `.list()` | [`dict`](Client::dict), [`list`](Client::list) |
//! | `.Value(...)`, `.Namespace()` | [`value`](Client::value), [`namespace`](Client::namespace) |
//! | `.Event()`, `.Lock()`, `.Semaphore(n)` | [`event`](Client::event), [`lock`](Client::lock), [`semaphore`](Client::semaphore) |
//! | `BaseManager(address, authkey).connect()` | [`Client::connect`] |
//! | `get_server().serve_forever()` | [`Builder::serve`] |
//! | `BaseManager.register("name", ...)` | [`publish`](Client::publish), [`find`](Client::find) |
//! | `manager.shutdown()` | [`Manager::shutdown`], or dropping it |
//!
//! Every operation is a message to the server and its answer: about the time of two wake-ups.
//! Where that is too much, and the processes are all descended from one, what is in `shared` does without
//! a server.
//!
//! # What happens when a process dies
//!
//! - **A client**: its locks and permits are released, and the next holder of a lock is told; items it had
//!   leased go to others; an item that was on its way to it goes back.
//! - **The server**: whoever waits for an answer gets [`Error::Gone`] at once. What it owned is lost.
//! - **The process that started the server**: the server ends.
//!
//! Death is told by the kernel, which closes the connections of the dead, not by the clock. A process
//! that is stopped is not dead: a stopped server keeps untimed operations waiting that wait for something, such as an
//! item; all others fail with [`Error::Unresponsive`] ten seconds after their time.
//!
//! # Who may connect
//!
//! Processes of the same user that know the [`Key`]. Both ends ask the kernel for the other's user, and
//! both prove that they know the key, without sending it. The server limits the size of messages, the
//! number of connections and objects, and how long one may take to prove oneself: see [`Builder`].
//! Those who know the key are trusted with the server's memory and its time. What is sent is not
//! encrypted: it does not leave the kernel.
//!
//! A proxy that is serialised, and a key, hold the key in the clear: what is written to a file or a log that way
//! lets its readers in. `Debug` does not show it.
//!
//! # Reading the source
//!
//! `protocol.rs` has the requests and replies, `frame.rs` how they are told apart in a stream,
//! `handshake.rs` what comes before them. `server/` answers, `client.rs` asks over a `connection.rs`, and `proxy/` is what users
//! hold.

#![forbid(unsafe_code)]

mod builder;
mod client;
mod connection;
mod error;
mod frame;
mod handshake;
mod key;
mod protocol;
mod proxy;
mod server;

use std::ops::Deref;
use std::{fmt, mem, process};

use crate::Process;
use crate::sys::socket::Stream;
use server::Server;

pub use builder::Builder;
pub use client::Client;
pub use error::{Error, PutError, ShutdownError};
pub use key::{Address, Key};
pub use proxy::{
    Dict, Event, Guard, Iter, Lease, List, Lock, Namespace, Permit, Proxy, Queue, Semaphore, Value,
    kind,
};
#[doc(hidden)]
pub use server::replies;

/// A server that owns objects, and the first client of it: what Python calls
/// `multiprocessing.Manager()`.
///
/// It dereferences to [`Client`], which makes the objects. The server ends when the manager is dropped,
/// and when this process ends, however it ends; it ignores Ctrl-C, so this process decides. The copy that
/// a child by `fork` has is a client only: the server does not end with it.
///
/// See the [module](self) for what it guarantees.
///
/// # Example
///
/// ```
/// use brigade::{Manager, Process};
/// use brigade::manager::{Dict, Queue};
///
/// fn count(words: Queue<String>, counts: Dict<String, u32>) {
///     for word in words.iter().filter_map(Result::ok) {
///         counts.update(&word, |count| Some(count.unwrap_or(0) + 1)).unwrap();
///     }
/// }
///
/// let manager = Manager::start()?;
/// let words = manager.queue()?;
/// let counts: Dict<String, u32> = manager.dict()?;
/// let arguments = (words.clone(), counts.clone());
/// let child = Process::start(|(words, counts)| count(words, counts), arguments)?;
/// for word in ["red", "green", "red"] {
///     words.put(word.to_string())?;
/// }
/// words.shutdown(brigade::Shutdown::Drain)?;
/// child.join()?;
/// assert_eq!(counts.get("red")?, Some(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Manager {
    client: Client,
    host: Host,
}

/// Where the server is.
enum Host {
    Process {
        process: Option<Process<()>>,
        /// Who started it. A child by `fork` has a copy of this, and leaves the server alone.
        starter: u32,
        /// The server ends when this does.
        line: Stream,
    },
    Here(Server),
}

impl Manager {
    /// Starts a server process with the limits of [`Builder::new`], an address of its own and a random key.
    ///
    /// Blocks until it serves, a few milliseconds.
    ///
    /// # Errors
    ///
    /// [`Error::Start`], if the process cannot be started.
    pub fn start() -> Result<Self, Error> {
        Builder::new().start()
    }

    /// Says how the server is to be.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// The system's number of the server process; `None` if it [serves](Builder::serve) in this one.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        match &self.host {
            Host::Process { process, .. } => process.as_ref().map(Process::pid),
            Host::Here(_) => None,
        }
    }

    /// Ends the server and waits until that is done; dropping the manager does the same.
    ///
    /// All objects are gone, and whoever waits for one gets [`Error::Gone`]. Blocks for a moment.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        if let Host::Process {
            process,
            starter,
            line,
        } = &mut self.host
        {
            if *starter != process::id() {
                // Nor must the copy of the handle do anything.
                mem::forget(process.take());
                return;
            }
            line.hang_up();
            if let Some(process) = process.take() {
                // Fails if it has ended. There is nothing that it would have to finish.
                let _ = process.kill();
                let _ = process.join();
            }
        }
    }
}

impl Deref for Manager {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Manager");
        debug.field("address", &self.client.address().as_str());
        match &self.host {
            Host::Process { process, .. } => debug.field("process", process),
            Host::Here(server) => debug.field("server", server),
        };
        debug.finish()
    }
}
