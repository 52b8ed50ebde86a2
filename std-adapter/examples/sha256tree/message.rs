//! What is said on stderr, and how names look there.

use std::fmt::{self, Display, Write as _};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Prints one line about the program's own affairs. If stderr is gone there is nobody to tell.
pub(crate) fn say(message: impl Display) {
    // One write, so that lines of different threads do not mix.
    let line = format!("sha256tree: {message}\n");
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Prints one line about the file or folder at `path`.
pub(crate) fn say_of(path: &Path, message: impl Display) {
    say(format_args!("{}: {message}", Quoted(path)));
}

/// An error as the system words it, without Rust's error number.
pub(crate) struct Plain<'a>(pub(crate) &'a io::Error);

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        f.write_str(match text.rfind(" (os error ") {
            Some(end) => &text[..end],
            None => &text,
        })
    }
}

/// A path that can neither garble the terminal nor be taken for something else: as it is, if it
/// is plain text, otherwise in the shell's `$'...'`, ready to be pasted.
pub(crate) struct Quoted<'a>(pub(crate) &'a Path);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.as_os_str().as_bytes();
        match std::str::from_utf8(bytes) {
            Ok("") => return f.write_str("''"),
            Ok(text) if text.chars().all(|c| is_plain(c) && c != '\'' && c != '\\') => {
                return f.write_str(text);
            }
            _ => {}
        }
        f.write_str("$'")?;
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\n' => f.write_str("\\n")?,
                    '\r' => f.write_str("\\r")?,
                    '\t' => f.write_str("\\t")?,
                    '\'' | '\\' => write!(f, "\\{c}")?,
                    c if is_plain(c) => f.write_char(c)?,
                    c => octal(f, c.encode_utf8(&mut [0; 4]).as_bytes())?,
                }
            }
            octal(f, chunk.invalid())?;
        }
        f.write_str("'")
    }
}

/// Neither a control character nor one that is invisible or reorders its neighbours.
fn is_plain(c: char) -> bool {
    c == '"' || c == '\'' || c == '\\' || c.escape_debug().len() == 1
}

fn octal(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "\\{byte:03o}"))
}
