//! Processes that run a function: what goes in, what comes out, and what a child is like.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use brigade::process::{self, Builder, Exit, Info, JoinError, StartError};
use brigade::{Panic, Process, shared};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::alone;
use crate::harness::{LONG, until};

/// A child that sleeps until it is killed.
pub(crate) fn sleeper() -> Process<()> {
    Process::start(sleep, ()).unwrap()
}

pub(crate) fn sleep((): ()) {
    loop {
        thread::park();
    }
}

/// What the child prints until it ends, and closes its standard output.
pub(crate) fn printed<R>(child: &mut Process<R>) -> String {
    let mut text = String::new();
    let mut pipe = child.stdout().take().unwrap();
    pipe.read_to_string(&mut text).unwrap();
    text
}

fn panic_of<R: std::fmt::Debug>(result: Result<R, JoinError>) -> Panic {
    match result {
        Err(JoinError::Panicked(panic)) => panic,
        other => panic!("it was to panic: {other:?}"),
    }
}

/// Bytes that are written in one piece.
#[derive(Clone, PartialEq)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Copied;

        impl Visitor<'_> for Copied {
            type Value = Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }

        deserializer.deserialize_byte_buf(Copied)
    }
}

fn length<T: AsRef<str>>(text: T) -> usize {
    text.as_ref().len()
}

#[test]
fn functions_closures_and_instances_of_generic_functions_run_in_a_process_of_their_own() {
    fn double(n: u64) -> u64 {
        n * 2
    }

    assert_eq!(Process::start(double, 21).unwrap().join().unwrap(), 42);
    let text = Process::start(
        |(a, b): (String, char)| format!("{a}{b}"),
        ("ab".into(), 'c'),
    );
    assert_eq!(text.unwrap().join().unwrap(), "abc");
    let generic = Process::start(length::<String>, "four".into());
    assert_eq!(generic.unwrap().join().unwrap(), 4);

    let child = Process::start(|()| std::process::id(), ()).unwrap();
    let pid = child.pid();
    assert_eq!(child.join().unwrap(), pid);
    assert_ne!(pid, std::process::id());
}

#[test]
fn large_arguments_and_results_arrive_whole() {
    let bytes: Vec<u8> = (0..=250).cycle().take(20_000_003).collect();
    let child = Process::start(
        |Bytes(mut bytes)| {
            bytes.reverse();
            Bytes(bytes)
        },
        Bytes(bytes.clone()),
    );
    let Bytes(mut back) = child.unwrap().join().unwrap();
    back.reverse();
    assert!(back == bytes);
}

#[test]
fn what_is_shared_is_kept_for_the_child_until_it_has_it() {
    let event = shared::Event::new().unwrap();
    let child = Process::start(|event: shared::Event| event.wait(), event.clone()).unwrap();
    event.set();
    child.join().unwrap();
    // Nobody but the argument has this one.
    let set = |event: shared::Event| {
        event.set();
        event.is_set()
    };
    let child = Process::start(set, shared::Event::new().unwrap()).unwrap();
    assert!(child.join().unwrap());
}

#[test]
fn a_child_knows_its_name_and_its_parent_and_shows_the_name_to_all() {
    let builder = Builder::new().name("a name of a process");
    let child = builder.stdin(Stdio::piped()).stdout(Stdio::piped()).start(
        |()| {
            println!("here");
            let mut nothing = String::new();
            let _ = std::io::stdin().read_line(&mut nothing);
            let thread = thread::current().name().map(String::from);
            let parent = process::parent().map(Info::pid);
            (process::current_name().to_owned(), thread, parent)
        },
        (),
    );
    let mut child = child.unwrap();
    assert_eq!(child.name(), "a name of a process");
    child
        .stdout()
        .as_mut()
        .unwrap()
        .read_exact(&mut [0; 4])
        .unwrap();

    let of_child =
        |file: &str| fs::read_to_string(format!("/proc/{}/{file}", child.pid())).unwrap();
    assert_eq!(of_child("comm"), "a name of a pro\n");
    assert_eq!(of_child("cmdline"), "a name of a process\0");

    drop(child.stdin().take());
    let (name, thread, parent) = child.join().unwrap();
    assert_eq!(name, "a name of a process");
    assert_eq!(thread.as_deref(), Some("a name of a process"));
    assert_eq!(parent, Some(std::process::id()));
    assert!(!process::is_child() && process::parent().is_none());
}

#[test]
fn a_child_without_a_name_gets_a_numbered_one() {
    let names: Vec<String> = (0..2)
        .map(|_| sleeper())
        .map(|child| child.name().to_owned())
        .collect();
    assert!(
        names.iter().all(|name| name.starts_with("process-")),
        "{names:?}"
    );
    assert_ne!(names[0], names[1]);
}

#[test]
fn environment_and_working_directory_are_what_the_builder_says() {
    let vars = |()| env::vars().collect::<Vec<_>>();
    let child = Builder::new()
        .env_clear()
        .env("ONE", "1")
        .env("TWO", "2")
        .env_remove("TWO");
    let vars = child.start(vars, ()).unwrap().join().unwrap();
    // Nothing of how the function got there is to be seen.
    assert_eq!(vars, [("ONE".into(), "1".into())]);

    let path = |()| env::var_os("PATH").map(PathBuf::from);
    assert_eq!(Process::start(path, ()).unwrap().join().unwrap(), path(()));

    let folder = tempfile::tempdir().unwrap();
    let child = Builder::new().current_dir(folder.path());
    let there = child
        .start(|()| env::current_dir().unwrap(), ())
        .unwrap()
        .join();
    assert_eq!(there.unwrap(), folder.path());
}

#[test]
fn standard_streams_can_be_pipes_and_are_flushed_in_the_end() {
    let builder = Builder::new()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let shout = |()| {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).unwrap();
        eprint!("{}", text.len());
        print!("{}", text.to_uppercase());
    };
    let mut child = builder.start(shout, ()).unwrap();
    child.stdin().take().unwrap().write_all(b"hello").unwrap();
    assert_eq!(printed(&mut child), "HELLO");
    let mut errors = String::new();
    child
        .stderr()
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    assert_eq!(errors, "5");
    child.join().unwrap();
}

#[test]
fn a_panic_comes_back_with_message_location_thread_and_backtrace() {
    #[allow(clippy::needless_pass_by_value, reason = "it is to be an argument")]
    fn unlucky(text: String) {
        panic!("out of {text}");
    }

    let builder = Builder::new().name("poet").stderr(Stdio::piped());
    let mut child = builder
        .env("RUST_BACKTRACE", "1")
        .start(unlucky, "ideas".into())
        .unwrap();
    let mut errors = String::new();
    child
        .stderr()
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    // The child has said it as well.
    assert!(
        errors.contains("'poet'") && errors.contains("out of ideas"),
        "{errors}"
    );
    until(|| child.exit() == Some(Exit::Code(101)));

    let panic = panic_of(child.join());
    assert_eq!(panic.message(), "out of ideas");
    assert_eq!(panic.location().unwrap().file(), file!());
    assert_eq!(panic.thread(), Some("poet"));
    let trace = panic.backtrace().unwrap();
    assert!(trace.contains("unlucky"), "{trace}");

    let child = Builder::new()
        .env("RUST_BACKTRACE", "0")
        .stderr(Stdio::null());
    let panic = panic_of(child.start(unlucky, "luck".into()).unwrap().join());
    assert_eq!(panic.backtrace(), None);
}

#[test]
fn an_end_without_a_result_says_how() {
    let ended = |child: Result<Process<()>, StartError>| match child.unwrap().join() {
        Err(JoinError::Ended(exit)) => exit,
        other => panic!("it was to end: {other:?}"),
    };
    for code in [0, 3] {
        let exit = ended(Process::start(|code| std::process::exit(code), code));
        assert_eq!(exit, Exit::Code(code));
        assert_eq!(
            (exit.code(), exit.signal(), exit.is_success()),
            (Some(code), None, code == 0)
        );
    }
    let aborted = Builder::new()
        .stderr(Stdio::null())
        .start(|()| std::process::abort(), ());
    assert_eq!(ended(aborted), Exit::Signal(libc::SIGABRT));
    let killed = sleeper();
    killed.kill().unwrap();
    let exit = ended(Ok(killed));
    assert_eq!(
        (exit.code(), exit.signal(), exit.is_success()),
        (None, Some(9), false)
    );
    assert_eq!(exit.to_string(), "killed by SIGKILL");
}

#[test]
fn terminate_asks_and_kill_insists() {
    let child = sleeper();
    child.terminate().unwrap();
    assert!(matches!(
        child.join(),
        Err(JoinError::Ended(Exit::Signal(libc::SIGTERM)))
    ));

    let stubborn = |()| {
        // SAFETY: no handler of ours is called.
        unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };
        println!("deaf");
        sleep(());
    };
    let mut child = Builder::new()
        .stdout(Stdio::piped())
        .start(stubborn, ())
        .unwrap();
    child
        .stdout()
        .as_mut()
        .unwrap()
        .read_exact(&mut [0; 4])
        .unwrap();
    child.terminate().unwrap();
    child.kill().unwrap();
    until(|| child.exit() == Some(Exit::Signal(9)));
    // It has ended; nobody else gets these.
    child.terminate().unwrap();
    child.kill().unwrap();
    assert!(matches!(
        child.join(),
        Err(JoinError::Ended(Exit::Signal(9)))
    ));
}

#[test]
fn waiting_with_a_time_out_gives_the_process_back() {
    let child = sleeper();
    let child = child.join_timeout(Duration::ZERO).unwrap_err();
    let child = child.join_timeout(Duration::from_millis(5)).unwrap_err();
    let child = child.join_deadline(Instant::now()).unwrap_err();
    assert!(child.is_alive() && child.exit().is_none());
    child.kill().unwrap();
    assert!(matches!(
        child.join_timeout(LONG),
        Ok(Err(JoinError::Ended(_)))
    ));

    let child = Process::start(|n: u8| n, 7).unwrap();
    until(|| !child.is_alive());
    assert_eq!(child.exit(), Some(Exit::Code(0)));
    assert_eq!(child.join_timeout(Duration::ZERO).unwrap().unwrap(), 7);
    let child = Process::start(|n: u8| n, 8).unwrap();
    assert_eq!(child.join_timeout(Duration::MAX).unwrap().unwrap(), 8);
}

#[test]
fn tasks_wait_for_processes() {
    let children = [1, 2, 3].map(|n| Process::start(|n: u32| n * n, n).unwrap());
    let sum = smol::block_on(async {
        let mut sum = 0;
        for child in children {
            sum += child.join_async().await.unwrap();
        }
        sum
    });
    assert_eq!(sum, 14);
}

/// Cannot be written, or not be read, or panics when it is.
#[derive(Debug, PartialEq)]
struct Bad(u8);

const UNWRITABLE: u8 = 0;
const UNREADABLE: u8 = 1;
const EXPLOSIVE: u8 = 2;

impl Serialize for Bad {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            UNWRITABLE => Err(S::Error::custom("it is secret")),
            kind => serializer.serialize_u8(kind),
        }
    }
}

impl<'de> Deserialize<'de> for Bad {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            UNREADABLE => Err(D::Error::custom("it is illegible")),
            EXPLOSIVE => panic!("it goes off"),
            kind => Ok(Self(kind)),
        }
    }
}

#[test]
fn what_cannot_travel_is_an_error_that_says_what() {
    fn fails<A: DeserializeOwned>(_: A) {
        unreachable!("the argument has no value");
    }

    match Process::start(fails::<Bad>, Bad(UNWRITABLE)) {
        Err(StartError::Argument(reason)) => assert!(reason.contains("Bad"), "{reason}"),
        other => panic!("{other:?}"),
    }
    let child = Process::start(fails::<Bad>, Bad(UNREADABLE)).unwrap();
    match child.join() {
        Err(JoinError::Argument(reason)) => assert!(reason.contains("Bad"), "{reason}"),
        other => panic!("{other:?}"),
    }
    let quiet = || Builder::new().stderr(Stdio::null());
    let child = quiet().start(fails::<Bad>, Bad(EXPLOSIVE)).unwrap();
    assert_eq!(panic_of(child.join()).message(), "it goes off");

    // The child cannot write the one, this process not read the other.
    for kind in [UNWRITABLE, UNREADABLE] {
        match Process::start(Bad, kind).unwrap().join() {
            Err(JoinError::Result(reason)) => assert!(reason.contains("Bad"), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_the_system_refuses_is_an_error() {
    for builder in [
        Builder::new().name("zero\0byte"),
        Builder::new().env("ZERO\0BYTE", ""),
        Builder::new().current_dir("/no/such/folder"),
    ] {
        let refused = builder.start(|()| (), ());
        assert!(matches!(refused, Err(StartError::Os(_))), "{refused:?}");
    }
    assert_eq!(Process::start(|n: u8| n, 1).unwrap().join().unwrap(), 1);
}

#[test]
fn the_argument_is_dropped_in_the_child_before_it_ends() {
    struct Loud(String);

    impl Drop for Loud {
        fn drop(&mut self) {
            println!("{}", self.0);
        }
    }

    let speak = |text: String| drop(Loud(text));
    let mut child = Builder::new()
        .stdout(Stdio::piped())
        .start(speak, "good bye".into())
        .unwrap();
    assert_eq!(printed(&mut child), "good bye\n");
    child.join().unwrap();
}

#[test]
fn a_process_that_was_dropped_goes_on_and_leaves_nothing_behind() {
    let mut child = Builder::new().stdin(Stdio::piped()).stdout(Stdio::piped());
    child = child.name("dropped");
    let echo = |()| {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).unwrap();
        print!("{text}");
    };
    let mut child = child.start(echo, ()).unwrap();
    let (mut stdin, mut stdout) = (
        child.stdin().take().unwrap(),
        child.stdout().take().unwrap(),
    );
    let pid = child.pid();
    drop(child);
    let is_active = || {
        process::active_children()
            .iter()
            .any(|child| child.pid() == pid)
    };
    assert!(is_active());

    stdin.write_all(b"still here").unwrap();
    drop(stdin);
    let mut text = String::new();
    stdout.read_to_string(&mut text).unwrap();
    assert_eq!(text, "still here");
    until(|| !is_active());
    // Not even a zombie.
    until(|| !Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn many_threads_start_processes_at_the_same_time() {
    thread::scope(|scope| {
        for a in 0..8_u32 {
            scope.spawn(move || {
                for b in 0..5 {
                    let child = Process::start(|(a, b): (u32, u32)| a * 100 + b, (a, b)).unwrap();
                    assert_eq!(child.join().unwrap(), a * 100 + b);
                }
            });
        }
    });
}

#[test]
fn a_hundred_processes_leave_no_descriptor_and_no_zombie() {
    alone::ends_well(|| {
        let descriptors = || fs::read_dir("/proc/self/fd").unwrap().count();
        assert_eq!(Process::start(|n: u32| n, 1).unwrap().join().unwrap(), 1);
        let before = descriptors();
        for n in 0..100 {
            assert_eq!(
                Process::start(|n: u32| n + 1, n).unwrap().join().unwrap(),
                n + 1
            );
        }
        // The thread that saw one end may have its descriptors in hand for a moment longer, of the first one
        // when they are counted, or of the last.
        until(|| descriptors() <= before);
        assert!(process::active_children().is_empty());
        // SAFETY: it may write nothing, for there is to be no child.
        let waited = unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) };
        assert_eq!(waited, -1, "no child is left to wait for");
    });
}

#[test]
fn a_program_that_has_its_children_forgotten_gets_results_and_no_status() {
    alone::ends_well(|| {
        // SAFETY: no handler of ours is called.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
        // They end when they are told to, so that they are known by then.
        let start = |exits| {
            let echo = |exits| {
                std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
                if exits {
                    std::process::exit(1);
                }
                1
            };
            let mut child = Builder::new()
                .stdin(Stdio::piped())
                .start(echo, exits)
                .unwrap();
            drop(child.stdin().take());
            child
        };
        assert_eq!(start(false).join().unwrap(), 1);
        let ended = start(true).join();
        assert!(
            matches!(ended, Err(JoinError::Ended(Exit::Unknown))),
            "{ended:?}"
        );
    });
}

/// Starts itself until that is refused; says how often it did.
fn nest(depth: u32) -> (u32, String) {
    match Process::start(nest, depth + 1) {
        Ok(child) => child.join().unwrap(),
        Err(error) => (depth, error.to_string()),
    }
}

#[test]
fn a_function_that_starts_itself_for_ever_is_stopped() {
    let (depth, error) = nest(0);
    assert_eq!(depth, 16);
    assert!(error.contains("16 times over"), "{error}");
}
