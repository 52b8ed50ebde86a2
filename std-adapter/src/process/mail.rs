//! What a parent and its child write to each other.
//!
//! ```text
//!     parent: [ REQUEST | build id | order | argument ]  --->  child: reads it, empties the file
//!     parent: [ ANSWER  | tag      | content ]           <---  child: content first, ANSWER last
//! ```
//!
//! It is one file in memory. The child answers into the file that it got the request by, and writes the
//! head last; the parent reads when the child has ended, so what it finds is whole or is no answer.

#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ship::{Call, Full, Outcome, Sink, decode, encode};
use crate::Panic;
use crate::shared::travel::{self, Attachments};
use crate::sys::process::image::{BuildId, Image};
use crate::sys::process::letter;

const REQUEST: [u8; 8] = *b"brigade?";
const ANSWER: [u8; 8] = *b"brigade!";

/// What comes before the content of an answer: its mark, and which kind it is.
const HEAD: usize = 16;

/// What a child is to do, beside the argument.
pub(super) struct Order {
    pub(super) name: String,
    pub(super) function: u64,
    pub(super) parent: String,
    pub(super) depth: u32,
    pub(super) ignore_interrupts: bool,
}

/// How an order travels.
type Fields = (String, u64, String, u32, bool);

impl Order {
    fn into_fields(self) -> Fields {
        let Self {
            name,
            function,
            parent,
            depth,
            ignore_interrupts,
        } = self;
        (name, function, parent, depth, ignore_interrupts)
    }

    fn from_fields((name, function, parent, depth, ignore_interrupts): Fields) -> Self {
        Self {
            name,
            function,
            parent,
            depth,
            ignore_interrupts,
        }
    }
}

/// Writes to a file, and keeps the error if it cannot.
struct Writer {
    file: File,
    /// What is to be written before anything else.
    pending: Vec<u8>,
    error: Option<io::Error>,
}

impl Writer {
    /// What is shorter is gathered.
    const SHORT: usize = 16 * 1024;

    fn new(file: File) -> Self {
        Self {
            file,
            pending: Vec::with_capacity(256),
            error: None,
        }
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.pending.len() + bytes.len() > Self::SHORT {
            self.flush()?;
        }
        if bytes.len() > Self::SHORT {
            return self.file.write_all(bytes);
        }
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.pending)?;
        self.pending.clear();
        Ok(())
    }

    /// Drops what has been written, and goes on at `position`.
    fn start_anew(&mut self, position: usize) -> io::Result<()> {
        self.pending.clear();
        self.error = None;
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(position as u64)).map(drop)
    }
}

impl Sink for Writer {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.try_write(bytes).map_err(|error| {
            self.error = Some(error);
            Full
        })
    }
}

/// Why there is no request.
pub(super) enum Unwritten {
    /// The argument cannot be encoded.
    Argument(String),
    Os(io::Error),
}

/// Writes a request; says which shared objects are in its argument, and have to be there when that is
/// decoded.
pub(super) fn request<A: Serialize>(
    order: Order,
    argument: &A,
) -> Result<(File, Attachments), Unwritten> {
    let file = letter::create().map_err(Unwritten::Os)?;
    let mut writer = Writer::new(file);
    let written = writer
        .try_write(&REQUEST)
        .and_then(|()| writer.try_write(Image::own().id()));
    written.map_err(Unwritten::Os)?;
    let (encoded, attachments) = travel::collect(|| {
        encode(&order.into_fields(), &mut writer).and_then(|()| encode(argument, &mut writer))
    });
    match writer.error.take() {
        Some(error) => return Err(Unwritten::Os(error)),
        None => encoded.map_err(Unwritten::Argument)?,
    }
    writer.flush().map_err(Unwritten::Os)?;
    Ok((writer.file, attachments))
}

/// A request that a child has opened, and into which it answers.
pub(super) struct Request {
    writer: Writer,
    content: Vec<u8>,
    /// Where the argument begins in it.
    argument: usize,
}

/// Why there is no order.
pub(super) enum Unread {
    /// It is from another program.
    OtherProgram,
    Os(io::Error),
}

impl Request {
    /// Opens the one that the parent has under this descriptor.
    pub(super) fn open(parent: u32, number: u32) -> io::Result<Self> {
        let file = letter::open(parent, number)?;
        let content = letter::read(&file)?;
        Ok(Self {
            writer: Writer::new(file),
            content,
            argument: 0,
        })
    }

    /// What it asks for.
    pub(super) fn order(&mut self) -> Result<Order, Unread> {
        let (order, argument) = read_order(&self.content, Image::own().id())?;
        self.argument = argument;
        // Not before it is known to be a request, and no file of somebody else's. Its memory is needed no more,
        // and there is room for the result.
        self.writer.start_anew(HEAD).map_err(Unread::Os)?;
        Ok(order)
    }

    /// Answers, once.
    pub(super) fn answer(mut self, outcome: &Outcome) -> io::Result<()> {
        match outcome {
            Outcome::Returned => self.finish(Tag::Returned),
            Outcome::Panicked(panic) => self.finish_with(Tag::Panicked, panic),
            Outcome::Argument(reason) => self.finish_with(Tag::Argument, reason),
            Outcome::Result(reason) => self.finish_with(Tag::Result, reason),
        }
    }

    /// Answers that it is not for this program.
    pub(super) fn refuse(mut self) -> io::Result<()> {
        self.finish_with(Tag::OtherProgram, &())
    }

    /// Puts `content` in the place of what may have been written.
    fn finish_with<T: Serialize>(&mut self, tag: Tag, content: &T) -> io::Result<()> {
        self.writer.start_anew(HEAD)?;
        // It fails with the writer, which says so at its end.
        let _ = encode(content, &mut self.writer);
        self.finish(tag)
    }

    fn finish(&mut self, tag: Tag) -> io::Result<()> {
        if let Some(error) = self.writer.error.take() {
            return Err(error);
        }
        self.writer.flush()?;
        let mut head = [0; HEAD];
        head[..ANSWER.len()].copy_from_slice(&ANSWER);
        head[ANSWER.len()] = tag as u8;
        self.writer.file.write_all_at(&head, 0)
    }
}

impl Sink for Request {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.writer.write(bytes)
    }
}

impl Call for Request {
    fn argument(&self) -> &[u8] {
        self.content.get(self.argument..).unwrap_or_default()
    }

    /// Gives the memory of the argument back.
    fn decoded(&mut self) {
        self.content = Vec::new();
    }
}

/// The order in a request, and where the argument begins.
fn read_order(content: &[u8], program: &BuildId) -> Result<(Order, usize), Unread> {
    let damaged = || {
        Unread::Os(io::Error::other(
            "what the parent has written is no request",
        ))
    };
    let rest = content.strip_prefix(&REQUEST).ok_or_else(damaged)?;
    let (id, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
    // The rest of it is laid out as that program has it.
    if id != program {
        return Err(Unread::OtherProgram);
    }
    let (fields, argument) = postcard::take_from_bytes::<Fields>(rest).map_err(|_| damaged())?;
    let order = Order::from_fields(fields);
    Ok((order, content.len() - argument.len()))
}

/// Which kind an answer is.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Tag {
    Returned,
    Panicked,
    Argument,
    Result,
    OtherProgram,
}

impl Tag {
    fn from_u8(byte: u8) -> Option<Self> {
        let all = [
            Self::Returned,
            Self::Panicked,
            Self::Argument,
            Self::Result,
            Self::OtherProgram,
        ];
        all.into_iter().find(|&tag| tag as u8 == byte)
    }
}

/// What a child has answered.
pub(super) enum Answer<R> {
    Returned(R),
    Panicked(Panic),
    Argument(String),
    Result(String),
    OtherProgram,
}

impl<R: DeserializeOwned> Answer<R> {
    /// That of a child that has ended; `None` if it has given none.
    pub(super) fn read(file: &File) -> io::Result<Option<Self>> {
        let mut head = [0; HEAD];
        match file.read_exact_at(&mut head, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let tag = Tag::from_u8(head[ANSWER.len()]);
        let (true, Some(tag)) = (head.starts_with(&ANSWER), tag) else {
            return Ok(None);
        };
        // Not before: who was killed while it wrote has left as much for nothing.
        let content = letter::read(file)?;
        let content = content.get(HEAD..).unwrap_or_default();
        let answer = match tag {
            Tag::Returned => decode(content).map(Self::Returned),
            Tag::Panicked => decode(content).map(Self::Panicked),
            Tag::Argument => decode(content).map(Self::Argument),
            Tag::Result => decode(content).map(Self::Result),
            Tag::OtherProgram => Ok(Self::OtherProgram),
        };
        Ok(Some(answer.unwrap_or_else(Self::Result)))
    }
}
