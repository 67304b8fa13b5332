//! Repositories as a source of files: a repository's `HEAD` stands for it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::event::{Envelope, Event, LinesLanded};
use model::id::{AgentName, EventKey, RigName, Role, SourceName};
use xxhash_rust::xxh3::xxh3_64;

use super::command::{Git, GitError};
use super::log::{Commit, FORMAT, Reader};
use super::repository::{ends, head_of, known_folder, look, tip};
use crate::db::cursor::Cursor;
use crate::ingest::Rejection;
use crate::source::beads::town_root;
use crate::source::claude_code::is_town_root;
use crate::source::file_source::{FileSource, Look, Reading, Shared};
use crate::source::found::Found;
use crate::source::gas_town::Address;
use crate::source::project::Project;
use crate::source::tail::{LastLine, Piece};
use crate::source::{Yield, identity};

const SOURCE: &str = "git";
/// Commits after which a piece is handed on.
const PIECE_COMMITS: usize = 2_000;
/// Rigs that are looked at; a town has a handful.
const MAX_RIGS: usize = 1_000;
/// Where a rig of a Gas Town has clones. All are the same commits, so the first that is there is enough.
const CLONES: [&str; 4] = [".repo.git", "refinery/rig", "mayor/rig", ""];

/// What one reading may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Commits, the newest ones.
    pub commits: usize,
    /// How long each of git's commands may take.
    pub patience: Duration,
}

/// While others wait: a long history is read by `towngauge backfill git`.
const FOLLOWING: Bounds = Bounds { commits: 20_000, patience: Duration::from_secs(30) };
const READING_ALL: Bounds = Bounds { commits: 2_000_000, patience: Duration::from_secs(3_600) };

/// Commits of a Gas Town's rigs, and of repositories that are named.
#[derive(Debug, Clone, Copy)]
pub struct Commits;

impl FileSource for Commits {
    fn name(&self) -> &'static str {
        SOURCE
    }
    fn word(&self) -> &'static str {
        "git"
    }
    fn about(&self) -> &'static str {
        "a git repository's folder: the lines that its commits landed"
    }
    fn roots(&self) -> Vec<PathBuf> {
        town_root().map(|town| rigs(&town)).unwrap_or_default()
    }
    fn root(&self, path: PathBuf) -> PathBuf {
        // Its HEAD, so that not the whole working copy is watched.
        head_of(&path).unwrap_or(path)
    }
    fn owns(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| name == "HEAD")
    }
    fn files(&self, path: &Path) -> io::Result<Found> {
        std::fs::metadata(path)?;
        let head = head_of(path);
        let unreadable = head.is_none().then(|| (path.to_owned(), GitError::NoRepository.to_string()));
        Ok(Found { files: head.into_iter().collect(), unreadable: unreadable.into_iter().collect() })
    }
    fn file_of(&self, changed: &Path) -> Option<PathBuf> {
        // Whatever moves a branch touches a file beside HEAD.
        changed.parent().map(|folder| folder.join("HEAD")).filter(|head| head.is_file())
    }
    fn look(&self, path: &Path) -> Option<Look> {
        look(path.parent()?)
    }
    fn read(&self, reading: &Reading<'_>, emit: &mut dyn FnMut(Piece) -> bool) -> io::Result<()> {
        let folder = head_of(reading.path).and_then(|head| head.parent().map(Path::to_owned));
        let bounds = if reading.last_line == LastLine::Take { READING_ALL } else { FOLLOWING };
        let read = match &folder {
            Some(folder) => read(reading, folder, bounds, emit),
            None => Err(GitError::NoRepository),
        };
        match read {
            Ok(()) => Ok(()),
            Err(error) if reading.last_line == LastLine::Take => Err(io::Error::other(error)),
            Err(error) => {
                complain(reading, error, emit);
                // Tried again later, although the repository looks the same then.
                if error == GitError::Late { Err(io::Error::new(io::ErrorKind::TimedOut, error)) } else { Ok(()) }
            }
        }
    }
}

/// Says what is wrong, once for as long as it is.
fn complain(reading: &Reading<'_>, error: GitError, emit: &mut dyn FnMut(Piece) -> bool) {
    let reason = error.to_string();
    let before = reading.from.cloned().unwrap_or_default();
    let cursor = Cursor { head: xxh3_64(reason.as_bytes()).cast_signed(), ..before };
    if cursor.head != before.head || reading.from.is_none() {
        let place = reading.path.parent().map(known_folder).and_then(|folder| name_of(&folder)).unwrap_or_default();
        tracing::warn!(repository = %reading.path.display(), "{reason}");
        let found = Yield { rejected: vec![Rejection { place, reason }], ..Yield::default() };
        emit(Piece { found, cursor, bytes: 0 });
    }
}

/// The repositories of a town's rigs.
fn rigs(town: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(town).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut rigs: Vec<PathBuf> = folders.filter(|path| path.is_dir()).take(MAX_RIGS).collect();
    rigs.sort();
    let own = |rig: &PathBuf| CLONES.iter().find_map(|clone| head_of(&rig.join(clone)));
    rigs.iter().filter(|rig| !rig.ends_with("mayor") && !rig.ends_with("deacon")).filter_map(own).collect()
}

/// Reads the commits that are not known yet, within bounds.
pub(super) fn read(
    reading: &Reading<'_>,
    folder: &Path,
    bounds: Bounds,
    emit: &mut dyn FnMut(Piece) -> bool,
) -> Result<(), GitError> {
    let begun = Instant::now();
    let git = Git { folder, patience: bounds.patience };
    let Some(tip) = tip(&git)? else { return Ok(()) };
    let before = reading.from.cloned().unwrap_or_default();
    let head = xxh3_64(tip.as_bytes()).cast_signed();
    if before.memory.as_deref() == Some(tip.as_str()) && before.head == head {
        return Ok(());
    }
    // What was the newest commit may be gone, when history was rewritten: then everything is looked at again, and what
    // was known is known by its hash.
    let known = before.memory.filter(|hash| identity::commit(hash).is_some());
    let known = match known {
        Some(hash) => git.first(&["rev-parse", "--verify", "--quiet", &format!("{hash}^{{commit}}")])?,
        None => None,
    };
    let is_first = known.is_none();
    let owner = Owner::of(folder, reading.shared);
    let ends = ends(folder);
    let most = format!("--max-count={}", bounds.commits.saturating_add(1));
    let without = known.map(|hash| format!("^{hash}"));
    let mut arguments = vec![
        "log",
        "--no-merges",
        "--shortstat",
        "-M",
        "--diff-algorithm=myers",
        "--no-ext-diff",
        "--no-textconv",
        "--no-show-signature",
        "--no-color",
        "--no-notes",
        "--ignore-submodules=all",
        "-O/dev/null",
        FORMAT,
        &most,
        &tip,
    ];
    arguments.extend(without.as_deref());
    arguments.push("--");

    let mut reader = Reader::default();
    let mut found = Yield::default();
    let (mut seen, mut goes_on) = (0, true);
    // Until everything is read, the cursor stays: newest commits come first.
    let unread = reading.from.cloned().unwrap_or_default();
    let listed = git.lines(&arguments, &mut |line| {
        if line.starts_with(super::log::MARK) {
            seen += 1;
            found.lines += 1;
            if seen > bounds.commits {
                return false;
            }
        }
        if let Some(commit) = reader.line(line)
            && !ends.contains(&commit.hash)
        {
            owner.take(commit, &mut found);
        }
        if found.items() >= PIECE_COMMITS {
            goes_on = emit(Piece { found: std::mem::take(&mut found), cursor: unread.clone(), bytes: 0 });
        }
        goes_on
    });
    if !goes_on {
        return Ok(());
    }
    let is_cut = match listed {
        Ok(()) => seen > bounds.commits,
        // Only a first reading may leave older commits out. After what is known, they would be left out for good: they
        // are read from there again.
        Err(GitError::Late) if is_first && seen > 0 => true,
        Err(error) => return Err(error),
    };
    if is_cut {
        let seconds = begun.elapsed().as_secs();
        let reason = format!(
            "older commits are not counted: only the newest {} were read in {seconds} s; \"towngauge backfill git\" reads \
             all of them",
            seen.min(bounds.commits)
        );
        found.rejected.push(Rejection { place: owner.name.clone(), reason });
    }
    let lines = before.lines.saturating_add(u64::try_from(seen).unwrap_or(0));
    emit(Piece { found, cursor: Cursor { head, position: lines, lines, memory: Some(tip) }, bytes: 0 });
    Ok(())
}

/// Whose commits they are.
struct Owner {
    name: String,
    rig: Option<RigName>,
    source: Option<SourceName>,
    /// Authors can be agents of this rig.
    is_gas_town: bool,
}

impl Owner {
    fn of(folder: &Path, shared: &Shared) -> Self {
        let known = known_folder(folder);
        let town = |above: &Path| is_town_root(&above.to_string_lossy());
        let in_town = known.ancestors().find(|folder| folder.parent().is_some_and(town));
        let rig = match in_town.and_then(name_of) {
            Some(rig) => RigName::new(&rig).ok(),
            None => Project::of(&known.to_string_lossy(), shared).rig().cloned(),
        };
        let name = name_of(&known).unwrap_or_default();
        Self { name, rig, source: SourceName::new(SOURCE).ok(), is_gas_town: in_town.is_some() }
    }

    fn take(&self, commit: Commit, found: &mut Yield) {
        let (Some(key), Some(source)) = (identity::commit(&commit.hash), self.source.clone()) else { return };
        let at = match commit.at.believed() {
            Ok(at) => at,
            Err(error) => {
                let place = format!("{} {}", self.name, &commit.hash[..12]);
                found.rejected.push(Rejection { place, reason: error.to_string() });
                return;
            }
        };
        let rig = self.rig.as_ref().map(RigName::as_str);
        let author = Address::parse(&commit.author).filter(|author| self.is_gas_town && author.rig == rig);
        found.events.push(Envelope {
            at,
            key: EventKey(key),
            claim: None,
            source,
            rig: self.rig.clone(),
            role: author.map_or(Role::Other, |author| author.role),
            agent: author.and_then(|author| AgentName::new(author.name).ok()),
            session: None,
            bead: None,
            event: Event::LinesLanded(LinesLanded { added: commit.added, removed: commit.removed }),
        });
    }
}

fn name_of(folder: &Path) -> Option<String> {
    folder.file_name().map(|name| name.to_string_lossy().into_owned())
}
