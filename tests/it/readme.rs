//! What the README shows that doc tests cannot check: its loom model is one that `cargo loom` runs,
//! its links lead somewhere, and it names the one command that CI runs.

use std::fs;
use std::path::Path;

const README: &str = include_str!("../../README.md");

/// The text of every fenced block with this word behind the fence.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    // Every other part is a block: between an opening fence and a closing one.
    text.split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'))
        .collect()
}

#[test]
fn rust_code_is_compiled_by_rustdoc_or_by_cargo_loom() {
    // Fences with more than the language's name (`rust,ignore`) would not be compiled.
    assert_eq!(
        README.matches("```rust").count(),
        README.matches("```rust\n").count()
    );

    let models: Vec<_> = blocks(README, "rust")
        .into_iter()
        .filter(|block| block.starts_with("#[cfg("))
        .collect();
    let [model] = models[..] else {
        panic!(
            "expected one block under a cfg, the loom model, and found {}",
            models.len()
        );
    };
    assert!(include_str!("../../loom-tests/tests/readme.rs").ends_with(model));
}

#[test]
fn links_lead_to_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for file in [
        "README.md",
        "CONTRIBUTING.md",
        "core/src/bounded/README.md",
        "core/src/wait/README.md",
    ] {
        let file = root.join(file);
        let text = fs::read_to_string(&file).unwrap();
        let folder = file.parent().unwrap();
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'))
            .map(|(target, _)| target.split('#').next().unwrap());
        for target in targets {
            let there = folder.join(target).exists();
            assert!(there, "{}: {target} does not exist", file.display());
        }
    }
}

#[test]
fn there_is_one_test_command() {
    let commands: Vec<_> = README
        .lines()
        .filter(|line| line.starts_with("$ cargo test"))
        .collect();
    assert_eq!(
        commands,
        ["$ cargo test --workspace"],
        "CI runs the line that it finds here"
    );
}
