//! Channels: bounded queues whose ends wait, and that can be closed.

use std::ops::Range;
use std::sync::Arc;

use brigade::{Queue as BrigadeQueue, Shutdown};

/// A bounded queue whose senders wait for room and whose receivers wait for
/// items, until every sender is gone and the queue is empty.
pub trait Channel: 'static {
    /// A sender; the channel is closed when the last one is dropped.
    type Sender: Send;
    /// A receiver.
    type Receiver: Send;

    /// Whether it takes more than one receiver.
    const SHARES_RECEIVER: bool = true;
    /// Whether it moves several items at once.
    const BATCHES: bool = false;

    /// A channel for `capacity` items with its two ends, as many of each as asked for.
    fn open(
        capacity: usize,
        senders: usize,
        receivers: usize,
    ) -> (Vec<Self::Sender>, Vec<Self::Receiver>);

    /// Waits for room and puts an item in.
    fn send(sender: &Self::Sender, item: u64);

    /// Waits for an item; none comes any more if the channel is closed.
    fn receive(receiver: &Self::Receiver) -> Option<u64>;

    /// Sends a range of items.
    fn send_all(sender: &Self::Sender, items: Range<u64>) {
        for item in items {
            Self::send(sender, item);
        }
    }

    /// Receives until the channel is closed.
    fn receive_all(receiver: &Self::Receiver, mut take: impl FnMut(u64)) {
        while let Some(item) = Self::receive(receiver) {
            take(item);
        }
    }
}

/// A sender of ours. A brigade queue is shut down rather than closed by its
/// last sender, so the senders count themselves here.
#[derive(Clone)]
pub struct QueueSender {
    queue: Arc<BrigadeQueue<u64>>,
    _last: Arc<ShutsDown>,
}

struct ShutsDown(Arc<BrigadeQueue<u64>>);

impl Drop for ShutsDown {
    fn drop(&mut self) {
        self.0.shutdown(Shutdown::Drain);
    }
}

impl QueueSender {
    fn open(
        capacity: usize,
        senders: usize,
        receivers: usize,
    ) -> (Vec<Self>, Vec<Arc<BrigadeQueue<u64>>>) {
        let queue = Arc::new(BrigadeQueue::bounded(capacity));
        let sender = Self {
            queue: Arc::clone(&queue),
            _last: Arc::new(ShutsDown(Arc::clone(&queue))),
        };
        (vec![sender; senders], vec![queue; receivers])
    }

    fn send(&self, item: u64) {
        assert!(self.queue.put(item).is_ok(), "shut down too early");
    }
}

/// How many items a batch takes at most.
const BATCH: usize = 256;

crate::contenders! { Channel:
    Ours Queue, "brigade Queue", "queue" {
        type Sender = QueueSender;
        type Receiver = Arc<BrigadeQueue<u64>>;
        fn open(
            capacity: usize,
            senders: usize,
            receivers: usize,
        ) -> (Vec<Self::Sender>, Vec<Self::Receiver>) {
            QueueSender::open(capacity, senders, receivers)
        }
        fn send(sender: &Self::Sender, item: u64) { sender.send(item); }
        fn receive(receiver: &Self::Receiver) -> Option<u64> { receiver.get().ok() }
    }
    Ours QueueBatch, "brigade Queue, batches", "queue" {
        const BATCHES: bool = true;
        type Sender = QueueSender;
        type Receiver = Arc<BrigadeQueue<u64>>;
        fn open(
            capacity: usize,
            senders: usize,
            receivers: usize,
        ) -> (Vec<Self::Sender>, Vec<Self::Receiver>) {
            QueueSender::open(capacity, senders, receivers)
        }
        fn send(sender: &Self::Sender, item: u64) { sender.send(item); }
        fn receive(receiver: &Self::Receiver) -> Option<u64> { receiver.get().ok() }
        fn send_all(sender: &Self::Sender, items: Range<u64>) {
            assert!(sender.queue.put_many(items).is_ok(), "shut down too early");
        }
        fn receive_all(receiver: &Self::Receiver, mut take: impl FnMut(u64)) {
            let mut batch = Vec::with_capacity(BATCH);
            while receiver.get_many(BATCH, &mut batch).is_ok() {
                batch.drain(..).for_each(&mut take);
            }
        }
    }
    Rival Crossbeam, "crossbeam-channel", "queue" {
        type Sender = crossbeam_channel::Sender<u64>;
        type Receiver = crossbeam_channel::Receiver<u64>;
        fn open(
            capacity: usize,
            senders: usize,
            receivers: usize,
        ) -> (Vec<Self::Sender>, Vec<Self::Receiver>) {
            let (sender, receiver) = crossbeam_channel::bounded(capacity);
            (vec![sender; senders], vec![receiver; receivers])
        }
        fn send(sender: &Self::Sender, item: u64) { sender.send(item).expect("open"); }
        fn receive(receiver: &Self::Receiver) -> Option<u64> { receiver.recv().ok() }
    }
    Rival Kanal, "kanal", "queue" {
        type Sender = kanal::Sender<u64>;
        type Receiver = kanal::Receiver<u64>;
        fn open(
            capacity: usize,
            senders: usize,
            receivers: usize,
        ) -> (Vec<Self::Sender>, Vec<Self::Receiver>) {
            let (sender, receiver) = kanal::bounded(capacity);
            (vec![sender; senders], vec![receiver; receivers])
        }
        fn send(sender: &Self::Sender, item: u64) { sender.send(item).expect("open"); }
        fn receive(receiver: &Self::Receiver) -> Option<u64> { receiver.recv().ok() }
    }
    Rival Flume, "flume", "queue" {
        type Sender = flume::Sender<u64>;
        type Receiver = flume::Receiver<u64>;
        fn open(
            capacity: usize,
            senders: usize,
            receivers: usize,
        ) -> (Vec<Self::Sender>, Vec<Self::Receiver>) {
            let (sender, receiver) = flume::bounded(capacity);
            (vec![sender; senders], vec![receiver; receivers])
        }
        fn send(sender: &Self::Sender, item: u64) { sender.send(item).expect("open"); }
        fn receive(receiver: &Self::Receiver) -> Option<u64> { receiver.recv().ok() }
    }
    Rival SyncChannel, "std sync_channel", "queue" {
        const SHARES_RECEIVER: bool = false;
        type Sender = std::sync::mpsc::SyncSender<u64>;
        type Receiver = std::sync::mpsc::Receiver<u64>;
        fn open(
            capacity: usize,
            senders: usize,
            _one: usize,
        ) -> (Vec<Self::Sender>, Vec<Self::Receiver>) {
            let (sender, receiver) = std::sync::mpsc::sync_channel(capacity);
            (vec![sender; senders], vec![receiver])
        }
        fn send(sender: &Self::Sender, item: u64) { sender.send(item).expect("open"); }
        fn receive(receiver: &Self::Receiver) -> Option<u64> { receiver.recv().ok() }
    }
}
