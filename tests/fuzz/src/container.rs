//! Containers: every operation that a queue relies on, and what each must answer.

use arbitrary::{Arbitrary, Result, Unstructured};
use brigade_core::bounded::{Container, Nothing, Refused, Run};

use crate::item::Name;
use crate::{Item, Ledger, Model, Order};

/// Where to begin, and what to do.
#[derive(Arbitrary, Debug)]
pub struct Plan {
    /// How many items the container is to hold.
    #[arbitrary(with = |bytes: &mut Unstructured| bytes.int_in_range(1..=9))]
    pub capacity: usize,
    /// How little is left to the wrap of the counters: of laps or items, as the container counts.
    #[arbitrary(with = |bytes: &mut Unstructured| bytes.int_in_range(0..=3))]
    pub before_wrap: u32,
    operations: Vec<Operation>,
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Push(u8),
    PushMany(u8),
    Pop,
    PopMany(u8),
    Close,
}

impl<'a> Arbitrary<'a> for Operation {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match bytes.int_in_range(0..=64)? {
            0 => Self::Close, // Seldom: little happens afterwards.
            1..=20 => Self::Push(bytes.arbitrary()?),
            21..=40 => Self::Pop,
            41..=52 => Self::PushMany(bytes.arbitrary()?),
            _ => Self::PopMany(bytes.arbitrary()?),
        })
    }
}

/// Plays a plan on a container that was made for it and never used.
pub fn check<C: Container<Item = Item>>(plan: &Plan, order: Order, container: C) {
    assert_eq!(container.capacity(), plan.capacity);
    let ledger = Ledger::default();
    let mut subject = Subject {
        model: Model::new(order, plan.capacity),
        ever: (container.pushed(), 0),
        pushed: container.pushed(),
        ledger: ledger.clone(),
        closed: false,
        container,
    };
    for &operation in &plan.operations {
        subject.play(operation);
        subject.compare();
    }
    // With whatever is inside.
    drop(subject);
    assert_eq!(ledger.alive(), 0, "some items were leaked");
}

struct Subject<C> {
    container: C,
    model: Model,
    ledger: Ledger,
    closed: bool,
    /// What the count of pushes was in the beginning, and how many there were since.
    ever: (u32, u32),
    /// What the count of pushes must be.
    pushed: u32,
}

impl<C: Container<Item = Item>> Subject<C> {
    fn play(&mut self, operation: Operation) {
        match operation {
            Operation::Push(key) => self.push(key),
            Operation::PushMany(most) => self.push_many(most),
            Operation::Pop => self.pop(),
            Operation::PopMany(most) => self.pop_many(usize::from(most % 16)),
            Operation::Close => {
                self.container.close();
                self.closed = true;
            }
        }
    }

    fn pushed(&mut self, item: Name) {
        self.model.push(item);
        self.pushed = self.container.after(self.pushed);
        self.ever.1 += 1;
    }

    fn push(&mut self, key: u8) {
        let item = self.ledger.item(key);
        let name = item.name;
        match self.container.try_push(item) {
            Ok(()) => {
                assert!(!self.closed);
                self.pushed(name);
            }
            Err(Refused::Full(item)) => {
                assert!(self.model.is_full() && !self.closed);
                assert_eq!(item.name, name, "what is refused comes back");
            }
            Err(Refused::Closed(item)) => {
                assert!(self.closed);
                assert_eq!(item.name, name, "what is refused comes back");
            }
            Err(Refused::Busy(_)) => unreachable!("there is nobody else"),
        }
    }

    /// The keys fall and rise, so that a queue by priority has something to do.
    fn push_many(&mut self, most: u8) {
        let length = most % 16;
        let keys = (0..length).map(|place| most.rotate_left(place.into()));
        let mut run = Run::new();
        let mut names = Vec::new();
        run.fill(keys.map(|key| {
            let item = self.ledger.item(key);
            names.push(item.name);
            item
        }));
        let pushed = match self.container.try_push_many(&mut run) {
            Ok(pushed) => {
                assert!(!self.closed || length == 0);
                assert!(pushed > 0 || length == 0);
                assert!(pushed <= self.model.room());
                pushed
            }
            Err(Refused::Full(())) => {
                assert!(self.model.is_full() && !self.closed);
                0
            }
            Err(Refused::Closed(())) => {
                assert!(self.closed);
                0
            }
            Err(Refused::Busy(())) => unreachable!("there is nobody else"),
        };
        for &name in &names[..pushed] {
            self.pushed(name);
        }
        let rest: Vec<_> = run.map(|item| item.name).collect();
        assert_eq!(rest, names[pushed..], "what is not taken stays in the run");
    }

    fn nothing(&self, nothing: Nothing) {
        let expected = if self.closed {
            Nothing::Closed
        } else {
            Nothing::Empty
        };
        assert_eq!(nothing, expected);
        assert!(self.model.is_empty());
    }

    fn pop(&mut self) {
        match self.container.try_pop() {
            Ok(item) => assert_eq!(Some(item.name), self.model.pop()),
            Err(nothing) => self.nothing(nothing),
        }
    }

    fn pop_many(&mut self, most: usize) {
        let mut got = Vec::new();
        match self.container.try_pop_many(most, &mut got) {
            Ok(popped) => {
                assert_eq!(popped, got.len());
                assert!(popped > 0 || most == 0);
                assert!(popped <= most);
                for item in got {
                    assert_eq!(Some(item.name), self.model.pop());
                }
            }
            Err(nothing) => {
                assert!(got.is_empty());
                self.nothing(nothing);
            }
        }
    }

    /// What can be asked at any time.
    fn compare(&self) {
        let Self {
            container, model, ..
        } = self;
        assert_eq!(container.len(), model.len());
        assert_eq!(container.is_empty(), model.is_empty());
        assert_eq!(container.confirm_empty(), model.is_empty());
        assert_eq!(container.is_full(), model.is_full());
        // A closed container may answer either way.
        assert!(self.closed || container.confirm_full() == model.is_full());
        assert_eq!(container.is_closed(), self.closed);
        assert_eq!(container.pushed(), self.pushed);
        assert_eq!(container.between(self.ever.0, self.pushed), self.ever.1);
        assert_eq!(self.ledger.alive(), model.len());
    }
}
