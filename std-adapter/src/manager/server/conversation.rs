//! One connection from its first byte to its last.
//!
//! ```text
//!     handshake, in bounded time  -->  request, reply, request, reply ...  -->  end
//! ```
//!
//! A reply may hand something over: an item, a lock. Whether the client has read it is known when the
//! next request comes, or when the connection ends: a socket's last word tells whether all was read.
//! If not, it is undone. So what a client is given is either in its memory or back on the server, however
//! it dies.

use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{io, mem};

use super::super::frame::{FrameError, Inbox};
use super::super::handshake::{self, ANSWER, Session};
use super::super::key::Key;
use super::super::protocol::{Failure, Reply, decode};
use super::answer::{Clerk, HungUp, Out, Undo};
use super::holdings::Holdings;
use super::objects::Objects;
use super::peer::Peer;

/// Replies may be larger than requests by this: what a request could bring, a reply can take.
pub(in crate::manager) const SLACK: usize = 64;

/// What the conversations of a server have in common.
pub(super) struct House {
    pub(super) key: Key,
    pub(super) objects: Objects,
    /// How large messages may be.
    pub(super) message_limit: usize,
    /// How long a handshake may take.
    pub(super) handshake_limit: Duration,
}

/// Lets clients in: as many as there is room for.
pub(super) trait Door {
    /// What the client holds, if there is room for it.
    fn enter(&mut self, session: Session) -> Option<Arc<Holdings>>;
}

/// Talks to a client until it goes, or says what makes no sense.
pub(super) fn converse(
    house: &House,
    nonce: &[u8; 32],
    peer: &mut impl Peer,
    door: &mut impl Door,
) {
    // Errors are the client's end.
    if let Ok(Some(holdings)) = shake_hands(house, nonce, peer, door) {
        serve(house, peer, &holdings);
    }
}

fn shake_hands(
    house: &House,
    nonce: &[u8; 32],
    peer: &mut impl Peer,
    door: &mut impl Door,
) -> io::Result<Option<Arc<Holdings>>> {
    // What is too far for the clock is never.
    let deadline = Instant::now().checked_add(house.handshake_limit);
    peer.send(&handshake::challenge(nonce), deadline)?;
    let mut answer = [0; ANSWER];
    let mut filled = 0;
    while filled < ANSWER {
        match peer.receive(&mut answer[filled..], deadline)? {
            0 => return Ok(None),
            more => filled += more,
        }
    }
    let session = handshake::session(&house.key, nonce, &answer);
    let holdings = session.and_then(|session| door.enter(session));
    let verdict = match (&session, &holdings) {
        (_, Some(_)) => handshake::welcome(&house.key, nonce, &answer, house.message_limit as u64),
        (Some(_), None) => handshake::no_room(),
        (None, None) => handshake::refused(),
    };
    peer.send(&verdict, deadline)?;
    Ok(holdings)
}

/// Requests and replies, after the handshake.
pub(super) fn serve(house: &House, peer: &mut impl Peer, holdings: &Holdings) {
    let mut inbox = Inbox::new();
    let mut frame = Vec::new();
    let mut undo = Undo::Nothing;
    loop {
        let received = inbox.next(house.message_limit, |into| peer.receive(into, None));
        let message = match received {
            Ok(Some(message)) => message,
            // Who has begun another request has read the last reply.
            Ok(None) | Err(FrameError::Truncated) => return,
            Err(FrameError::Io(_)) => return undo.undo(holdings),
            Err(FrameError::TooLarge) => {
                return part_with(peer, &mut frame, Failure::TooLarge);
            }
        };
        drop(mem::take(&mut undo));
        let Ok(request) = decode(message) else {
            return part_with(peer, &mut frame, Failure::Malformed);
        };
        let mut clerk = Clerk {
            objects: &house.objects,
            holdings,
            peer: &mut *peer,
            reply: Out {
                frame: &mut frame,
                limit: house.message_limit + SLACK,
            },
        };
        match clerk.answer(&request) {
            Ok(next) => undo = next,
            Err(HungUp) => return,
        }
        if peer.send(&frame, None).is_err() {
            return undo.undo(holdings);
        }
    }
}

/// Says why, and nothing more: where the next request begins is not known.
fn part_with(peer: &mut impl Peer, frame: &mut Vec<u8>, failure: Failure) {
    let mut out = Out {
        frame,
        limit: SLACK,
    };
    out.say(&Reply::Failed(failure));
    // It may have gone.
    let _ = peer.send(frame, None);
}
