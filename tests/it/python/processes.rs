//! `multiprocessing.Process` and `logging`.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Duration;

use brigade::process::{self, Builder, Exit, JoinError};
use brigade::{Event, Process, signal};

use crate::harness::{LONG, until};

const SOON: Duration = Duration::from_millis(5);

/// What a subclass of `multiprocessing.Process` would be: it travels as what it is made of.
type Adder = Vec<u32>;

fn run(adder: Adder) -> u32 {
    adder.into_iter().sum()
}

fn sum<T: Into<u32>>(items: Vec<T>) -> u32 {
    items.into_iter().map(Into::into).sum()
}

fn sleep((): ()) {
    loop {
        std::thread::park();
    }
}

/// A subclass or `target=`, `start`, `join(timeout)`, `name`, `pid`, `is_alive`, `exitcode`, `terminate`.
/// The traps: the function has to be found by its name in a module that is imported once more, and of a
/// child that fails nobody learns more than a number.
#[test]
fn process_start_join_name_pid_is_alive_exitcode_terminate() {
    let adder = Builder::new()
        .name("row-adder")
        .start(run, vec![1, 2, 3])
        .unwrap();
    assert_eq!(adder.name(), "row-adder");
    assert_eq!(adder.join().unwrap(), 6);

    // A closure, one function of many types, one that nobody else can name.
    let nested = |text: String| {
        let shout = |text: &str| text.to_uppercase();
        (shout(&text), process::current_name().to_owned())
    };
    let child = Builder::new().name("row-host").start(nested, "you".into());
    let (text, name) = child.unwrap().join().unwrap();
    assert_eq!((&*text, &*name), ("YOU", "row-host"));
    let generic = Process::start(sum::<u8>, vec![1, 1]).unwrap();
    assert_eq!(generic.join_timeout(LONG).unwrap().unwrap(), 2);

    // `pid`, `is_alive`, `join(timeout)`, `terminate`, `exitcode`, `active_children`.
    let child = Builder::new().name("row-stuck").start(sleep, ()).unwrap();
    assert_ne!(child.pid(), std::process::id());
    assert!(child.is_alive());
    assert_eq!(child.exit(), None);
    let children = process::active_children();
    let of_them = |info: &&process::Info| info.pid() == child.pid();
    assert_eq!(children.iter().find(of_them).unwrap().name(), "row-stuck");
    let child = child.join_timeout(SOON).unwrap_err();
    child.terminate().unwrap();
    until(|| !child.is_alive());
    assert_eq!(child.exit(), Some(Exit::Signal(15)));
    assert!(matches!(
        child.join(),
        Err(JoinError::Ended(Exit::Signal(15)))
    ));
    let left = Process::start(|code: i32| -> () { std::process::exit(code) }, 3).unwrap();
    assert!(matches!(left.join(), Err(JoinError::Ended(Exit::Code(3)))));

    // Who joins a child that failed is told what it said.
    let failed = Builder::new().name("row-failed").start(
        |missing: u32| -> u32 { panic!("{missing} buckets are missing") },
        3,
    );
    let Err(JoinError::Panicked(panic)) = failed.unwrap().join() else {
        panic!("it panicked");
    };
    assert_eq!(panic.message(), "3 buckets are missing");
    assert_eq!(panic.thread(), Some("row-failed"));
    assert_eq!(panic.location().unwrap().file(), file!());
}

/// `daemon`. The trap: orphans. A child, and its own child, die with a parent that is killed; the one that
/// was told otherwise does not.
#[test]
fn process_daemon_leaves_no_orphans() {
    /// Starts a child that says when it is there, and then sleeps.
    fn start_another(outlives: bool) {
        let builder = Builder::new();
        let builder = if outlives {
            builder.outlive_parent()
        } else {
            builder
        };
        let say = |()| {
            println!("{}", std::process::id());
            let mut until_it_closes = String::new();
            let _ = std::io::stdin().read_line(&mut until_it_closes);
        };
        let _child = builder.start(say, ()).unwrap();
        sleep(());
    }

    for outlives in [false, true] {
        let builder = Builder::new().stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut parent = builder.start(start_another, outlives).unwrap();
        let mut stdout = BufReader::new(parent.stdout().take().unwrap());
        let mut grandchild = String::new();
        stdout.read_line(&mut grandchild).unwrap();
        assert!(grandchild.trim_end().parse::<u32>().is_ok());
        let stdin = parent.stdin().take();
        parent.kill().unwrap();
        assert!(parent.join().is_err());
        if outlives {
            // It ends when it is told to.
            drop(stdin);
        }
        // All have closed their ends.
        assert_eq!(stdout.read_to_end(&mut Vec::new()).unwrap(), 0);
    }
}

/// `logging` with `%(processName)s`: the name is in log lines, in the system, and in messages of panics.
#[test]
fn log_lines_show_process_names() {
    fn dig((): ()) {
        tracing_subscriber::fmt()
            .with_thread_names(true)
            .with_ansi(false)
            .init();
        tracing::info!("{} at work", process::current_name());
        panic!("the spade breaks");
    }

    let builder = Builder::new().name("row-digger");
    let builder = builder.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = builder.start(dig, ()).unwrap();
    let (mut log, mut errors) = (String::new(), String::new());
    let mut stdout = child.stdout().take().unwrap();
    stdout.read_to_string(&mut log).unwrap();
    let mut stderr = child.stderr().take().unwrap();
    stderr.read_to_string(&mut errors).unwrap();
    assert!(matches!(child.join(), Err(JoinError::Panicked(_))));
    assert!(log.contains(" row-digger "), "{log}");
    assert!(log.contains("row-digger at work"), "{log}");
    assert!(errors.contains("'row-digger'"), "{errors}");
}

/// `signal.signal(SIGINT, stop)` in a child: any of its threads sets the event, and it ends in its own time.
#[test]
fn signal_sets_an_event_in_a_process() {
    static STOP: Event = Event::new();

    let builder = Builder::new().stdout(Stdio::piped());
    let mut child = builder
        .start(
            |()| {
                let guard = signal::on([signal::SIGTERM], &STOP).unwrap();
                println!("ready");
                assert!(STOP.wait_timeout(LONG));
                guard.received()
            },
            (),
        )
        .unwrap();
    let mut ready = String::new();
    let mut stdout = BufReader::new(child.stdout().take().unwrap());
    stdout.read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    child.terminate().unwrap();
    assert_eq!(child.join().unwrap(), Some(signal::SIGTERM));
    assert!(!STOP.is_set());
}
