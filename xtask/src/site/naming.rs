//! Names that carry the hash of the content, for immutable caching.

use xxhash_rust::xxh3::xxh3_64;

/// 16 hexadecimal characters.
pub fn content_hash(content: &[u8]) -> String {
    format!("{:016x}", xxh3_64(content))
}

/// "icon.svg" -> "icon.0123456789abcdef.svg"; folders stay in front.
pub fn hashed_name(path: &str, content: &[u8]) -> String {
    let hash = content_hash(content);
    let name_at = path.rfind('/').map_or(0, |slash| slash + 1);
    match path[name_at..].rfind('.') {
        Some(dot) => format!("{}.{hash}{}", &path[..name_at + dot], &path[name_at + dot..]),
        None => format!("{path}.{hash}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_stands_before_the_extension() {
        let check = |path, expected: &str| {
            let name = hashed_name(path, b"gauge");
            assert_eq!(name.replace(&content_hash(b"gauge"), "#"), expected);
        };
        check("icon.svg", "icon.#.svg");
        check("fonts/a.b.woff2", "fonts/a.b.#.woff2");
        check("v1.0/readme", "v1.0/readme.#");
    }

    #[test]
    fn the_hash_follows_the_content_alone_and_has_16_characters() {
        assert_eq!(content_hash(b"a"), content_hash(b"a"));
        assert_ne!(content_hash(b"a"), content_hash(b"b"));
        assert_eq!(content_hash(b"").len(), 16);
        assert!(content_hash(b"tank").chars().all(|character| character.is_ascii_hexdigit()));
    }
}
