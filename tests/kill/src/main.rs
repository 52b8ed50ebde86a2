//! Processes killed at every instruction.
//!
//! ```text
//! cargo kill                 a share of the instructions, another each day; a few minutes
//! cargo kill --all           every instruction of every operation, but only 500 of one that is longer
//!                            than 10,000: of opening a segment, which reads files and starts a thread
//! cargo kill --every 50      each 50th
//! cargo kill --from 3        begin there, instead of at the day's offset
//! ```
//!
//! With a text behind it, only the operations whose names contain it.
//!
//! ```text
//!   tracer (this process)           house                    victim
//!     "next"  ------------------>   puts things in order
//!                                   starts a victim  ----->  ready to go
//!     <------------------  its id
//!     k single steps  ------------------------------------>  k instructions of the operation
//!     SIGKILL  ------------------------------------------->  dead
//!     "dead"  ------------------>   is all as it should be?
//!     <------------------  what the operation has come to
//! ```
//!
//! The house is a process that shares a queue, a lock or the like with its victims, and survives
//! them. It hears of their death from the kernel alone, as any user's process does. The tracer takes
//! no part. For each k there is a new victim, until one completes the operation in fewer than k
//! instructions. One that falls asleep in it is killed there, which is the last k as well.
//!
//! For the sweep of what a dead process held the victim is a second survivor: a third process dies,
//! the house is stopped, and the victim's watching thread is stepped.

#[cfg(target_os = "linux")]
mod house;
#[cfg(target_os = "linux")]
mod scene;
#[cfg(target_os = "linux")]
mod tracee;
#[cfg(target_os = "linux")]
mod tracer;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [role, operation] = &arguments[..] {
        if role == house::ROLE {
            return house::run(operation);
        }
    }
    tracer::run(&arguments)
}

#[cfg(not(target_os = "linux"))]
fn main() {}
