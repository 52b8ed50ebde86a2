//! The core needs neither std nor an allocator: a program that has neither links, runs and finds
//! all primitives at work. The program is in `tests/no_std`.

use std::path::Path;
use std::process::Command;

#[test]
fn a_program_without_std_and_allocator_links_and_runs() {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--release", "--locked", "--quiet"])
        .arg("--manifest-path")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("no_std/Cargo.toml"))
        .arg("--target-dir")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("no_std"))
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "{} (by cargo or by the program)\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}
