//! The side that steps and kills.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fmt, mem, thread};

use libc::{c_int, pid_t};

use crate::house::{self, Answer, Cast};
use crate::scene;
use crate::tracee::{End, Tracee, VICTIM, thread_named};

/// What each operation may take of a share: the stride follows from it.
const SHARE: Duration = Duration::from_secs(4);
/// The longest any operation may get: beyond it, it does not end.
const MOST: u64 = 1_000_000;
/// The longest of which `--all` tries every instruction, and how many it tries of those that are longer:
/// they take a time that grows with the square.
const LONG: u64 = 10_000;
const OF_LONG: u64 = 500;
/// The thread of each process that waits for the deaths of its peers.
const WATCHER: &CStr = c"brigade-watch";

/// Which instructions are tried.
#[derive(Clone, Copy)]
enum Every {
    /// As many as fit into `SHARE`.
    Share,
    /// All, or `OF_LONG` of them.
    All,
    Nth(u64),
}

struct Options {
    every: Every,
    /// The first of them; by default one that depends on the day.
    from: Option<u64>,
    filter: String,
}

/// Which operations are still to be done, and by what they have come to an early end.
struct Agenda<'a> {
    options: &'a Options,
    day: u64,
    left: Mutex<Box<dyn Iterator<Item = (&'static str, &'static str)> + Send>>,
    failed: AtomicBool,
}

/// All that was done.
#[derive(Clone, Copy, Default)]
struct Total {
    operations: u64,
    instructions: u64,
    kills: u64,
}

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(complaint) => {
            eprintln!("error: {complaint}");
            return ExitCode::FAILURE;
        }
    };
    let began = Instant::now();
    let day = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_secs() / 86_400);
    println!(
        "{:<24} {:>12} {:>7} {:>7}  outcomes",
        "operation", "instructions", "every", "kills"
    );
    let filter = options.filter.clone();
    let agenda = Agenda {
        options: &options,
        day,
        left: Mutex::new(Box::new(
            scene::names().filter(move |(name, _)| name.contains(&filter)),
        )),
        failed: AtomicBool::new(false),
    };
    let processors = processors();
    let total = thread::scope(|scope| {
        let agenda = &agenda;
        let work = |&processor| scope.spawn(move || agenda.work(processor));
        let workers: Vec<_> = processors.iter().map(work).collect();
        let totals = workers.into_iter().map(|worker| {
            let total = worker.join();
            total.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        totals.fold(Total::default(), Total::and)
    });
    if agenda.failed.into_inner() {
        return ExitCode::FAILURE;
    }
    let name = format!("{} operations", total.operations);
    println!(
        "{name:<24} {:>12} {:>7} {:>7}  {:.1} s",
        total.instructions,
        "",
        total.kills,
        began.elapsed().as_secs_f64()
    );
    ExitCode::SUCCESS
}

impl Agenda<'_> {
    /// Does one operation after the other, until none is left or one has failed.
    fn work(&self, processor: usize) -> Total {
        stay_on(processor);
        let mut total = Total::default();
        while let Some((name, complete)) = self.next() {
            match operation(name, complete, self) {
                Ok(report) => {
                    println!("{report}");
                    total = total.and(Total {
                        operations: 1,
                        instructions: report.instructions,
                        kills: report.kills,
                    });
                }
                // The others have nothing more to say.
                Err(_) if self.failed.swap(true, Ordering::Relaxed) => {}
                Err(complaint) => eprintln!("error: {name}: {complaint}"),
            }
        }
        total
    }

    fn next(&self) -> Option<(&'static str, &'static str)> {
        if self.failed.load(Ordering::Relaxed) {
            return None;
        }
        self.left.lock().expect("nobody panics with it").next()
    }
}

impl Total {
    fn and(self, other: Self) -> Self {
        Self {
            operations: self.operations + other.operations,
            instructions: self.instructions + other.instructions,
            kills: self.kills + other.kills,
        }
    }
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut this = Self {
            every: Every::Share,
            from: None,
            filter: String::new(),
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut number = || {
                let number = arguments
                    .next()
                    .and_then(|number| number.parse::<u64>().ok());
                number.ok_or_else(|| format!("{argument} takes a number"))
            };
            match argument.as_str() {
                "--all" => (this.every, this.from) = (Every::All, Some(0)),
                "--every" => this.every = Every::Nth(number()?.max(1)),
                "--from" => this.from = Some(number()?),
                option if option.starts_with('-') => {
                    return Err(format!("unknown option {option}"));
                }
                filter => filter.clone_into(&mut this.filter),
            }
        }
        Ok(this)
    }
}

/// What an operation came to, over all its kills.
struct Report {
    name: &'static str,
    instructions: u64,
    asleep: bool,
    every: u64,
    from: u64,
    kills: u64,
    outcomes: BTreeMap<String, u64>,
    took: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            instructions,
            every,
            kills,
            ..
        } = self;
        let every = if self.from == 0 {
            every.to_string()
        } else {
            format!("{every}+{}", self.from)
        };
        write!(f, "{name:<24} {instructions:>12} {every:>7} {kills:>7} ")?;
        for (outcome, count) in &self.outcomes {
            write!(f, " {outcome}: {count};")?;
        }
        if self.asleep {
            write!(f, " ends asleep;")?;
        }
        write!(f, " {:.1} s", self.took.as_secs_f64())
    }
}

impl Every {
    /// What that is for an operation of so many instructions, if it takes so long to step through.
    fn number(self, instructions: u64, once: Duration) -> u64 {
        match self {
            Self::Share => {
                // On average half of the operation is stepped through, beside what a victim takes in any case.
                let kills = SHARE.as_micros() / (once.as_micros() / 2 + 5_000);
                instructions.div_ceil(u64::try_from(kills).unwrap_or(1).max(1))
            }
            Self::All if instructions > LONG => instructions.div_ceil(OF_LONG),
            Self::All => 1,
            Self::Nth(number) => number,
        }
        .max(1)
    }
}

fn operation(name: &'static str, complete: &str, agenda: &Agenda<'_>) -> Result<Report, String> {
    let Agenda { options, day, .. } = agenda;
    let began = Instant::now();
    let mut house = House::open(name)?;
    let mut outcomes = BTreeMap::new();
    // To the end first: that is how long the operation is.
    let whole = house.kill_after(MOST)?;
    if whole.end == End::Counted {
        return Err(format!("does not end within {MOST} instructions"));
    }
    let once = began.elapsed();
    whole.check(complete)?;
    *outcomes.entry(whole.outcome).or_insert(0) += 1;
    let every = options.every.number(whole.instructions, once);
    let from = options.from.unwrap_or(*day) % every;
    let mut kills = 1;
    let mut k = from;
    loop {
        if agenda.failed.load(Ordering::Relaxed) {
            return Err("another has failed".to_owned());
        }
        let death = house
            .kill_after(k)
            .map_err(|complaint| format!("killed after {k} instructions: {complaint}"))?;
        death.check(complete)?;
        *outcomes.entry(death.outcome).or_insert(0) += 1;
        kills += 1;
        if death.end != End::Counted {
            break;
        }
        k += every;
    }
    house.close()?;
    Ok(Report {
        name,
        instructions: whole.instructions,
        asleep: whole.end == End::Asleep,
        every,
        from,
        kills,
        outcomes,
        took: began.elapsed(),
    })
}

struct Death {
    instructions: u64,
    end: End,
    outcome: String,
}

impl Death {
    /// Nothing may be taken back from one who has completed the operation.
    fn check(&self, complete: &str) -> Result<(), String> {
        if self.end == End::Counted || self.outcome == complete {
            return Ok(());
        }
        let Self { end, outcome, .. } = self;
        Err(format!(
            "killed when it was complete ({end:?}): {outcome}, instead of {complete}"
        ))
    }
}

/// The process that survives the others, seen from outside.
struct House {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl House {
    fn open(name: &str) -> Result<Self, String> {
        let mut process = Command::new("/proc/self/exe")
            .args([house::ROLE, name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let to = process.stdin.take().expect("it is piped");
        let from = BufReader::new(process.stdout.take().expect("it is piped"));
        Ok(Self { process, to, from })
    }

    fn kill_after(&mut self, k: u64) -> Result<Death, String> {
        self.say("next")?;
        let Cast { victim, prey } = self.hear()?;
        let fatal = |error: io::Error| format!("the tracer: {error}");
        let stepped = match prey {
            None => step_marked(victim, k),
            Some(prey) => step_watcher(victim, prey, self.pid(), k),
        };
        let (instructions, end) = stepped.map_err(fatal)?;
        self.say("dead")?;
        let Answer(outcome) = self.hear()?;
        Ok(Death {
            instructions,
            end,
            outcome: outcome?,
        })
    }

    fn pid(&self) -> pid_t {
        pid_t::try_from(self.process.id()).expect("process numbers have 22 bits")
    }

    fn say(&mut self, what: &str) -> Result<(), String> {
        writeln!(self.to, "{what}").map_err(|error| format!("the house does not listen: {error}"))
    }

    fn hear<T: house::Line>(&mut self) -> Result<T, String> {
        let mut line = String::new();
        loop {
            match self.from.read_line(&mut line) {
                Ok(0) => return Err("the house has ended".to_owned()),
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        T::read(line.trim_end()).ok_or_else(|| format!("the house said {line:?}"))
    }

    fn close(self) -> Result<(), String> {
        let Self {
            mut process,
            to,
            from,
        } = self;
        drop((to, from));
        let status = process.wait().map_err(|error| error.to_string())?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("the house ended with {status}"))
        }
    }
}

/// A victim that marks where its operation begins and ends.
fn step_marked(victim: pid_t, k: u64) -> io::Result<(u64, End)> {
    let tracee = Tracee::seize(victim, thread_named(victim, VICTIM)?)?;
    tracee.run_to_mark()?;
    let stepped = tracee.steps(k)?;
    tracee.kill()?;
    Ok(stepped)
}

/// A victim whose watching thread is to notice the death of another process, before anybody else
/// does: the house stands still meanwhile.
fn step_watcher(victim: pid_t, prey: pid_t, house: pid_t, k: u64) -> io::Result<(u64, End)> {
    let tracee = Tracee::seize(victim, thread_named(victim, WATCHER)?)?;
    tracee.interrupt()?;
    signal(house, libc::SIGSTOP)?;
    await_stop(house)?;
    kill_wholly(prey)?;
    let stepped = tracee.steps(k)?;
    tracee.kill()?;
    signal(house, libc::SIGCONT)?;
    Ok(stepped)
}

fn signal(process: pid_t, signal: c_int) -> io::Result<()> {
    // SAFETY: sends a signal to a process that is not reaped before this process says so.
    check(unsafe { libc::kill(process, signal) })
}

/// Waits until all threads of a child stand still.
fn await_stop(process: pid_t) -> io::Result<()> {
    loop {
        let mut status = 0;
        // SAFETY: writes to the one word it is given.
        match check(unsafe { libc::waitpid(process, &raw mut status, libc::WUNTRACED) }) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}

/// Kills a process that is no child of this one, and waits until the last of its threads is gone.
fn kill_wholly(process: pid_t) -> io::Result<()> {
    // SAFETY: opens a descriptor.
    let opened = unsafe { libc::syscall(libc::SYS_pidfd_open, process, 0) };
    let number = c_int::try_from(opened).map_err(io::Error::other)?;
    check(number)?;
    // SAFETY: opened just now, and nobody else's.
    let pidfd = unsafe { OwnedFd::from_raw_fd(number) };
    signal(process, libc::SIGKILL)?;
    let mut poll = libc::pollfd {
        fd: pidfd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    loop {
        // SAFETY: one valid entry.
        match check(unsafe { libc::poll(&raw mut poll, 1, -1) }) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}

/// The processors that this process may use.
fn processors() -> Vec<usize> {
    // SAFETY: all bytes zero is a value of it.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: writes the set.
    unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    // SAFETY: reads the set, within its bounds.
    let allowed = |&number: &usize| unsafe { libc::CPU_ISSET(number, &set) };
    let processors: Vec<usize> = (0..8 * size_of_val(&set)).filter(allowed).collect();
    if processors.is_empty() {
        vec![0]
    } else {
        processors
    }
}

/// A step is a change from one process to the other and back: quickest where both are on one
/// processor. The calling thread's house and its victims inherit this.
fn stay_on(processor: usize) {
    // SAFETY: all bytes zero is a value of it.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: changes the set, within its bounds.
    unsafe { libc::CPU_SET(processor, &mut set) };
    // SAFETY: reads the set. If it is refused, all is only slower.
    unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
}

fn check(answer: c_int) -> io::Result<()> {
    if answer >= 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
