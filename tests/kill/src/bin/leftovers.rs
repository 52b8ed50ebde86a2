//! Runs a command, and says what is left of it when it has ended.
//!
//! ```text
//! leftovers cargo test --workspace
//! ```
//!
//! Nothing may be: no process, no file in its folder for temporary ones, none in `/dev/shm`. Segments
//! and sockets of processes have no names in any file system and vanish with the last process that
//! holds them; so no process means none of these.
//!
//! Orphans of the command become children of this process (`PR_SET_CHILD_SUBREAPER`), however they
//! have cut themselves loose: it cannot miss one. What was killed may take a moment to be gone. What is
//! left is ended after it was reported.

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeSet;
    use std::ffi::OsString;
    use std::path::Path;
    use std::process::{Command, ExitCode};
    use std::time::{Duration, Instant};
    use std::{env, fs, io, process, ptr, thread};

    /// How long a killed process may take to vanish, on a busy machine.
    const MOMENT: Duration = Duration::from_secs(10);

    pub(super) fn main() -> ExitCode {
        let mut arguments = env::args_os().skip(1);
        let Some(program) = arguments.next() else {
            eprintln!("usage: leftovers COMMAND...");
            return ExitCode::FAILURE;
        };
        match run(Command::new(program).args(arguments)) {
            Ok(status) => status,
            Err(error) => {
                eprintln!("leftovers: {error}");
                ExitCode::FAILURE
            }
        }
    }

    fn run(command: &mut Command) -> io::Result<ExitCode> {
        // SAFETY: a setting of this process, without pointers.
        if unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let temporary = env::temp_dir().join(format!("brigade-leftovers-{}", process::id()));
        fs::create_dir(&temporary)?;
        let shared_before = listing(Path::new("/dev/shm"));

        let status = command.env("TMPDIR", &temporary).status()?;
        let mut left: Vec<String> = orphans();
        let files = listing(&temporary)
            .into_iter()
            .map(|name| temporary.join(name));
        let shared = listing(Path::new("/dev/shm"));
        let segments = shared
            .difference(&shared_before)
            .map(|name| Path::new("/dev/shm").join(name));
        left.extend(
            files
                .chain(segments)
                .map(|path| format!("file {}", path.display())),
        );
        fs::remove_dir_all(&temporary)?;

        for thing in &left {
            eprintln!("leftovers: {thing}");
        }
        eprintln!(
            "leftovers: {} things left; the command ended with {status}",
            left.len()
        );
        Ok(if left.is_empty() && status.success() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// What still runs, though the command has ended.
    fn orphans() -> Vec<String> {
        let deadline = Instant::now() + MOMENT;
        loop {
            // SAFETY: reaps children, which nobody here waits for otherwise. Nothing is written.
            while unsafe { libc::waitpid(-1, ptr::null_mut(), libc::WNOHANG) } > 0 {}
            let left = children();
            if left.is_empty() || Instant::now() > deadline {
                for child in &left {
                    // SAFETY: sends a signal to a child, which stays one until it is waited for.
                    unsafe { libc::kill(child.process, libc::SIGKILL) };
                }
                return left.into_iter().map(|child| child.description).collect();
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    struct Child {
        process: libc::pid_t,
        description: String,
    }

    fn children() -> Vec<Child> {
        let own = process::id().to_string();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(process) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            let Ok(status) = fs::read_to_string(entry.path().join("status")) else {
                continue;
            };
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
            if parent.is_some_and(|parent| parent.trim() == own) {
                let command = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
                let description = format!("process {process} {}", command.replace('\0', " "));
                found.push(Child {
                    process,
                    description,
                });
            }
        }
        found
    }

    fn listing(folder: &Path) -> BTreeSet<OsString> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name()).collect()
    }
}
