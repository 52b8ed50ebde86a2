//! What it prints: the lines of `sha256sum`, in order, and complaints.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::process::Signal;
use rustix::pty::OpenptFlags;

use super::{HUGE, Running, add_sparse, assert_ended, names, run, sha256tree, text, tree};
use crate::harness::{LONG, until};

#[test]
fn odd_names_come_out_as_from_sha256sum() {
    let folder = tree(&[]);
    let odd: [&[u8]; 14] = [
        b"plain",
        b"-dash",
        b"--",
        b" two  spaces ",
        b"new\nline",
        b"\n",
        b"carriage\rreturn",
        b"back\\slash",
        b"\\n",
        b"\xff\xfe not utf-8 \xc3",
        b"\x1b[31mred\x07",
        b"*star",
        b"it's",
        b"tab\t\"quoted\"",
    ];
    let mut odd = odd.map(|name| [b"./", name].concat());
    odd.sort();
    for (number, name) in odd.iter().enumerate() {
        fs::write(
            folder.path().join(OsStr::from_bytes(name)),
            vec![b'x'; number],
        )
        .unwrap();
    }
    let ours = run(["."], &folder);
    assert_ended(&ours, 0, "");

    let mut sha256sum = Command::new("sha256sum");
    sha256sum
        .args(odd.iter().map(|name| OsStr::from_bytes(name)))
        .current_dir(&folder);
    let theirs = Running::start(&mut sha256sum).finish();
    assert_eq!(ours.stdout, theirs.stdout);

    fs::write(folder.path().join("sums"), &ours.stdout).unwrap();
    let mut check = Command::new("sha256sum");
    check
        .args(["--check", "--strict", "sums"])
        .current_dir(&folder);
    let checked = Running::start(&mut check).finish();
    assert_ended(&checked, 0, "");
    assert_eq!(
        checked.stdout.split_inclusive(|&b| b == b'\n').count(),
        odd.len()
    );
}

#[test]
fn the_order_is_that_of_the_bytes_of_the_names() {
    // A name is compared as a whole, without what is below it: `d` comes before `d-`.
    let order = [
        "D", "d/e/f/g", "d/e.x", "d/z", "d-", "d.x", "da/x", "e", "\u{e9}",
    ];
    let folder = tree(&order);
    let order = order.map(|name| format!("./{name}"));
    for threads in ["1", "2", "7"] {
        for queue in ["1", "2", "1000"] {
            let output = run(["--threads", threads, "--queue", queue, "."], &folder);
            assert_ended(&output, 0, "");
            assert_eq!(names(&output), order);
        }
    }
}

#[test]
fn paths_are_taken_in_the_order_given_and_shown_as_by_find() {
    let folder = tree(&["a/1", "a/2/3", "b", "c/4"]);
    let paths = ["b", "a//", "./a", "b", "c/", "a/2/.."];
    let ours = run(paths, &folder);
    assert_ended(&ours, 0, "");
    assert_eq!(
        names(&ours),
        [
            "b",
            "a//1",
            "a//2/3",
            "./a/1",
            "./a/2/3",
            "b",
            "c/4",
            "a/2/../1",
            "a/2/../2/3"
        ]
    );
}

#[test]
fn what_is_not_a_regular_file_is_passed_over() {
    let folder = tree(&["real/file"]);
    let path = |name| folder.path().join(name);
    symlink("file", path("real/link")).unwrap();
    symlink("real", path("folder-link")).unwrap();
    symlink("nowhere", path("dangling")).unwrap();
    symlink(".", path("real/loop")).unwrap();
    let _socket = UnixListener::bind(path("socket")).unwrap();
    let pipe = Command::new("mkfifo").arg(path("pipe")).status().unwrap();
    assert!(pipe.success());
    let output = run(
        [
            ".",
            "real/link",
            "folder-link",
            "dangling",
            "socket",
            "pipe",
        ],
        &folder,
    );
    assert_ended(&output, 0, "");
    assert_eq!(names(&output), ["./real/file"]);
    // Unless a slash says that the folder is meant.
    let output = run(["folder-link/"], &folder);
    assert_eq!(names(&output), ["folder-link/file"]);
}

#[test]
fn what_cannot_be_read_is_reported_and_the_rest_is_done() {
    let folder = tree(&["a", "b", "shut/file"]);
    // A regular file, even to root unreadable at its beginning.
    let mem = "/proc/self/mem";
    let output = run(["missing", "a", mem, "a/", "new\nline", "", "b"], &folder);
    assert_eq!(names(&output), ["a", "b"]);
    assert_ended(
        &output,
        1,
        "sha256tree: missing: No such file or directory\n\
         sha256tree: /proc/self/mem: Input/output error\n\
         sha256tree: a/: Not a directory\n\
         sha256tree: $'new\\nline': No such file or directory\n\
         sha256tree: '': No such file or directory\n",
    );

    let shut = folder.path().join("shut");
    fs::set_permissions(&shut, PermissionsExt::from_mode(0o000)).unwrap();
    // Root reads it all the same.
    if fs::read_dir(&shut).is_err() {
        let output = run(["."], &folder);
        assert_eq!(names(&output), ["./a", "./b"]);
        assert_ended(&output, 1, "sha256tree: ./shut: Permission denied\n");
    }
    fs::set_permissions(&shut, PermissionsExt::from_mode(0o700)).unwrap();
}

#[test]
fn a_senseless_command_line_is_refused() {
    let folder = tree(&["a"]);
    let lines: [(&[&str], &str); 6] = [
        (&["--threads", "0", "a"], "'--threads <N>': 0 is not in"),
        (&["--queue", "0", "a"], "'--queue <N>': 0 is not in"),
        (&["--threads", "two", "a"], "'--threads <N>'"),
        (&["--threads=", "a"], "'--threads <N>'"),
        (&["--bogus", "a"], "'--bogus'"),
        (&[], "<PATH>..."),
    ];
    for (args, complaint) in lines {
        let output = run(args, &folder);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(text(&output.stdout), "");
        let stderr = text(&output.stderr);
        assert!(
            stderr.starts_with("error: ") && stderr.contains(complaint),
            "{stderr}"
        );
    }
    let help = run(["--help"], &folder);
    assert_ended(&help, 0, "");
    for topic in [
        "--threads <N>",
        "--queue <N>",
        "Symbolic links",
        "130",
        "141",
        "143",
    ] {
        assert!(text(&help.stdout).contains(topic), "{topic}");
    }
}

#[test]
fn a_terminal_gets_a_progress_bar() {
    let folder = tree(&["a"]);
    add_sparse(&folder, "huge", HUGE);
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let terminal = rustix::pty::openpt(flags).unwrap();
    rustix::pty::grantpt(&terminal).unwrap();
    rustix::pty::unlockpt(&terminal).unwrap();
    let name = rustix::pty::ptsname(&terminal, Vec::new()).unwrap();
    let end = File::options()
        .read(true)
        .write(true)
        .open(text(name.as_bytes()))
        .unwrap();
    let mut command = sha256tree(["."]);
    command
        .current_dir(&folder)
        .stdout(Stdio::piped())
        .stderr(end);
    let running = Running::spawn(&mut command);

    let (sender, seen) = mpsc::channel();
    thread::spawn(move || {
        let mut terminal = File::from(terminal);
        let mut screen = Vec::new();
        let mut bytes = [0; 4096];
        // Fails when the other end is closed.
        while let Ok(n) = terminal.read(&mut bytes) {
            screen.extend_from_slice(&bytes[..n]);
            let shown = String::from_utf8_lossy(&screen);
            if ["1/2 files [", " MiB/40.00 GiB ", "/s ETA "]
                .iter()
                .all(|it| shown.contains(it))
            {
                let _ = sender.send(());
            }
        }
    });
    seen.recv_timeout(LONG).expect("no progress");
    let (output, _) = running.stop(Signal::INT);
    assert_eq!(output.status.code(), Some(130), "{}", output.status);
    assert_eq!(names(&output), ["./a"]);
}

#[test]
fn memory_stays_flat() {
    let folder = tree(&[]);
    fs::create_dir(folder.path().join("files")).unwrap();
    for number in 0..100 {
        add_sparse(&folder, &format!("files/{number}"), 0);
    }
    add_sparse(&folder, "huge", HUGE);
    let peak = |rounds: usize| {
        let mut paths = vec!["files"; rounds];
        // When it comes to this, it has been through all the others.
        paths.push("huge");
        let mut command = sha256tree(["--queue", "100"]);
        let running = Running::start(command.args(paths).current_dir(&folder));
        until(|| running.has_open("huge"));
        running.peak()
    };
    let (few, many) = (peak(10), peak(300));
    assert!(
        many < few + 2048,
        "{few} KiB for 1000 files, {many} KiB for 30,000"
    );
}
