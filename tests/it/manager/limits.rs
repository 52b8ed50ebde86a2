//! What a manager lets itself be asked for.

use std::thread;

use brigade::Manager;
use brigade::manager::{Dict, Error, List, Queue};

use crate::harness::until;

#[test]
fn messages_may_be_so_large() {
    let manager = Manager::builder().message_limit(4096).start().unwrap();
    let queue: Queue<Vec<u8>> = manager.queue().unwrap();
    let refused = queue.put(vec![1; 4096]).unwrap_err();
    assert!(matches!(refused.error, Error::TooLarge) && refused.item == vec![1; 4096]);
    // What was taken can be had back, to the last byte of the limit.
    for length in 4060..4096 {
        if queue.put(vec![2; length]).is_ok() {
            assert_eq!(queue.lease().unwrap().finish().unwrap().len(), length);
            queue.put(vec![2; length]).unwrap();
            assert_eq!(queue.get().unwrap().len(), length);
        }
    }
    let list: List<Vec<u8>> = manager.list().unwrap();
    for _ in 0..5 {
        list.push(&vec![3; 1000]).unwrap();
    }
    assert!(matches!(list.to_vec(), Err(Error::TooLarge)));
    assert_eq!(list.pop().unwrap().unwrap().len(), 1000);
    assert_eq!(list.to_vec().unwrap().len(), 4);
    let dict: Dict<Vec<u8>, ()> = manager.dict().unwrap();
    assert!(matches!(
        dict.insert(&vec![4; 5000], &()),
        Err(Error::TooLarge)
    ));
    assert!(matches!(
        manager.value(&vec![5; 5000]),
        Err(Error::TooLarge)
    ));
}

#[test]
fn there_may_be_so_many_objects_and_names() {
    let manager = Manager::builder().objects(2).serve().unwrap();
    let first: Queue<u8> = manager.queue().unwrap();
    let second = manager.event().unwrap();
    assert!(matches!(manager.lock(), Err(Error::TooMany)));
    manager.publish("a", &first).unwrap();
    manager.publish("b", &first).unwrap();
    assert!(matches!(manager.publish("c", &second), Err(Error::TooMany)));
    first.delete().unwrap();
    manager.publish("c", &second).unwrap();
    manager.lock().unwrap();
}

#[test]
fn there_may_be_so_many_connections() {
    let manager = Manager::builder().connections(2).start().unwrap();
    let event = manager.event().unwrap();
    let waiters = [(); 2].map(|()| {
        let event = event.clone();
        thread::spawn(move || {
            // While the test asks, there may be no room for us.
            loop {
                match event.wait() {
                    Err(Error::Busy) => thread::yield_now(),
                    result => return result,
                }
            }
        })
    });
    until(|| matches!(event.is_set(), Err(Error::Busy)));
    assert!(matches!(event.set(), Err(Error::Busy)));
    manager.shutdown();
    for waiter in waiters {
        assert!(matches!(waiter.join().unwrap(), Err(Error::Gone(_))));
    }
}
