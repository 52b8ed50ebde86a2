//! [`Objects`]: what the server owns, by number and by name.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::super::protocol::{Create, Failure, Id, Kind};
use super::permits::{Flag, Permits};
use super::queue::Items;

pub(super) type Entries = HashMap<Box<[u8]>, Box<[u8]>>;

/// An object, shared by all whose requests are about it.
#[derive(Clone)]
pub(super) enum Object {
    Queue(Arc<Items>),
    /// And a namespace, which is a dictionary whose values differ in type.
    Dict(Kind, Arc<Mutex<Entries>>),
    List(Arc<Mutex<VecDeque<Box<[u8]>>>>),
    Value(Arc<Mutex<Box<[u8]>>>),
    Event(Arc<Flag>),
    /// A lock or a semaphore.
    Permits(Kind, Arc<Permits>),
}

impl Object {
    fn new(create: &Create<'_>) -> Self {
        match create {
            Create::Queue(capacity) => Self::Queue(Arc::new(Items::new(*capacity))),
            Create::Dict => Self::Dict(Kind::Dict, Arc::default()),
            Create::Namespace => Self::Dict(Kind::Namespace, Arc::default()),
            Create::List => Self::List(Arc::default()),
            Create::Value(value) => Self::Value(Arc::new(Mutex::new(value.0.into()))),
            Create::Event => Self::Event(Arc::new(Flag::new())),
            Create::Lock => Self::Permits(Kind::Lock, Arc::new(Permits::new(1))),
            Create::Semaphore(free) => {
                Self::Permits(Kind::Semaphore, Arc::new(Permits::new(*free)))
            }
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Queue(_) => Kind::Queue,
            Self::List(_) => Kind::List,
            Self::Value(_) => Kind::Value,
            Self::Event(_) => Kind::Event,
            Self::Dict(kind, _) | Self::Permits(kind, _) => *kind,
        }
    }

    /// Tells those who wait.
    fn delete(&self) {
        match self {
            Self::Queue(items) => items.delete(),
            Self::Event(flag) => flag.delete(),
            Self::Permits(_, permits) => permits.delete(),
            Self::Dict(..) | Self::List(_) | Self::Value(_) => {}
        }
    }
}

pub(super) struct Objects {
    table: RwLock<Table>,
    /// How many objects there may be, and how many names.
    limit: usize,
    /// The next number for something that is held.
    held: Mutex<u64>,
}

#[derive(Default)]
struct Table {
    objects: HashMap<Id, Object>,
    names: HashMap<String, Id>,
    last: Id,
}

impl Objects {
    /// What is held gets numbers from `first` on.
    pub(super) fn new(limit: usize, first: u64) -> Self {
        Self {
            table: RwLock::default(),
            limit,
            held: Mutex::new(first),
        }
    }

    /// A number for something that is held, which nothing else ever gets.
    pub(super) fn number(&self) -> u64 {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let number = *held;
        *held += 1;
        number
    }

    pub(super) fn create(&self, create: &Create<'_>) -> Result<(Id, Kind), Failure> {
        let object = Object::new(create);
        let kind = object.kind();
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if table.objects.len() >= self.limit {
            return Err(Failure::TooMany);
        }
        table.last += 1;
        let id = table.last;
        table.objects.insert(id, object);
        Ok((id, kind))
    }

    pub(super) fn get(&self, id: Id) -> Result<Object, Failure> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.objects.get(&id).cloned().ok_or(Failure::NoObject)
    }

    pub(super) fn delete(&self, id: Id) -> Result<(), Failure> {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let object = table.objects.remove(&id).ok_or(Failure::NoObject)?;
        table.names.retain(|_, named| *named != id);
        drop(table);
        object.delete();
        Ok(())
    }

    pub(super) fn publish(&self, name: &str, id: Id) -> Result<(), Failure> {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if !table.objects.contains_key(&id) {
            return Err(Failure::NoObject);
        }
        if table.names.contains_key(name) {
            return Err(Failure::NameTaken);
        }
        if table.names.len() >= self.limit {
            return Err(Failure::TooMany);
        }
        table.names.insert(name.into(), id);
        Ok(())
    }

    pub(super) fn find(&self, name: &str) -> Result<(Id, Kind), Failure> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let id = table.names.get(name).ok_or(Failure::NoName)?;
        let object = table.objects.get(id).ok_or(Failure::NoName)?;
        Ok((*id, object.kind()))
    }
}
