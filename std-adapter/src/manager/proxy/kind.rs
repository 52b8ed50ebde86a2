//! The kinds of objects that a [`Proxy`](super::Proxy) can stand for.
//!
//! They have no values. Write [`Queue<T>`](super::Queue), not `Proxy<kind::Queue<T>>`.

use std::marker::PhantomData;

use super::super::protocol;

mod sealed {
    use super::protocol;

    pub trait Sealed {
        const KIND: protocol::Kind;
    }
}

/// Implemented by the types of this module, and by no others.
pub trait Kind: sealed::Sealed {}

/// What the server calls it.
pub(in super::super) const fn kind_of<K: Kind>() -> protocol::Kind {
    <K as sealed::Sealed>::KIND
}

impl<K: sealed::Sealed> Kind for K {}

/// A [queue](super::Queue) of items of this type.
pub struct Queue<T>(PhantomData<fn() -> T>);

/// A [dictionary](super::Dict) from keys to values of these types.
pub struct Dict<K, V>(PhantomData<fn() -> (K, V)>);

/// A [list](super::List) of values of this type.
pub struct List<T>(PhantomData<fn() -> T>);

/// A [value](super::Value) of this type.
pub struct Value<T>(PhantomData<fn() -> T>);

/// A [namespace](super::Namespace).
pub struct Namespace(());

/// An [event](super::Event).
pub struct Event(());

/// A [lock](super::Lock).
pub struct Lock(());

/// A [semaphore](super::Semaphore).
pub struct Semaphore(());

impl<T> sealed::Sealed for Queue<T> {
    const KIND: protocol::Kind = protocol::Kind::Queue;
}

impl<K, V> sealed::Sealed for Dict<K, V> {
    const KIND: protocol::Kind = protocol::Kind::Dict;
}

impl<T> sealed::Sealed for List<T> {
    const KIND: protocol::Kind = protocol::Kind::List;
}

impl<T> sealed::Sealed for Value<T> {
    const KIND: protocol::Kind = protocol::Kind::Value;
}

impl sealed::Sealed for Namespace {
    const KIND: protocol::Kind = protocol::Kind::Namespace;
}

impl sealed::Sealed for Event {
    const KIND: protocol::Kind = protocol::Kind::Event;
}

impl sealed::Sealed for Lock {
    const KIND: protocol::Kind = protocol::Kind::Lock;
}

impl sealed::Sealed for Semaphore {
    const KIND: protocol::Kind = protocol::Kind::Semaphore;
}
