//! The orderings in the source. Knows Rust as far as rustfmt lays it out.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fmt, fs};

/// What names a row of the table: file, function, access, ordering, and what that becomes. No line
/// numbers, so that it outlives changes of what stands around.
pub(crate) type Key = [String; 5];

/// Beside the core's sources, those that are modelled too.
const ALSO: [&str; 4] = [
    "std-adapter/src/executor/handoff.rs",
    "std-adapter/src/executor/thread_pool/staffing.rs",
    "std-adapter/src/select/any.rs",
    "std-adapter/src/shared/bell.rs",
];

/// The calls that take an ordering, and how many.
const METHODS: [(&str, usize); 10] = [
    ("load", 1),
    ("store", 1),
    ("swap", 1),
    ("fetch_add", 1),
    ("fetch_sub", 1),
    ("fetch_or", 1),
    ("fetch_and", 1),
    ("compare_exchange", 2),
    ("compare_exchange_weak", 2),
    ("fetch_update", 2),
];

/// An atomic access.
#[derive(Debug)]
pub(crate) struct Site {
    file: String,
    function: String,
    /// The method; if the function calls it more than once, with a number from the second on.
    access: String,
    line: u32,
    column: u32,
    orderings: Vec<String>,
    /// All that is said between the access before, or the beginning of the function, and this.
    comment: String,
}

/// An ordering that is one step weaker.
#[derive(Debug)]
pub(crate) struct Mutant {
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    function: String,
    access: String,
    comment: String,
    ordering: &'static str,
    on_failure: bool,
    weaker: &'static str,
    lost: &'static str,
}

/// Each ordering, what it may become, and what that loses.
const STEPS: [(&str, &str, &str); 4] = [
    ("AcqRel", "Acquire", "release"),
    ("AcqRel", "Release", "acquire"),
    ("Acquire", "Relaxed", "acquire"),
    ("Release", "Relaxed", "release"),
];

impl Mutant {
    pub(crate) fn key(&self) -> Key {
        let on = if self.on_failure { " on failure" } else { "" };
        let ordering = format!("{}{on}", self.ordering);
        let rest = [&self.function, &self.access, &ordering, self.weaker];
        let [function, access, ordering, weaker] = rest.map(ToString::to_string);
        [self.file.clone(), function, access, ordering, weaker]
    }

    /// What to put in the environment of a model.
    pub(crate) fn environment(&self) -> (String, String) {
        let outcome = if self.on_failure {
            "failure"
        } else {
            "success"
        };
        let place = format!("{} {} {}", self.file, self.line, self.column);
        let value = format!("{place} {outcome} {}", self.weaker);
        ("BRIGADE_WEAKEN".to_owned(), value)
    }

    /// Why no model tells, if a comment says so.
    pub(crate) fn explanation(&self) -> Option<String> {
        let on = if self.on_failure { " on failure" } else { "" };
        let halves = [self.lost, "either"];
        self.comment
            .split("No model tells ")
            .skip(1)
            .find_map(|said| {
                let (half, why) = said.split_once(": ")?;
                let half = half.strip_suffix(on)?;
                let half = half.trim_start_matches("the ").trim_end_matches(" half");
                halves.contains(&half).then(|| why.trim().replace('|', "/"))
            })
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [file, function, access, ordering, weaker] = self.key();
        write!(
            f,
            "{file}:{}: {function}: {access}: {ordering} to {weaker}",
            self.line
        )
    }
}

/// All mutants of all files.
pub(crate) fn mutants(root: &Path) -> Result<Vec<Mutant>, String> {
    let mut files = Vec::new();
    walk(root, "core/src", &mut files)?;
    files.extend(ALSO.map(str::to_owned));
    let mut mutants = Vec::new();
    for file in files {
        let text = fs::read_to_string(root.join(&file)).map_err(|e| format!("{file}: {e}"))?;
        for site in sites(&file, &text)? {
            mutants.extend(weaker(&site));
        }
    }
    Ok(mutants)
}

/// The core's sources in order, but for the seam, whose own accesses are the tool's.
fn walk(root: &Path, folder: &str, files: &mut Vec<String>) -> Result<(), String> {
    let failed = |e| format!("{folder}: {e}");
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join(folder)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        names.push((path, entry.path().is_dir()));
    }
    names.sort_unstable();
    for (path, is_folder) in names {
        if path.starts_with("core/src/sync") {
            continue;
        }
        if is_folder {
            walk(root, &path, files)?;
        } else if Path::new(&path).extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn weaker(site: &Site) -> impl Iterator<Item = Mutant> + use<'_> {
    site.orderings
        .iter()
        .zip([false, true])
        .flat_map(move |(ordering, on_failure)| {
            STEPS.iter().filter(move |(from, ..)| from == ordering).map(
                move |&(ordering, weaker, lost)| Mutant {
                    file: site.file.clone(),
                    line: site.line,
                    column: site.column,
                    function: site.function.clone(),
                    access: site.access.clone(),
                    comment: site.comment.clone(),
                    ordering,
                    on_failure,
                    weaker,
                    lost,
                },
            )
        })
}

/// The accesses of a file, up to its tests.
fn sites(file: &str, text: &str) -> Result<Vec<Site>, String> {
    let text = text.split("\n#[cfg(test)]").next().unwrap_or(text);
    let Blanked { code, comments } = blank(text);
    let words = words(&code);
    let mut sites = Vec::new();
    let mut numbers: BTreeMap<(String, String), usize> = BTreeMap::new();
    let (mut function, mut said_from, mut known_to) = (String::new(), 0, 0);
    for (place, &(at, word)) in words.iter().enumerate() {
        let end = at + word.len();
        let before = code[..at].trim_end();
        if word == "use" {
            known_to = at + code[at..].find(';').unwrap_or(0);
        } else if word == "fence" && arguments(&code, end).1 == ["SeqCst"] {
            // There is nothing one step weaker that it could be for: see whether it is missed at all.
            known_to = arguments(&code, end).0;
        } else if word == "fn" && words.get(place + 1).is_some_and(|next| next.0 == end + 1) {
            let (start, name) = words[place + 1];
            function = owner(&code[..start]).map_or(name.to_owned(), |it| format!("{it}::{name}"));
            said_from = at;
        } else if let Some(&(_, count)) = METHODS.iter().find(|it| it.0 == word) {
            if !before.ends_with('.') || !code[end..].starts_with('(') {
                continue;
            }
            let (close, orderings) = arguments(&code, end);
            if orderings.is_empty() {
                continue;
            }
            let (line, column) = line_and_column(text, at);
            if orderings.len() != count {
                return Err(format!("{file}:{line}: {word} takes {count} orderings"));
            }
            let number = numbers
                .entry((function.clone(), word.to_owned()))
                .or_insert(0);
            *number += 1;
            let access = match number {
                1 => word.to_owned(),
                more => format!("{word} {more}"),
            };
            let comment: Vec<_> = comments
                .iter()
                .filter(|(place, _)| (said_from..at).contains(place))
                .map(|(_, said)| said.trim())
                .collect();
            sites.push(Site {
                file: file.to_owned(),
                function: function.clone(),
                access,
                line,
                column,
                orderings,
                comment: comment.join(" "),
            });
            (said_from, known_to) = (at, close);
        } else if matches!(word, "Acquire" | "Release" | "AcqRel" | "SeqCst") && at > known_to {
            let (line, _) = line_and_column(text, at);
            return Err(format!(
                "{file}:{line}: {word} is no argument of a known access"
            ));
        }
    }
    Ok(sites)
}

/// The orderings among the arguments of the call whose parenthesis opens at `open`, and where it
/// closes.
fn arguments(code: &str, open: usize) -> (usize, Vec<String>) {
    let mut depth = 0;
    let mut close = code.len();
    let mut own = String::new();
    for (at, character) in code[open..].char_indices() {
        match character {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            _ if depth == 1 => own.push(character),
            _ => {}
        }
        if depth == 0 {
            close = open + at;
            break;
        }
        if depth != 1 || character == '(' {
            own.push(' ');
        }
    }
    let orderings = words(&own)
        .into_iter()
        .map(|(_, word)| word)
        .filter(|word| {
            matches!(
                *word,
                "Relaxed" | "Acquire" | "Release" | "AcqRel" | "SeqCst"
            )
        })
        .map(str::to_owned)
        .collect();
    (close, orderings)
}

/// The type whose `impl`, or the trait, in which this code ends.
fn owner(code: &str) -> Option<&str> {
    let mut begun = 0;
    let mut header = None;
    for line in code.split_inclusive('\n') {
        let item = line
            .trim_start_matches("pub ")
            .trim_start_matches("unsafe ");
        if item.starts_with("impl") || item.starts_with("trait ") {
            let is_empty = line.trim_end().ends_with("{}");
            header = (!is_empty).then_some(begun + (line.len() - item.len()));
        } else if line.starts_with('}') {
            header = None;
        }
        begun += line.len();
    }
    let header = code[header?..].split('{').next()?;
    let mut rest = header
        .trim_start_matches("impl")
        .trim_start_matches("trait ");
    if rest.starts_with('<') {
        rest = &rest[generics(rest)..];
    }
    let rest = rest
        .split_once(" for ")
        .map_or(rest, |(_, subject)| subject);
    let name = rest.trim().split(['<', ' ', ':', '\n']).next()?;
    Some(name)
}

/// How long the generics are with which this begins.
fn generics(text: &str) -> usize {
    let mut depth = 0;
    let mut former = ' ';
    for (at, character) in text.char_indices() {
        match character {
            '<' => depth += 1,
            '>' if former != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
        former = character;
    }
    text.len()
}

/// Identifiers and keywords, and where they begin.
fn words(code: &str) -> Vec<(usize, &str)> {
    let inside = |character: char| character.is_alphanumeric() || character == '_';
    let mut words = Vec::new();
    let mut begun = None;
    for (at, character) in code.char_indices().chain([(code.len(), ' ')]) {
        match begun {
            None if inside(character) => begun = Some(at),
            Some(start) if !inside(character) => {
                words.push((start, &code[start..at]));
                begun = None;
            }
            _ => {}
        }
    }
    words
}

/// Counted from 1, as the compiler does.
fn line_and_column(text: &str, at: usize) -> (u32, u32) {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (u32::try_from(line).unwrap(), u32::try_from(column).unwrap())
}

/// A text without its comments and literals, each byte of which is a space.
struct Blanked<'a> {
    code: String,
    /// Where each line comment begins, and what it says.
    comments: Vec<(usize, &'a str)>,
}

fn blank(text: &str) -> Blanked<'_> {
    let mut code = String::with_capacity(text.len());
    let mut comments = Vec::new();
    while code.len() < text.len() {
        let at = code.len();
        let rest = &text[at..];
        let hidden = if rest.starts_with("//") {
            let length = rest.find('\n').unwrap_or(rest.len());
            comments.push((at, rest[2..length].trim_start_matches(['/', '!'])));
            length
        } else if let Some(string) = rest.strip_prefix('"') {
            let mut former = '"';
            let close = string.find(|character| {
                let closes = character == '"' && former != '\\';
                former = if former == '\\' { ' ' } else { character };
                closes
            });
            close.map_or(rest.len(), |close| close + 2)
        } else if rest.starts_with("'\\") {
            rest[3..].find('\'').map_or(1, |close| close + 4)
        } else if rest.starts_with('\'') && rest.chars().nth(2) == Some('\'') {
            2 + rest.chars().nth(1).map_or(0, char::len_utf8)
        } else {
            let character = rest.chars().next().unwrap_or(' ');
            code.push(character);
            continue;
        };
        let blanks = rest[..hidden]
            .bytes()
            .map(|byte| if byte == b'\n' { '\n' } else { ' ' });
        code.extend(blanks);
    }
    Blanked { code, comments }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
use sync::Ordering::{AcqRel, Acquire};

impl<'a, E: Fn(u32) -> &'a AtomicU32> Ring<'a, E> {
    /// Not this one: `word.load(Acquire)`.
    fn front(&self) -> u32 {
        // ORDERING: pairs with nothing. No model tells the
        // acquire half: it is an example.
        let seen = self.word.load(Acquire);
        // ORDERING: no.
        if self.of(|head| seen < head.load(Acquire)) { panic!("load(Acquire) \" '{'"); }
        self.items.swap(0, 1);
        match self
            .word
            .compare_exchange(seen, after(seen, ')'), AcqRel, Acquire) {}
    }
}

impl<P: Park> Drop for Waiter<'_, P> {
    fn drop(&mut self) {
        self.word.fetch_update(AcqRel, Relaxed, |count| count.checked_sub(1));
    }
}

#[cfg(test)]
mod tests {
    fn load() { WORD.load(Acquire) }
}
"#;

    fn mutants(source: &str) -> Vec<Mutant> {
        sites("it.rs", source)
            .unwrap()
            .iter()
            .flat_map(weaker)
            .collect()
    }

    #[test]
    fn every_ordering_is_weakened_by_one_step() {
        let keys: Vec<_> = mutants(SOURCE)
            .iter()
            .map(|mutant| mutant.key()[1..].join(" "))
            .collect();
        assert_eq!(
            keys,
            [
                "Ring::front load Acquire Relaxed",
                "Ring::front load 2 Acquire Relaxed",
                "Ring::front compare_exchange AcqRel Acquire",
                "Ring::front compare_exchange AcqRel Release",
                "Ring::front compare_exchange Acquire on failure Relaxed",
                "Waiter::drop fetch_update AcqRel Acquire",
                "Waiter::drop fetch_update AcqRel Release",
            ]
        );
    }

    #[test]
    fn a_place_is_the_method_as_for_the_compiler() {
        let mutants = mutants(SOURCE);
        assert_eq!((mutants[0].line, mutants[0].column), (9, 30));
        assert_eq!((mutants[2].line, mutants[2].column), (15, 14));
    }

    #[test]
    fn an_explanation_is_for_one_access() {
        let explanations: Vec<_> = mutants(SOURCE).iter().map(Mutant::explanation).collect();
        assert_eq!(explanations[0].as_deref(), Some("it is an example."));
        assert!(explanations[1..].iter().all(Option::is_none));
    }

    #[test]
    fn an_ordering_elsewhere_is_an_error() {
        assert!(sites("it.rs", "fn it() { fence(Acquire) }").is_err());
        assert!(sites("it.rs", "fn it() { fence(SeqCst) }").is_ok());
        assert!(
            sites(
                "it.rs",
                "fn it() { word.compare_exchange(0, 1, AcqRel, order) }"
            )
            .is_err()
        );
    }
}
