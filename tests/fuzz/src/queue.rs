//! The queue: puts, gets, leases, reports, batches and both ways to shut down, by the operations
//! that cannot wait, or do not because there is what they would wait for.

use arbitrary::{Arbitrary, Result, Unstructured};
use brigade_core::bounded::Container;
use brigade_core::{Lease, Queue, Shutdown, TooManyDone, TryGetError, TryPutError};

use crate::item::Name;
use crate::{Item, Ledger, Model, Order};

/// On what container, how large, and what to do.
#[derive(Arbitrary, Debug)]
pub struct QueuePlan {
    /// Which container to stand on; targets take it modulo those there are.
    pub container: u8,
    /// How many items the queue is to hold.
    #[arbitrary(with = |bytes: &mut Unstructured| bytes.int_in_range(1..=9))]
    pub capacity: usize,
    operations: Vec<Operation>,
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Put(u8),
    PutMany(u8),
    Get,
    GetMany(u8),
    TaskDone,
    Join,
    Lease,
    // Of one of the leases at hand:
    PutBack(u8),
    Finish(u8),
    Drop(u8),
    Drain,
    /// Takes some of what is left, and drops the rest.
    Immediate(u8),
}

impl<'a> Arbitrary<'a> for Operation {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match bytes.int_in_range(0..=127)? {
            // Seldom: little happens afterwards.
            0 => Self::Drain,
            1 => Self::Immediate(bytes.arbitrary()?),
            2..=32 => Self::Put(bytes.arbitrary()?),
            33..=42 => Self::PutMany(bytes.arbitrary()?),
            43..=60 => Self::Get,
            61..=70 => Self::GetMany(bytes.arbitrary()?),
            71..=85 => Self::TaskDone,
            86..=90 => Self::Join,
            91..=105 => Self::Lease,
            106..=112 => Self::PutBack(bytes.arbitrary()?),
            113..=120 => Self::Finish(bytes.arbitrary()?),
            _ => Self::Drop(bytes.arbitrary()?),
        })
    }
}

/// Plays a plan on a queue that stands on this container, which was made for it and never used.
pub fn check_queue<C: Container<Item = Item>>(plan: &QueuePlan, order: Order, container: C) {
    let queue: Queue<C> = Queue::new(container);
    assert_eq!(queue.capacity(), plan.capacity);
    let ledger = Ledger::default();
    let mut subject = Subject {
        queue: &queue,
        leases: Vec::new(),
        model: Model::new(order, plan.capacity),
        unfinished: 0,
        ledger: ledger.clone(),
        shut_down: false,
    };
    for &operation in &plan.operations {
        subject.play(operation);
        subject.compare();
    }
    drop(subject);
    drop(queue);
    assert_eq!(ledger.alive(), 0, "some items were leaked");
}

struct Subject<'q, C: Container> {
    queue: &'q Queue<C>,
    leases: Vec<Lease<'q, C>>,
    model: Model,
    /// How many items were put and not reported.
    unfinished: u32,
    ledger: Ledger,
    shut_down: bool,
}

impl<'q, C: Container<Item = Item>> Subject<'q, C> {
    fn play(&mut self, operation: Operation) {
        match operation {
            Operation::Put(key) => self.put(key),
            Operation::PutMany(most) => self.put_many(most),
            Operation::Get => self.get(),
            Operation::GetMany(most) => self.get_many(usize::from(most % 16)),
            Operation::TaskDone => {
                let expected = self.unfinished.checked_sub(1).ok_or(TooManyDone);
                assert_eq!(self.queue.task_done(), expected.map(|_| ()));
                self.reported();
            }
            Operation::Join => {
                if self.unfinished == 0 {
                    self.queue.join();
                }
            }
            Operation::Lease => self.lease(),
            Operation::PutBack(which) => self.put_back(which),
            Operation::Finish(which) => {
                if let Some(lease) = self.pick(which) {
                    let name = lease.name;
                    assert_eq!(lease.finish().name, name);
                    self.reported();
                }
            }
            Operation::Drop(which) => {
                if let Some(lease) = self.pick(which) {
                    drop(lease);
                    self.reported();
                }
            }
            Operation::Drain => {
                assert_eq!(self.queue.shutdown(Shutdown::Drain).count(), 0);
                self.shut_down = true;
            }
            Operation::Immediate(most) => self.immediate(usize::from(most)),
        }
    }

    fn put_one(&mut self, name: Name) {
        assert!(!self.shut_down);
        self.model.push(name);
        self.unfinished += 1;
    }

    /// More reports than items are refused, also those of leases.
    fn reported(&mut self) {
        self.unfinished = self.unfinished.saturating_sub(1);
    }

    fn put(&mut self, key: u8) {
        let item = self.ledger.item(key);
        let name = item.name;
        let answer = if self.model.is_full() {
            self.queue.try_put(item)
        } else {
            let answer = self.queue.put(item);
            answer.map_err(|error| TryPutError::ShutDown(error.0))
        };
        match answer {
            Ok(()) => self.put_one(name),
            Err(TryPutError::Full(item)) => {
                assert!(self.model.is_full() && !self.shut_down);
                assert_eq!(item.name, name, "what is refused comes back");
            }
            Err(TryPutError::ShutDown(item)) => {
                assert!(self.shut_down);
                assert_eq!(item.name, name, "what is refused comes back");
            }
        }
    }

    /// As many as there is room for; any number once it was shut down.
    fn put_many(&mut self, most: u8) {
        let room = if self.shut_down {
            usize::MAX
        } else {
            self.model.room()
        };
        let length = usize::from(most % 64).min(room);
        let items: Vec<_> = (0..length).map(|_| self.ledger.item(most)).collect();
        let names: Vec<_> = items.iter().map(|item| item.name).collect();
        match self.queue.put_many(items) {
            Ok(()) => names.into_iter().for_each(|name| self.put_one(name)),
            Err(unput) => {
                assert!(self.shut_down);
                let back: Vec<_> = unput.map(|item| item.name).collect();
                assert_eq!(back, names, "what is refused comes back");
            }
        }
    }

    /// What a get must answer now.
    fn next(&mut self) -> Result<Name, TryGetError> {
        self.model.pop().ok_or(if self.shut_down {
            TryGetError::ShutDown
        } else {
            TryGetError::Empty
        })
    }

    fn get(&mut self) {
        let answer = if self.model.is_empty() {
            self.queue.try_get()
        } else {
            self.queue.get().map_err(|_| TryGetError::ShutDown)
        };
        assert_eq!(answer.map(|item| item.name), self.next());
    }

    fn get_many(&mut self, most: usize) {
        if self.model.is_empty() && !self.shut_down {
            return; // It would wait.
        }
        let mut got = Vec::new();
        match self.queue.get_many(most, &mut got) {
            Ok(count) => {
                assert!(count == got.len() && count <= most);
                assert!(count > 0 || most == 0);
            }
            Err(_) => assert!(self.model.is_empty() && self.shut_down && got.is_empty()),
        }
        for item in got {
            assert_eq!(Ok(item.name), self.next());
        }
    }

    fn lease(&mut self) {
        match self.queue.try_lease() {
            Ok(lease) => {
                assert_eq!(Ok(lease.name), self.next());
                self.leases.push(lease);
            }
            Err(error) => assert_eq!(Err(error), self.next()),
        }
    }

    fn pick(&mut self, which: u8) -> Option<Lease<'q, C>> {
        let place = usize::from(which).checked_rem(self.leases.len())?;
        Some(self.leases.swap_remove(place))
    }

    fn put_back(&mut self, which: u8) {
        let Some(lease) = self.pick(which) else {
            return;
        };
        let name = lease.name;
        match lease.put_back() {
            Ok(()) => {
                self.put_one(name);
                self.reported();
            }
            Err(TryPutError::Full(lease)) => {
                assert!(self.model.is_full() && !self.shut_down && lease.name == name);
                self.leases.push(lease);
            }
            Err(TryPutError::ShutDown(lease)) => {
                assert!(self.shut_down && lease.name == name);
                self.leases.push(lease);
            }
        }
    }

    fn immediate(&mut self, most: usize) {
        let queue = self.queue;
        let remaining = queue.shutdown(Shutdown::Immediate);
        self.shut_down = true;
        for item in remaining.take(most) {
            assert_eq!(Some(item.name), self.model.pop());
            self.reported();
        }
        while self.model.pop().is_some() {
            self.reported();
        }
    }

    /// What can be asked at any time.
    fn compare(&self) {
        let Self { queue, model, .. } = self;
        assert_eq!(queue.len(), model.len());
        assert_eq!(queue.is_empty(), model.is_empty());
        assert_eq!(queue.is_full(), model.is_full());
        assert_eq!(queue.unfinished(), self.unfinished);
        assert_eq!(queue.is_shut_down(), self.shut_down);
        assert_eq!(self.ledger.alive(), model.len() + self.leases.len());
    }
}
