//! What `git log --shortstat` says, commit by commit.

use model::time::Timestamp;

/// Before each commit's own line; no other line begins so.
pub(super) const MARK: char = '\u{1}';
/// Hash, committer's time, author's name: the last, because it may hold anything.
pub(super) const FORMAT: &str = "--format=%x01%H %ct %an";

/// A commit that changes lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commit {
    pub hash: String,
    pub at: Timestamp,
    pub author: String,
    pub added: u32,
    pub removed: u32,
}

/// Reads lines into commits; those that change no line (merges, modes, binary files) are none.
#[derive(Debug, Default)]
pub(super) struct Reader {
    begun: Option<Commit>,
}

impl Reader {
    /// Takes a line; a commit when it is complete with it.
    pub(super) fn line(&mut self, line: &str) -> Option<Commit> {
        if let Some(rest) = line.strip_prefix(MARK) {
            self.begun = begin(rest);
            return None;
        }
        let (added, removed) = shortstat(line)?;
        let commit = self.begun.take()?;
        (added > 0 || removed > 0).then_some(Commit { added, removed, ..commit })
    }
}

fn begin(line: &str) -> Option<Commit> {
    let mut parts = line.splitn(3, ' ');
    let (hash, seconds) = (parts.next()?, parts.next()?.parse().ok()?);
    let author = parts.next().unwrap_or_default().to_owned();
    Some(Commit { hash: hash.to_owned(), at: Timestamp::from_seconds(seconds), author, added: 0, removed: 0 })
}

/// ` 2 files changed, 14 insertions(+), 3 deletions(-)`, of which either of the last two may be missing. What no number
/// here can hold is as large as one can be, which the store then does not believe.
fn shortstat(line: &str) -> Option<(u32, u32)> {
    let mut parts = line.trim().split(", ");
    parts.next().filter(|first| first.contains(" changed"))?;
    let (mut added, mut removed) = (0, 0);
    for part in parts {
        let (number, what) = part.split_once(' ')?;
        let number = number.parse::<u64>().map_or(u32::MAX, |n| u32::try_from(n).unwrap_or(u32::MAX));
        if what.starts_with("insertion") {
            added = number;
        } else if what.starts_with("deletion") {
            removed = number;
        }
    }
    Some((added, removed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_line_is_understood() {
        let check = |line: &str, want| assert_eq!(shortstat(line), want, "{line}");
        check(" 1 file changed, 1 insertion(+)", Some((1, 0)));
        check(" 2 files changed, 14 insertions(+), 3 deletions(-)", Some((14, 3)));
        check(" 1 file changed, 5 deletions(-)", Some((0, 5)));
        check(" 1 file changed, 0 insertions(+), 0 deletions(-)", Some((0, 0)));
        check(
            " 1 file changed, 99999999999999999999999 insertions(+), 5000000000 deletions(-)",
            Some((u32::MAX, u32::MAX)),
        );
        check("", None);
        check("something else", None);
    }

    #[test]
    fn commits_without_lines_are_none_and_names_may_be_anything() {
        let mut reader = Reader::default();
        let lines = [
            "\u{1}aa 1700000000 gastown/polecats/toast",
            "",
            " 1 file changed, 2 insertions(+)",
            "\u{1}bb 1700000001 a merge",
            "\u{1}cc 1700000002 ",
            "",
            " 1 file changed, 1 deletion(-)",
            "\u{1}dd broken",
            " 1 file changed, 1 deletion(-)",
            "\u{1}ee 5 x, 9 insertions(+)",
            " 1 file changed, 0 insertions(+), 0 deletions(-)",
        ];
        let commits: Vec<Commit> = lines.into_iter().filter_map(|line| reader.line(line)).collect();
        let told: Vec<(&str, &str, u32, u32)> =
            commits.iter().map(|c| (c.hash.as_str(), c.author.as_str(), c.added, c.removed)).collect();
        assert_eq!(told, [("aa", "gastown/polecats/toast", 2, 0), ("cc", "", 0, 1)]);
    }
}
