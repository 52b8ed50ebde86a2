//! Who gets in, and who does not.

use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::thread;
use std::time::Duration;

use brigade::manager::{Address, Client, Error, Key, Queue};
use brigade::{Manager, Process};

use crate::harness::LONG;

fn name(address: &Address) -> SocketAddr {
    SocketAddr::from_abstract_name(address.as_str()).unwrap()
}

/// A connection without the key.
pub(super) fn stranger(address: &Address) -> UnixStream {
    let stream = UnixStream::connect_addr(&name(address)).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

#[test]
fn an_unrelated_process_connects_by_address_and_key() {
    let address = Address::random().unwrap();
    let key = Key::random().unwrap();
    let builder = Manager::builder().address(address.clone());
    let manager = builder.key(key.clone()).start().unwrap();
    manager
        .publish("jobs", &manager.queue::<String>().unwrap())
        .unwrap();
    let connect = |(address, key): (String, [u8; 32])| {
        let client = Client::connect(Address::new(address), Key::new(key)).unwrap();
        let jobs: Queue<String> = client.find("jobs").unwrap();
        jobs.put("sweep".into()).unwrap();
    };
    let arguments = (address.as_str().to_string(), *key.as_bytes());
    Process::start(connect, arguments).unwrap().join().unwrap();
    let jobs: Queue<String> = manager.find("jobs").unwrap();
    assert_eq!(jobs.get_timeout(LONG).unwrap(), "sweep");
}

#[test]
fn an_address_that_is_taken_or_too_long_is_an_error() {
    let address = Address::random().unwrap();
    let first = Manager::builder().address(address.clone()).start().unwrap();
    let second = Manager::builder().address(address.clone()).start();
    let Err(Error::Start(error)) = second else {
        panic!("{second:?}")
    };
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    let second = Manager::builder().address(address.clone()).serve();
    assert!(matches!(second, Err(Error::Start(_))));
    drop(first);
    Manager::builder().address(address).start().unwrap();
    let long = Address::new("x".repeat(108));
    let refused = Manager::builder().address(long.clone()).start();
    assert!(matches!(refused, Err(Error::Start(_))));
    assert!(matches!(
        Client::connect(long, Key::new([0; 32])),
        Err(Error::Gone(_))
    ));
}

#[test]
fn the_wrong_key_is_refused() {
    let manager = Manager::start().unwrap();
    let wrong = Key::random().unwrap();
    for _ in 0..3 {
        let refused = Client::connect(manager.address().clone(), wrong.clone());
        assert!(matches!(refused, Err(Error::WrongKey)));
    }
    assert_eq!(manager.value(&1).unwrap().get().unwrap(), 1);
    let nobody = Client::connect(Address::random().unwrap(), wrong);
    assert!(matches!(nobody, Err(Error::Gone(_))));
}

#[test]
fn a_server_that_is_no_manager_is_recognised() {
    // The second copies a manager's first words, and lets in whoever comes.
    for (words, said) in [
        (&b"220 ready\r\n"[..], "nonsense"),
        (b"brigade1", "welcome!"),
    ] {
        let address = Address::random().unwrap();
        let listener = UnixListener::bind_addr(&name(&address)).unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(words).unwrap();
            stream.write_all(&[7; 40][..40 - words.len()]).unwrap();
            let mut answer = [0; 80];
            if stream.read_exact(&mut answer).is_ok() {
                stream.write_all(said.as_bytes()).unwrap();
                stream.write_all(&[7; 40]).unwrap();
            }
        });
        let refused = Client::connect(address, Key::random().unwrap());
        assert!(
            matches!(refused, Err(Error::WrongKey | Error::Protocol(_))),
            "{refused:?}"
        );
        server.join().unwrap();
    }
}

#[test]
fn a_server_that_ends_in_the_handshake_is_gone() {
    let address = Address::random().unwrap();
    let listener = UnixListener::bind_addr(&name(&address)).unwrap();
    let server = thread::spawn(move || {
        for length in [0, 1, 39, 40] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut hello = b"brigade1".to_vec();
            hello.resize(40, 0);
            stream.write_all(&hello[..length]).unwrap();
        }
    });
    for _ in 0..4 {
        let lost = Client::connect(address.clone(), Key::new([0; 32]));
        assert!(matches!(lost, Err(Error::Gone(_))), "{lost:?}");
    }
    server.join().unwrap();
}

#[test]
fn the_key_is_not_shown() {
    let key = Key::new([0xAB; 32]);
    let manager = Manager::builder().key(key.clone()).serve().unwrap();
    let queue: Queue<u8> = manager.queue().unwrap();
    let shown = format!("{key:?} {manager:?} {queue:?} {:?}", queue.client());
    // A random one may contain anything.
    let shown = shown.replace(manager.address().as_str(), "");
    assert!(
        !shown.contains("171") && !shown.to_lowercase().contains("abab"),
        "{shown}"
    );
}

#[test]
fn a_stranger_that_sends_nonsense_is_told_to_go() {
    let manager = Manager::start().unwrap();
    for nonsense in [
        &[][..],
        &[0; 80],
        &[0xFF; 80],
        b"GET / HTTP/1.1\r\n\r\n",
        &[7; 5000],
    ] {
        let mut stream = stranger(manager.address());
        // It may hang up before it has read all.
        let _ = stream.write_all(nonsense);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        assert!(said.len() <= 88, "a challenge and a verdict at most");
        assert!(!said.windows(8).any(|word| word == b"welcome!"));
    }
    assert_eq!(manager.value(&1).unwrap().get().unwrap(), 1);
}

#[test]
fn an_old_answer_does_not_get_in_again() {
    // Listens between a client and the server.
    let manager = Manager::start().unwrap();
    let between = Address::random().unwrap();
    let listener = UnixListener::bind_addr(&name(&between)).unwrap();
    let server = manager.address().clone();
    let overheard = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut server = stranger(&server);
        let (mut hello, mut answer, mut verdict) = ([0; 40], [0; 80], [0; 48]);
        server.read_exact(&mut hello).unwrap();
        client.write_all(&hello).unwrap();
        client.read_exact(&mut answer).unwrap();
        server.write_all(&answer).unwrap();
        server.read_exact(&mut verdict).unwrap();
        assert_eq!(&verdict[..8], b"welcome!");
        answer
    });
    let key = manager.key().clone();
    let client = Client::connect(between, key);
    let answer = overheard.join().unwrap();
    assert!(client.is_err());
    let mut again = stranger(manager.address());
    again.write_all(&answer).unwrap();
    let mut said = [0; 88];
    again.read_exact(&mut said).unwrap();
    assert_eq!(&said[40..48], b"wrongkey");
}

#[test]
fn slow_strangers_are_hung_up_on_and_hold_nobody_up() {
    let manager = Manager::builder()
        .handshake_timeout(Duration::from_millis(100))
        .start()
        .unwrap();
    // A byte now and then does not prolong it.
    let mut slow = stranger(manager.address());
    let mut hello = [0; 40];
    slow.read_exact(&mut hello).unwrap();
    let dripping = thread::spawn(move || {
        for _ in 0..79 {
            if slow.write_all(&[0]).is_err() {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    });
    assert!(dripping.join().unwrap(), "it was let go on for too long");
}

#[test]
fn a_crowd_of_strangers_keeps_nobody_out() {
    let manager = Manager::start().unwrap();
    let mut crowd: Vec<_> = (0..100).map(|_| stranger(manager.address())).collect();
    let client = Client::connect(manager.address().clone(), Key::random().unwrap());
    assert!(matches!(client, Err(Error::WrongKey)));
    let key = manager.key().clone();
    let child = {
        let connect = |(address, key): (Address, Key)| {
            Client::connect(address, key)
                .unwrap()
                .value(&1)
                .unwrap()
                .get()
                .unwrap()
        };
        Process::start(connect, (manager.address().clone(), key)).unwrap()
    };
    assert_eq!(child.join().unwrap(), 1);
    // The oldest were hung up on.
    let mut said = Vec::new();
    let _ = crowd[0].read_to_end(&mut said);
    assert!(said.len() <= 40);
}

#[test]
fn a_handshake_may_take_for_ever() {
    let manager = Manager::builder()
        .handshake_timeout(Duration::MAX)
        .start()
        .unwrap();
    assert_eq!(manager.value(&1).unwrap().get().unwrap(), 1);
}

#[test]
fn errors_say_why() {
    let nobody = Client::connect(Address::random().unwrap(), Key::random().unwrap());
    let text = nobody.unwrap_err().to_string();
    assert!(text.contains("refused"), "{text}");
    let long = Manager::builder().address(Address::new("x".repeat(108)));
    let text = long.serve().unwrap_err().to_string();
    assert!(
        text.len() > "the manager could not be started: ".len(),
        "{text}"
    );
}
