//! Events: what is set is heard, also if whoever set it died before it could wake anybody.

use std::thread::JoinHandle;

use brigade::Process;
use brigade::process::StartError;
use brigade::shared::Event;

use super::{Make, PATIENCE, Scene, boxed, die_in, in_words, pid_of, sleeping, until};
use crate::house::Cast;

pub(super) const SCENES: &[(&str, Make)] = &[
    ("event set", || boxed(Flag::new(set))),
    ("event wait", || boxed(Flag::new(wait))),
    ("segment open", || boxed(Flag::new(open))),
    ("segment leave", || boxed(Flag::new(leave))),
];

type Victim = fn(&Event) -> Result<Process<()>, StartError>;

fn set(event: &Event) -> Result<Process<()>, StartError> {
    Process::start(|event: Event| die_in(|| event.set()), event.clone())
}

fn wait(event: &Event) -> Result<Process<()>, StartError> {
    Process::start(|event: Event| die_in(|| event.wait()), event.clone())
}

/// More of these die than can take part at a time: none may leave its place taken.
fn open(event: &Event) -> Result<Process<()>, StartError> {
    // The house keeps the event, so the reference in the bytes stays good.
    let reference = postcard::to_stdvec(event).expect("a reference is plain data");
    let open = |reference: Vec<u8>| die_in(|| postcard::from_bytes::<Event>(&reference));
    Process::start(open, reference)
}

fn leave(event: &Event) -> Result<Process<()>, StartError> {
    Process::start(|event: Event| die_in(|| drop(event)), event.clone())
}

/// Somebody in the house waits for the event while the victim is at it.
struct Flag {
    event: Event,
    victim: Victim,
    process: Option<Process<()>>,
    sleeper: Option<JoinHandle<bool>>,
}

impl Flag {
    fn new(victim: Victim) -> Result<Self, String> {
        Ok(Self {
            event: Event::new().map_err(in_words)?,
            victim,
            process: None,
            sleeper: None,
        })
    }
}

impl Scene for Flag {
    fn open(&mut self) -> Result<Cast, String> {
        self.event.clear();
        let event = self.event.clone();
        self.sleeper = Some(sleeping(move || event.wait_timeout(PATIENCE))?);
        let process = (self.victim)(&self.event).map_err(in_words)?;
        let victim = pid_of(&process);
        self.process = Some(process);
        Ok(Cast { victim, prey: None })
    }

    fn judge(&mut self) -> Result<&'static str, String> {
        let dead = self.process.take().ok_or("no victim")?;
        dead.join().err().ok_or("the victim has returned")?;
        let sleeper = self.sleeper.take().ok_or("no sleeper")?;
        let was_set = self.event.is_set();
        if was_set {
            until("the waiting thread hears of it", || {
                sleeper.is_finished().then_some(())
            })?;
        }
        self.event.set();
        if sleeper.join().is_ok_and(|heard| heard) {
            Ok(if was_set { "set" } else { "not set" })
        } else {
            Err("the waiting thread did not hear of it".to_owned())
        }
    }
}
