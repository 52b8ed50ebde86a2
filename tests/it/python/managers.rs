//! `multiprocessing.Manager`.

use brigade::manager::{
    Client, Dict, Error, Event, List, Lock, Namespace, Queue, Semaphore, Value,
};
use brigade::{Manager, Process, ProcessPool, Shutdown, shared};
use serde::{Deserialize, Serialize};

use crate::harness::LONG;

#[derive(Clone, Serialize, Deserialize)]
struct Served {
    dict: Dict<String, usize>,
    list: List<String>,
    namespace: Namespace,
    value: Value<u64>,
    queue: Queue<String>,
    event: Event,
    lock: Lock,
    seats: Semaphore,
}

/// What each worker does with all of them.
fn work(it: &Served) -> Result<(), Error> {
    assert!(it.event.wait_timeout(LONG)?);
    loop {
        let word = match it.queue.get() {
            Ok(word) => word,
            Err(Error::ShutDown) => return Ok(()),
            Err(error) => return Err(error),
        };
        it.dict
            .update(&word, |count| Some(count.unwrap_or(0) + 1))?;
        it.list.push(&word)?;
        it.value.update(|sum| sum + word.len() as u64)?;
        let seat = it.seats.acquire()?;
        let held = it.lock.lock()?;
        let seen: u32 = it.namespace.get("seen")?.unwrap_or(0);
        it.namespace.set("seen", &(seen + 1))?;
        held.unlock()?;
        seat.release()?;
        it.queue.task_done()?;
    }
}

/// `Manager().dict()`, `list()`, `Namespace()`, `Value`, `Queue`, `Event`, `Lock`: all of them, in processes
/// and in the workers of a pool.
#[test]
fn manager_dict_list_namespace_value_queue_event_lock() {
    const WORDS: [&str; 4] = ["red", "green", "red", "blue"];

    let manager = Manager::start().unwrap();
    let it = Served {
        dict: manager.dict().unwrap(),
        list: manager.list().unwrap(),
        namespace: manager.namespace().unwrap(),
        value: manager.value(&0).unwrap(),
        queue: manager.queue().unwrap(),
        event: manager.event().unwrap(),
        lock: manager.lock().unwrap(),
        seats: manager.semaphore(2).unwrap(),
    };
    let pool = ProcessPool::builder().workers(1).build().unwrap();
    let task = pool.submit_with(|it: Served| work(&it).unwrap(), it.clone());
    let child = Process::start(|it: Served| work(&it).unwrap(), it.clone()).unwrap();
    for _ in 0..10 {
        for word in WORDS {
            it.queue.put(word.to_owned()).unwrap();
        }
    }
    it.event.set().unwrap();
    it.queue.join_timeout(LONG).unwrap();
    it.queue.shutdown(Shutdown::Drain).unwrap();
    child.join_timeout(LONG).unwrap().unwrap();
    task.unwrap().result_timeout(LONG).unwrap().unwrap();

    assert_eq!(it.dict.get("red").unwrap(), Some(20));
    assert_eq!(it.dict.len().unwrap(), 3);
    assert_eq!(it.list.len().unwrap(), 40);
    assert_eq!(it.value.get().unwrap(), 10 * (3 + 5 + 3 + 4));
    assert_eq!(it.namespace.get("seen").unwrap(), Some(40_u32));
    assert!(it.event.is_set().unwrap());
    assert_eq!(it.seats.available().unwrap(), 2);

    // `connect` with address and key, and objects by name.
    manager.publish("words", &it.list).unwrap();
    let client = Client::connect(manager.address().clone(), manager.key().clone());
    let words: List<String> = client.unwrap().find("words").unwrap();
    assert_eq!(words.len().unwrap(), 40);
}

/// The trap: no error when the server dies, and a lock that a dead client had stays locked.
#[test]
fn the_death_of_a_manager_or_a_client_is_reported() {
    fn hold((lock, has_it): (Lock, Event)) {
        let _held = lock.lock().unwrap();
        has_it.set().unwrap();
        loop {
            std::thread::park();
        }
    }

    let manager = Manager::start().unwrap();
    let (lock, has_it) = (manager.lock().unwrap(), manager.event().unwrap());
    let client = Process::start(hold, (lock.clone(), has_it.clone())).unwrap();
    assert!(has_it.wait_timeout(LONG).unwrap());
    assert!(lock.try_lock().unwrap().is_none());
    client.kill().unwrap();
    let held = lock
        .lock_timeout(LONG)
        .unwrap()
        .expect("its holder is dead");
    assert!(held.was_abandoned());
    drop(held);

    // Who waits when the server is killed is told.
    let ready = shared::Event::new().unwrap();
    let waiter = Process::start(
        |(queue, ready): (Queue<u32>, shared::Event)| {
            ready.set();
            matches!(queue.get(), Err(Error::Gone(_)))
        },
        (manager.queue().unwrap(), ready.clone()),
    );
    assert!(ready.wait_timeout(LONG));
    let server = manager.pid().unwrap().try_into().unwrap();
    // SAFETY: sends a signal to the server, which the manager has not waited for.
    assert_eq!(unsafe { libc::kill(server, libc::SIGKILL) }, 0);
    assert!(waiter.unwrap().join_timeout(LONG).unwrap().unwrap());
    assert!(matches!(lock.lock(), Err(Error::Gone(_))));
    assert!(matches!(manager.dict::<u32, u32>(), Err(Error::Gone(_))));
}
