//! [`ShippedFn`]: a function that is run in another process, by a number.
//!
//! For each function with its types there is a constant [`Entry`] that points to [`serve`] for it; the
//! entry's place in the program is what travels. The function itself has no size, so it need not
//! travel: a value of its type is made there out of nothing.

use std::any::type_name;
use std::fmt::Display;
use std::marker::PhantomData;
use std::mem;
use std::ptr::NonNull;

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::executor::Message;
use crate::shared::travel;
use crate::sys::process::entry::{Entry, Marked};
use crate::{Panic, panic};

/// A function in this program that another process of the same program can run, too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShippedFn(&'static Entry<Serve>);

/// Decodes the argument, calls the function and encodes its result.
type Serve = fn(&mut dyn Call) -> Outcome;

// SAFETY: from a source of random numbers, and used here alone. It is a `fn` pointer.
unsafe impl Marked for Serve {
    const MARK: [u64; 2] = [0x7e1d_c09a_52b8_4f63, 0xd4a6_1f87_e930_2b5c];
}

/// Where something encoded goes.
pub(crate) trait Sink {
    /// Adds to it.
    ///
    /// # Errors
    ///
    /// If there is no room for it.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Full>;
}

/// One call of a shipped function: where its argument comes from, and, as a [`Sink`], where its result
/// goes.
pub(crate) trait Call: Sink {
    /// The encoded argument.
    fn argument(&self) -> &[u8];

    /// The argument is decoded; it is not asked for again.
    fn decoded(&mut self) {}
}

/// There is no room for a result.
#[derive(Debug)]
pub(crate) struct Full;

impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// How a call went.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The result is written.
    Returned,
    /// The function panicked, or what reads its argument or writes its result.
    Panicked(Panic),
    /// The argument cannot be decoded, for this reason.
    Argument(String),
    /// The result cannot be encoded, for this reason.
    Result(String),
}

impl ShippedFn {
    /// That of a function. `None` if it is not part of the program but of a library beside it.
    ///
    /// A function that has a size, because it captures something or is a pointer, is refused when
    /// it is compiled.
    pub(crate) fn of<F, A, R>(_function: F) -> Option<Self>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Message,
        R: Message,
    {
        let entry = Shipping::<F, A, R>::ENTRY;
        entry.offset().map(|_| Self(entry))
    }

    /// The number by which another process of the same program finds it.
    pub(crate) fn to_u64(self) -> u64 {
        // It was checked when this was made. No entry is at the number for none.
        self.0.offset().unwrap_or(u64::MAX)
    }

    /// The function with this number, if there is one.
    pub(crate) fn from_u64(number: u64) -> Option<Self> {
        Entry::at(number).map(Self)
    }

    /// Calls it with an encoded argument.
    pub(crate) fn run(self, argument: &[u8], output: &mut dyn Sink) -> Outcome {
        self.call(&mut Direct { argument, output })
    }

    /// Calls it.
    pub(crate) fn call(self, call: &mut dyn Call) -> Outcome {
        self.0.run()(call)
    }
}

struct Direct<'a> {
    argument: &'a [u8],
    output: &'a mut dyn Sink,
}

impl Sink for Direct<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.output.write(bytes)
    }
}

impl Call for Direct<'_> {
    fn argument(&self) -> &[u8] {
        self.argument
    }
}

struct Shipping<F, A, R>(PhantomData<(F, A, R)>);

impl<F, A, R> Shipping<F, A, R>
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Message,
    R: Message,
{
    const ENTRY: &'static Entry<Serve> = {
        assert!(
            size_of::<F>() == 0,
            "a function for another process must capture nothing, and be no `fn` pointer: pass what it \
             needs as its argument"
        );
        &Entry::new(serve::<F, A, R> as Serve)
    };
}

fn serve<F, A, R>(call: &mut dyn Call) -> Outcome
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Message,
    R: Message,
{
    let outcome = panic::catch(|| {
        let argument = match decode::<A>(call.argument()) {
            Ok(argument) => argument,
            Err(reason) => return Outcome::Argument(reason),
        };
        call.decoded();
        // SAFETY: it has no size, which `Shipping` has seen to, so any aligned pointer will do; and
        // it can be copied, so one more of it is none too many. That there is a value of the type
        // is known because whoever shipped it had one.
        let function = unsafe { NonNull::<F>::dangling().read() };
        let result = function(argument);
        match encode(&result, call) {
            Ok(()) => Outcome::Returned,
            Err(reason) => Outcome::Result(reason),
        }
    });
    outcome.unwrap_or_else(Outcome::Panicked)
}

/// The value that is encoded in `bytes`, all of them; or why there is none.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match travel::explain(|| postcard::take_from_bytes(bytes)) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(format!(
            "{} bytes are left over behind a {}",
            rest.len(),
            type_name::<T>()
        )),
        Err(why) => Err(reason::<T>(why)),
    }
}

/// Encodes the value into `output`; or says why not.
pub(crate) fn encode<T: Serialize, S: Sink + ?Sized>(
    value: &T,
    output: &mut S,
) -> Result<(), String> {
    postcard::serialize_with_flavor(value, Output::new(output)).map_err(reason::<T>)
}

fn reason<T>(why: impl Display) -> String {
    format!("{}: {why}", type_name::<T>())
}

/// Has postcard write there, some bytes at a time: it brings a `Vec<u8>` byte by byte.
struct Output<'a, S: ?Sized> {
    sink: &'a mut S,
    gathered: [u8; GATHERED],
    len: usize,
}

/// How many bytes are gathered.
const GATHERED: usize = 256;

impl<'a, S: Sink + ?Sized> Output<'a, S> {
    fn new(sink: &'a mut S) -> Self {
        Self {
            sink,
            gathered: [0; GATHERED],
            len: 0,
        }
    }

    fn flush(&mut self) -> postcard::Result<()> {
        let gathered = &self.gathered[..mem::take(&mut self.len)];
        self.sink.write(gathered).map_err(full)
    }
}

impl<S: Sink + ?Sized> Flavor for Output<'_, S> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        if self.len == GATHERED {
            self.flush()?;
        }
        self.gathered[self.len] = byte;
        self.len += 1;
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if bytes.len() > GATHERED - self.len {
            self.flush()?;
        }
        match self.gathered[self.len..].get_mut(..bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
                Ok(())
            }
            None => self.sink.write(bytes).map_err(full),
        }
    }

    fn finalize(mut self) -> postcard::Result<()> {
        self.flush()
    }
}

fn full(Full: Full) -> postcard::Error {
    postcard::Error::SerializeBufferFull
}
