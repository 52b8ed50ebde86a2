//! Log lines that say which thread wrote them: what Python's `%(threadName)s` does.
//!
//! ```text
//! cargo run --example log_names
//! ```
//!
//! Threads and pool workers of brigade are named threads of the system, so any logger that prints
//! the name of the current thread shows them. Here it is that of `tracing-subscriber`.

use std::error::Error;

use brigade::{ThreadPool, thread};
use tracing::info;

fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_thread_names(true)
        .without_time()
        .with_ansi(false)
        .init();
    info!("starting");

    let watcher = thread::Builder::new()
        .name("watcher")
        .spawn(|| info!("watching"))?;
    watcher.join()?;

    let pool = ThreadPool::builder().threads(2).name("bucket").build()?;
    for task in pool.map(1..=3, |number| info!(number, "passing on")) {
        task?;
    }

    info!("done");
    Ok(())
}
