//! The models: built once, and run one to a process.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use crate::LIMIT;
use crate::sites::Mutant;

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The test program that holds them.
pub(crate) struct Models {
    program: PathBuf,
    pub(crate) names: Vec<String>,
}

/// How a run ended.
pub(crate) enum Answer {
    Passed(Duration),
    Failed(Duration),
    OutOfTime,
}

/// What a model does with every ordering as it is written.
pub(crate) struct Surveyed {
    pub(crate) name: String,
    pub(crate) took: Duration,
    /// It was not seen to pass.
    pub(crate) is_cut_short: bool,
    reached: BTreeSet<Place>,
}

/// File, line and column.
type Place = (String, u32, u32);

impl Surveyed {
    pub(crate) fn reaches(&self, mutant: &Mutant) -> bool {
        self.reached.iter().any(|(file, line, column)| {
            (*line, *column) == (mutant.line, mutant.column) && file.ends_with(&mutant.file)
        })
    }
}

impl Models {
    pub(crate) fn build() -> Result<Self, String> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args([
                "loom",
                "--lib",
                "--no-run",
                "--message-format=json-render-diagnostics",
            ])
            .current_dir(root())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|e| format!("cargo: {e}"))?;
        let messages = String::from_utf8_lossy(&built.stdout);
        let program = messages
            .lines()
            .filter_map(|line| line.split_once("\"executable\":\"")?.1.split_once('"'))
            .map(|(path, _)| PathBuf::from(path))
            .next_back()
            .ok_or("cargo loom has built no test program")?;
        let listed = Command::new(&program)
            .args(["--list", "--format", "terse"])
            .output()
            .map_err(|e| format!("{}: {e}", program.display()))?;
        let names = String::from_utf8_lossy(&listed.stdout)
            .lines()
            .filter_map(|line| line.strip_suffix(": test"))
            .map(str::to_owned)
            .collect();
        Ok(Self { program, names })
    }

    /// Runs one model.
    pub(crate) fn run(
        &self,
        name: &str,
        environment: &(String, String),
        limit: Duration,
    ) -> Answer {
        let begun = Instant::now();
        let mut child = Command::new(&self.program)
            .args(["--exact", name])
            .env(&environment.0, &environment.1)
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the test program was run before");
        match ended_well(&mut child, begun + limit) {
            Some(true) => Answer::Passed(begun.elapsed()),
            Some(false) => Answer::Failed(begun.elapsed()),
            None => Answer::OutOfTime,
        }
    }

    /// Runs these models as they are: none may fail. Those that take longer are cut short.
    pub(crate) fn survey(
        &self,
        names: &[String],
        limit: Duration,
    ) -> Result<Vec<Surveyed>, String> {
        let all = all(names, |name| {
            let (answer, reached) = self.run_and_record(name, limit);
            let (took, is_cut_short) = match answer {
                Answer::Passed(took) => (took, false),
                Answer::OutOfTime => (limit, true),
                Answer::Failed(_) => return Err(format!("{name} fails as it is")),
            };
            let name = name.clone();
            Ok(Surveyed {
                name,
                took,
                is_cut_short,
                reached,
            })
        });
        all.into_iter().collect()
    }

    /// Runs these models as they are, to the end.
    pub(crate) fn must_pass(&self, names: &[String]) -> Result<(), String> {
        match self
            .survey(names, LIMIT)?
            .iter()
            .find(|model| model.is_cut_short)
        {
            Some(model) => Err(format!("{} takes too long", model.name)),
            None => Ok(()),
        }
    }

    fn run_and_record(&self, name: &str, limit: Duration) -> (Answer, BTreeSet<Place>) {
        let file = format!("brigade-{}-{}", process::id(), name.replace(':', "-"));
        let path = env::temp_dir().join(file);
        let environment = ("BRIGADE_REACHED".to_owned(), path.display().to_string());
        let answer = self.run(name, &environment, limit);
        let record = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(&path);
        (answer, record.lines().filter_map(place).collect())
    }
}

fn place(line: &str) -> Option<Place> {
    let mut words = line.rsplitn(3, ' ');
    let (column, line) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some((words.next()?.to_owned(), line, column))
}

/// Whether it ended well; `None` if it had to be stopped.
fn ended_well(child: &mut Child, deadline: Instant) -> Option<bool> {
    loop {
        if let Some(status) = child.try_wait().expect("our own child") {
            return Some(status.success());
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Does something for each, as many at a time as there are processors.
pub(crate) fn all<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Relaxed)) {
                    let result = work(item);
                    results.lock().unwrap().push(result);
                }
            });
        }
    });
    results.into_inner().unwrap()
}
