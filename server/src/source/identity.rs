//! Identities: 128-bit hashes that depend on nothing but what the source itself says, so that reading twice gives the
//! same keys.

use model::dedupe::{Claim, Rank};
use model::request::RequestId;
use model::time::Timestamp;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// Hash of `kind` and `parts`; each part is framed by its length, so that ("a", "bc") and ("ab", "c") differ.
#[must_use]
pub fn hash(kind: &str, parts: &[&[u8]]) -> u128 {
    hash_short(kind, parts).unwrap_or_else(|| hash_long(kind, parts))
}

/// The group of everything that a session reports of one kind (model::dedupe::Basis): `kind` is the event's
/// (`EventKind::name`), `session` its conversation, or whatever stands for one.
#[must_use]
pub fn group(kind: &str, session: &str) -> u128 {
    hash("group", &[kind.as_bytes(), session.as_bytes()])
}

/// Nearly every identity fits a few cache lines, and hashing them at once is several times faster.
fn hash_short(kind: &str, parts: &[&[u8]]) -> Option<u128> {
    let mut buffer = [0; 512];
    let mut end = 0;
    let mut push = |bytes: &[u8]| {
        buffer.get_mut(end..end + bytes.len())?.copy_from_slice(bytes);
        end += bytes.len();
        Some(())
    };
    push(kind.as_bytes())?;
    for part in parts {
        push(&part.len().to_le_bytes())?;
        push(part)?;
    }
    Some(xxh3_128(&buffer[..end]))
}

fn hash_long(kind: &str, parts: &[&[u8]]) -> u128 {
    let mut hasher = Xxh3::new();
    hasher.update(kind.as_bytes());
    for part in parts {
        hasher.update(&part.len().to_le_bytes());
        hasher.update(part);
    }
    hasher.digest128()
}

/// A commit, by its whole hash; none when it is none. Every clone of a repository has the same, so it counts once.
#[must_use]
pub fn commit(hash_hex: &str) -> Option<u128> {
    let whole = matches!(hash_hex.len(), 40 | 64) && hash_hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then(|| hash("git commit", &[hash_hex.to_ascii_lowercase().as_bytes()]))
}

/// The message that a tool's use claims, by the id that its agent gave it.
#[must_use]
pub fn tool(id: &str) -> u128 {
    hash("tool", &[id.as_bytes()])
}

/// A tool's use as a request.
#[must_use]
pub fn tool_request(id: &str) -> u128 {
    RequestId::of(hash("tool request", &[id.as_bytes()])).number()
}

/// The beginning of a session: key and claim. Several sources may tell of it; one that names the agent is the better
/// report, and of equals the earlier one.
#[must_use]
pub fn session_start(session: &str, names_agent: bool, at: Timestamp) -> (u128, Claim) {
    let message = hash("session started", &[session.as_bytes()]);
    let rank = Rank { sidechain: false, tokens: 0, has_speed: names_agent, at: at.0, origin: 0 };
    (message, Claim::by_message(message, 0, rank))
}

/// A rank's origin for a file: sorts like the file's name does, so that of equal reports the one in the file that
/// comes first counts (`ccusage` reads files in that order and keeps the first).
///
/// 39 bits are the beginning of the name (of a session's UUID: its first ten hex digits, all but one bit), 24 bits a
/// hash of the whole, and the sign bit stays clear because the database stores it as a signed number.
#[must_use]
pub fn origin(stem: &str, whole: &str) -> u64 {
    let head: String = stem.chars().filter(|c| *c != '-').take(16).collect();
    let order = if head.len() == 16 {
        u64::from_str_radix(&head, 16).unwrap_or_else(|_| leading_bytes(stem))
    } else {
        leading_bytes(stem)
    };
    let tail = u64::try_from(hash("origin", &[whole.as_bytes()]) & 0xff_ffff).unwrap_or(0);
    ((order >> 25) << 24) | tail
}

fn leading_bytes(name: &str) -> u64 {
    let mut bytes = [0; 8];
    for (slot, byte) in bytes.iter_mut().zip(name.bytes()) {
        *slot = byte;
    }
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_framed() {
        assert_ne!(hash("k", &[b"a", b"bc"]), hash("k", &[b"ab", b"c"]));
        assert_ne!(hash("k", &[b"a"]), hash("l", &[b"a"]));
        assert_eq!(hash("k", &[b"a", b""]), hash("k", &[b"a", b""]));
    }

    #[test]
    fn a_commit_is_known_by_its_whole_hash_only() {
        let hash = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
        assert!(commit(hash).is_some());
        assert_eq!(commit(hash), commit(&hash.to_ascii_uppercase()));
        for none in ["", "4b825dc", "HEAD", &format!("{hash}0"), &hash.replace('4', "g")] {
            assert_eq!(commit(none), None, "{none}");
        }
    }

    #[test]
    fn both_ways_of_hashing_agree() {
        for length in [0, 1, 16, 200, 400, 470] {
            let part = vec![7_u8; length];
            let parts: &[&[u8]] = &[&part, b"x", b""];
            assert_eq!(hash_short("kind", parts), Some(hash_long("kind", parts)), "{length}");
        }
        assert_eq!(hash_short("kind", &[&[0; 600]]), None);
        assert_eq!(hash("kind", &[&[0; 600]]), hash_long("kind", &[&[0; 600]]));
    }

    #[test]
    fn origins_sort_like_names_and_are_never_negative() {
        let of = |stem: &str| origin(stem, stem);
        assert!(of("0a79134d-b6e9-4867-af0c-6941038c9e4b") < of("fa79134d-b6e9-4867-af0c-6941038c9e4b"));
        assert!(of("alpha") < of("beta"));
        assert!(of("ffffffff-ffff-ffff-ffff-ffffffffffff") <= u64::MAX >> 1);
        assert_ne!(of("session-alpha"), of("session-beta"));
    }
}
