//! [`Connection`]: one conversation with a manager, from the client's side.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::Error;
use super::frame::{EncodeError, FrameError, Inbox, encode};
use super::handshake::{self, CHALLENGE, Session, VERDICT};
use super::key::{Address, Key};
use super::protocol::{Reply, Request, decode};
use super::server::SLACK;
use crate::sys::socket::{Stream, random};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// How much later than asked an answer may come.
const GRACE: Duration = Duration::from_secs(10);

/// Both ends of one conversation, at rest.
pub(super) struct Connection {
    /// Shared with who may have to hang it up.
    pub(super) stream: Arc<Stream>,
    pub(super) session: Session,
    inbox: Inbox,
    pub(super) frame: Vec<u8>,
    /// How large messages may be.
    limit: usize,
}

impl Connection {
    pub(super) fn open(address: &Address, key: &Key, session: Session) -> Result<Self, Error> {
        let deadline = Some(Instant::now() + CONNECT);
        let stream = Stream::connect(address.as_str(), CONNECT).map_err(lost)?;
        if !stream.is_same_user().map_err(Error::Gone)? {
            return Err(Error::OtherUser);
        }
        let mut challenge = [0; CHALLENGE];
        receive_all(&stream, &mut challenge, deadline)?;
        let nonce = random().map_err(Error::Gone)?;
        let answer = handshake::answer(key, &challenge, &nonce, &session)?;
        stream.send(&answer, deadline).map_err(lost)?;
        let mut verdict = [0; VERDICT];
        receive_all(&stream, &mut verdict, deadline)?;
        let limit = handshake::admitted(key, &challenge, &answer, &verdict)?;
        Ok(Self {
            stream: Arc::new(stream),
            session,
            inbox: Inbox::new(),
            frame: Vec::new(),
            limit: usize::try_from(limit).unwrap_or(usize::MAX - SLACK),
        })
    }

    /// Asks and reads the reply. The outer error means that the connection is of no more use.
    pub(super) fn ask<R>(
        &mut self,
        request: &Request<'_>,
        read: impl FnOnce(&Reply<'_>) -> Option<Result<R, Error>>,
    ) -> Result<Result<R, Error>, Error> {
        match encode(request, self.limit, &mut self.frame) {
            Ok(()) => {}
            Err(EncodeError::TooLarge) => return Ok(Err(Error::TooLarge)),
            Err(EncodeError::Postcard(error)) => return Ok(Err(Error::Encode(error.to_string()))),
        }
        let deadline = request
            .patience()
            .and_then(|patience| Instant::now().checked_add(patience.saturating_add(GRACE)));
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
