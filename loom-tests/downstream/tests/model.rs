//! The models: a value that changes twice, and a reader who waits for the last.
#![cfg(brigade_loom)]

use std::sync::Arc;

use brigade_loom_downstream::Latest;
use loom::thread;

/// The `Arc` is std's: when a model ends in a deadlock, dropping loom's own would panic once more,
/// and end the process before loom's report of the deadlock can be looked at.
fn the_last_value_arrives(changed: fn(&Latest) -> u32) {
    loom::model(move || {
        let latest = Arc::new(Latest::new(0));
        let writer = thread::spawn({
            let latest = Arc::clone(&latest);
            move || {
                latest.set(1);
                latest.set(2);
            }
        });
        while changed(&latest) != 2 {}
        writer.join().unwrap();
    });
}

#[test]
fn clearing_first() {
    the_last_value_arrives(Latest::changed);
}

/// The reader reads 1, the writer sets 2, the reader clears the event and sleeps for ever.
#[test]
#[should_panic(expected = "deadlock")]
fn reading_first() {
    the_last_value_arrives(Latest::changed_as_first_written);
}
