//! Processes killed at random, under load.
//!
//! ```text
//! cargo run --release -p brigade-kill-tests --bin storm                  500 kills of each kind
//! cargo run --release -p brigade-kill-tests --bin storm -- 10000         as many as you like
//! cargo run --release -p brigade-kill-tests --bin storm -- 10000 SEED    with other random numbers
//! ```
//!
//! First four processes that share [queues](queue) and a lock, and are replaced as soon as they are
//! killed; then the workers of a [pool]. In the end every item and every task is accounted for.

#[cfg(target_os = "linux")]
mod pool;
#[cfg(target_os = "linux")]
mod queue;
#[cfg(target_os = "linux")]
#[path = "../random.rs"]
mod random;

/// Takes the number of kills and the seed; says what has come of it.
#[cfg(target_os = "linux")]
type Storm = fn(u64, u64) -> Result<String, String>;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;

    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let (Ok(kills), Ok(seed)) = (
        numbers.next().unwrap_or(Ok(500)),
        numbers.next().unwrap_or(Ok(1)),
    ) else {
        eprintln!("usage: storm [KILLS [SEED]]");
        return ExitCode::FAILURE;
    };
    let storms: [Storm; 2] = [queue::storm, pool::storm];
    for storm in storms {
        match storm(kills, seed) {
            Ok(report) => println!("{report}"),
            Err(complaint) => {
                eprintln!("error: {complaint}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

#[cfg(not(target_os = "linux"))]
fn main() {}
