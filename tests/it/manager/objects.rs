//! Each object, by several processes.

use std::time::{Duration, Instant};

use brigade::manager::{
    Dict, Error, Event, List, Lock, Namespace, Proxy, Queue, Semaphore, Value, kind,
};
use brigade::{Manager, Process, Shutdown};

use super::in_time;
use crate::harness::LONG;

const CHILDREN: usize = 3;
const ROUNDS: u64 = 50;

#[test]
fn a_dict_counts_what_all_processes_count() {
    let manager = Manager::start().unwrap();
    let dict: Dict<String, u64> = manager.dict().unwrap();
    let children: Vec<_> = (0..CHILDREN)
        .map(|_| {
            let count = |dict: Dict<String, u64>| {
                for _ in 0..ROUNDS {
                    dict.update("all", |sum| Some(sum.unwrap_or(0) + 1))
                        .unwrap();
                }
            };
            Process::start(count, dict.clone()).unwrap()
        })
        .collect();
    for child in children {
        child.join().unwrap();
    }
    assert_eq!(dict.get("all").unwrap(), Some(CHILDREN as u64 * ROUNDS));
}

#[test]
fn a_dict_does_what_a_map_does() {
    let manager = Manager::builder().serve().unwrap();
    let dict: Dict<String, (u8, bool)> = manager.dict().unwrap();
    assert!(dict.is_empty().unwrap());
    assert_eq!(dict.insert("a", &(1, true)).unwrap(), None);
    assert_eq!(dict.insert("a", &(2, true)).unwrap(), Some((1, true)));
    assert_eq!(dict.insert("b", &(3, false)).unwrap(), None);
    assert_eq!(dict.get("a").unwrap(), Some((2, true)));
    assert_eq!(dict.get("c").unwrap(), None);
    assert!(dict.contains_key("b").unwrap() && !dict.contains_key("c").unwrap());
    let mut keys = dict.keys().unwrap();
    keys.sort();
    assert_eq!(keys, ["a", "b"]);
    let mut items = dict.items().unwrap();
    items.sort();
    assert_eq!(items, [("a".into(), (2, true)), ("b".into(), (3, false))]);
    assert_eq!(dict.remove("a").unwrap(), Some((2, true)));
    assert_eq!(dict.remove("a").unwrap(), None);
    assert_eq!(dict.update("b", |_| None).unwrap(), None);
    assert_eq!(dict.pop().unwrap(), None);
    dict.insert("d", &(4, true)).unwrap();
    assert_eq!(dict.pop().unwrap(), Some(("d".into(), (4, true))));
    dict.insert("e", &(5, true)).unwrap();
    dict.clear().unwrap();
    assert_eq!(dict.len().unwrap(), 0);
}

#[test]
fn a_list_has_what_all_processes_push() {
    let manager = Manager::start().unwrap();
    let list: List<u64> = manager.list().unwrap();
    let children: Vec<_> = (0..CHILDREN as u64)
        .map(|child| {
            let push = |(list, child): (List<u64>, u64)| {
                for round in 0..ROUNDS {
                    list.push(&(child * ROUNDS + round)).unwrap();
                }
            };
            Process::start(push, (list.clone(), child)).unwrap()
        })
        .collect();
    for child in children {
        child.join().unwrap();
    }
    let mut all = list.to_vec().unwrap();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..CHILDREN as u64 * ROUNDS));
}

#[test]
fn a_list_does_what_a_vector_does() {
    let manager = Manager::builder().serve().unwrap();
    let list = manager.list().unwrap();
    assert!(list.is_empty().unwrap());
    assert_eq!(list.pop().unwrap(), None);
    list.extend(["a", "b", "c"].map(String::from)).unwrap();
    assert_eq!(list.get(1).unwrap(), "b");
    assert_eq!(list.set(1, &"B".into()).unwrap(), "b");
    list.insert(3, &"d".into()).unwrap();
    list.insert(0, &"z".into()).unwrap();
    assert_eq!(list.to_vec().unwrap(), ["z", "a", "B", "c", "d"]);
    assert_eq!(list.remove(0).unwrap(), "z");
    assert_eq!(list.pop().unwrap().as_deref(), Some("d"));
    assert_eq!(list.len().unwrap(), 3);
    for outside in [3, usize::MAX] {
        assert!(matches!(list.get(outside), Err(Error::OutOfRange)));
        let set = list.set(outside, &"x".into());
        assert!(matches!(set, Err(Error::OutOfRange)));
        assert!(matches!(list.remove(outside), Err(Error::OutOfRange)));
    }
    let insert = list.insert(4, &"x".into());
    assert!(matches!(insert, Err(Error::OutOfRange)));
    list.clear().unwrap();
    assert_eq!(list.to_vec().unwrap(), [""; 0]);
}

#[test]
fn a_value_keeps_every_change() {
    let manager = Manager::start().unwrap();
    let value = manager.value(&0_u64).unwrap();
    let children: Vec<_> = (0..CHILDREN)
        .map(|_| {
            let add = |value: Value<u64>| {
                for _ in 0..ROUNDS {
                    value.update(|number| number + 1).unwrap();
                }
            };
            Process::start(add, value.clone()).unwrap()
        })
        .collect();
    for child in children {
        child.join().unwrap();
    }
    assert_eq!(value.get().unwrap(), CHILDREN as u64 * ROUNDS);
    value.set(&7).unwrap();
    assert_eq!(value.get().unwrap(), 7);
}

#[test]
fn a_namespace_has_values_of_many_types() {
    let manager = Manager::start().unwrap();
    let names = manager.namespace().unwrap();
    let fill = |names: Namespace| {
        names.set("depth", &3_u8).unwrap();
        names.set("root", "/srv").unwrap();
    };
    Process::start(fill, names.clone()).unwrap().join().unwrap();
    assert_eq!(names.get("depth").unwrap(), Some(3_u8));
    assert_eq!(
        names.get::<String>("root").unwrap().as_deref(),
        Some("/srv")
    );
    assert_eq!(names.get::<u8>("width").unwrap(), None);
    assert!(matches!(names.get::<u8>("root"), Err(Error::Decode(_))));
    let mut all = names.names().unwrap();
    all.sort();
    assert_eq!(all, ["depth", "root"]);
    assert!(names.contains("root").unwrap());
    assert!(names.remove("root").unwrap() && !names.remove("root").unwrap());
}

#[test]
fn an_event_reaches_all_processes() {
    let manager = Manager::start().unwrap();
    let [go, done] = [(); 2].map(|()| manager.event().unwrap());
    let waiting = manager.queue().unwrap();
    let children: Vec<_> = (0..CHILDREN)
        .map(|_| {
            let wait = |(go, waiting): (Event, Queue<()>)| {
                waiting.put(()).unwrap();
                go.wait().unwrap();
            };
            Process::start(wait, (go.clone(), waiting.clone())).unwrap()
        })
        .collect();
    for _ in 0..CHILDREN {
        waiting.get_timeout(LONG).unwrap();
    }
    assert!(!go.is_set().unwrap());
    go.set().unwrap();
    for child in children {
        child.join().unwrap();
    }
    assert!(go.is_set().unwrap() && go.wait_timeout(Duration::ZERO).unwrap());
    go.clear().unwrap();
    assert!(!go.wait_timeout(Duration::from_millis(5)).unwrap());
    let soon = Instant::now() + Duration::from_millis(5);
    assert!(!done.wait_deadline(soon).unwrap());
}

#[test]
fn a_lock_lets_one_process_in_at_a_time() {
    let manager = Manager::start().unwrap();
    let lock = manager.lock().unwrap();
    let value = manager.value(&0_u64).unwrap();
    let children: Vec<_> = (0..CHILDREN)
        .map(|_| {
            let add = |(lock, value): (Lock, Value<u64>)| {
                for _ in 0..ROUNDS {
                    let guard = lock.lock().unwrap();
                    // Loses an addition if another comes in between.
                    let old = value.get().unwrap();
                    value.set(&(old + 1)).unwrap();
                    guard.unlock().unwrap();
                }
            };
            Process::start(add, (lock.clone(), value.clone())).unwrap()
        })
        .collect();
    for child in children {
        child.join().unwrap();
    }
    assert_eq!(value.get().unwrap(), CHILDREN as u64 * ROUNDS);
    let guard = lock.try_lock().unwrap().unwrap();
    assert!(!guard.was_abandoned());
    assert!(
        lock.lock_timeout(Duration::from_millis(5))
            .unwrap()
            .is_none()
    );
    let soon = Instant::now() + Duration::from_millis(5);
    assert!(lock.lock_deadline(soon).unwrap().is_none());
    drop(guard);
    assert!(lock.lock_timeout(LONG).unwrap().is_some());
}

#[test]
fn a_guard_may_be_dropped_in_another_thread() {
    let manager = Manager::builder().serve().unwrap();
    let lock = manager.lock().unwrap();
    let guard = lock.lock().unwrap();
    std::thread::spawn(move || drop(guard)).join().unwrap();
    assert!(lock.try_lock().unwrap().is_some());
}

#[test]
fn a_semaphore_lets_so_many_in() {
    let manager = Manager::start().unwrap();
    let seats = manager.semaphore(2).unwrap();
    let inside = manager.value(&(0_u32, 0_u32)).unwrap();
    let children: Vec<_> = (0..CHILDREN)
        .map(|_| {
            let sit = |(seats, inside): (Semaphore, Value<(u32, u32)>)| {
                for _ in 0..ROUNDS / 5 {
                    let permit = seats.acquire().unwrap();
                    inside
                        .update(|(now, most)| (now + 1, most.max(now + 1)))
                        .unwrap();
                    inside.update(|(now, most)| (now - 1, most)).unwrap();
                    permit.release().unwrap();
                }
            };
            Process::start(sit, (seats.clone(), inside.clone())).unwrap()
        })
        .collect();
    for child in children {
        child.join().unwrap();
    }
    let (now, most) = inside.get().unwrap();
    assert!(now == 0 && (1..=2).contains(&most), "{now} of {most}");
    let both = [(); 2].map(|()| seats.try_acquire().unwrap().unwrap());
    assert!(
        seats
            .acquire_timeout(Duration::from_millis(5))
            .unwrap()
            .is_none()
    );
    assert_eq!(seats.available().unwrap(), 0);
    drop(both);
    assert_eq!(seats.available().unwrap(), 2);
}

#[test]
fn a_proxy_is_sent_through_an_object() {
    let manager = Manager::start().unwrap();
    let mail: Queue<Queue<u8>> = manager.queue().unwrap();
    let answers: Queue<u8> = manager.queue().unwrap();
    let answer = |mail: Queue<Queue<u8>>| mail.get().unwrap().put(42).unwrap();
    let child = Process::start(answer, mail.clone()).unwrap();
    mail.put(answers.clone()).unwrap();
    assert_eq!(answers.get_timeout(LONG).unwrap(), 42);
    child.join().unwrap();
    assert_eq!(answers, answers.clone());
    assert!(format!("{answers:?}").starts_with("Queue { id: 2"));
}

#[test]
fn what_is_deleted_is_gone_for_all_who_wait() {
    let manager = Manager::builder().serve().unwrap();
    let (queue, event, lock): (Queue<u8>, _, _) = (
        manager.queue().unwrap(),
        manager.event().unwrap(),
        manager.lock().unwrap(),
    );
    let full: Queue<u8> = manager.bounded_queue(1).unwrap();
    full.put(1).unwrap();
    let held = lock.lock().unwrap();
    let waiters: [Box<dyn FnOnce() -> Result<(), Error> + Send>; 5] = {
        let (queue, full, joined) = (queue.clone(), full.clone(), full.clone());
        let (event, lock) = (event.clone(), lock.clone());
        [
            Box::new(move || queue.get().map(drop)),
            Box::new(move || full.put(2).map_err(Error::from)),
            Box::new(move || joined.join()),
            Box::new(move || event.wait()),
            Box::new(move || lock.lock().map(drop)),
        ]
    };
    let waiters = waiters.map(std::thread::spawn);
    queue.clone().delete().unwrap();
    full.delete().unwrap();
    event.delete().unwrap();
    lock.delete().unwrap();
    in_time(move || {
        for waiter in waiters {
            assert!(matches!(waiter.join().unwrap(), Err(Error::NoObject)));
        }
    });
    assert!(matches!(queue.delete(), Err(Error::NoObject)));
    assert!(matches!(held.unlock(), Err(Error::NoObject)));
}

#[test]
fn names_lead_to_objects_of_their_kind() {
    let manager = Manager::builder().serve().unwrap();
    let queue: Queue<String> = manager.queue().unwrap();
    manager.publish("jobs", &queue).unwrap();
    let again = manager.publish("jobs", &manager.lock().unwrap());
    assert!(matches!(again, Err(Error::NameTaken)));
    let found: Proxy<kind::Queue<String>> = manager.find("jobs").unwrap();
    assert_eq!(found, queue);
    assert!(matches!(
        manager.find::<kind::Lock>("jobs"),
        Err(Error::WrongKind)
    ));
    assert!(matches!(
        manager.find::<kind::Lock>("cobs"),
        Err(Error::NoName)
    ));
    let other = Manager::builder().serve().unwrap();
    assert!(matches!(
        other.publish("jobs", &queue),
        Err(Error::NoObject)
    ));
    queue.delete().unwrap();
    assert!(matches!(
        manager.find::<kind::Lock>("jobs"),
        Err(Error::NoName)
    ));
}

#[test]
fn shutting_down_wakes_both_ends() {
    let manager = Manager::start().unwrap();
    let queue: Queue<u32> = manager.bounded_queue(1).unwrap();
    let drain = |queue: Queue<u32>| queue.iter().map(Result::unwrap).sum::<u32>();
    let child = Process::start(drain, queue.clone()).unwrap();
    for item in 1..=10 {
        queue.put(item).unwrap();
    }
    assert!(queue.shutdown(Shutdown::Drain).unwrap().is_empty());
    assert_eq!(child.join().unwrap(), 55);
    assert!(queue.is_shut_down().unwrap());
    let refused = queue.put(11).unwrap_err();
    assert!(matches!(refused.error, Error::ShutDown) && refused.item == 11);
    assert!(matches!(queue.get(), Err(Error::ShutDown)));
}
