//! Events, and the segments that everything shared is in.

use std::thread::JoinHandle;

use brigade::Process;
use brigade::shared::Event;

use super::{Entry, SLEEP, Started, die_in, heard, play, sleeping, until};

pub(super) const SCENES: &[Entry] = &[
    ("event set", "set", || {
        play(Event::new(), set, wait_for, settle)
    }),
    ("event wait", "not set", || {
        play(Event::new(), wait, wait_for, settle)
    }),
    ("segment open", "not set", || {
        play(Event::new(), open, wait_for, settle)
    }),
    ("segment leave", "not set", || {
        play(Event::new(), leave, wait_for, settle)
    }),
];

fn set(event: &Event) -> Started {
    Process::start(|event: Event| die_in(|| event.set()), event.clone())
}

fn wait(event: &Event) -> Started {
    Process::start(|event: Event| die_in(|| event.wait()), event.clone())
}

/// More of these die than can take part at a time: none may leave its place taken.
fn open(event: &Event) -> Started {
    // The house keeps the event, so the reference in the bytes stays good.
    let reference = postcard::to_stdvec(event).expect("a reference is plain data");
    let open = |reference: Vec<u8>| die_in(|| postcard::from_bytes::<Event>(&reference));
    Process::start(open, reference)
}

fn leave(event: &Event) -> Started {
    Process::start(|event: Event| die_in(|| drop(event)), event.clone())
}

fn wait_for(event: &Event) -> Result<JoinHandle<bool>, String> {
    let event = event.clone();
    sleeping(move || event.wait_timeout(SLEEP))
}

/// What is set is heard, also if whoever set it died before it could wake anybody.
fn settle(event: &Event, sleeper: JoinHandle<bool>) -> Result<&'static str, String> {
    let was_set = event.is_set();
    if was_set {
        until("what is set is heard", || {
            sleeper.is_finished().then_some(())
        })?;
    }
    event.set();
    if !heard(sleeper)? {
        return Err("nobody has heard of it".to_owned());
    }
    event.clear();
    Ok(if was_set { "set" } else { "not set" })
}
