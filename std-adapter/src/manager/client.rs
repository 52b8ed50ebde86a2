//! [`Client`]: the connections of this process to a manager.
//!
//! ```text
//!     thread --call--> [ idle connection, or a new one ] --request--> server
//!            <-result- [      back among the idle      ] <--reply----
//! ```
//!
//! A connection carries one request at a time, so a thread that waits for an item holds one up and no
//! other thread. All connections of a process are one session: a lock that was acquired over one is
//! released over any, and when the last of them ends, the server takes back what the session has.
//!
//! So while this process has something in hand, it keeps one connection in reserve, for nothing but
//! returns:
//!
//! ```text
//!     take -----> held = 1, and its connection becomes the reserve
//!     request --> another connection, which may wait for as long as it takes
//!     return ---> an idle connection, or else the reserve: no new one is needed, so none can be refused
//! ```
//!
//! If a return fails all the same, the session is hung up: then the server takes back all that it has,
//! and nobody waits for ever for what nobody knows to be held.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::{fmt, io, mem, process};

use super::connection::Connection;
use super::error::Error;
use super::handshake::Session;
use super::key::{Address, Key};
use super::protocol::{Create, Id, Kind, Reply, Request};
use crate::sys::socket::{Stream, random};

/// More idle connections than this are closed.
const IDLE: usize = 32;

/// A connected manager, as seen from any process of the same user: makes objects, and finds those
/// that others have published.
///
/// A [`Manager`](crate::Manager) is one as well. Clones are the same client, and so are all clients and
/// proxies of a process that have the same address and key: they share connections.
///
/// # Example
///
/// ```
/// use brigade::Manager;
/// use brigade::manager::{Client, Queue};
///
/// let manager = Manager::start()?;
/// manager.publish("jobs", &manager.queue::<String>()?)?;
///
/// // In another process, which was told the address and the key:
/// let client = Client::connect(manager.address().clone(), manager.key().clone())?;
/// let jobs: Queue<String> = client.find("jobs")?;
/// jobs.put("sweep".into())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    address: Address,
    key: Key,
    state: Mutex<State>,
    /// A return that used the reserve is over.
    returned: Condvar,
}

struct State {
    /// A child by `fork` is another client, and the connections are its parent's.
    pid: u32,
    session: Option<Session>,
    /// All connections of the session.
    streams: Vec<Weak<Stream>>,
    idle: Vec<Connection>,
    /// How many locks, permits and leases this process has in hand.
    held: usize,
    reserve: Reserve,
    /// One that is of no more use, and keeps the session alive where no other does.
    stale: Option<Connection>,
}

/// The connection for returns, which there is while something is held.
#[derive(Default)]
enum Reserve {
    #[default]
    None,
    Here(Connection),
    /// Somebody returns something by it.
    InUse,
}

/// The clients of this process.
static CLIENTS: LazyLock<Mutex<Clients>> = LazyLock::new(Mutex::default);

type Clients = HashMap<(Address, Key), Weak<Inner>>;

impl Client {
    /// Connects to the manager at this address.
    ///
    /// Blocks until it answers, for 10 seconds at most.
    ///
    /// # Errors
    ///
    /// If there is none, it runs as another user, has another key, or serves as many connections as it may.
    pub fn connect(address: Address, key: Key) -> Result<Self, Error> {
        let client = Self::of(address, key);
        let connection = client.connection()?;
        client.state().rest(connection);
        Ok(client)
    }

    /// The client of this process with that address and key. Connects when it is used.
    pub(super) fn of(address: Address, key: Key) -> Self {
        let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (address, key);
        if let Some(inner) = clients.get(&name).and_then(Weak::upgrade) {
            return Self(inner);
        }
        clients.retain(|_, inner| inner.strong_count() > 0);
        let (address, key) = name.clone();
        let inner = Arc::new(Inner {
            address,
            key,
            state: Mutex::new(State::new(process::id())),
            returned: Condvar::new(),
        });
        clients.insert(name, Arc::downgrade(&inner));
        Self(inner)
    }

    /// Where the manager listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.0.address
    }

    /// What clients prove that they know.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.0.key
    }

    /// One request and what `read` makes of its reply, or nothing, if the reply is not of its kind.
    pub(super) fn call<R>(
        &self,
        request: &Request<'_>,
        read: impl FnOnce(&Reply<'_>) -> Option<Result<R, Error>>,
    ) -> Result<R, Error> {
        let mut connection = self.connection()?;
        match connection.ask(request, read) {
            Ok(result) => {
                self.state().rest(connection);
                result
            }
            Err(error) => {
                self.state().part_with(connection, &error);
                Err(error)
            }
        }
    }

    /// As [`call`](Self::call), for what is returned by [`give_back`](Self::give_back), to the same session.
    pub(super) fn take<R>(
        &self,
        request: &Request<'_>,
        read: impl FnOnce(&Reply<'_>) -> Option<Result<R, Error>>,
    ) -> Result<(R, Session), Error> {
        let mut connection = self.connection()?;
        let session = connection.session;
        match connection.ask(request, read) {
            Ok(result) => {
                let mut state = self.state();
                if result.is_ok() && state.session == Some(session) {
                    state.held += 1;
                }
                state.rest(connection);
                Ok((result?, session))
            }
            Err(error) => {
                self.state().part_with(connection, &error);
                Err(error)
            }
        }
    }

    /// Returns what was taken. If that session is over, or another process's, it went back with it.
    pub(super) fn give_back(&self, request: &Request<'_>, session: Session) -> Result<(), Error> {
        let (mut connection, reserve) = self.for_return(session)?;
        loop {
            let at_rest = connection.is_some();
            let opened = match connection.take() {
                Some(connection) => Ok(connection),
                None => self.open(session),
            };
            let result = opened.and_then(|mut connection| {
                let result = connection.ask(request, |reply| {
                    matches!(reply, Reply::Done).then_some(Ok(()))
                });
                match result {
                    Ok(result) => {
                        self.returned(session, reserve, |state| state.rest(connection));
                        Ok(result)
                    }
                    // It is on its way: the server will read it when it goes on.
                    Err(Error::Unresponsive) => {
                        let error = Error::Unresponsive;
                        self.returned(session, reserve, |state| {
                            state.part_with(connection, &error);
                        });
                        Ok(Err(Error::Unresponsive))
                    }
                    Err(error) => Err(error),
                }
            });
            match result {
                Ok(result) => return result,
                // The server may have closed this one only. Numbers are given once, so nothing is returned
                // twice.
                Err(_) if at_rest => {}
                Err(error) => {
                    self.hang_up(session);
                    return Err(error);
                }
            }
        }
    }

    /// Makes an object.
    pub(super) fn create(&self, create: Create<'_>) -> Result<Id, Error> {
        self.call(&Request::Create(create), |reply| match reply {
            Reply::Object(id, _) => Some(Ok(*id)),
            _ => None,
        })
    }

    /// The object of this name, which is of this kind.
    pub(super) fn find_id(&self, name: &str, kind: Kind) -> Result<Id, Error> {
        self.call(&Request::Find { name }, |reply| match reply {
            Reply::Object(id, found) if *found == kind => Some(Ok(*id)),
            Reply::Object(..) => Some(Err(Error::WrongKind)),
            _ => None,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under the lock panics.
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = process::id();
        if state.pid != pid {
            // Closes this process's handles; the parent's stay open.
            *state = State::new(pid);
        }
        state
    }

    /// An idle connection, or a new one.
    fn connection(&self) -> Result<Connection, Error> {
        let mut state = self.state();
        if let Some(connection) = state.idle.pop() {
            return Ok(connection);
        }
        let session = match state.session {
            Some(session) => session,
            None => random().map_err(Error::Gone)?,
        };
        state.session = Some(session);
        drop(state);
        self.open(session)
    }

    /// A new connection of this session.
    fn open(&self, session: Session) -> Result<Connection, Error> {
        let connection = Connection::open(&self.0.address, &self.0.key, session)?;
        let mut state = self.state();
        if state.session != Some(session) {
            return Err(Error::Gone(io::ErrorKind::ConnectionAborted.into()));
        }
        state.streams.retain(|stream| stream.strong_count() > 0);
        state.streams.push(Arc::downgrade(&connection.stream));
        Ok(connection)
    }

    /// A connection to return something by, if there is one at rest, and whether it is the reserve. Waits
    /// for another return that uses the reserve.
    fn for_return(&self, session: Session) -> Result<(Option<Connection>, bool), Error> {
        let mut state = self.state();
        while state.session == Some(session) {
            if let Some(connection) = state.idle.pop() {
                return Ok((Some(connection), false));
            }
            match mem::replace(&mut state.reserve, Reserve::InUse) {
                Reserve::Here(connection) => return Ok((Some(connection), true)),
                Reserve::None => return Ok((None, true)),
                Reserve::InUse => {
                    let woken = self.0.returned.wait(state);
                    state = woken.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
        Err(Error::NotHeld)
    }

    /// Something is in hand no more; `settle` says what becomes of the connection.
    fn returned(&self, session: Session, reserve: bool, settle: impl FnOnce(&mut State)) {
        let mut state = self.state();
        if state.session == Some(session) {
            state.held -= 1;
            if reserve {
                state.reserve = Reserve::None;
            }
        }
        settle(&mut state);
        drop(state);
        self.0.returned.notify_all();
    }

    /// Ends all connections of the session, also those that are in use.
    fn hang_up(&self, session: Session) {
        let mut state = self.state();
        if state.session == Some(session) {
            for stream in state.streams.iter().filter_map(Weak::upgrade) {
                stream.hang_up();
            }
            *state = State::new(state.pid);
        }
        drop(state);
        self.0.returned.notify_all();
    }
}

impl State {
    fn new(pid: u32) -> Self {
        Self {
            pid,
            session: None,
            streams: Vec::new(),
            idle: Vec::new(),
            held: 0,
            reserve: Reserve::None,
            stale: None,
        }
    }

    /// The connection is free for the next request.
    fn rest(&mut self, connection: Connection) {
        if self.session != Some(connection.session) {
            return;
        }
        if self.held > 0 && matches!(self.reserve, Reserve::None) {
            self.reserve = Reserve::Here(connection);
            self.stale = None;
        } else if self.idle.len() < IDLE {
            self.idle.push(connection);
        }
        if self.held == 0 {
            self.stale = None;
            if let Reserve::Here(connection) = mem::take(&mut self.reserve) {
                self.idle.push(connection);
            }
        }
    }

    /// The connection is of no more use.
    fn part_with(&mut self, connection: Connection, error: &Error) {
        if self.session != Some(connection.session) {
            return;
        }
        match error {
            // The others are most likely no better.
            Error::Gone(_) => self.idle.clear(),
            // Its end would be the end of what is held.
            Error::Unresponsive if self.held > 0 && !matches!(self.reserve, Reserve::Here(_)) => {
                self.stale = Some(connection);
            }
            _ => {}
        }
    }
}

/// Does not show the key.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client")
            .field(&self.0.address.as_str())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use super::super::frame::encode;
    use super::super::protocol::{Request, ToPermits, ToQueue};
    use super::Client;
    use crate::{Manager, Shutdown};

    /// Sends the request and goes when it has had its effect, without having read the reply.
    fn ask_and_go(client: &Client, request: &Request<'_>, had_effect: impl Fn() -> bool) {
        let mut connection = client.connection().unwrap();
        encode(request, usize::MAX, &mut connection.frame).unwrap();
        connection.stream.send(&connection.frame, None).unwrap();
        until(had_effect);
    }

    fn until(condition: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !condition() {
            assert!(Instant::now() < deadline, "this takes too long");
            thread::yield_now();
        }
    }

    #[test]
    fn an_item_that_was_not_read_goes_back_to_its_place() {
        let manager = Manager::builder().serve().unwrap();
        let queue = manager.queue().unwrap();
        queue.put("a".to_string()).unwrap();
        queue.put("b".to_string()).unwrap();
        for _ in 0..20 {
            let get = Request::Queue(1, ToQueue::Get(None));
            ask_and_go(&manager, &get, || queue.len().unwrap() == 1);
            until(|| queue.len().unwrap() == 2);
            assert!(queue.task_done().is_err());

            let lease = Request::Queue(1, ToQueue::Lease(None));
            ask_and_go(&manager, &lease, || queue.len().unwrap() == 1);
            until(|| queue.len().unwrap() == 2);
        }
        let first = queue.lease().unwrap();
        assert_eq!((first.as_str(), first.attempts()), ("a", 0));
        drop(first);
        assert_eq!(queue.get().unwrap(), "b");
        queue.task_done().unwrap();
        queue.join().unwrap();
    }

    #[test]
    fn items_that_were_drained_and_not_read_go_back() {
        let manager = Manager::builder().serve().unwrap();
        let queue = manager.queue().unwrap();
        queue.put(1).unwrap();
        queue.put(2).unwrap();
        let close = Request::Queue(1, ToQueue::Close);
        ask_and_go(&manager, &close, || queue.is_empty().unwrap());
        until(|| queue.len().unwrap() == 2);
        assert_eq!(queue.unfinished().unwrap(), 0, "nobody can get them");
        assert_eq!(queue.shutdown(Shutdown::Immediate).unwrap(), [1, 2]);
        assert_eq!(queue.unfinished().unwrap(), 0);
    }

    #[test]
    fn a_lock_whose_taker_never_knew_is_free_and_not_abandoned() {
        let manager = Manager::builder().serve().unwrap();
        let lock = manager.lock().unwrap();
        let acquire = Request::Permits(1, ToPermits::Take(None));
        // It may be over before anybody sees it.
        ask_and_go(&manager, &acquire, || true);
        let guard = lock.lock_timeout(Duration::from_secs(30)).unwrap().unwrap();
        assert!(!guard.was_abandoned());
    }
}
