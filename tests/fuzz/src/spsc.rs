//! `Spsc`: both ends in turns, items one by one and in place, and ends that change hands.

use arbitrary::{Arbitrary, Result, Unstructured};
use brigade_core::bounded::HeapSpsc;
use brigade_core::bounded::spsc::{Consumer, Producer};
use brigade_core::{PopError, PushError};

use crate::item::Name;
use crate::{Item, Ledger, Model, Order};

/// Where to begin, and what to do.
#[derive(Arbitrary, Debug)]
pub struct SpscPlan {
    #[arbitrary(with = |bytes: &mut Unstructured| bytes.int_in_range(1..=9))]
    capacity: usize,
    /// How many steps are left until the cursors start again.
    #[arbitrary(with = |bytes: &mut Unstructured| bytes.int_in_range(0..=2))]
    before_wrap: u32,
    operations: Vec<Operation>,
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Push,
    /// Through an iterator of so many, into a chunk for so many.
    Fill(u8, u8),
    /// Into a chunk for so many, committing no more than so many.
    Write(u8, u8),
    Pop,
    Peek,
    /// Out of a chunk of so many, committing no more than so many.
    Read(u8, u8),
    /// Out of a chunk of so many, taking no more than so many.
    Take(u8, u8),
    /// Out of all there are, taking no more than so many.
    Drain(u8),
    /// Another producer, or consumer.
    HandOver(bool),
    Close,
}

impl<'a> Arbitrary<'a> for Operation {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        // One more than fits, at most.
        let few = |bytes: &mut Unstructured| bytes.int_in_range(0..=10);
        Ok(match bytes.int_in_range(0..=80)? {
            0 => Self::Close, // Seldom: little happens afterwards.
            1..=15 => Self::Push,
            16..=27 => Self::Fill(few(bytes)?, few(bytes)?),
            28..=39 => Self::Write(few(bytes)?, few(bytes)?),
            40..=51 => Self::Pop,
            52..=55 => Self::Peek,
            56..=63 => Self::Read(few(bytes)?, few(bytes)?),
            64..=70 => Self::Take(few(bytes)?, few(bytes)?),
            71..=74 => Self::Drain(few(bytes)?),
            _ => Self::HandOver(bytes.arbitrary()?),
        })
    }
}

/// Plays a plan.
pub fn check_spsc(plan: &SpscPlan) {
    let ledger = Ledger::default();
    let queue = HeapSpsc::with_capacity(plan.capacity).near_wrap(plan.before_wrap);
    let mut subject = Subject {
        producer: queue.producer().unwrap(),
        consumer: queue.consumer().unwrap(),
        queue: &queue,
        model: Model::new(Order::Fifo, plan.capacity),
        ledger: ledger.clone(),
        closed: false,
    };
    for &operation in &plan.operations {
        subject = subject.play(operation);
        subject.compare();
    }
    drop(subject);
    // With whatever is inside.
    drop(queue);
    assert_eq!(ledger.alive(), 0, "some items were leaked");
}

struct Subject<'q> {
    queue: &'q HeapSpsc<Item>,
    producer: Producer<'q, Item>,
    consumer: Consumer<'q, Item>,
    model: Model,
    ledger: Ledger,
    closed: bool,
}

impl Subject<'_> {
    fn play(mut self, operation: Operation) -> Self {
        match operation {
            Operation::Push => self.push(),
            Operation::Fill(most, items) => self.fill(most.into(), items.into()),
            Operation::Write(most, items) => self.write(most.into(), items.into()),
            Operation::Pop => {
                let popped = self.consumer.pop().map(|item| item.name);
                assert_eq!(popped, self.next());
            }
            Operation::Peek => {
                let peeked = self.consumer.peek().map(|item| item.name);
                assert_eq!(peeked, self.model.first().ok_or(self.nothing()));
            }
            Operation::Read(most, items) => self.read(most.into(), items.into()),
            Operation::Take(most, items) => self.take(most.into(), items.into()),
            Operation::Drain(items) => {
                let drain = self.consumer.drain();
                assert_eq!(drain.len(), self.model.len());
                for item in drain.take(items.into()) {
                    assert_eq!(Some(item.name), self.model.pop());
                }
            }
            Operation::HandOver(producer) => return self.hand_over(producer),
            Operation::Close => {
                self.producer.close();
                self.closed = true;
            }
        }
        self
    }

    fn nothing(&self) -> PopError {
        if self.closed {
            PopError::Closed
        } else {
            PopError::Empty
        }
    }

    /// What a pop must answer now.
    fn next(&mut self) -> std::result::Result<Name, PopError> {
        self.model.pop().ok_or(self.nothing())
    }

    /// What a push of this must fail with, if it must.
    fn refusal<T>(&self, item: T) -> Option<PushError<T>> {
        match (self.closed, self.model.is_full()) {
            (true, _) => Some(PushError::Closed(item)),
            (false, true) => Some(PushError::Full(item)),
            (false, false) => None,
        }
    }

    fn push(&mut self) {
        let item = self.ledger.item(0);
        let name = item.name;
        match self.producer.push(item) {
            Ok(()) => {
                assert!(!self.closed);
                self.model.push(name);
            }
            Err(PushError::Full(item)) => {
                assert_eq!(self.refusal(item.name), Some(PushError::Full(name)));
            }
            Err(PushError::Closed(item)) => {
                assert_eq!(self.refusal(item.name), Some(PushError::Closed(name)));
            }
        }
    }

    fn fill(&mut self, most: usize, items: usize) {
        let refusal = self.refusal(());
        match self.producer.write_chunk(most) {
            Ok(chunk) => {
                assert_eq!((refusal, chunk.len()), (None, most.min(self.model.room())));
                let fit = chunk.len().min(items);
                let mut source = (0..items).map(|_| self.ledger.item(0));
                let mut names = Vec::new();
                let pushed = chunk.fill(source.by_ref().inspect(|item| names.push(item.name)));
                assert_eq!((pushed, source.len()), (fit, items - fit));
                for name in names {
                    self.model.push(name);
                }
            }
            Err(error) => assert_eq!(Some(error), refusal),
        }
    }

    fn write(&mut self, most: usize, items: usize) {
        let refusal = self.refusal(());
        match self.producer.write_chunk(most) {
            Ok(mut chunk) => {
                assert_eq!((refusal, chunk.len()), (None, most.min(self.model.room())));
                let items = chunk.len().min(items);
                let (first, second) = chunk.as_mut_slices();
                for place in first.iter_mut().chain(second).take(items) {
                    let item = self.ledger.item(0);
                    self.model.push(item.name);
                    place.write(item);
                }
                // SAFETY: so many have just been written.
                unsafe { chunk.commit(items) };
            }
            Err(error) => assert_eq!(Some(error), refusal),
        }
    }

    fn read(&mut self, most: usize, items: usize) {
        let nothing = self.nothing();
        match self.consumer.read_chunk(most) {
            Ok(chunk) => {
                let (first, second) = chunk.as_slices();
                let names: Vec<_> = first.iter().chain(second).map(|item| item.name).collect();
                assert_eq!(names.len(), most.min(self.model.len()));
                assert!(!self.model.is_empty() && self.model.starts_with(&names));
                let items = names.len().min(items);
                chunk.commit(items);
                assert!((0..items).all(|_| self.model.pop().is_some()));
            }
            Err(error) => assert_eq!((error, self.model.len()), (nothing, 0)),
        }
    }

    fn take(&mut self, most: usize, items: usize) {
        let nothing = self.nothing();
        match self.consumer.read_chunk(most) {
            Ok(chunk) => {
                assert_eq!(chunk.len(), most.min(self.model.len()));
                for item in chunk.into_iter().take(items) {
                    assert_eq!(Some(item.name), self.model.pop());
                }
            }
            Err(error) => assert_eq!((error, self.model.len()), (nothing, 0)),
        }
    }

    /// One handle is dropped, and another taken.
    fn hand_over(self, is_producer: bool) -> Self {
        let queue = self.queue;
        assert!(queue.producer().is_none() && queue.consumer().is_none());
        if is_producer {
            drop(self.producer);
            let producer = queue.producer().expect("the end is free");
            Self { producer, ..self }
        } else {
            drop(self.consumer);
            let consumer = queue.consumer().expect("the end is free");
            Self { consumer, ..self }
        }
    }

    /// What can be asked at any time.
    fn compare(&self) {
        let Self {
            queue,
            model,
            producer,
            consumer,
            ..
        } = self;
        let inside = model.len();
        let lengths = [queue.len(), producer.len(), consumer.len()];
        assert_eq!(lengths, [inside; 3]);
        let empty = [queue.is_empty(), producer.is_empty(), consumer.is_empty()];
        assert_eq!(empty, [inside == 0; 3]);
        let full = [queue.is_full(), producer.is_full(), consumer.is_full()];
        assert_eq!(full, [model.is_full(); 3]);
        assert_eq!(queue.is_closed(), self.closed);
        assert_eq!(self.ledger.alive(), inside);
    }
}
