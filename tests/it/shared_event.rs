//! `shared::Event`.

use std::thread;
use std::time::{Duration, Instant};

use brigade::shared::Event;

use crate::other_process::{Other, argument, await_death, say};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn answers_when_set() {
    let Some([question, answer]) = argument::<[Event; 2]>("shared_event::answers_when_set") else {
        return;
    };
    say("ready");
    question.wait();
    answer.set();
}

#[test]
fn an_event_reaches_another_process_and_back() {
    let events = [Event::new().unwrap(), Event::new().unwrap()];
    let other = Other::start("shared_event::answers_when_set", &events);
    let [question, answer] = events;
    assert!(!answer.is_set());
    question.set();
    assert!(answer.wait_timeout(LONG));
    other.join();
}

#[test]
fn sets_and_waits_to_be_killed() {
    let Some(event) = argument::<Event>("shared_event::sets_and_waits_to_be_killed") else {
        return;
    };
    event.set();
    say("set");
    await_death();
}

#[test]
fn what_a_killed_process_has_set_stays_set() {
    let event = Event::new().unwrap();
    let mut other = Other::start("shared_event::sets_and_waits_to_be_killed", &event);
    assert_eq!(other.hear().as_deref(), Some("set"));
    other.kill();
    assert!(event.is_set());
    event.clear();
    assert!(!event.wait_timeout(Duration::from_millis(1)));
}

#[test]
fn waits_for_ever() {
    let Some(event) = argument::<Event>("shared_event::waits_for_ever") else {
        return;
    };
    say("waiting");
    event.wait();
}

/// A waiter that is killed takes no wake-up with it that another needs.
#[test]
fn a_killed_waiter_is_nobodys_trouble() {
    let event = Event::new().unwrap();
    let mut others: Vec<_> = (0..3)
        .map(|_| Other::start("shared_event::waits_for_ever", &event))
        .collect();
    for other in &mut others {
        assert_eq!(other.hear().as_deref(), Some("waiting"));
    }
    others.pop().unwrap().kill();
    event.set();
    others.into_iter().for_each(Other::join);
}

#[test]
fn a_set_that_is_cleared_at_once_wakes_who_waits() {
    let event = Event::new().unwrap();
    let task = event.wait_async();
    event.set();
    event.clear();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(task);
    assert!(!event.wait_deadline(Instant::now()));
}

#[test]
fn tasks_and_threads_wait_at_once() {
    let event = Event::new().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| event.wait_timeout(LONG)))
            .collect();
        let setter = event.clone();
        scope.spawn(move || setter.set());
        runtime.block_on(async {
            let (first, second) = (event.wait_async(), event.wait_async());
            second.await;
            first.await;
        });
        for waiter in waiters {
            assert!(waiter.join().unwrap());
        }
    });
}

/// In one process there is one object, however it came.
#[test]
fn what_comes_back_is_the_same() {
    let event = Event::new().unwrap();
    let text = serde_json::to_string(&event).unwrap();
    let again: Event = serde_json::from_str(&text).unwrap();
    again.set();
    assert!(event.is_set());
    drop((event, again));
    let error = serde_json::from_str::<Event>(&text).unwrap_err();
    assert!(
        error.to_string().contains("does not exist any more"),
        "{error}"
    );
}

/// As many as anybody likes, one after the other: nothing is left of them.
#[test]
fn events_leave_nothing_behind() {
    let Some(()) = argument("shared_event::events_leave_nothing_behind") else {
        // In a process of its own, where nobody else opens or maps anything.
        return Other::start("shared_event::events_leave_nothing_behind", &()).join();
    };
    let traces = || {
        let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        (descriptors, maps.matches("brigade-event").count())
    };
    drop(Event::new().unwrap());
    let before = traces();
    for _ in 0..1_000 {
        let event = Event::new().unwrap();
        let text = serde_json::to_string(&event).unwrap();
        serde_json::from_str::<Event>(&text).unwrap().set();
        assert!(event.is_set());
    }
    assert_eq!(traces(), before);
}

#[test]
fn has_it_and_says_so() {
    let Some(event) = argument::<Event>("shared_event::has_it_and_says_so") else {
        return;
    };
    say("mine too");
    event.wait();
}

/// Places of the dead are free for others: more processes than there are places, one after the other, each
/// killed.
#[test]
fn the_dead_make_room() {
    let event = Event::new().unwrap();
    for _ in 0..70 {
        let mut other = Other::start("shared_event::has_it_and_says_so", &event);
        assert_eq!(other.hear().as_deref(), Some("mine too"));
        other.kill();
    }
}
