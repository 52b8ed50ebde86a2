//! The output: takes what comes through the window and says it, in that order.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{Duration, Instant};

use brigade::{GetTimeoutError, Task, TaskError};

use crate::board::board;
use crate::hash::Outcome;
use crate::lines::Lines;
use crate::message::{Plain, say_of};
use crate::progress::Progress;
use crate::stop;
use crate::window::{Pending, Window};

/// How long a line may wait to be written, and the progress bar be left as it is.
const TICK: Duration = Duration::from_millis(50);

pub(crate) struct Report {
    lines: Lines,
    progress: Progress,
    next_tick: Instant,
    all_well: bool,
}

impl Report {
    pub(crate) fn new(progress: Progress) -> io::Result<Self> {
        Ok(Self {
            lines: Lines::to_stdout()?,
            progress,
            next_tick: Instant::now() + TICK,
            all_well: true,
        })
    }

    /// Prints all that comes through the window, and returns whether every file was hashed.
    /// Fails if stdout does.
    pub(crate) fn run(mut self, window: &Window) -> io::Result<bool> {
        loop {
            match window.get_deadline(self.next_tick) {
                Ok(Pending::File(path, task)) => self.file(&path, task)?,
                Ok(Pending::Failed((path, error))) => self.complain(&path, &Plain(&error))?,
                Err(GetTimeoutError::ShutDown) => break,
                // Then the walk hangs; there is nothing left to print.
                Err(GetTimeoutError::Timeout) if board().is_given_up() => break,
                Err(GetTimeoutError::Timeout) => {}
            }
            self.tick()?;
        }
        self.write()?;
        Ok(self.all_well)
    }

    fn file(&mut self, path: &Path, mut task: Task<Outcome>) -> io::Result<()> {
        let result = loop {
            match task.result_deadline(self.next_tick) {
                Ok(result) => break result,
                // Then the read hangs, or its worker is just about to see the same.
                Err(_) if board().is_given_up() => break Ok(Outcome::GivenUp),
                Err(unfinished) => task = unfinished,
            }
            self.tick()?;
        };
        match result {
            Ok(Outcome::Hashed(sha)) => {
                self.lines.add(&sha, path);
                if self.lines.is_full() {
                    self.write()
                } else {
                    Ok(())
                }
            }
            Ok(Outcome::Failed(reason)) => self.complain(path, &reason),
            Ok(Outcome::GivenUp) => self.complain(path, &stop::GIVEN_UP),
            Err(TaskError::Cancelled) => Ok(()),
            Err(error) => self.complain(path, &error),
        }
    }

    fn complain(&mut self, path: &Path, what: &dyn std::fmt::Display) -> io::Result<()> {
        self.all_well = false;
        // First what came before it, in case both streams go to the same place.
        self.write()?;
        self.progress.aside(|| say_of(path, what));
        Ok(())
    }

    fn tick(&mut self) -> io::Result<()> {
        let now = Instant::now();
        if now < self.next_tick {
            return Ok(());
        }
        self.next_tick = now + TICK;
        self.progress.refresh();
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        if self.lines.is_empty() {
            Ok(())
        } else if io::stdout().is_terminal() {
            self.progress.aside(|| self.lines.write())
        } else {
            self.lines.write()
        }
    }
}
