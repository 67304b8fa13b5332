//! Keys: 256 random bits, shown once, stored as their SHA-256.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Every key begins with this, so that scanners find those that leaked.
const PREFIX: &str = "tg_";

/// A new key in the clear. Not `Debug`, so that it is not logged by accident.
pub struct Secret(String);

impl Secret {
    /// A new random key.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("{PREFIX}{}", hex(&bytes))))
    }
    /// To be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// What is stored of a key; none when it cannot be a key at all.
#[must_use]
pub fn hash(key: &str) -> Option<[u8; 32]> {
    let key = key.trim();
    let digits = key.strip_prefix(PREFIX)?;
    (digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| Sha256::digest(key).into())
}

/// Compares without telling by the time it takes where the difference is.
#[must_use]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_long_random_and_recognized() {
        let (a, b) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert_eq!(a.reveal().len(), 3 + 64);
        assert_ne!(a.reveal(), b.reveal());
        assert_eq!(hash(a.reveal()), hash(&format!(" {}\n", a.reveal())));
        assert!(hash(a.reveal()).is_some() && hash("tg_short").is_none() && hash("").is_none());
    }

    #[test]
    fn comparison_sees_every_difference() {
        assert!(equal(b"abc", b"abc"));
        assert!(!equal(b"abc", b"abd") && !equal(b"abc", b"ab") && !equal(b"xbc", b"abc"));
    }
}
