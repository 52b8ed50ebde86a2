//! Frames: how messages are told apart in a stream of bytes.
//!
//! ```text
//!     +----------------------+---------------------------+
//!     | length: u32, little- | message: that many bytes, |
//!     | endian               | in postcard's encoding    |
//!     +----------------------+---------------------------+
//! ```
//!
//! A length above the limit is refused before anything is allocated for it, and a buffer grows no
//! faster than bytes arrive: who announces a gigabyte and sends nothing costs nothing.

use std::io;

use serde::Serialize;

/// The bytes of a length.
const HEAD: usize = 4;
/// The first buffer, which holds most messages whole.
const FIRST: usize = 1024;
/// Buffers larger than this are given back when what they were for is done.
const KEEP: usize = 256 * 1024;

/// Why there is no next frame.
#[derive(Debug)]
pub(super) enum FrameError {
    /// The connection failed.
    Io(io::Error),
    /// The other end has gone in the middle of a frame.
    Truncated,
    /// The frame is longer than the limit.
    TooLarge,
}

/// Bytes that have arrived: first those of the frame last handed out, then what came with it.
pub(super) struct Inbox {
    buffer: Vec<u8>,
    /// Where the frame last handed out ends.
    used: usize,
    /// Where what has arrived ends.
    filled: usize,
}

impl Inbox {
    pub(super) const fn new() -> Self {
        Self {
            buffer: Vec::new(),
            used: 0,
            filled: 0,
        }
    }

    /// The next message; `None` if the other end has gone after a whole one. `read` waits for bytes.
    pub(super) fn next(
        &mut self,
        limit: usize,
        mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    ) -> Result<Option<&[u8]>, FrameError> {
        self.discard();
        loop {
            let mut room = FIRST;
            if let Some(length) = self.length() {
                if length > limit {
                    return Err(FrameError::TooLarge);
                }
                if self.filled - HEAD >= length {
                    self.used = HEAD + length;
                    return Ok(Some(&self.buffer[HEAD..self.used]));
                }
                room = room.max(HEAD + length);
            }
            if self.filled == self.buffer.len() {
                self.buffer.resize((2 * self.filled).clamp(FIRST, room), 0);
            }
            match read(&mut self.buffer[self.filled..]).map_err(FrameError::Io)? {
                0 if self.filled == 0 => return Ok(None),
                0 => return Err(FrameError::Truncated),
                more => self.filled += more,
            }
        }
    }

    /// The length of the message at the front, once that much of it has arrived.
    fn length(&self) -> Option<usize> {
        let head = self.buffer[..self.filled].first_chunk::<HEAD>()?;
        usize::try_from(u32::from_le_bytes(*head)).ok()
    }

    /// Forgets the frame last handed out.
    fn discard(&mut self) {
        self.buffer.copy_within(self.used..self.filled, 0);
        self.filled -= self.used;
        self.used = 0;
        if self.buffer.len() > KEEP && self.filled < FIRST {
            self.buffer.truncate(FIRST);
            self.buffer.shrink_to_fit();
        }
    }
}

/// Writes a message as a frame over what was there, if it is not over
/// the limit.
pub(super) fn encode(
    message: &impl Serialize,
    limit: usize,
    frame: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    frame.clear();
    if frame.capacity() > KEEP {
        frame.shrink_to(FIRST);
    }
    frame.extend([0; HEAD]);
    *frame = postcard::to_extend(message, std::mem::take(frame)).map_err(EncodeError::Postcard)?;
    let length = frame.len() - HEAD;
    match u32::try_from(length) {
        Ok(head) if length <= limit => frame[..HEAD].copy_from_slice(&head.to_le_bytes()),
        _ => return Err(EncodeError::TooLarge),
    }
    Ok(())
}

/// Why a message could not be made a frame.
#[derive(Debug)]
pub(super) enum EncodeError {
    Postcard(postcard::Error),
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::{EncodeError, FrameError, HEAD, Inbox, KEEP, encode};

    /// Hands the bytes out in pieces of this length, then nothing.
    fn pieces(bytes: &[u8], length: usize) -> impl FnMut(&mut [u8]) -> std::io::Result<usize> {
        let mut left = bytes.to_vec();
        move |into| {
            let piece = length.min(left.len()).min(into.len());
            into[..piece].copy_from_slice(&left[..piece]);
            left.drain(..piece);
            Ok(piece)
        }
    }

    fn frames(messages: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for message in messages {
            bytes.extend(u32::try_from(message.len()).unwrap().to_le_bytes());
            bytes.extend(*message);
        }
        bytes
    }

    #[test]
    fn messages_come_whole_however_the_bytes_arrive() {
        let long = vec![7; 5000];
        let bytes = frames(&[b"one", b"", &long, b"three"]);
        for length in [1, 2, 3, 7, 1000, bytes.len()] {
            let mut inbox = Inbox::new();
            let mut read = pieces(&bytes, length);
            for message in [&b"one"[..], b"", &long, b"three"] {
                assert_eq!(inbox.next(5000, &mut read).unwrap(), Some(message));
            }
            assert!(inbox.next(5000, &mut read).unwrap().is_none());
        }
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_an_error() {
        let bytes = frames(&[b"hello"]);
        for length in 1..bytes.len() {
            let next = Inbox::new().next(5, pieces(&bytes[..length], 3)).err();
            assert!(matches!(next, Some(FrameError::Truncated)), "{length}");
        }
        let next = Inbox::new().next(4, pieces(&bytes, 3)).err();
        assert!(matches!(next, Some(FrameError::TooLarge)));
    }

    #[test]
    fn a_length_alone_allocates_nothing() {
        let mut inbox = Inbox::new();
        let claim = u32::MAX.to_le_bytes();
        assert!(inbox.next(usize::MAX, pieces(&claim, 4)).is_err());
        assert!(inbox.buffer.capacity() <= KEEP);
    }

    #[test]
    fn large_buffers_are_given_back() {
        let long = vec![1; 2 * KEEP];
        let bytes = frames(&[&long, b"short"]);
        let mut inbox = Inbox::new();
        let mut read = pieces(&bytes, 4096);
        inbox.next(long.len(), &mut read).unwrap();
        assert!(inbox.buffer.capacity() > KEEP);
        inbox.next(long.len(), &mut read).unwrap();
        assert!(inbox.buffer.capacity() <= KEEP);
    }

    #[test]
    fn what_is_encoded_is_read_back() {
        let mut frame = vec![1, 2, 3];
        encode(&"text", 5, &mut frame).unwrap();
        let mut inbox = Inbox::new();
        let message = inbox.next(5, pieces(&frame, 99)).unwrap().unwrap();
        assert_eq!(postcard::from_bytes::<&str>(message), Ok("text"));
        assert_eq!(frame.len(), HEAD + 5);
        let refused = encode(&"texts", 5, &mut frame);
        assert!(matches!(refused, Err(EncodeError::TooLarge)));
    }
}
