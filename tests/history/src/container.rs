//! What a container claims to be.

use std::collections::VecDeque;

use brigade_core::bounded::{Container, Nothing, Refused};

use crate::Model;

/// Something to ask of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Push this item.
    Push(u32),
    /// Pop an item.
    Pop,
    /// Let no further item in.
    Close,
}

impl Operation {
    /// Asks it, once.
    pub fn call(self, container: &impl Container<Item = u32>) -> Call {
        match self {
            Operation::Push(item) => Call::Push(item, container.try_push(item)),
            Operation::Pop => Call::Pop(container.try_pop()),
            Operation::Close => {
                container.close();
                Call::Close
            }
        }
    }
}

/// What was asked and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// A push of this item.
    Push(u32, Result<(), Refused<u32>>),
    /// A pop.
    Pop(Result<u32, Nothing>),
    /// A close.
    Close,
}

impl Call {
    /// Whether the container did what was asked.
    #[must_use]
    pub fn is_done(&self) -> bool {
        !matches!(self, Call::Push(_, Err(_)) | Call::Pop(Err(_)))
    }

    /// Whether the container asked to try again.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(
            self,
            Call::Push(_, Err(Refused::Busy(_))) | Call::Pop(Err(Nothing::Busy))
        )
    }
}

/// In which order items come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// The oldest is next.
    FirstIn,
    /// The youngest is next.
    LastIn,
    /// The smallest is next; of equal ones, the oldest.
    Smallest,
}

/// A container for one caller at a time.
///
/// It says Full only with as many items inside as fit, and Empty only with none: exactly. Nothing
/// is lost, nothing comes twice, and nothing gets in after a close. Busy is no answer: it may come
/// at any time, as a peer can seem to be there whose last step is not visible yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Plain {
    order: Order,
    /// As they were pushed.
    items: VecDeque<u32>,
    capacity: usize,
    closed: bool,
}

impl Plain {
    /// An empty one.
    #[must_use]
    pub fn new(order: Order, capacity: usize) -> Self {
        Self {
            order,
            items: VecDeque::new(),
            capacity,
            closed: false,
        }
    }

    fn next(&mut self) -> Option<u32> {
        match self.order {
            Order::FirstIn => self.items.pop_front(),
            Order::LastIn => self.items.pop_back(),
            Order::Smallest => {
                let places = 0..self.items.len();
                let first = places.min_by_key(|&place| self.items[place])?;
                self.items.remove(first)
            }
        }
    }
}

impl Model for Plain {
    type Call = Call;

    fn does(&mut self, call: &Call) -> bool {
        let full = self.items.len() == self.capacity;
        match *call {
            Call::Push(item, Ok(())) => {
                let fits = !full && !self.closed;
                self.items.push_back(item);
                fits
            }
            // One that is both may say either.
            Call::Push(item, Err(Refused::Full(back))) => full && back == item,
            Call::Push(item, Err(Refused::Closed(back))) => self.closed && back == item,
            Call::Push(item, Err(Refused::Busy(back))) => back == item,
            Call::Pop(Ok(item)) => self.next() == Some(item),
            Call::Pop(Err(Nothing::Empty)) => self.items.is_empty() && !self.closed,
            Call::Pop(Err(Nothing::Closed)) => self.items.is_empty() && self.closed,
            Call::Pop(Err(Nothing::Busy)) => true,
            Call::Close => {
                self.closed = true;
                true
            }
        }
    }
}
