//! The process that survives: it starts victims, and judges what they leave behind.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use libc::pid_t;

use crate::scene;

/// The argument that makes this program a house.
pub(crate) const ROLE: &str = "--house";

/// Who dies.
pub(crate) struct Cast {
    /// Is stepped, and then killed.
    pub(crate) victim: pid_t,
    /// Is killed before, if it is the victim's part to sweep after somebody.
    pub(crate) prey: Option<pid_t>,
}

/// What the operation has come to, or what is wrong.
pub(crate) struct Answer(pub(crate) Result<String, String>);

/// What goes from the house to the tracer in one line.
pub(crate) trait Line: Sized {
    fn write(&self) -> String;
    fn read(line: &str) -> Option<Self>;
}

impl Line for Cast {
    fn write(&self) -> String {
        let prey = self.prey.map_or("-".to_owned(), |prey| prey.to_string());
        format!("cast {} {prey}", self.victim)
    }

    fn read(line: &str) -> Option<Self> {
        let (victim, prey) = line.strip_prefix("cast ")?.split_once(' ')?;
        let prey = if prey == "-" {
            None
        } else {
            Some(prey.parse().ok()?)
        };
        Some(Self {
            victim: victim.parse().ok()?,
            prey,
        })
    }
}

impl Line for Answer {
    fn write(&self) -> String {
        match &self.0 {
            Ok(outcome) => format!("fine {outcome}"),
            Err(complaint) => format!("wrong {complaint}"),
        }
    }

    fn read(line: &str) -> Option<Self> {
        let (verdict, text) = line.split_once(' ')?;
        match verdict {
            "fine" => Some(Self(Ok(text.to_owned()))),
            "wrong" => Some(Self(Err(text.to_owned()))),
            _ => None,
        }
    }
}

/// Obeys the tracer until it closes the pipe.
pub(crate) fn run(operation: &str) -> ExitCode {
    let mut scene = match scene::named(operation) {
        Some(Ok(scene)) => scene,
        other => {
            let complaint = other.and_then(Result::err);
            let complaint = complaint.unwrap_or_else(|| "there is no such operation".to_owned());
            eprintln!("error: {operation}: {complaint}");
            return ExitCode::FAILURE;
        }
    };
    for line in io::stdin().lock().lines() {
        let answer = match line.as_deref() {
            Ok("next") => scene.open().map_or_else(
                |complaint| Answer(Err(complaint)).write(),
                |cast| cast.write(),
            ),
            Ok("dead") => Answer(scene.judge().map(str::to_owned)).write(),
            other => {
                eprintln!("error: the tracer said {other:?}");
                return ExitCode::FAILURE;
            }
        };
        if writeln!(io::stdout(), "{answer}").is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
