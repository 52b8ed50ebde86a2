//! Processes that are this executable, started again to play a role.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Signal, set_parent_process_death_signal};

use super::crew::Member;
use crate::scenario;

/// What such a process is called, and how it knows that it is one.
const NAME: &str = "compare-child";

/// What a child can be: a name, and what it does with its place in a crew.
pub type Role = (&'static str, fn(&Member));

/// Plays the role that this process was started for, and ends it. Returns if there is none.
///
/// # Panics
///
/// If there is no such role.
pub fn enter() {
    let mut args = std::env::args();
    if args.next().as_deref() != Some(NAME) {
        return;
    }
    // The parent's main thread is the one that starts children.
    set_parent_process_death_signal(Some(Signal::KILL)).expect("a child may die with its parent");
    let role = args.next().expect("a child has a role");
    let args: Vec<_> = args.collect();
    if let Some((gate, args)) = args.split_first() {
        let (_, play) = scenario::ROLES
            .iter()
            .find(|(name, _)| *name == role)
            .expect("roles are listed");
        play(&Member::new(gate, args));
    }
    std::process::exit(0);
}

/// A command that starts this executable in a role. With no arguments it ends at once.
///
/// # Panics
///
/// If it cannot be told where the executable is.
#[must_use]
pub fn command(role: &str, args: &[String]) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg0(NAME).arg(role).args(args);
    command
}

/// A process that is killed, if it still runs, when this is dropped: also by a panic.
#[derive(Debug)]
pub struct Guarded(pub Child);

impl Guarded {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("a process can be started"))
    }

    /// Its status, if it has ended.
    ///
    /// # Panics
    ///
    /// If somebody else has waited for it.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("a child can be waited for")
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// If it failed.
    pub fn join(mut self) {
        let status = self.0.wait().expect("a child can be waited for");
        assert!(status.success(), "a child failed: {status}");
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}
