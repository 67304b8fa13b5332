//! HMAC-SHA-256 (RFC 2104), for session cookies and webhooks.

use sha2::{Digest, Sha256};

const BLOCK: usize = 64;

/// The code of `message` under `key`.
#[must_use]
pub fn sign(key: &[u8], message: &[u8]) -> [u8; 32] {
    // A key longer than a block counts as its hash.
    let hashed: [u8; 32];
    let key = if key.len() > BLOCK {
        hashed = Sha256::digest(key).into();
        &hashed
    } else {
        key
    };
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
        // Test cases 2 and 6: a short key, and one of 131 bytes.
        let code = |key: &[u8], message: &[u8]| hex(&sign(key, message));
        let short = code(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(short, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let long = code(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(long, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }
}
