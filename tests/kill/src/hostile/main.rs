//! Survivors of a hostile peer.
//!
//! ```text
//! cargo run --release -p brigade-kill-tests --bin hostile            200 rounds
//! cargo run --release -p brigade-kill-tests --bin hostile -- 5000    as many as you like
//! cargo run --release -p brigade-kill-tests --bin hostile -- 1 SEED  one of them again
//! ```
//!
//! In each round a process makes everything that can be shared, and uses it from several threads, while
//! [another](vandal) writes rubbish into all of it. Whatever happens is fine: values that nobody has put
//! there, errors, time-outs. Not fine are a crash, a panic, what an address sanitizer finds, and an
//! operation that does not come back though it was given little time.

#[cfg(target_os = "linux")]
#[path = "../random.rs"]
mod random;
#[cfg(target_os = "linux")]
mod survivor;
#[cfg(target_os = "linux")]
mod vandal;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((role, rest)) if role == vandal::ROLE => vandal::run(rest),
        _ => survivor::run(&arguments),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {}
