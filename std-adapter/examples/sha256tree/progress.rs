//! The progress bar: on stderr, if that is a terminal.

use std::ffi::OsString;
use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::thread;

use brigade::Event;
use indicatif::{HumanCount, ProgressBar, ProgressFinish, ProgressState, ProgressStyle};

use crate::board::{Amount, Count, board};
use crate::walk::Walk;

const STYLE: &str = "{files} [{wide_bar}] {bytes}/{total_bytes} {bytes_per_sec} ETA {eta}";

/// What there is to do, as far as it is known.
static FOUND: Count = Count::new();
static ALL_FOUND: Event = Event::new();

/// The bar, which vanishes when this is dropped.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn start(roots: &[OsString]) -> io::Result<Self> {
        if !io::stderr().is_terminal() {
            return Ok(Self { bar: None });
        }
        let roots = roots.to_vec();
        // Not joined: its answer may be late or never come.
        thread::Builder::new()
            .name("survey".into())
            .spawn(move || survey(&roots))?;
        let style = ProgressStyle::with_template(STYLE)
            .expect("the template is well formed")
            .progress_chars("=> ")
            .with_key("files", write_files);
        let bar = ProgressBar::new(0)
            .with_style(style)
            .with_finish(ProgressFinish::AndClear);
        Ok(Self { bar: Some(bar) })
    }

    /// Shows how far the work has got by now.
    pub(crate) fn refresh(&self) {
        if let Some(bar) = &self.bar {
            let done = board().done().bytes;
            let total = FOUND.get().bytes;
            bar.update(|state| {
                state.set_len(total.max(done));
                state.set_pos(done);
            });
        }
    }

    /// Has the bar out of the way while `print` writes to the terminal.
    pub(crate) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

/// `1,234/5,678 files`, or `5,678+` while more may be found.
fn write_files(_: &ProgressState, out: &mut dyn Write) {
    let done = board().done();
    // In this order: whoever sees the end sees the whole count.
    let all = ALL_FOUND.is_set();
    let total = FOUND.get();
    let (files, of) = (HumanCount(done.files), HumanCount(total.files));
    let more = if all { "" } else { "+" };
    // Can only fail if `out` does, which is memory.
    let _ = write!(out, "{files}/{of}{more} files");
}

/// Finds out how much there is to do. The walk that feeds the workers cannot tell: it is never
/// far ahead of them.
fn survey(roots: &[OsString]) {
    for path in Walk::new(roots).flatten() {
        if let Ok(metadata) = path.symlink_metadata() {
            FOUND.add(Amount {
                files: 1,
                bytes: metadata.len(),
            });
        }
    }
    ALL_FOUND.set();
}
