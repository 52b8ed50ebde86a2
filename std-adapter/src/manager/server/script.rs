//! A conversation with a list of bytes in place of a client, for tests and fuzzing.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::super::handshake::{self, CHALLENGE, Session};
use super::super::key::Key;
use super::conversation::{Door, House, converse};
use super::holdings::Holdings;
use super::objects::Objects;
use super::peer::{Peer, Waited};

const KEY: Key = Key::new([0; 32]);
const MESSAGE_LIMIT: usize = 1 << 16;

/// What a server with no objects answers to a client that sends these bytes, whatever it is told.
///
/// The first byte says who the client is: if it is even, it knows the key, and its bytes are what comes
/// after the handshake. For fuzzing; not part of the interface.
#[doc(hidden)]
#[must_use]
pub fn replies(bytes: &[u8]) -> Vec<u8> {
    let (honest, bytes) = match bytes.split_first() {
        Some((first, rest)) => (first % 2 == 0, rest),
        None => (false, bytes),
    };
    let house = House {
        key: KEY,
        objects: Objects::new(64, 1),
        message_limit: MESSAGE_LIMIT,
        handshake_limit: Duration::from_secs(3600),
    };
    let mut script = Script {
        answer: Vec::new(),
        honest,
        bytes,
        sent: Vec::new(),
    };
    converse(&house, &[1; 32], &mut script, &mut Open);
    script.sent
}

struct Script<'a> {
    /// What is left of the honest answer to the challenge.
    answer: Vec<u8>,
    honest: bool,
    bytes: &'a [u8],
    sent: Vec<u8>,
}

impl Peer for Script<'_> {
    fn receive(&mut self, into: &mut [u8], _: Option<Instant>) -> io::Result<usize> {
        if !self.answer.is_empty() {
            let length = into.len().min(self.answer.len());
            into[..length].copy_from_slice(&self.answer[..length]);
            self.answer.drain(..length);
            return Ok(length);
        }
        let length = into.len().min(self.bytes.len());
        let (now, later) = self.bytes.split_at(length);
        into[..length].copy_from_slice(now);
        self.bytes = later;
        Ok(length)
    }

    fn send(&mut self, bytes: &[u8], _: Option<Instant>) -> io::Result<()> {
        if self.sent.is_empty() && self.honest {
            if let Some(challenge) = bytes.first_chunk::<CHALLENGE>() {
                let answer = handshake::answer(&KEY, challenge, &[2; 32], &[3; 16]);
                self.answer = answer.map_or(Vec::new(), Vec::from);
            }
        }
        self.sent.extend(bytes);
        Ok(())
    }

    /// Nobody else is there to make it ready.
    fn wait<T>(
        &mut self,
        _: Option<Instant>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Waited<T> {
        match poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Waited::Done(result),
            Poll::Pending => Waited::TimedOut,
        }
    }
}

/// Has room for everybody.
struct Open;

impl Door for Open {
    fn enter(&mut self, _: Session) -> Option<Arc<Holdings>> {
        Some(Arc::default())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::frame::{Inbox, encode};
    use super::super::super::handshake::{CHALLENGE, VERDICT};
    use super::super::super::protocol::{
        Create, Failure, Kind, Reply, Request, ToEvent, ToPermits, ToQueue, decode,
    };
    use super::{MESSAGE_LIMIT, replies};

    /// The bytes of a client that knows the key and asks this.
    fn asking(requests: &[Request<'_>]) -> Vec<u8> {
        let mut bytes = vec![0];
        let mut frame = Vec::new();
        for request in requests {
            encode(request, usize::MAX, &mut frame).unwrap();
            bytes.extend(&frame);
        }
        bytes
    }

    /// What it is told, after the handshake.
    fn told(bytes: &[u8]) -> Vec<String> {
        let sent = replies(bytes);
        let mut left = &sent[CHALLENGE + VERDICT..];
        let mut inbox = Inbox::new();
        let mut told = Vec::new();
        while let Some(message) = inbox
            .next(usize::MAX, |into| {
                let length = left.len().min(into.len());
                into[..length].copy_from_slice(&left[..length]);
                left = &left[length..];
                Ok(length)
            })
            .unwrap()
        {
            told.push(format!("{:?}", decode::<Reply<'_>>(message).unwrap()));
        }
        told
    }

    fn failed(failure: Failure) -> String {
        format!("{:?}", Reply::Failed(failure))
    }

    #[test]
    fn requests_are_answered_in_their_order() {
        let told = told(&asking(&[
            Request::Create(Create::Event),
            Request::Event(1, ToEvent::Wait(None)),
            Request::Event(1, ToEvent::Set),
            Request::Event(1, ToEvent::Wait(None)),
            Request::Queue(1, ToQueue::TaskDone),
            Request::Queue(2, ToQueue::TaskDone),
            Request::Create(Create::Lock),
            Request::Permits(2, ToPermits::Return(1)),
        ]));
        let expected = [
            format!("{:?}", Reply::Object(1, Kind::Event)),
            failed(Failure::Timeout),
            "Done".into(),
            "Done".into(),
            failed(Failure::WrongKind),
            failed(Failure::NoObject),
            format!("{:?}", Reply::Object(2, Kind::Lock)),
            failed(Failure::NotHeld),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_makes_no_sense_ends_the_conversation() {
        let good = asking(&[Request::Create(Create::Dict)]);
        for (nonsense, failure) in [
            (&[1, 0, 0, 0, 0xFF][..], Failure::Malformed),
            (&[0, 0, 0, 0], Failure::Malformed),
            // A request with a byte too many.
            (&[3, 0, 0, 0, 0, 1, 0], Failure::Malformed),
            (&[0xFF, 0xFF, 0xFF, 0xFF, 1], Failure::TooLarge),
        ] {
            let bytes = [&good, nonsense, &good[1..]].concat();
            let object = format!("{:?}", Reply::Object(1, Kind::Dict));
            assert_eq!(told(&bytes), [object, failed(failure)]);
        }
        let limit = u32::try_from(MESSAGE_LIMIT + 1).unwrap().to_le_bytes();
        assert_eq!(
            told(&[&[0], &limit[..]].concat()),
            [failed(Failure::TooLarge)]
        );
    }

    #[test]
    fn a_request_that_is_cut_off_has_no_effect_and_no_answer() {
        let bytes = asking(&[Request::Create(Create::List)]);
        for length in 1..bytes.len() {
            assert!(told(&bytes[..length]).is_empty(), "{length}");
        }
        assert_eq!(told(&bytes).len(), 1);
    }

    #[test]
    fn who_does_not_know_the_key_is_told_nothing() {
        for length in [0, 1, 79] {
            assert_eq!(replies(&vec![1; 1 + length]).len(), CHALLENGE);
        }
        for length in [80, 81, 5000] {
            let sent = replies(&vec![1; 1 + length]);
            assert_eq!(sent.len(), CHALLENGE + VERDICT);
            assert_eq!(&sent[CHALLENGE..][..8], b"wrongkey");
        }
        assert_eq!(replies(&[]).len(), CHALLENGE);
    }
}
