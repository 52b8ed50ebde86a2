//! The example `sha256tree` against what one would type in a shell today.
//!
//! The tree is made in a folder that is removed when the contenders are
//! dropped, also by a panic. Before anything is measured, the two outputs are
//! compared, which also warms the cache.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::{env, thread};

use rustix::fs::syncfs;
use tempfile::TempDir;

use super::Effort;
use crate::contender::{Contender, Role};
use crate::measure::{Sample, Whose, measure};

/// A pipeline: its name, and how many files it gives each process.
type Pipeline = (&'static str, u32);

const XARGS_64: Pipeline = ("find, xargs -n 64 sha256sum", 64);
const XARGS_1: Pipeline = ("find, xargs -n 1 sha256sum", 1);

/// Many files of 1 to 8 KiB in folders of 100.
pub(super) fn small(effort: Effort) -> io::Result<Vec<Contender>> {
    let folders = effort.choose(200, 40);
    contenders(&[XARGS_64], |root, dice| {
        for folder in 0..folders {
            let folder = root.join(format!("folder-{folder:03}"));
            fs::create_dir(&folder)?;
            for file in 0..100 {
                let size = 1024 + dice.next() % (7 * 1024 + 1);
                dice.write(&folder.join(format!("file-{file:02}")), size)?;
            }
        }
        Ok(())
    })
}

/// Ten files of 100 MB. Sixty-four files a process would be one process for
/// all ten, so here the pipeline also runs with one file each.
pub(super) fn large(effort: Effort) -> io::Result<Vec<Contender>> {
    let size = effort.choose(100_000_000, 10_000_000);
    contenders(&[XARGS_64, XARGS_1], |root, dice| {
        for file in 0..10 {
            dice.write(&root.join(format!("file-{file}")), size)?;
        }
        Ok(())
    })
}

/// Bytes without a pattern, the same every time (xorshift64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn write(&mut self, path: &Path, size: u64) -> io::Result<()> {
        let mut file = BufWriter::with_capacity(1 << 16, File::create_new(path)?);
        for _ in 0..size / 8 {
            file.write_all(&self.next().to_ne_bytes())?;
        }
        file.write_all(&vec![0; usize::try_from(size % 8).expect("less than 8")])?;
        file.flush()
    }
}

fn contenders(
    pipelines: &[Pipeline],
    fill: impl FnOnce(&Path, &mut Dice) -> io::Result<()>,
) -> io::Result<Vec<Contender>> {
    let example = build_example()?;
    let tree = Rc::new(TempDir::with_prefix("brigade-compare-")?);
    fill(tree.path(), &mut Dice(0x9E37_79B9_7F4A_7C15))?;
    // Written back now rather than during the measurement.
    syncfs(File::open(tree.path())?)?;

    // One process at a time here, because the outputs of several may mix within a line.
    if sums(sha256tree(&example, &tree))? != sums(xargs(1, 64, &tree))? {
        return Err(io::Error::other("sha256tree and sha256sum disagree"));
    }

    let processes = thread::available_parallelism()?.get();
    let mut all = Vec::new();
    for &(name, files) in pipelines {
        let tree = Rc::clone(&tree);
        let run = move || time(xargs(processes, files, &tree));
        all.push(Contender::new(Role::Rival, name, "program", run));
    }
    let run = move || time(sha256tree(&example, &tree));
    all.push(Contender::new(
        Role::Ours,
        "brigade sha256tree",
        "program",
        run,
    ));
    Ok(all)
}

fn sha256tree(example: &Path, tree: &TempDir) -> Command {
    let mut command = Command::new(example);
    command.arg(tree.path());
    command
}

fn xargs(processes: usize, files: u32, tree: &TempDir) -> Command {
    let pipeline = "find \"$1\" -type f -print0 | xargs -0 -P \"$2\" -n \"$3\" sha256sum";
    let mut command = Command::new("sh");
    command.args(["-c", pipeline, "sh"]);
    command.arg(tree.path());
    command.args([processes.to_string(), files.to_string()]);
    command
}

/// Builds the example with optimisation and returns where it is.
fn build_example() -> io::Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| package.join("target"), PathBuf::from)
        .join("sha256tree");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--example",
            "sha256tree",
        ])
        .arg("--manifest-path")
        .arg(package.join("../../std-adapter/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()?;
    if !status.success() {
        return Err(io::Error::other("the example sha256tree does not build"));
    }
    Ok(target.join("release/examples/sha256tree"))
}

/// The lines that a command prints, in bytewise order.
fn sums(mut command: Command) -> io::Result<Vec<Vec<u8>>> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("{command:?}: {}", output.status)));
    }
    let mut lines: Vec<_> = output
        .stdout
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    lines.sort_unstable();
    Ok(lines)
}

fn time(mut command: Command) -> Sample {
    command.stdout(Stdio::null());
    measure(Whose::Childrens, 1, || {
        let status = command.status().expect("it ran before");
        assert!(status.success(), "{command:?}: {status}");
    })
}
