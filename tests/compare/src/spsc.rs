//! Rings for one producer and one consumer, each with a handle of its own.
//!
//! They take items one by one, or several at once in one of two ways: *slices*
//! are copied in and out, *chunks* are filled and read in place. `heapless`
//! has neither.

use brigade_core::bounded;

use crate::container::CAPACITY;

/// A ring for one producer and one consumer that never waits.
pub trait Spsc: 'static {
    /// The ring itself.
    type Ring;
    /// The handle that pushes.
    type Producer<'a>: Send;
    /// The handle that pops.
    type Consumer<'a>: Send;

    /// Whether it can do more than single items.
    const BATCHES: bool = true;

    /// An empty ring for [`CAPACITY`] items.
    fn new() -> Self::Ring;

    /// The two handles.
    fn split(ring: &mut Self::Ring) -> (Self::Producer<'_>, Self::Consumer<'_>);

    /// Puts an item in, or tells that there was no room.
    fn push(producer: &mut Self::Producer<'_>, item: u64) -> bool;

    /// Takes the oldest item, if there is one.
    fn pop(consumer: &mut Self::Consumer<'_>) -> Option<u64>;

    /// Copies items in, and tells how many.
    fn push_slice(producer: &mut Self::Producer<'_>, items: &[u64]) -> usize;

    /// Copies items out, and tells how many.
    fn pop_slice(consumer: &mut Self::Consumer<'_>, items: &mut [u64]) -> usize;

    /// Writes this many items in place, or as many as fit, and tells how many.
    fn fill(producer: &mut Self::Producer<'_>, items: std::ops::Range<u64>) -> usize;

    /// Adds up this many items in place, or as many as there are, gives them
    /// up, and tells the sum and how many.
    fn sum(consumer: &mut Self::Consumer<'_>, most: usize) -> (u64, usize);
}

crate::contenders! { Spsc:
    Ours Heap, "brigade Spsc", "spsc" {
        type Ring = bounded::HeapSpsc<u64>;
        type Producer<'a> = bounded::spsc::Producer<'a, u64>;
        type Consumer<'a> = bounded::spsc::Consumer<'a, u64>;
        fn new() -> Self::Ring { Self::Ring::with_capacity(CAPACITY) }
        fn split(ring: &mut Self::Ring) -> (Self::Producer<'_>, Self::Consumer<'_>) { ring.split() }
        fn push(producer: &mut Self::Producer<'_>, item: u64) -> bool { producer.push(item).is_ok() }
        fn pop(consumer: &mut Self::Consumer<'_>) -> Option<u64> { consumer.pop().ok() }
        fn push_slice(producer: &mut Self::Producer<'_>, items: &[u64]) -> usize { producer.push_slice(items) }
        fn pop_slice(consumer: &mut Self::Consumer<'_>, items: &mut [u64]) -> usize { consumer.pop_slice(items) }
        fn fill(producer: &mut Self::Producer<'_>, items: std::ops::Range<u64>) -> usize { ours_fill(producer, items) }
        fn sum(consumer: &mut Self::Consumer<'_>, most: usize) -> (u64, usize) { ours_sum(consumer, most) }
    }
    Ours Inline, "brigade Spsc, inline", "spsc" {
        type Ring = Box<bounded::Spsc<u64, CAPACITY>>;
        type Producer<'a> = bounded::spsc::Producer<'a, u64>;
        type Consumer<'a> = bounded::spsc::Consumer<'a, u64>;
        fn new() -> Self::Ring { Box::new(bounded::Spsc::new()) }
        fn split(ring: &mut Self::Ring) -> (Self::Producer<'_>, Self::Consumer<'_>) { ring.split() }
        fn push(producer: &mut Self::Producer<'_>, item: u64) -> bool { producer.push(item).is_ok() }
        fn pop(consumer: &mut Self::Consumer<'_>) -> Option<u64> { consumer.pop().ok() }
        fn push_slice(producer: &mut Self::Producer<'_>, items: &[u64]) -> usize { producer.push_slice(items) }
        fn pop_slice(consumer: &mut Self::Consumer<'_>, items: &mut [u64]) -> usize { consumer.pop_slice(items) }
        fn fill(producer: &mut Self::Producer<'_>, items: std::ops::Range<u64>) -> usize { ours_fill(producer, items) }
        fn sum(consumer: &mut Self::Consumer<'_>, most: usize) -> (u64, usize) { ours_sum(consumer, most) }
    }
    Rival Rtrb, "rtrb", "spsc" {
        // Made as two handles that own the ring.
        type Ring = ();
        type Producer<'a> = rtrb::Producer<u64>;
        type Consumer<'a> = rtrb::Consumer<u64>;
        fn new() -> Self::Ring {}
        fn split((): &mut Self::Ring) -> (Self::Producer<'_>, Self::Consumer<'_>) { rtrb::RingBuffer::new(CAPACITY) }
        fn push(producer: &mut Self::Producer<'_>, item: u64) -> bool { producer.push(item).is_ok() }
        fn pop(consumer: &mut Self::Consumer<'_>) -> Option<u64> { consumer.pop().ok() }
        fn push_slice(producer: &mut Self::Producer<'_>, items: &[u64]) -> usize {
            producer.push_partial_slice(items).0.len()
        }
        fn pop_slice(consumer: &mut Self::Consumer<'_>, items: &mut [u64]) -> usize {
            consumer.pop_partial_slice(items).0.len()
        }
        fn fill(producer: &mut Self::Producer<'_>, items: std::ops::Range<u64>) -> usize {
            let count = usize::try_from(items.end - items.start).expect("counted in 32 bits");
            let count = match producer.write_chunk_uninit(count) {
                Ok(chunk) => return chunk.fill_from_iter(items),
                Err(rtrb::chunks::ChunkError::TooFewSlots(fewer)) => fewer,
            };
            producer.write_chunk_uninit(count).map_or(0, |chunk| chunk.fill_from_iter(items))
        }
        fn sum(consumer: &mut Self::Consumer<'_>, most: usize) -> (u64, usize) {
            let count = match consumer.read_chunk(most) {
                Ok(_) => most,
                Err(rtrb::chunks::ChunkError::TooFewSlots(fewer)) => fewer,
            };
            let Ok(chunk) = consumer.read_chunk(count) else { return (0, 0) };
            let (first, second) = chunk.as_slices();
            let sum = first.iter().chain(second).sum();
            chunk.commit_all();
            (sum, count)
        }
    }
    Rival Heapless, "heapless spsc", "spsc" {
        // One slot is never used.
        type Ring = Box<heapless::spsc::Queue<u64, { CAPACITY + 1 }>>;
        type Producer<'a> = heapless::spsc::Producer<'a, u64>;
        type Consumer<'a> = heapless::spsc::Consumer<'a, u64>;
        const BATCHES: bool = false;
        fn new() -> Self::Ring { Box::new(heapless::spsc::Queue::new()) }
        fn split(ring: &mut Self::Ring) -> (Self::Producer<'_>, Self::Consumer<'_>) { ring.split() }
        fn push(producer: &mut Self::Producer<'_>, item: u64) -> bool { producer.enqueue(item).is_ok() }
        fn pop(consumer: &mut Self::Consumer<'_>) -> Option<u64> { consumer.dequeue() }
        fn push_slice(_: &mut Self::Producer<'_>, _: &[u64]) -> usize { unreachable!("not admitted") }
        fn pop_slice(_: &mut Self::Consumer<'_>, _: &mut [u64]) -> usize { unreachable!("not admitted") }
        fn fill(_: &mut Self::Producer<'_>, _: std::ops::Range<u64>) -> usize { unreachable!("not admitted") }
        fn sum(_: &mut Self::Consumer<'_>, _: usize) -> (u64, usize) { unreachable!("not admitted") }
    }
}

fn ours_fill(
    producer: &mut bounded::spsc::Producer<'_, u64>,
    items: std::ops::Range<u64>,
) -> usize {
    let count = usize::try_from(items.end - items.start).expect("counted in 32 bits");
    producer
        .write_chunk(count)
        .map_or(0, |chunk| chunk.fill(items))
}

fn ours_sum(consumer: &mut bounded::spsc::Consumer<'_, u64>, most: usize) -> (u64, usize) {
    let Ok(chunk) = consumer.read_chunk(most) else {
        return (0, 0);
    };
    let count = chunk.len();
    let (first, second) = chunk.as_slices();
    let sum = first.iter().chain(second).sum();
    chunk.commit(count);
    (sum, count)
}
