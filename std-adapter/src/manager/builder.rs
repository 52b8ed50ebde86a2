//! [`Builder`]: how a manager is to be, and how its server is started.

use std::io;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::client::Client;
use super::error::Error;
use super::key::{Address, Key};
use super::server::{Limits, Server};
use super::{Host, Manager};
use crate::process;
use crate::sys::socket::{Listener, Stream};

/// How long the server may take to say that it serves.
const START: Duration = Duration::from_secs(60);

/// How a [`Manager`] is to be.
///
/// # Example
///
/// ```
/// use brigade::Manager;
/// use brigade::manager::{Address, Client};
///
/// let manager = Manager::builder()
///     .address(Address::random()?)
///     .message_limit(1 << 20)
///     .connections(8)
///     .start()?;
/// let other = Client::connect(manager.address().clone(), manager.key().clone())?;
/// assert_eq!(other.value(&1)?.get()?, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    address: Option<Address>,
    key: Option<Key>,
    limits: Limits,
}

/// What the server process is told.
#[derive(Serialize, Deserialize)]
struct Order {
    address: Address,
    key: Key,
    limits: Limits,
    /// Where to report, and to stay connected.
    report: Address,
}

impl Builder {
    /// An address of its own, a random key, messages of 64 MiB, 256 connections, 65536 objects, and ten
    /// seconds for the handshake.
    pub fn new() -> Self {
        Self {
            address: None,
            key: None,
            limits: Limits {
                message: 64 << 20,
                connections: 256,
                objects: 1 << 16,
                handshake: Duration::from_secs(10),
            },
        }
    }

    /// Listens there, so that unrelated processes find it.
    pub fn address(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }

    /// Has this key.
    pub fn key(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// Takes and sends messages of so many bytes at most: an item and what goes with it, or all values of
    /// a list. At least 1 KiB, at most 1 GiB.
    pub fn message_limit(mut self, bytes: usize) -> Self {
        self.limits.message = bytes.clamp(1 << 10, 1 << 30);
        self
    }

    /// Serves so many connections at a time, and refuses others with [`Error::Busy`]. A process has as many
    /// as it has operations going on at a time, and keeps some of them; one more while it has a lock, a permit
    /// or a lease in hand. Such a process is let in up to twice that number, because others may wait
    /// for what it has. Each connection takes a thread and two descriptors of the server.
    pub fn connections(mut self, most: usize) -> Self {
        self.limits.connections = most;
        self
    }

    /// Owns so many objects at a time, and has so many names for them.
    pub fn objects(mut self, most: usize) -> Self {
        self.limits.objects = most;
        self
    }

    /// Gives those who connect so much time to prove that they know the key. Only 32 can be about it at a
    /// time: one more, and the one who has been at it longest is hung up on. `Duration::MAX` is for ever.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.limits.handshake = timeout;
        self
    }

    /// Starts the server in a process of its own, called `brigade-manager`, and connects to it.
    ///
    /// Blocks until it serves, a few milliseconds.
    ///
    /// # Errors
    ///
    /// [`Error::Start`]: if the process cannot be started, or cannot listen at the address, because
    /// that is taken or longer than 107 bytes.
    pub fn start(self) -> Result<Manager, Error> {
        let (address, key, limits) = self.settle()?;
        let report = Address::random().map_err(Error::Start)?;
        let listener = Listener::bind(report.as_str()).map_err(Error::Start)?;
        let order = Order {
            address: address.clone(),
            key: key.clone(),
            limits,
            report,
        };
        let process = process::Builder::new()
            .name("brigade-manager")
            .ignore_interrupts()
            .stdin(std::process::Stdio::null())
            .start(run, order)
            .map_err(|error| Error::Start(io::Error::other(error)))?;
        let line = match first_report(&listener, &process) {
            Ok(line) => line,
            Err(error) => {
                // Fails if it has ended.
                let _ = process.kill();
                let _ = process.join();
                return Err(Error::Start(error));
            }
        };
        let manager = Manager {
            client: Client::of(address, key),
            host: Host::Process {
                process: Some(process),
                starter: std::process::id(),
                line,
            },
        };
        Client::connect(manager.address().clone(), manager.key().clone())?;
        Ok(manager)
    }

    /// Serves in threads of this process, without another one. The objects are in this process's memory, and
    /// go with it.
    ///
    /// This process uses them through a socket, too, like all others.
    ///
    /// # Errors
    ///
    /// [`Error::Start`]: if it cannot listen at the address, because that is taken or longer than 107
    /// bytes, or a thread cannot be started.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::Manager;
    ///
    /// let manager = Manager::builder().serve()?;
    /// let names = manager.list()?;
    /// names.push(&"red".to_string())?;
    /// assert_eq!(names.len()?, 1);
    /// # Ok::<(), brigade::manager::Error>(())
    /// ```
    pub fn serve(self) -> Result<Manager, Error> {
        let (address, key, limits) = self.settle()?;
        let server = Server::start(&address, key.clone(), limits).map_err(Error::Start)?;
        Ok(Manager {
            client: Client::of(address, key),
            host: Host::Here(server),
        })
    }

    fn settle(self) -> Result<(Address, Key, Limits), Error> {
        let address = self.address.map_or_else(Address::random, Ok);
        let key = self.key.map_or_else(Key::random, Ok);
        Ok((
            address.map_err(Error::Start)?,
            key.map_err(Error::Start)?,
            self.limits,
        ))
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

/// Waits until the server says how it fares; it stays connected.
fn first_report(listener: &Listener, process: &process::Process<()>) -> io::Result<Stream> {
    let deadline = Instant::now() + START;
    loop {
        let Some(line) = listener.accept(process, Some(deadline))? else {
            return Err(io::Error::other(
                "the server process has ended, or takes too long",
            ));
        };
        // Anybody can connect; another user is not who we wait for.
        if !line.is_same_user()? {
            continue;
        }
        let mut code = [0; 4];
        let mut read = 0;
        while read < code.len() {
            match line.receive(&mut code[read..], Some(deadline))? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                more => read += more,
            }
        }
        return match i32::from_le_bytes(code) {
            0 => Ok(line),
            -1 => Err(io::Error::other("the server process could not serve")),
            code => Err(io::Error::from_raw_os_error(code)),
        };
    }
}

/// The server process: serves until the one who started it hangs up.
fn run(order: Order) {
    let Ok(line) = Stream::connect(order.report.as_str(), START) else {
        return;
    };
    let server = Server::start(&order.address, order.key, order.limits);
    let code = match &server {
        Ok(_) => 0,
        Err(error) => error.raw_os_error().unwrap_or(-1),
    };
    if line.send(&code.to_le_bytes(), None).is_ok() && code == 0 {
        // Nothing is sent to us: the answer is the end.
        let _ = line.receive(&mut [0], None);
    }
}
