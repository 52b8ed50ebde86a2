//! An argument of 100 MB goes to another process, which looks at each page of it and answers.
//!
//! The floor is a copy of it into new memory, looked at in the same way.

use std::hint::black_box;
use std::rc::Rc;

use brigade::shared::Bytes;

use super::Effort;
use super::process_tasks::PROCESSES;
use crate::contender::{Contender, Role};
use crate::measure::{Sample, Whose, measure};
use crate::process::python::{self, Script};

/// A way to get it there: who, in which class, and how.
type Way = (Role, &'static str, &'static str, fn(&[u8]) -> Sample);

/// Adds up a byte, or two, of each page.
fn look(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .step_by(4095)
        .map(|&byte| u64::from(byte))
        .sum()
}

/// Measures how long `send` takes until it has the answer about `bytes`.
fn answer(bytes: &[u8], send: impl FnOnce(&[u8]) -> u64) -> Sample {
    let expected = look(bytes);
    measure(Whose::Family, 1, || {
        assert_eq!(send(black_box(bytes)), expected, "another argument");
    })
}

fn process_shared(bytes: &[u8]) -> u64 {
    let bytes = Bytes::from_slice(bytes).expect("there is memory");
    let process = brigade::Process::start(|bytes: Bytes| look(&bytes), bytes);
    process
        .expect("a process can be started")
        .join()
        .expect("it returns")
}

fn process(bytes: &[u8]) -> u64 {
    let process = brigade::Process::start(|bytes: Vec<u8>| look(&bytes), bytes.to_vec());
    process
        .expect("a process can be started")
        .join()
        .expect("it returns")
}

fn pool() -> brigade::ProcessPool {
    let builder = brigade::ProcessPool::builder().workers(PROCESSES);
    let pool = builder.build().expect("processes can be started");
    let first = pool.submit(|| 1).expect("running");
    assert_eq!(first.result().expect("it returns"), 1);
    pool
}

fn pool_shared(bytes: &[u8]) -> Sample {
    let pool = pool();
    answer(bytes, |bytes| {
        let bytes = Bytes::from_slice(bytes).expect("there is memory");
        let task = pool.submit_with(|bytes: Bytes| look(&bytes), bytes);
        task.expect("running").result().expect("it returns")
    })
}

fn pool_serialized(bytes: &[u8]) -> Sample {
    let pool = pool();
    answer(bytes, |bytes| {
        let task = pool.submit_with(|bytes: Vec<u8>| look(&bytes), bytes.to_vec());
        task.expect("running").result().expect("it returns")
    })
}

fn procspawn_pool(bytes: &[u8]) -> Sample {
    let pool = procspawn::Pool::new(PROCESSES).expect("processes can be started");
    let ask = |bytes: &[u8]| {
        let task = pool.spawn(bytes.to_vec(), |bytes| look(&bytes));
        task.join().expect("it returns")
    };
    ask(&[]);
    answer(bytes, ask)
}

const PYTHON: &str = "
import multiprocessing as mp
processes, size = map(int, sys.argv[1:])
def task(argument):
    return sum(argument[::4095])
mp.set_start_method('fork')
pool = mp.Pool(processes, initializer=mortal)
argument = bytes(range(256)) * (size // 256)
pool.apply(task, (b'',))
released()
assert pool.apply(task, (argument,)) == sum(argument[::4095])
done('')
pool.terminate()
";

pub(super) fn contenders(effort: Effort) -> Vec<Contender> {
    let size = effort.choose(100_000_000_usize, 10_000_000);
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(size).collect();
    let bytes: Rc<[u8]> = bytes.into();
    let all: [Way; 6] = [
        (
            Role::Ours,
            "brigade ProcessPool, shared::Bytes",
            "shared",
            pool_shared,
        ),
        (
            Role::Ours,
            "brigade ProcessPool, Vec<u8>",
            "serialized",
            pool_serialized,
        ),
        (
            Role::Ours,
            "brigade Process, shared::Bytes",
            "shared",
            |bytes| answer(bytes, process_shared),
        ),
        (
            Role::Ours,
            "brigade Process, Vec<u8>",
            "serialized",
            |bytes| answer(bytes, process),
        ),
        (
            Role::Rival,
            "procspawn pool, Vec<u8>",
            "serialized",
            procspawn_pool,
        ),
        (Role::Floor, "copy into new memory", "", |bytes| {
            answer(bytes, |bytes| look(&black_box(bytes.to_vec())))
        }),
    ];
    let mut all: Vec<_> = all
        .into_iter()
        .map(|(role, name, class, run)| {
            let bytes = Rc::clone(&bytes);
            Contender::new(role, name, class, move || run(&bytes))
        })
        .collect();
    if python::is_there() {
        let run = move || {
            Script::start(PYTHON, &[PROCESSES as u64, size as u64])
                .run(1)
                .0
        };
        all.push(Contender::new(
            Role::Rival,
            "Python Pool.apply",
            "serialized",
            run,
        ));
    }
    all
}
