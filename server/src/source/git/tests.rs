//! Commits of real repositories, made by git for the test. git is optional for Towngauge, but not for its tests.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use model::event::{Envelope, Event};
use model::id::{AgentName, RigName, Role};

use super::command::GitError;
use super::commits::{Bounds, read as read_within};
use super::{Commits, head_of};
use crate::db::cursor::Cursor;
use crate::ingest::Rejection;
use crate::source::FileSource as _;
use crate::source::file_source::{Reading, Shared};
use crate::source::tail::LastLine;

fn git_at(folder: &Path, seconds: u32, author: &str, arguments: &[&str]) {
    let date = format!("{} +0000", 1_700_000_000 + seconds);
    let run = Command::new("git")
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
        .envs([("GIT_AUTHOR_NAME", author), ("GIT_AUTHOR_EMAIL", "secret@example.org"), ("GIT_AUTHOR_DATE", &date)])
        .envs([
            ("GIT_COMMITTER_NAME", "c"),
            ("GIT_COMMITTER_EMAIL", "secret@example.org"),
            ("GIT_COMMITTER_DATE", &date),
        ])
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .expect("these tests need git: install it");
    assert!(run.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
}

fn git(folder: &Path, arguments: &[&str]) {
    git_at(folder, 0, "a person", arguments);
}

fn init(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
}

/// Commits a file of so many lines; returns nothing, because what counts is what is read.
fn commit(folder: &Path, seconds: u32, author: &str, file: &str, lines: usize) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, (0..lines).map(|n| format!("{file} {n}\n")).collect::<String>()).unwrap();
    git(folder, &["add", "--all"]);
    git_at(folder, seconds, author, &["commit", "--quiet", "--message", "secret message"]);
}

fn read_as(
    path: &Path,
    from: Option<&Cursor>,
    last_line: LastLine,
) -> std::io::Result<(Vec<Envelope>, Cursor, Vec<Rejection>)> {
    let shared = Shared { projects: std::sync::Arc::default(), no_paths: false };
    let head = head_of(path).unwrap_or_else(|| path.join("HEAD"));
    let (mut events, mut cursor, mut rejected) = (Vec::new(), from.cloned().unwrap_or_default(), Vec::new());
    let reading = Reading { path: &head, from, last_line, shared: &shared };
    Commits.read(&reading, &mut |piece| {
        events.extend(piece.found.events);
        rejected.extend(piece.found.rejected);
        cursor = piece.cursor;
        true
    })?;
    events.sort_by_key(|event| (event.at, event.key));
    Ok((events, cursor, rejected))
}

fn read(path: &Path, from: Option<&Cursor>) -> (Vec<Envelope>, Cursor) {
    let (events, cursor, rejected) = read_as(path, from, LastLine::Wait).unwrap();
    assert_eq!(rejected, []);
    (events, cursor)
}

fn lines(events: &[Envelope]) -> Vec<(i64, u32, u32)> {
    let told = |event: &Envelope| match &event.event {
        Event::LinesLanded(lines) => (event.at.seconds() - 1_700_000_000, lines.added, lines.removed),
        other => panic!("{other:?}"),
    };
    events.iter().map(told).collect()
}

#[test]
fn commits_of_the_default_branch_count_once_at_their_committer_s_time() {
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().join("app");
    init(&app);
    commit(&app, 10, "p", "a.txt", 5);
    commit(&app, 20, "p", "größe/ü\u{1F600}.txt", 3);
    let (events, cursor) = read(&app, None);
    assert_eq!(lines(&events), [(10, 5, 0), (20, 3, 0)]);
    assert_eq!(events[0].rig.as_ref().map(RigName::as_str), Some("app"));
    assert_eq!(events[0].agent, None);
    assert!(!format!("{events:?}").contains("secret"));

    // Nothing new, then one commit; what is not on the default branch has not landed.
    assert_eq!(read(&app, Some(&cursor)).0, []);
    git(&app, &["checkout", "--quiet", "-b", "feature"]);
    commit(&app, 30, "p", "b.txt", 7);
    assert_eq!(read(&app, Some(&cursor)).0, []);
    git(&app, &["checkout", "--quiet", "main"]);
    commit(&app, 40, "p", "a.txt", 4);
    git_at(&app, 50, "p", &["merge", "--quiet", "--no-ff", "--no-edit", "feature"]);
    let (events, cursor) = read(&app, Some(&cursor));
    assert_eq!(lines(&events), [(30, 7, 0), (40, 0, 1)], "the merge itself is none");

    // Renames and binary files.
    git(&app, &["mv", "b.txt", "c.txt"]);
    std::fs::write(app.join("blob"), [0_u8, 1, 2, 10, 10, 10]).unwrap();
    git(&app, &["add", "--all"]);
    git_at(&app, 60, "p", &["commit", "--quiet", "--message", "x"]);
    assert_eq!(read(&app, Some(&cursor)).0, []);
}

#[test]
fn clones_and_worktrees_have_the_same_commits_and_a_shallow_one_does_not_begin_with_everything() {
    let folder = tempfile::tempdir().unwrap();
    let (app, bare, shallow, tree) =
        (folder.path().join("app"), folder.path().join("app.git"), folder.path().join("s"), folder.path().join("tree"));
    init(&app);
    for n in 1..=4 {
        commit(&app, n * 10, "p", &format!("{n}.txt"), usize::try_from(n).unwrap());
    }
    let url = format!("file://{}", app.display());
    git(folder.path(), &["clone", "--quiet", "--bare", &url, "app.git"]);
    git(folder.path(), &["clone", "--quiet", "--depth=2", &url, "s"]);
    git(&app, &["worktree", "add", "--quiet", "../tree", "-b", "other"]);
    let keys = |path: &Path| read(path, None).0.iter().map(|event| (event.at, event.key)).collect::<Vec<_>>();
    let all = keys(&app);
    assert_eq!(all.len(), 4);
    assert_eq!(keys(&bare), all);
    assert_eq!(keys(&tree), all);
    assert_eq!(head_of(&tree), head_of(&app), "a worktree is its repository");
    assert_eq!(keys(&shallow), all[3..], "where the clone ends, the whole tree looks new");
    assert_eq!(read(&bare, None).0[0].rig.as_ref().map(RigName::as_str), Some("app"));
}

#[test]
fn rewritten_history_gives_the_new_commits_and_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path();
    init(app);
    commit(app, 10, "p", "a.txt", 5);
    commit(app, 20, "p", "b.txt", 6);
    let (before, cursor) = read(app, None);
    git(app, &["reset", "--quiet", "--hard", "HEAD~1"]);
    commit(app, 30, "p", "b.txt", 8);
    assert_eq!(lines(&read(app, Some(&cursor)).0), [(30, 8, 0)]);
    // The commit that was known is gone altogether.
    git(app, &["reflog", "expire", "--expire=now", "--all"]);
    git(app, &["gc", "--quiet", "--prune=now"]);
    let (after, _) = read(app, Some(&cursor));
    assert_eq!(lines(&after), [(10, 5, 0), (30, 8, 0)]);
    assert_eq!(after[0].key, before[0].key, "known by its hash");
}

#[test]
fn in_a_gas_town_an_author_that_is_an_agent_of_the_rig_is_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("mayor")).unwrap();
    std::fs::write(folder.path().join("mayor/town.json"), "{}").unwrap();
    let clone = folder.path().join("gastown/refinery/rig");
    init(&clone);
    commit(&clone, 1, "gastown/polecats/toast", "a", 1);
    commit(&clone, 2, "beads/polecats/toast", "b", 1);
    commit(&clone, 3, "Jane Doe", "c", 1);
    let (events, _) = read(&clone, None);
    let agents: Vec<Option<&str>> = events.iter().map(|event| event.agent.as_ref().map(AgentName::as_str)).collect();
    assert_eq!(agents, [Some("toast"), None, None]);
    assert_eq!((events[0].role, events[2].role), (Role::Polecat, Role::Other));
    assert!(events.iter().all(|event| event.rig.as_ref().map(RigName::as_str) == Some("gastown")));
}

#[test]
fn nothing_that_a_repository_names_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let (app, trap) = (folder.path().join("app"), folder.path().join("ran"));
    init(&app);
    commit(&app, 1, "p", "a.txt", 2);
    let program = folder.path().join("trap.sh");
    std::fs::write(&program, format!("#!/bin/sh\ntouch {}\ncat\n", trap.display())).unwrap();
    let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    std::fs::set_permissions(&program, mode).unwrap();
    let program = program.display().to_string();
    for name in ["core.fsmonitor", "diff.external", "diff.x.textconv", "diff.x.command", "core.pager", "gpg.program"] {
        git(&app, &["config", name, &program]);
    }
    git(&app, &["config", "log.showSignature", "true"]);
    git(&app, &["config", "log.showRoot", "false"]);
    std::fs::write(app.join(".git/info/attributes"), "* diff=x\n").unwrap();
    let hooks = app.join(".git/hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    std::fs::copy(&program, hooks.join("reference-transaction")).unwrap();
    assert_eq!(lines(&read(&app, None).0), [(1, 2, 0)]);
    assert!(!trap.exists(), "a program of the repository's was run");
}

#[test]
fn what_is_no_repository_is_told_once_and_a_backfill_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().join("app");
    init(&app);
    assert_eq!(read(&app, None).0, [], "no commit yet");
    commit(&app, 1, "p", "a", 1);
    let (_, good) = read(&app, None);
    std::fs::write(app.join(".git/config"), "[core]\n\trepositoryformatversion = 99\n").unwrap();
    let (_, told, rejected) = read_as(&app, Some(&good), LastLine::Wait).unwrap();
    assert_eq!(rejected.len(), 1);
    assert!(rejected[0].reason.starts_with("git "), "{rejected:?}");
    assert_eq!(rejected[0].place, "app");
    assert_eq!(told.memory, good.memory, "what was read stays read");
    assert_eq!(read_as(&app, Some(&told), LastLine::Wait).unwrap().2, []);
    assert!(read_as(&app, None, LastLine::Take).is_err());
    assert!(Commits.files(&folder.path().join("nowhere")).is_err());
    let none = Commits.files(folder.path()).unwrap();
    assert_eq!((none.files.len(), none.unreadable.len()), (0, 1));
}

/// More commits than one piece has, one second apart.
fn commit_many(folder: &Path, first: u32, count: u32) {
    let mut stream = String::new();
    for n in 0..count {
        let text: String = (0..=n % 50).map(|line| format!("{n} {line}\n")).collect();
        let (at, from) = (1_700_000_000 + first + n, if n == 0 { "from refs/heads/main^0\n" } else { "" });
        stream += &format!("commit refs/heads/main\ncommitter c <c@example.org> {at} +0000\ndata 1\nx\n{from}");
        stream += &format!("M 644 inline many.txt\ndata {}\n{text}\n", text.len());
    }
    let mut import = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["fast-import", "--quiet"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    import.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(import.wait().unwrap().success());
}

/// Reads with a git that is too late: whoever takes the first piece takes longer than git may.
fn read_late(path: &Path, from: Option<&Cursor>) -> (Result<(), GitError>, usize, Cursor, Vec<Rejection>) {
    let shared = Shared { projects: std::sync::Arc::default(), no_paths: false };
    let head = head_of(path).unwrap();
    let reading = Reading { path: &head, from, last_line: LastLine::Wait, shared: &shared };
    let bounds = Bounds { commits: 20_000, patience: Duration::from_secs(4) };
    let (mut events, mut cursor, mut rejected) = (0, from.cloned().unwrap_or_default(), Vec::new());
    let done = read_within(&reading, head.parent().unwrap(), bounds, &mut |piece| {
        if events == 0 {
            std::thread::sleep(bounds.patience + Duration::from_millis(300));
        }
        events += piece.found.events.len();
        rejected.extend(piece.found.rejected);
        cursor = piece.cursor;
        true
    });
    (done, events, cursor, rejected)
}

#[test]
fn when_git_is_late_with_new_commits_they_are_read_again_from_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    init(folder.path());
    commit(folder.path(), 1, "p", "a", 1);
    let (_, known) = read(folder.path(), None);
    commit_many(folder.path(), 10, 2_100);
    let (done, events, cursor, rejected) = read_late(folder.path(), Some(&known));
    assert_eq!((done, rejected), (Err(GitError::Late), vec![]));
    assert!(events >= 2_000, "{events}: nothing was tested");
    assert_eq!(cursor, known);
    let (events, cursor) = read(folder.path(), Some(&cursor));
    assert_eq!(events.len(), 2_100);
    assert_ne!(cursor.memory, known.memory);
}

#[test]
fn a_first_reading_that_git_is_late_with_is_cut_and_told() {
    let folder = tempfile::tempdir().unwrap();
    init(folder.path());
    commit(folder.path(), 1, "p", "a", 1);
    commit_many(folder.path(), 10, 2_100);
    let (done, events, cursor, rejected) = read_late(folder.path(), None);
    assert_eq!(done, Ok(()));
    assert!(events >= 2_000, "{events}: nothing was tested");
    assert!(rejected.len() == 1 && rejected[0].reason.contains("towngauge backfill git"), "{rejected:?}");
    assert_eq!(read(folder.path(), Some(&cursor)).0, [], "what was cut off stays so");
}

#[test]
fn a_repository_looks_different_when_its_branch_moves() {
    let folder = tempfile::tempdir().unwrap();
    init(folder.path());
    commit(folder.path(), 1, "p", "a", 1);
    let head = head_of(folder.path()).unwrap();
    let before = Commits.look(&head).unwrap();
    assert_eq!(Commits.look(&head), Some(before.clone()));
    std::thread::sleep(std::time::Duration::from_millis(20));
    commit(folder.path(), 2, "p", "b", 1);
    assert_ne!(Commits.look(&head), Some(before));
    assert_eq!(Commits.file_of(&head.with_file_name("COMMIT_EDITMSG")), Some(head));
}
