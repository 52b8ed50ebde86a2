//! Functions in processes of their own: how they are started, and how they can end.
//!
//! It checks what comes back, so that it also tells whether a way of linking works: CI runs it with link-time
//! optimisation, at fixed and other addresses, with panics that abort, and without the feature
//! `early-start`. For the last of these `main` begins with a call of `process::init`; told not to by
//! the environment (`LATE=1`), it shows what happens then.

#[cfg(brigade_processes)]
mod linux {
    use std::process::Stdio;

    use brigade::process::{Builder, Exit, JoinError, StartError};
    use brigade::{Process, process};

    fn square(n: u64) -> u64 {
        n * n
    }

    fn largest<T: Ord + Copy>(items: Vec<T>) -> Option<T> {
        items.into_iter().max()
    }

    fn sleep((): ()) {
        loop {
            std::thread::park();
        }
    }

    /// A child that prints nothing about its end.
    fn quiet() -> Builder {
        Builder::new().stderr(Stdio::null())
    }

    pub(super) fn main() -> Result<(), Box<dyn std::error::Error>> {
        let is_late = std::env::var_os("LATE").is_some();
        if !is_late {
            process::init();
        }
        if is_late && !cfg!(feature = "early-start") {
            return late();
        }
        // Any function, with any argument and result that serde knows.
        assert_eq!(Process::start(square, 12)?.join()?, 144);
        assert_eq!(
            Process::start(largest::<u8>, vec![3, 9, 4])?.join()?,
            Some(9)
        );
        let child = Builder::new().name("greeter").start(
            |name: String| format!("{} greets {name}", process::current_name()),
            "you".into(),
        )?;
        assert_eq!(child.join()?, "greeter greets you");
        // A child may have children.
        let nested = |n| Process::start(square, n).unwrap().join().unwrap() + 1;
        assert_eq!(Process::start(nested, 3)?.join()?, 10);

        // A panic comes back, unless it aborts.
        let child = quiet().start(|n: u64| square(n).checked_sub(1000).unwrap(), 2)?;
        match child.join() {
            Err(JoinError::Panicked(panic)) if cfg!(panic = "unwind") => {
                assert!(panic.location().is_some());
            }
            Err(JoinError::Ended(Exit::Signal(6))) if cfg!(panic = "abort") => {}
            other => panic!("{other:?}"),
        }
        // So does every other end.
        let child = quiet().start(|code| -> () { std::process::exit(code) }, 7)?;
        assert!(matches!(child.join(), Err(JoinError::Ended(Exit::Code(7)))));
        let child = Process::start(sleep, ())?;
        child.kill()?;
        assert!(matches!(
            child.join(),
            Err(JoinError::Ended(Exit::Signal(9)))
        ));
        println!("all as it should be");
        Ok(())
    }

    /// In the parent, and in its child, which nobody has made run its function.
    fn late() -> Result<(), Box<dyn std::error::Error>> {
        let child = match Process::start(square, 2) {
            Ok(child) => child,
            // A child that does not know it is one starts no further ones.
            Err(error @ StartError::NotInitialized) => {
                println!("{error}");
                std::process::exit(3);
            }
            Err(error) => return Err(error.into()),
        };
        assert!(matches!(child.join(), Err(JoinError::Ended(Exit::Code(3)))));
        println!("all as it should be");
        Ok(())
    }
}

#[cfg(brigade_processes)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    linux::main()
}

#[cfg(not(brigade_processes))]
fn main() {
    println!("processes are for Linux");
}
