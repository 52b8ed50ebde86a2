//! Containers: bounded queues that never wait.
//!
//! Two classes, because they promise different things. In a *lock-free* queue
//! a thread stopped anywhere blocks nobody. In a *ticket ring* a thread that
//! is stopped between taking a ticket and using it blocks the slot for all
//! others; it is faster, and many of them are called lock-free all the same.
//! `nblf-queue` has a third kind, which packs items of at most 32 bits into
//! the slots themselves: a class of its own, since it cannot hold the `u64` of
//! the others.
//!
//! Ours appear twice: with a capacity chosen at run time, on the heap, as most
//! rivals are; and *inline*, with a capacity known at compile time, as
//! `heapless` is.

use std::hint;
use std::thread;

use brigade_core::bounded;
use nblf_queue::MPMCQueue as _;

/// The capacity that every container scenario uses.
pub const CAPACITY: usize = 1024;

/// A bounded multi-producer multi-consumer queue that never waits.
pub trait Container: 'static {
    /// The queue itself.
    type Queue: Send + Sync;

    /// An empty queue for [`CAPACITY`] items.
    fn new() -> Self::Queue;

    /// Puts an item in, or tells that there was no room.
    fn push(queue: &Self::Queue, item: u64) -> bool;

    /// Takes the oldest item, if there is one.
    fn pop(queue: &Self::Queue) -> Option<u64>;
}

/// Makes one attempt after the other until one gives something, waiting a
/// little longer each time and from the fifth time on giving up the CPU.
///
/// All containers get this same backoff, so that it is they who differ.
pub fn persist<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let mut failures = 0;
    loop {
        if let Some(outcome) = attempt() {
            return outcome;
        }
        if failures < 4 {
            for _ in 0..1 << failures {
                hint::spin_loop();
            }
            failures += 1;
        } else {
            thread::yield_now();
        }
    }
}

crate::contenders! { Container:
    Ours Fifo, "brigade Fifo", "lock-free" {
        type Queue = bounded::HeapFifo<u64>;
        fn new() -> Self::Queue { Self::Queue::with_capacity(CAPACITY) }
        fn push(queue: &Self::Queue, item: u64) -> bool { queue.push(item).is_ok() }
        fn pop(queue: &Self::Queue) -> Option<u64> { queue.pop().ok() }
    }
    Ours InlineFifo, "brigade Fifo, inline", "lock-free" {
        type Queue = Box<bounded::Fifo<u64, CAPACITY>>;
        fn new() -> Self::Queue { Box::new(bounded::Fifo::new()) }
        fn push(queue: &Self::Queue, item: u64) -> bool { queue.push(item).is_ok() }
        fn pop(queue: &Self::Queue) -> Option<u64> { queue.pop().ok() }
    }
    Rival Lfqueue, "lfqueue", "lock-free" {
        type Queue = lfqueue::AllocBoundedQueue<u64>;
        fn new() -> Self::Queue { Self::Queue::new(CAPACITY) }
        fn push(queue: &Self::Queue, item: u64) -> bool { queue.enqueue(item).is_ok() }
        fn pop(queue: &Self::Queue) -> Option<u64> { queue.dequeue() }
    }
    Rival NblfPooled, "nblf-queue PooledQueue", "lock-free" {
        type Queue = nblf_queue::PooledQueue<u64>;
        fn new() -> Self::Queue { Self::Queue::new(CAPACITY) }
        fn push(queue: &Self::Queue, item: u64) -> bool { queue.push(item).is_ok() }
        fn pop(queue: &Self::Queue) -> Option<u64> { queue.pop() }
    }
    Rival NblfWords, "nblf-queue Queue", "lock-free; 32-bit items" {
        type Queue = nblf_queue::Queue<u32>;
        fn new() -> Self::Queue { Self::Queue::new(CAPACITY) }
        fn push(queue: &Self::Queue, item: u64) -> bool {
            let item = u32::try_from(item).expect("scenarios count in 32 bits");
            queue.push(item).is_ok()
        }
        fn pop(queue: &Self::Queue) -> Option<u64> { queue.pop().map(u64::from) }
    }
    Ours Ticket, "brigade Ticket", "ticket ring" {
        type Queue = bounded::HeapTicket<u64>;
        fn new() -> Self::Queue { Self::Queue::with_capacity(CAPACITY) }
        fn push(queue: &Self::Queue, item: u64) -> bool { queue.push(item).is_ok() }
        fn pop(queue: &Self::Queue) -> Option<u64> { queue.pop().ok() }
    }
    Ours InlineTicket, "brigade Ticket, inline", "ticket ring" {
        type Queue = Box<bounded::Ticket<u64, CAPACITY>>;
        fn new() -> Self::Queue { Box::new(bounded::Ticket::new()) }
        fn push(queue: &Self::Queue, item: u64) -> bool { queue.push(item).is_ok() }
        fn pop(queue: &Self::Queue) -> Option<u64> { queue.pop().ok() }
    }
    Ours TwoLock, "brigade TwoLock", "two locks" {
        type Queue = bounded::HeapTwoLock<u64>;
        fn new() -> Self::Queue { Self::Queue::with_capacity(CAPACITY) }
        fn push(queue: &Self::Queue, item: u64) -> bool { queue.push(item).is_ok() }
        fn pop(queue: &Self::Queue) -> Option<u64> { queue.pop().ok() }
    }
    Rival ArrayQueue, "crossbeam-queue ArrayQueue", "ticket ring" {
        type Queue = crossbeam_queue::ArrayQueue<u64>;
        fn new() -> Self::Queue { Self::Queue::new(CAPACITY) }
        fn push(queue: &Self::Queue, item: u64) -> bool { queue.push(item).is_ok() }
        fn pop(queue: &Self::Queue) -> Option<u64> { queue.pop() }
    }
    Rival ConcurrentQueue, "concurrent-queue", "ticket ring" {
        type Queue = concurrent_queue::ConcurrentQueue<u64>;
        fn new() -> Self::Queue { Self::Queue::bounded(CAPACITY) }
        fn push(queue: &Self::Queue, item: u64) -> bool { queue.push(item).is_ok() }
        fn pop(queue: &Self::Queue) -> Option<u64> { queue.pop().ok() }
    }
    Rival Heapless, "heapless mpmc", "ticket ring" {
        type Queue = Box<heapless::mpmc::Queue<u64, CAPACITY>>;
        #[expect(deprecated, reason = "a rival all the same")]
        fn new() -> Self::Queue { Box::new(heapless::mpmc::Queue::new()) }
        fn push(queue: &Self::Queue, item: u64) -> bool { queue.enqueue(item).is_ok() }
        fn pop(queue: &Self::Queue) -> Option<u64> { queue.dequeue() }
    }
    Rival Thingbuf, "thingbuf", "ticket ring" {
        type Queue = thingbuf::ThingBuf<u64>;
        fn new() -> Self::Queue { Self::Queue::new(CAPACITY) }
        fn push(queue: &Self::Queue, item: u64) -> bool { queue.push(item).is_ok() }
        fn pop(queue: &Self::Queue) -> Option<u64> { queue.pop() }
    }
}
