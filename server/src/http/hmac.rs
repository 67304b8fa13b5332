//! HMAC-SHA-256 (RFC 2104), for session cookies.

use sha2::{Digest, Sha256};

const BLOCK: usize = 64;

/// The code of `message` under `key`, which is at most 64 bytes long.
#[must_use]
pub fn sign(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |byte: u8| {
        let mut block = [byte; BLOCK];
        block.iter_mut().zip(key).for_each(|(slot, key)| *slot ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::secret::hex;

    #[test]
    fn it_gives_what_the_standard_says() {
        // RFC 4231, test case 1; its key of 20 bytes is the same as with zeros after it.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let code = hex(&sign(&key, b"Hi There"));
        assert_eq!(code, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    }
}
