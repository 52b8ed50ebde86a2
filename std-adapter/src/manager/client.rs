//! [`Client`]: the connections of this process to a manager.
//!
//! ```text
//!     thread --call--> [ idle connection, or a new one ] --request--> server
//!            <-result- [      back among the idle      ] <--reply----
//! ```
//!
//! A connection carries one request at a time, so a thread that waits for an item holds one up and no
//! other thread. All connections of a process are one session: a lock that was acquired over one is
//! released over any.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use std::{fmt, io, process};

use super::error::Error;
use super::frame::{EncodeError, FrameError, Inbox, encode};
use super::handshake::{self, CHALLENGE, Session, VERDICT};
use super::key::{Address, Key};
use super::protocol::{Create, Id, Kind, Patience, Reply, Request, decode};
use super::server::SLACK;
use crate::sys::socket::{Stream, random};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// How much later than asked an answer may come.
const GRACE: Duration = Duration::from_secs(10);
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
}

struct State {
    /// A child by `fork` is another client, and the connections are its parent's.
    pid: u32,
    session: Option<Session>,
    idle: Vec<Connection>,
}

/// Both ends of one conversation, at rest.
struct Connection {
    stream: Stream,
    inbox: Inbox,
    frame: Vec<u8>,
    /// How large messages may be.
    limit: usize,
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
        client.rest(connection);
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
        let state = Mutex::new(State {
            pid: process::id(),
            session: None,
            idle: Vec::new(),
        });
        let inner = Arc::new(Inner {
            address,
            key,
            state,
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
    /// `patience` is the one in the request, or none.
    pub(super) fn call<R>(
        &self,
        request: &Request<'_>,
        patience: Patience,
        read: impl FnOnce(&Reply<'_>) -> Option<Result<R, Error>>,
    ) -> Result<R, Error> {
        let mut connection = self.connection()?;
        if let Err(error) = encode(request, connection.limit, &mut connection.frame) {
            self.rest(connection);
            return Err(match error {
                EncodeError::TooLarge => Error::TooLarge,
                EncodeError::Postcard(error) => Error::Encode(error.to_string()),
            });
        }
        // Who does not wait does not limit the wait for the answer either: it comes at once.
        let deadline = patience
            .filter(|patience| !patience.is_zero())
            .and_then(|patience| Instant::now().checked_add(patience.saturating_add(GRACE)));
        let result = connection.exchange(deadline, read);
        match result {
            Ok(result) => {
                self.rest(connection);
                result
            }
            Err(error) => {
                // The others are most likely no better.
                self.state().idle.clear();
                Err(error)
            }
        }
    }

    /// Makes an object.
    pub(super) fn create(&self, create: Create<'_>) -> Result<Id, Error> {
        self.call(&Request::Create(create), None, |reply| match reply {
            Reply::Object(id, _) => Some(Ok(*id)),
            _ => None,
        })
    }

    /// The object of this name, which is of this kind.
    pub(super) fn find_id(&self, name: &str, kind: Kind) -> Result<Id, Error> {
        self.call(&Request::Find { name }, None, |reply| match reply {
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
            *state = State {
                pid,
                session: None,
                idle: Vec::new(),
            };
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
        Connection::open(&self.0.address, &self.0.key, &session)
    }

    fn rest(&self, connection: Connection) {
        let mut state = self.state();
        if state.idle.len() < IDLE {
            state.idle.push(connection);
        }
    }
}

impl Connection {
    fn open(address: &Address, key: &Key, session: &Session) -> Result<Self, Error> {
        let deadline = Some(Instant::now() + CONNECT);
        let stream = Stream::connect(address.as_str(), CONNECT).map_err(lost)?;
        if !stream.is_same_user().map_err(Error::Gone)? {
            return Err(Error::OtherUser);
        }
        let mut challenge = [0; CHALLENGE];
        receive_all(&stream, &mut challenge, deadline)?;
        let nonce = random().map_err(Error::Gone)?;
        let answer = handshake::answer(key, &challenge, &nonce, session)?;
        stream.send(&answer, deadline).map_err(lost)?;
        let mut verdict = [0; VERDICT];
        receive_all(&stream, &mut verdict, deadline)?;
        let limit = handshake::admitted(key, &challenge, &answer, &verdict)?;
        Ok(Self {
            stream,
            inbox: Inbox::new(),
            frame: Vec::new(),
            limit: usize::try_from(limit).unwrap_or(usize::MAX - SLACK),
        })
    }

    /// Sends the frame and reads the reply. An error means that the connection is of no more use.
    fn exchange<R>(
        &mut self,
        deadline: Option<Instant>,
        read: impl FnOnce(&Reply<'_>) -> Option<Result<R, Error>>,
    ) -> Result<Result<R, Error>, Error> {
        let stream = &self.stream;
        stream.send(&self.frame, deadline).map_err(lost)?;
        let limit = self.limit.saturating_add(SLACK);
        let message = match self
            .inbox
            .next(limit, |into| stream.receive(into, deadline))
        {
            Ok(Some(message)) => message,
            Err(FrameError::Io(error)) => return Err(lost(error)),
            Ok(None) | Err(FrameError::Truncated) => return Err(lost(end())),
            Err(FrameError::TooLarge) => return Err(Error::Protocol("the answer is too large")),
        };
        let reply = decode(message).map_err(|_| Error::Protocol("the answer makes no sense"))?;
        match reply {
            Reply::Failed(failure) => Ok(Err(failure.into())),
            reply => read(&reply).ok_or(Error::Protocol("the answer is to another question")),
        }
    }
}

fn receive_all(
    stream: &Stream,
    mut into: &mut [u8],
    deadline: Option<Instant>,
) -> Result<(), Error> {
    while !into.is_empty() {
        match stream.receive(into, deadline).map_err(lost)? {
            0 => return Err(lost(end())),
            read => into = &mut into[read..],
        }
    }
    Ok(())
}

fn end() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

fn lost(error: io::Error) -> Error {
    match error.kind() {
        // The second is how the kernel says that a `connect` took too long.
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Error::Unresponsive,
        _ => Error::Gone(error),
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
        assert_eq!(queue.unfinished().unwrap(), 2);
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
