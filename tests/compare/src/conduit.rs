//! Conduits: what carries items of 64 bytes between processes.
//!
//! The parent makes one and hands its ends to its children as addresses, which are text.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

use brigade::shared::{PlainQueue, Queue};
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::{BackpressureStrategy, NodeBuilder, ServiceName, ipc};
use ipc_channel::ipc::{IpcOneShotServer, IpcReceiver, IpcSender, channel};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

use crate::process::segment;
pub use crate::process::ticket::Item;
use crate::process::ticket::TicketRing;

/// How many items a conduit holds, where that can be chosen; a pipe holds as many by itself.
pub const CAPACITY: usize = 1024;

/// Carries items from processes to processes. Its ends wait.
pub trait Conduit: 'static {
    /// What the parent keeps.
    type Hub;
    /// An end that sends, in a child.
    type Sender;
    /// An end that receives, in a child.
    type Receiver;

    /// Whether any of several receivers gets an item, and whether several senders can send.
    const SHARED: bool = true;

    /// How many times fewer items it is given, because it is so slow.
    const SLOWNESS: u64 = 1;

    /// A conduit with so many ends on either side.
    fn open(pairs: usize) -> Self::Hub;

    /// Where the child finds the sender of that number.
    fn sender_address(hub: &Self::Hub, number: usize) -> String;

    /// Where the child finds the receiver of that number.
    fn receiver_address(hub: &Self::Hub, number: usize) -> String;

    /// What the parent has to do when the children have been started.
    fn connect(_: &mut Self::Hub) {}

    /// The sender at an address.
    fn sender(address: &str) -> Self::Sender;

    /// The receiver at an address.
    fn receiver(address: &str) -> Self::Receiver;

    /// Waits for room and puts an item in.
    fn send(sender: &mut Self::Sender, item: Item);

    /// Waits for an item.
    fn receive(receiver: &mut Self::Receiver) -> Item;
}

/// An item that serde sees as bytes: 64 of them, whatever they are.
#[derive(Clone, Copy, Debug)]
pub struct Bytes64(pub Item);

impl Serialize for Bytes64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&to_bytes(self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sees;
        impl Visitor<'_> for Sees {
            type Value = Bytes64;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("64 bytes")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes64, E> {
                let bytes = bytes
                    .try_into()
                    .map_err(|_| E::invalid_length(bytes.len(), &self))?;
                Ok(Bytes64(from_bytes(bytes)))
            }
        }
        deserializer.deserialize_bytes(Sees)
    }
}

fn to_bytes(item: Item) -> [u8; 64] {
    let mut bytes = [0; 64];
    for (to, word) in bytes.chunks_exact_mut(8).zip(item) {
        to.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

fn from_bytes(bytes: &[u8; 64]) -> Item {
    let mut item = Item::default();
    for (word, from) in item.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = u64::from_ne_bytes(from.try_into().expect("eight at a time"));
    }
    item
}

/// A handle on something shared, as text: it finds it while the process lives that wrote it.
fn to_text(handle: &impl Serialize) -> String {
    let bytes = postcard::to_stdvec(handle).expect("a handle is numbers");
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn from_text<T: for<'de> Deserialize<'de>>(text: &str) -> T {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("two digits");
    let bytes: Vec<_> = (0..text.len()).step_by(2).map(byte).collect();
    postcard::from_bytes(&bytes).expect("the parent has it")
}

/// The two ends of a pipe.
#[derive(Debug)]
pub struct PipeEnds {
    read: OwnedFd,
    write: OwnedFd,
}

/// The channels of ipc-channel, one for each pair, and where their ends are fetched.
pub struct IpcHub {
    senders: Vec<Fetched<IpcSender<Bytes64>>>,
    receivers: Vec<Fetched<IpcReceiver<Bytes64>>>,
}

/// An end that a child fetches: it sends a way back to the server of that name.
struct Fetched<End> {
    end: Option<End>,
    server: Option<IpcOneShotServer<IpcSender<End>>>,
    name: String,
}

impl<End: Serialize + for<'de> Deserialize<'de>> Fetched<End> {
    fn new(end: End) -> Self {
        let (server, name) = IpcOneShotServer::new().expect("a socket can be made");
        Self {
            end: Some(end),
            server: Some(server),
            name,
        }
    }

    fn hand_over(&mut self) {
        let server = self.server.take().expect("handed over once");
        let (_, back) = server.accept().expect("the child connects");
        let end = self.end.take().expect("handed over once");
        back.send(end).expect("the child waits");
    }

    fn fetch(name: &str) -> End {
        let (back, answer) = channel().expect("a channel can be made");
        let server = IpcSender::connect(name.to_owned()).expect("the parent waits");
        server.send(back).expect("the parent waits");
        answer.recv().expect("the parent answers")
    }
}

/// The parent's part of a service of iceoryx2: it makes it before anybody looks for it.
pub struct Iceoryx2Hub {
    name: String,
    _service: Service,
}

type Service =
    iceoryx2::service::port_factory::publish_subscribe::PortFactory<ipc::Service, Item, ()>;

fn iceoryx2_service(name: &str) -> Service {
    iceoryx2::prelude::set_log_level(iceoryx2::prelude::LogLevel::Error);
    let node = NodeBuilder::new().create::<ipc::Service>();
    let node = node.expect("a node can be made");
    let name = ServiceName::new(name).expect("a name");
    node.service_builder(&name)
        .publish_subscribe::<Item>()
        .subscriber_max_buffer_size(CAPACITY)
        .enable_safe_overflow(false)
        .history_size(0)
        .open_or_create()
        .expect("a service can be made")
}

crate::contenders! { Conduit:
    Ours SharedQueue, "brigade shared::Queue", "processes" {
        type Hub = Queue<Bytes64>;
        type Sender = Queue<Bytes64>;
        type Receiver = Queue<Bytes64>;
        fn open(_: usize) -> Self::Hub {
            Queue::bounded(CAPACITY).expect("there is memory")
        }
        fn sender_address(hub: &Self::Hub, _: usize) -> String {
            to_text(hub)
        }
        fn receiver_address(hub: &Self::Hub, _: usize) -> String {
            to_text(hub)
        }
        fn sender(address: &str) -> Self::Sender {
            from_text(address)
        }
        fn receiver(address: &str) -> Self::Receiver {
            from_text(address)
        }
        fn send(sender: &mut Self::Sender, item: Item) {
            sender.put(Bytes64(item)).expect("it is open");
        }
        fn receive(receiver: &mut Self::Receiver) -> Item {
            receiver.get().expect("it is open").0
        }
    }
    Ours SharedPlainQueue, "brigade shared::PlainQueue", "processes" {
        type Hub = PlainQueue<Item>;
        type Sender = PlainQueue<Item>;
        type Receiver = PlainQueue<Item>;
        fn open(_: usize) -> Self::Hub {
            PlainQueue::bounded(CAPACITY).expect("there is memory")
        }
        fn sender_address(hub: &Self::Hub, _: usize) -> String {
            to_text(hub)
        }
        fn receiver_address(hub: &Self::Hub, _: usize) -> String {
            to_text(hub)
        }
        fn sender(address: &str) -> Self::Sender {
            from_text(address)
        }
        fn receiver(address: &str) -> Self::Receiver {
            from_text(address)
        }
        fn send(sender: &mut Self::Sender, item: Item) {
            sender.put(item).expect("it is open");
        }
        fn receive(receiver: &mut Self::Receiver) -> Item {
            receiver.get().expect("it is open")
        }
    }
    Rival Pipe, "pipe", "processes" {
        type Hub = PipeEnds;
        type Sender = File;
        type Receiver = File;
        const SLOWNESS: u64 = 4;
        fn open(_: usize) -> Self::Hub {
            let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
                .expect("a pipe can be made");
            PipeEnds { read, write }
        }
        fn sender_address(hub: &Self::Hub, _: usize) -> String {
            segment::address(&hub.write)
        }
        fn receiver_address(hub: &Self::Hub, _: usize) -> String {
            segment::address(&hub.read)
        }
        fn sender(address: &str) -> Self::Sender {
            File::options().write(true).open(address).expect("the parent lives")
        }
        fn receiver(address: &str) -> Self::Receiver {
            File::open(address).expect("the parent lives")
        }
        fn send(sender: &mut Self::Sender, item: Item) {
            let wrote = sender.write(&to_bytes(item)).expect("somebody reads");
            assert_eq!(wrote, 64, "less than a page is written whole");
        }
        fn receive(receiver: &mut Self::Receiver) -> Item {
            let mut bytes = [0; 64];
            let read = receiver.read(&mut bytes).expect("somebody writes");
            assert_eq!(read, 64, "what is written whole is read whole");
            from_bytes(&bytes)
        }
    }
    Rival IpcChannel, "ipc-channel, one for each pair", "processes" {
        type Hub = IpcHub;
        type Sender = IpcSender<Bytes64>;
        type Receiver = IpcReceiver<Bytes64>;
        const SLOWNESS: u64 = 16;
        fn open(pairs: usize) -> Self::Hub {
            let (senders, receivers) = (0..pairs)
                .map(|_| channel().expect("a channel can be made"))
                .map(|(sender, receiver)| (Fetched::new(sender), Fetched::new(receiver)))
                .unzip();
            IpcHub { senders, receivers }
        }
        fn sender_address(hub: &Self::Hub, number: usize) -> String {
            hub.senders[number].name.clone()
        }
        fn receiver_address(hub: &Self::Hub, number: usize) -> String {
            hub.receivers[number].name.clone()
        }
        fn connect(hub: &mut Self::Hub) {
            hub.senders.iter_mut().for_each(Fetched::hand_over);
            hub.receivers.iter_mut().for_each(Fetched::hand_over);
        }
        fn sender(address: &str) -> Self::Sender {
            Fetched::fetch(address)
        }
        fn receiver(address: &str) -> Self::Receiver {
            Fetched::fetch(address)
        }
        fn send(sender: &mut Self::Sender, item: Item) {
            sender.send(Bytes64(item)).expect("somebody receives");
        }
        fn receive(receiver: &mut Self::Receiver) -> Item {
            receiver.recv().expect("somebody sends").0
        }
    }
    Rival Iceoryx2, "iceoryx2, polled", "publish-subscribe" {
        type Hub = Iceoryx2Hub;
        type Sender = Publisher<ipc::Service, Item, ()>;
        type Receiver = Subscriber<ipc::Service, Item, ()>;
        // Each subscriber gets every item.
        const SHARED: bool = false;
        fn open(_: usize) -> Self::Hub {
            let name = format!("brigade-compare-{}", std::process::id());
            let service = iceoryx2_service(&name);
            Iceoryx2Hub { name, _service: service }
        }
        fn sender_address(hub: &Self::Hub, _: usize) -> String {
            hub.name.clone()
        }
        fn receiver_address(hub: &Self::Hub, _: usize) -> String {
            hub.name.clone()
        }
        // A publisher discards what finds its subscriber's buffer full until that subscriber has
        // connected to it, which it does by receiving. So one item goes ahead.
        fn sender(address: &str) -> Self::Sender {
            let sender = iceoryx2_service(address)
                .publisher_builder()
                .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
                .create()
                .expect("a publisher can be made");
            while sender.send_copy(Item::default()).expect("it can be sent") == 0 {
                std::thread::yield_now();
            }
            sender
        }
        fn receiver(address: &str) -> Self::Receiver {
            let mut receiver = iceoryx2_service(address)
                .subscriber_builder()
                .buffer_size(CAPACITY)
                .create()
                .expect("a subscriber can be made");
            Self::receive(&mut receiver);
            receiver
        }
        fn send(sender: &mut Self::Sender, item: Item) {
            let sample = sender.loan_uninit().expect("there is a free sample");
            sample.write_payload(item).send().expect("somebody receives");
        }
        fn receive(receiver: &mut Self::Receiver) -> Item {
            loop {
                if let Some(sample) = receiver.receive().expect("somebody sends") {
                    return *sample;
                }
                std::thread::yield_now();
            }
        }
    }
    Floor Ticket, "plain ticket ring, not kill-safe", "" {
        type Hub = TicketRing;
        type Sender = TicketRing;
        type Receiver = TicketRing;
        fn open(_: usize) -> Self::Hub {
            TicketRing::create(CAPACITY)
        }
        fn sender_address(hub: &Self::Hub, _: usize) -> String {
            hub.address()
        }
        fn receiver_address(hub: &Self::Hub, _: usize) -> String {
            hub.address()
        }
        fn sender(address: &str) -> Self::Sender {
            TicketRing::open(address)
        }
        fn receiver(address: &str) -> Self::Receiver {
            TicketRing::open(address)
        }
        fn send(sender: &mut Self::Sender, item: Item) {
            sender.put(item);
        }
        fn receive(receiver: &mut Self::Receiver) -> Item {
            receiver.get()
        }
    }
}
