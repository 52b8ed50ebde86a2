//! A worker of a pool, from the end of one task to the end of the next: at most one of both is lost.

use brigade::{ProcessPool, Task, TaskError};

use super::{Entry, Made, Scene, in_words, promptly, until};
use crate::house::Cast;
use crate::tracee::{self, VICTIM, thread_named};

pub(super) const SCENES: &[Entry] = &[
    ("pool, lost at once", "both answered", || pool(0)),
    ("pool, with retries", "both answered", || pool(1)),
];

struct Crew {
    pool: ProcessPool,
    retries: u32,
    running: Option<(u32, [Task<u64>; 2])>,
}

fn pool(retries: u32) -> Made {
    let pool = ProcessPool::builder().workers(1).retries(retries).build();
    Ok(Box::new(Crew {
        pool: pool.map_err(in_words)?,
        retries,
        running: None,
    }))
}

/// Is stepped from here on, unless its worker is another than this.
fn last_words((number, worker): (u64, u32)) -> u64 {
    if std::process::id() == worker {
        tracee::await_tracer();
        tracee::mark();
    }
    number + 1
}

impl Scene for Crew {
    fn open(&mut self) -> Result<Cast, String> {
        let whoami = self.pool.submit(std::process::id).map_err(in_words)?;
        let worker = whoami.result().map_err(in_words)?;
        let first = self
            .pool
            .submit_with(last_words, (1, worker))
            .map_err(in_words)?;
        let second = self
            .pool
            .submit_with(|number: u64| number + 1, 10)
            .map_err(in_words)?;
        let victim = i32::try_from(worker).map_err(in_words)?;
        thread_named(victim, VICTIM).map_err(in_words)?;
        self.running = Some((worker, [first, second]));
        Ok(Cast { victim, prey: None })
    }

    fn judge(&mut self) -> Result<&'static str, String> {
        let (worker, tasks) = self.running.take().ok_or("nobody was to die")?;
        let mut answered = [false; 2];
        for ((task, right), answered) in tasks.into_iter().zip([2, 11]).zip(&mut answered) {
            *answered = match promptly("a result", |time| task.result_timeout(time))? {
                Ok(Ok(result)) if result == right => true,
                Ok(Err(TaskError::WorkerLost(lost))) if lost.signal() == Some(libc::SIGKILL) => {
                    false
                }
                Ok(other) => return Err(format!("a task has come to {other:?}")),
                Err(_) => return Err("a task does not end".to_owned()),
            };
        }
        until("the dead worker is no worker any more", || {
            (!self.pool.pids().contains(&worker)).then_some(())
        })?;
        match answered {
            [true, true] => Ok("both answered"),
            _ if self.retries > 0 => Err("a task was not tried again".to_owned()),
            [false, true] => Ok("the first lost"),
            [true, false] => Ok("the second lost"),
            [false, false] => Err("one death has cost two tasks".to_owned()),
        }
    }
}
