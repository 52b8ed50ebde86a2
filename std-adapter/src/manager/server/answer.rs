//! From requests to replies: what each request does to the server's objects.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use brigade_core::wait::{Condition, EventCount};

use super::super::frame::{self, EncodeError};
use super::super::protocol::{
    Bytes, Failure, Id, Kind, Patience, Reply, Request, ToDict, ToEvent, ToList, ToPermits,
    ToQueue, ToValue,
};
use super::holdings::{Held, Holdings};
use super::objects::{Entries, Object, Objects};
use super::peer::{Peer, Waited};
use super::permits::{Flag, Permits};
use super::queue::{Item, Items};
use crate::Parker;

/// What is to be undone if the client turns out not to have read the reply.
#[derive(Default)]
pub(super) enum Undo {
    #[default]
    Nothing,
    /// An item was got.
    Got(Id, Arc<Items>, Item),
    /// Items were drained.
    Drained(Arc<Items>, Vec<Item>),
    /// Something was leased or acquired: its number.
    Held(u64),
}

impl Undo {
    pub(super) fn undo(self, holdings: &Holdings) {
        match self {
            Self::Nothing => {}
            Self::Got(id, queue, item) => {
                // Fails if another connection of the client's knew better.
                let _ = holdings.note_done(id);
                queue.give_back(std::iter::once(item));
            }
            Self::Drained(queue, items) => queue.refill(items),
            Self::Held(number) => holdings.undo(number),
        }
    }
}

/// Why a request has no reply: the client has gone.
pub(super) struct HungUp;

/// Answers the requests of one connection.
pub(super) struct Clerk<'a, P> {
    pub(super) objects: &'a Objects,
    pub(super) holdings: &'a Holdings,
    pub(super) peer: &'a mut P,
    pub(super) reply: Out<'a>,
}

/// Where the reply goes.
pub(super) struct Out<'a> {
    pub(super) frame: &'a mut Vec<u8>,
    pub(super) limit: usize,
}

impl Out<'_> {
    pub(super) fn say(&mut self, reply: &Reply<'_>) {
        match frame::encode(reply, self.limit, self.frame) {
            Ok(()) => {}
            Err(EncodeError::TooLarge | EncodeError::Postcard(_)) => {
                // It has three bytes, and limits leave room for it.
                let _ = frame::encode(&Reply::Failed(Failure::TooLarge), usize::MAX, self.frame);
            }
        }
    }

    fn done(&mut self, result: Result<(), Failure>) {
        self.say(&match result {
            Ok(()) => Reply::Done,
            Err(failure) => Reply::Failed(failure),
        });
    }

    fn count(&mut self, number: usize) {
        self.say(&Reply::Count(number as u64));
    }

    fn maybe(&mut self, value: Option<&[u8]>) {
        self.say(&Reply::Maybe(value.map(Bytes)));
    }

    /// The value, or that there is no such place.
    fn at_place(&mut self, value: Option<&[u8]>) {
        match value {
            Some(_) => self.maybe(value),
            None => self.done(Err(Failure::OutOfRange)),
        }
    }

    fn many<'a>(&mut self, values: impl Iterator<Item = &'a [u8]>) {
        self.say(&Reply::Many(values.map(Bytes).collect()));
    }
}

impl<P: Peer> Clerk<'_, P> {
    /// Does what is asked and writes the reply.
    pub(super) fn answer(&mut self, request: &Request<'_>) -> Result<Undo, HungUp> {
        match request {
            Request::Create(create) => self.object(self.objects.create(create)),
            Request::Find { name } => self.object(self.objects.find(name)),
            Request::Delete(id) => self.reply.done(self.objects.delete(*id)),
            Request::Publish { name, object } => {
                self.reply.done(self.objects.publish(name, *object));
            }
            Request::Queue(id, action) => match self.objects.get(*id) {
                Ok(Object::Queue(queue)) => return self.queue(*id, &queue, action),
                other => self.wrong(other),
            },
            Request::Dict(id, action) => match self.objects.get(*id) {
                Ok(Object::Dict(_, entries)) => dict(&mut self.reply, &mut lock(&entries), action),
                other => self.wrong(other),
            },
            Request::List(id, action) => match self.objects.get(*id) {
                Ok(Object::List(list)) => list_action(&mut self.reply, &mut lock(&list), action),
                other => self.wrong(other),
            },
            Request::Value(id, action) => match self.objects.get(*id) {
                Ok(Object::Value(value)) => {
                    value_action(&mut self.reply, &mut lock(&value), action);
                }
                other => self.wrong(other),
            },
            Request::Event(id, action) => match self.objects.get(*id) {
                Ok(Object::Event(flag)) => return self.event(&flag, action),
                other => self.wrong(other),
            },
            Request::Permits(id, action) => match self.objects.get(*id) {
                Ok(Object::Permits(_, permits)) => return self.permits(&permits, action),
                other => self.wrong(other),
            },
        }
        Ok(Undo::Nothing)
    }

    fn object(&mut self, result: Result<(Id, Kind), Failure>) {
        self.reply.say(&match result {
            Ok((id, kind)) => Reply::Object(id, kind),
            Err(failure) => Reply::Failed(failure),
        });
    }

    /// The object is not there, or of another kind.
    fn wrong(&mut self, object: Result<Object, Failure>) {
        let failure = object.err().unwrap_or(Failure::WrongKind);
        self.reply.done(Err(failure));
    }

    fn queue(&mut self, id: Id, queue: &Arc<Items>, action: &ToQueue<'_>) -> Result<Undo, HungUp> {
        match action {
            ToQueue::Put(bytes, patience) => {
                let mut item = Some(bytes.0.into());
                let put = || queue.put(&mut item);
                let result = self.wait(*patience, &queue.not_full, put)?;
                self.reply.done(result);
            }
            ToQueue::Get(patience) => {
                match self.wait(*patience, &queue.not_empty, || queue.take())? {
                    Ok(item) => {
                        self.holdings.note_got(id, queue);
                        self.reply.maybe(Some(&item.bytes));
                        return Ok(Undo::Got(id, Arc::clone(queue), item));
                    }
                    Err(failure) => self.reply.done(Err(failure)),
                }
            }
            ToQueue::Lease(patience) => {
                return match self.wait(*patience, &queue.not_empty, || queue.take())? {
                    Ok(item) => Ok(self.lease(queue, &item)),
                    Err(failure) => {
                        self.reply.done(Err(failure));
                        Ok(Undo::Nothing)
                    }
                };
            }
            ToQueue::Finish(number) => self.reply.done(self.holdings.finish(queue, *number)),
            ToQueue::PutBack(number) => self.reply.done(self.holdings.put_back(queue, *number)),
            ToQueue::Reject(number) => self.reply.done(self.holdings.reject(queue, *number)),
            ToQueue::TaskDone => {
                let result = self.holdings.note_done(id);
                if result.is_ok() {
                    queue.finished(1);
                }
                self.reply.done(result);
            }
            ToQueue::Join(patience) => {
                let result = self.wait(*patience, &queue.all_finished, || queue.joined())?;
                self.reply.done(result);
            }
            ToQueue::Drain => {
                queue.shut_down();
                self.reply.done(Ok(()));
            }
            ToQueue::Close => {
                queue.close();
                let items = queue.drain(self.reply.limit);
                self.reply.many(items.iter().map(|item| &*item.bytes));
                return Ok(Undo::Drained(Arc::clone(queue), items));
            }
            ToQueue::State => self.reply.say(&Reply::Queue(queue.report())),
        }
        Ok(Undo::Nothing)
    }

    fn lease(&mut self, queue: &Arc<Items>, item: &Item) -> Undo {
        let held = Held::Item(Arc::clone(queue), item.clone());
        let number = self.objects.number();
        self.holdings.hold(number, held);
        self.reply
            .say(&Reply::Leased(number, item.attempts, Bytes(&item.bytes)));
        Undo::Held(number)
    }

    fn event(&mut self, flag: &Flag, action: &ToEvent) -> Result<Undo, HungUp> {
        match action {
            ToEvent::Set => {
                flag.set();
                self.reply.done(Ok(()));
            }
            ToEvent::Clear => {
                flag.clear();
                self.reply.done(Ok(()));
            }
            ToEvent::IsSet => self.reply.say(&Reply::Flag(flag.is_set())),
            ToEvent::Wait(patience) => {
                let sets = flag.sets();
                let result = self.wait(*patience, &flag.changed, || flag.was_set_since(sets))?;
                self.reply.done(result);
            }
        }
        Ok(Undo::Nothing)
    }

    fn permits(&mut self, permits: &Arc<Permits>, action: &ToPermits) -> Result<Undo, HungUp> {
        match action {
            ToPermits::Take(patience) => {
                match self.wait(*patience, &permits.released, || permits.acquire())? {
                    Ok(abandoned) => {
                        let held = Held::Permit(Arc::clone(permits), abandoned);
                        let number = self.objects.number();
                        self.holdings.hold(number, held);
                        self.reply.say(&Reply::Permit(number, abandoned));
                        return Ok(Undo::Held(number));
                    }
                    Err(failure) => self.reply.done(Err(failure)),
                }
            }
            ToPermits::Return(number) => {
                let result = self.holdings.return_permit(permits, *number);
                self.reply.done(result);
            }
            ToPermits::Free => self.reply.say(&Reply::Count(permits.free())),
        }
        Ok(Undo::Nothing)
    }

    /// Waits until an attempt has a result, or the client's patience or the client itself has ended.
    fn wait<T>(
        &mut self,
        patience: Patience,
        changed: &EventCount<Parker>,
        mut attempt: impl FnMut() -> Option<Result<T, Failure>>,
    ) -> Result<Result<T, Failure>, HungUp> {
        if let Some(result) = attempt() {
            return Ok(result);
        }
        if patience == Some(Duration::ZERO) {
            return Ok(Err(Failure::Timeout));
        }
        // What is too far for the clock is never.
        let deadline = patience.and_then(|patience| Instant::now().checked_add(patience));
        let mut future = pin!(changed.wait_async(Until(attempt)));
        match self
            .peer
            .wait(deadline, |context| future.as_mut().poll(context))
        {
            Waited::Done(result) => Ok(result),
            Waited::TimedOut => Ok(Err(Failure::Timeout)),
            Waited::HungUp => Err(HungUp),
        }
    }
}

/// A condition that is good when the function says something. Its answer "nothing" is given under the
/// lock that whoever makes it good takes next.
struct Until<F>(F);

impl<T, F: FnMut() -> Option<T>> Condition for Until<F> {
    type Output = T;

    fn glance(&self) -> bool {
        true
    }

    fn attempt(&mut self) -> Option<T> {
        (self.0)()
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What runs under these locks panics at most for want of memory, and then nothing was changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn dict(reply: &mut Out<'_>, entries: &mut Entries, action: &ToDict<'_>) {
    match action {
        ToDict::Insert(key, value) => {
            let old = entries.insert(key.0.into(), value.0.into());
            reply.maybe(old.as_deref());
        }
        ToDict::Get(key) => reply.maybe(entries.get(key.0).map(|value| &**value)),
        ToDict::Remove(key) => {
            let old = entries.remove(key.0);
            reply.maybe(old.as_deref());
        }
        ToDict::Contains(key) => reply.say(&Reply::Flag(entries.contains_key(key.0))),
        ToDict::Replace { key, old, new } => {
            let good = entries.get(key.0).map(|value| &**value) == old.map(|old| old.0);
            if good {
                match new {
                    Some(new) => drop(entries.insert(key.0.into(), new.0.into())),
                    None => drop(entries.remove(key.0)),
                }
            }
            reply.say(&Reply::Flag(good));
        }
        ToDict::Pop => {
            let key = entries.keys().next().cloned();
            let entry = key.and_then(|key| entries.remove_entry(&key));
            match &entry {
                Some((key, value)) => reply.many([&**key, &**value].into_iter()),
                None => reply.many([].into_iter()),
            }
        }
        ToDict::Len => reply.count(entries.len()),
        ToDict::Keys => reply.many(entries.keys().map(|key| &**key)),
        ToDict::Entries => reply.many(entries.iter().flat_map(|(key, value)| [&**key, &**value])),
        ToDict::Clear => {
            entries.clear();
            reply.done(Ok(()));
        }
    }
}

type Values = std::collections::VecDeque<Box<[u8]>>;

fn list_action(reply: &mut Out<'_>, list: &mut Values, action: &ToList<'_>) {
    // A place that does not fit into a `usize` is beyond any list.
    let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    match action {
        ToList::Push(value) => {
            list.push_back(value.0.into());
            reply.done(Ok(()));
        }
        ToList::Extend(values) => {
            list.extend(values.iter().map(|value| value.0.into()));
            reply.done(Ok(()));
        }
        ToList::Pop => {
            let value = list.pop_back();
            reply.maybe(value.as_deref());
        }
        ToList::Get(index) => reply.at_place(list.get(place(*index)).map(|value| &**value)),
        ToList::Set(index, value) => {
            let slot = list.get_mut(place(*index));
            let old = slot.map(|slot| std::mem::replace(slot, value.0.into()));
            reply.at_place(old.as_deref());
        }
        ToList::Insert(index, value) => {
            let fits = place(*index) <= list.len();
            if fits {
                list.insert(place(*index), value.0.into());
            }
            reply.done(if fits {
                Ok(())
            } else {
                Err(Failure::OutOfRange)
            });
        }
        ToList::Remove(index) => {
            let value = list.remove(place(*index));
            reply.at_place(value.as_deref());
        }
        ToList::Len => reply.count(list.len()),
        ToList::All => reply.many(list.iter().map(|value| &**value)),
        ToList::Clear => {
            list.clear();
            reply.done(Ok(()));
        }
    }
}

fn value_action(reply: &mut Out<'_>, value: &mut Box<[u8]>, action: &ToValue<'_>) {
    match action {
        ToValue::Get => reply.maybe(Some(value)),
        ToValue::Set(new) => {
            *value = new.0.into();
            reply.done(Ok(()));
        }
        ToValue::Replace { old, new } => {
            let good = **value == *old.0;
            if good {
                *value = new.0.into();
            }
            reply.say(&Reply::Flag(good));
        }
    }
}
