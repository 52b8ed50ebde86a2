//! `shared::Queue` where it is pressed: items that cannot be read, pages that run out, the end.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use brigade::Shutdown;
use brigade::shared::{GetError, PutFailure, Queue};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(300);

#[test]
fn what_is_left_after_stopping_is_nobodys_concern() {
    let queue = Queue::bounded(4).unwrap();
    queue.put_many([1, 2]).unwrap();
    drop(queue.shutdown(Shutdown::Immediate));
    assert!(queue.is_empty());
    assert_eq!(queue.join_timeout(LONG), Ok(true));
}

#[test]
fn what_is_put_back_after_stopping_is_not_waited_for() {
    let queue = Queue::bounded(4).unwrap();
    queue.put_many([1, 2]).unwrap();
    let lease = queue.lease().unwrap();
    assert_eq!(queue.shutdown(Shutdown::Immediate).count(), 1);
    assert_eq!(queue.join_timeout(SHORT), Ok(false));
    thread::scope(|scope| {
        let joiner = scope.spawn(|| queue.join_timeout(LONG));
        lease.put_back();
        assert_eq!(joiner.join().unwrap(), Ok(true));
    });
}

/// Says how often it was serialised.
struct Large<'a>(&'a AtomicUsize);

impl Serialize for Large<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.fetch_add(1, Relaxed);
        serializer.serialize_bytes(&vec![7; 900_000])
    }
}

impl<'de> Deserialize<'de> for Large<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        static GOT: AtomicUsize = AtomicUsize::new(0);
        <&[u8]>::deserialize(deserializer)?;
        Ok(Self(&GOT))
    }
}

#[test]
fn who_waits_for_pages_sleeps() {
    static TURNS: AtomicUsize = AtomicUsize::new(0);
    let queue = Queue::<Large<'static>>::builder()
        .capacity(8)
        .bytes(1 << 20)
        .build()
        .unwrap();
    queue.put(Large(&TURNS)).unwrap();
    thread::scope(|scope| {
        let put = || queue.put_timeout(Large(&TURNS), SHORT);
        let waiters = [scope.spawn(put), scope.spawn(put), scope.spawn(put)];
        for waiter in waiters {
            let refused = waiter.join().unwrap().map_err(|error| error.why);
            assert_eq!(refused, Err(PutFailure::Full));
        }
    });
    // Each looks when it comes and when it leaves, and when another takes its block.
    let turns = TURNS.load(Relaxed);
    assert!(turns < 60, "{turns} turns");
    // All of them are told of pages.
    thread::scope(|scope| {
        let put = || queue.put_timeout(Large(&TURNS), LONG).unwrap();
        let waiters = [scope.spawn(put), scope.spawn(put), scope.spawn(put)];
        for _ in 0..4 {
            queue.get_timeout(LONG).unwrap();
        }
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
}

/// Cannot be read: fails, or panics.
#[derive(Serialize)]
struct Bad(bool);

impl<'de> Deserialize<'de> for Bad {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if bool::deserialize(deserializer)? {
            std::panic::resume_unwind(Box::new("of the test"));
        }
        Err(de::Error::custom("of the test"))
    }
}

#[test]
fn an_item_that_cannot_be_read_is_finished() {
    let queue = Queue::bounded(4).unwrap();
    queue.put_many([Bad(false), Bad(false)]).unwrap();
    assert!(matches!(queue.get(), Err(GetError::Decode(_))));
    assert!(matches!(queue.lease(), Err(GetError::Decode(_))));
    assert!(queue.task_done().is_err());
    assert_eq!(queue.join_timeout(LONG), Ok(true));
    queue.put_many([Bad(true), Bad(true)]).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| queue.get().is_ok())).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| queue.lease().is_ok())).is_err());
    assert_eq!(queue.join_timeout(LONG), Ok(true));
}

#[test]
fn what_never_fits_is_refused_while_the_queue_is_full() {
    let queue = Queue::<Vec<u8>>::builder()
        .capacity(1)
        .bytes(8192)
        .build()
        .unwrap();
    queue.put(Vec::new()).unwrap();
    let before = Instant::now();
    let refused = queue.put_timeout(vec![0; 8192], LONG).unwrap_err();
    assert_eq!(refused.why, PutFailure::TooLarge);
    assert!(before.elapsed() < LONG);
    let refused = queue.try_put(vec![0; 8192]).unwrap_err();
    assert_eq!(refused.why, PutFailure::TooLarge);
    assert_eq!(queue.try_put(Vec::new()).unwrap_err().why, PutFailure::Full);
}

/// Shorter every time it is serialised; longer than it is when it is read.
struct Fickle(Cell<usize>);

impl Serialize for Fickle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let length = self.0.get();
        self.0.set(length - 1);
        serializer.serialize_bytes(&vec![0; length])
    }
}

impl<'de> Deserialize<'de> for Fickle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer).map(|length| Self(Cell::new(length.into())))
    }
}

#[test]
fn an_item_is_read_as_it_was_written_or_not_at_all() {
    let queue = Queue::bounded(1).unwrap();
    let refused = queue.put(Fickle(Cell::new(5000))).unwrap_err();
    assert!(matches!(refused.why, PutFailure::Encode(_)));
    queue.put(Fickle(Cell::new(3))).unwrap();
    assert!(matches!(queue.get(), Err(GetError::Decode(_))));
}

#[test]
fn a_queue_without_a_lease_is_refused_for_that() {
    let none = Queue::<u8>::builder().leases(0).build().unwrap_err();
    assert!(none.to_string().contains("lease"), "{none}");
}
