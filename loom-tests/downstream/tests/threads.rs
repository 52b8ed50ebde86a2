//! The same on threads, which the mistake passes almost always.
#![cfg(not(brigade_loom))]

use brigade_loom_downstream::Latest;
use std::thread;

static LATEST: Latest = Latest::new(0);

#[test]
fn the_last_value_arrives() {
    thread::scope(|scope| {
        scope.spawn(|| (1..=1000).for_each(|value| LATEST.set(value)));
        while LATEST.changed() != 1000 {}
    });
}
