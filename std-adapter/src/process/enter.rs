//! [`init`]: the child's side.
//!
//! ```text
//!     BRIGADE_CHILD set? --> die with the parent --> open its request --> same program? --> run, answer, exit
//! ```

#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::process::exit;
use std::time::Duration;
use std::{io, thread};

#[cfg(doc)]
use super::StartError;
use super::current::{self, Current, Info};
use super::mail::{Order, Request, Unread};
use super::ship::{Outcome, ShippedFn};
use crate::panic;
use crate::sys::process::guard;

/// What a child exits with that could not become one.
const NO_CHILD: i32 = 125;

/// What a child exits with whose function has panicked, as a program does.
const PANICKED: i32 = 101;

/// What a child exits with that has another reason for not having a result.
const NO_RESULT: i32 = 1;

/// How long the system may take to end what belongs to a parent.
const LAST_MOMENTS: Duration = Duration::from_millis(100);

/// The room for the stack of the function, that of a main thread as a rule. It is not taken before it is
/// used.
const STACK: usize = 8 << 20;

/// Behind the numbers of a child that does not die with its parent.
pub(super) const OUTLIVES: &str = "outlives";

/// Runs the function for which this process was started, if it was, and exits; otherwise returns at
/// once.
///
/// With the feature `early-start`, which is on by default, this is called before `main`, and you need not
/// call it. It is for those who turn the feature off: because they want nothing to run before
/// `main`, or because their functions need what `main` or other code before `main` prepares. Call it then
/// in the first line of `main`, before anything that is not to be done in children, and before threads
/// are started. (If there are threads already, programs that the child starts by itself see its
/// environment variable.)
///
/// In a program with more rights than whoever starts it, such as one with the set-user-ID bit, it exits with
/// code 125 if the variable is set: such a program [starts no processes](StartError::Privileged), so the
/// variable is not brigade's.
///
/// # Example
///
/// ```
/// use brigade::{Process, process};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     process::init();
///     assert_eq!(Process::start(|n: u32| n + 1, 1)?.join()?, 2);
///     Ok(())
/// }
/// ```
pub fn init() {
    if current::is_child() {
        return;
    }
    let Some(variable) = guard::variable() else {
        return;
    };
    if guard::is_privileged() {
        // Who started it may be anybody. To go on to `main` would be wrong too, if it was this program.
        eprintln!(
            "brigade: {} is set, and a program with more rights than whoever starts it runs no function \
             for that",
            guard::VARIABLE
        );
        exit(NO_CHILD)
    }
    // First of all: no file of ours is to be taken for a stream.
    let streams = guard::fill_standard_streams();
    guard::clear_variable();
    let ended = streams
        .and_then(|()| Claim::parse(&variable))
        .and_then(Claim::run);
    match ended {
        Ok(code) => exit(code),
        Err(error) => {
            // A parent that is ending closes its files first, and has its children killed then. That is
            // nothing to be told.
            thread::sleep(LAST_MOMENTS);
            eprintln!("brigade: a process was started to run a function and cannot: {error}");
            exit(NO_CHILD)
        }
    }
}

/// Whether this process was started to run a function and has not begun to.
pub(super) fn is_unclaimed() -> bool {
    !current::is_child() && guard::variable().is_some()
}

/// What the environment variable says.
struct Claim {
    parent: u32,
    /// The parent's descriptor of the request.
    number: u32,
    outlives: bool,
}

impl Claim {
    fn parse(variable: &OsStr) -> io::Result<Self> {
        let fields = || {
            let mut fields = variable.to_str()?.split(':');
            let claim = Self {
                parent: fields.next()?.parse().ok()?,
                number: fields.next()?.parse().ok()?,
                outlives: fields.next() == Some(OUTLIVES),
            };
            Some(claim)
        };
        fields().ok_or_else(|| {
            let what = format!("{} is {}", guard::VARIABLE, variable.to_string_lossy());
            io::Error::other(what)
        })
    }

    /// Returns what to exit with.
    fn run(self) -> io::Result<i32> {
        if !self.outlives && !guard::die_with(self.parent)? {
            return Ok(NO_CHILD);
        }
        let mut request = Request::open(self.parent, self.number)?;
        let order = match request.order() {
            Ok(order) => order,
            Err(Unread::Os(error)) => return Err(error),
            Err(Unread::OtherProgram) => {
                request.refuse()?;
                return Ok(NO_RESULT);
            }
        };
        let Some(function) = ShippedFn::from_u64(order.function) else {
            request.refuse()?;
            return Ok(NO_RESULT);
        };
        prepare(&order, self.parent);
        // A thread of its own has a name, which stands in messages of panics.
        let thread = thread::Builder::new().name(order.name).stack_size(STACK);
        let thread = thread.spawn(move || answer(function, request))?;
        // All panics of the function are in the answer.
        thread.join().unwrap_or(Ok(PANICKED))
    }
}

/// Makes this process a child.
fn prepare(order: &Order, parent: u32) {
    guard::set_name(&order.name);
    guard::ignore_broken_pipes();
    if order.ignore_interrupts {
        guard::ignore_interrupts();
    }
    panic::note_locations();
    current::set(Current {
        name: order.name.clone(),
        parent: Info {
            name: order.parent.clone(),
            pid: parent,
        },
        depth: order.depth,
    });
}

fn answer(function: ShippedFn, mut request: Request) -> io::Result<i32> {
    let outcome = function.call(&mut request);
    request.answer(&outcome)?;
    Ok(match outcome {
        Outcome::Returned => 0,
        Outcome::Panicked(_) => PANICKED,
        Outcome::Argument(_) | Outcome::Result(_) => NO_RESULT,
    })
}
