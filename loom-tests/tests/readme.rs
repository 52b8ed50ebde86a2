//! The README's model, letter by letter; `tests/it/readme.rs` sees to that.

#[cfg(brigade_loom)]
#[test]
fn no_message_is_lost() {
    use brigade_core::{Queue, bounded::Fifo, sync::Model};
    use loom::{sync::Arc, thread};

    loom::model(|| {
        let queue = Arc::new(Queue::<Fifo<u32, 1>, Model>::new(Fifo::new()));
        let producer = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.put(42).unwrap()
        });
        assert_eq!(queue.get(), Ok(42)); // loom tries every interleaving, also asleep
        producer.join().unwrap();
    });
}
