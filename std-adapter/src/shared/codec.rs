//! Items as bytes: by serde and postcard, straight into the memory that processes share.

#![forbid(unsafe_code)]

use postcard::ser_flavors::{Flavor, Size};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::depot::{Filling, Hold, Ticket};
use super::payload::{Payloads, Place};
use super::queue_error::GetError;
use super::travel;

/// Up to this many bytes go by way of the stack.
pub(super) const SMALL: usize = 128;

/// Encodes an item that is small, and fits into a block. `None` if it is not.
#[inline]
pub(super) fn encode_small<'a, T: Serialize>(
    item: &T,
    small: &'a mut [u8; SMALL],
    payloads: &Payloads<'_>,
) -> Result<Option<&'a [u8]>, Hold> {
    match postcard::to_slice(item, &mut small[..SMALL.min(payloads.inside())]) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(postcard::Error::SerializeBufferFull) => Ok(None),
        Err(error) => Err(Hold::Encode(error.to_string())),
    }
}

/// Writes an item into a block that is being filled.
pub(super) fn encode<T: Serialize>(
    item: &T,
    filling: &Filling<'_>,
    payloads: &Payloads<'_>,
) -> Result<(), Hold> {
    let encode = |error: postcard::Error| Hold::Encode(error.to_string());
    let length = postcard::serialize_with_flavor(item, Size::default()).map_err(encode)?;
    let writer = Writer {
        payloads: *payloads,
        block: filling.block(),
        place: &filling.reserve(length)?,
        stage: [0; STAGE],
        staged: 0,
        written: 0,
        length,
    };
    let written = postcard::serialize_with_flavor(item, writer).map_err(encode)?;
    if written < length {
        let why = "it was shorter when it was serialised again";
        return Err(Hold::Encode(why.into()));
    }
    Ok(())
}

/// Whether an item can ever be put, for want of a block to find out by writing it.
pub(super) fn check<T: Serialize>(item: &T, payloads: &Payloads<'_>) -> Result<(), Hold> {
    match postcard::serialize_with_flavor(item, Size::default()) {
        Ok(length) if length > payloads.most() => Err(Hold::TooLarge),
        Ok(_) => Ok(()),
        Err(error) => Err(Hold::Encode(error.to_string())),
    }
}

/// Reads the item that was taken.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, GetError> {
    match travel::explain(|| postcard::take_from_bytes(bytes)) {
        Ok((item, [])) => Ok(item),
        Ok((_, rest)) => {
            let why = format!("{} bytes of it are left over", rest.len());
            Err(GetError::Decode(why))
        }
        Err(why) => Err(GetError::Decode(why)),
    }
}

/// Copies what was taken to where nobody else can change it, has that done with the ticket, and reads the
/// item.
pub(super) fn copy<'a, T: DeserializeOwned, R>(
    ticket: Ticket<'a>,
    then: impl FnOnce(Ticket<'a>) -> R,
) -> Result<(T, R), GetError> {
    let mut small = [0; SMALL];
    let mut large = Vec::new();
    let Ok(length) = ticket.length() else {
        return Err(GetError::Corrupted);
    };
    let bytes = if length <= SMALL {
        &mut small[..length]
    } else {
        // It is no longer than the segment, but that may be nothing but a hole.
        if large.try_reserve_exact(length).is_err() {
            return Err(GetError::Corrupted);
        }
        large.resize(length, 0);
        &mut large[..]
    };
    if ticket.read(bytes).is_err() {
        return Err(GetError::Corrupted);
    }
    let rest = then(ticket);
    Ok((decode(bytes)?, rest))
}

const STAGE: usize = 1024;

/// Has postcard write into a payload, a stage at a time.
struct Writer<'a> {
    payloads: Payloads<'a>,
    block: u32,
    place: &'a Place,
    stage: [u8; STAGE],
    staged: usize,
    written: usize,
    length: usize,
}

impl Writer<'_> {
    fn flush(&mut self) {
        let staged = &self.stage[..self.staged];
        self.payloads
            .write(self.block, self.place, self.written, staged);
        self.written += self.staged;
        self.staged = 0;
    }

    /// It may be longer than it was when its length was asked for.
    fn check(&self, more: usize) -> postcard::Result<()> {
        if more > self.length - self.written - self.staged {
            return Err(postcard::Error::SerializeBufferFull);
        }
        Ok(())
    }
}

impl Flavor for Writer<'_> {
    /// How many bytes were written.
    type Output = usize;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.check(1)?;
        self.stage[self.staged] = byte;
        self.staged += 1;
        if self.staged == STAGE {
            self.flush();
        }
        Ok(())
    }

    fn try_extend(&mut self, mut bytes: &[u8]) -> postcard::Result<()> {
        self.check(bytes.len())?;
        while !bytes.is_empty() {
            if self.staged == 0 && bytes.len() >= STAGE {
                // Whole words go straight there.
                let (whole, rest) = bytes.split_at(bytes.len() / STAGE * STAGE);
                self.payloads
                    .write(self.block, self.place, self.written, whole);
                self.written += whole.len();
                bytes = rest;
                continue;
            }
            let (here, rest) = bytes.split_at(bytes.len().min(STAGE - self.staged));
            self.stage[self.staged..][..here.len()].copy_from_slice(here);
            self.staged += here.len();
            bytes = rest;
            if self.staged == STAGE {
                self.flush();
            }
        }
        Ok(())
    }

    fn finalize(mut self) -> postcard::Result<usize> {
        self.flush();
        Ok(self.written)
    }
}
