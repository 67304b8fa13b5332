//! What viewers send: a bounded parser for masked client frames.

use model::wire::ClientMessage;

/// Longest message that a viewer may send; the longest that makes sense has 20 bytes.
pub const MAX_PAYLOAD: usize = 512;

/// One frame of a viewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A message that this protocol knows.
    Message(ClientMessage),
    /// A message that it does not know: ignored, so that newer clients can speak to older servers.
    Unknown,
    /// To be answered with a pong.
    Ping(Vec<u8>),
    /// Shows that the viewer is alive.
    Pong,
    /// The viewer is leaving.
    Close,
}

/// Why a viewer is thrown out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Unmasked, reserved bits, or an unknown kind of frame.
    #[error("the viewer broke the WebSocket protocol")]
    Protocol,
    /// Over [`MAX_PAYLOAD`], or in fragments, which nothing that short needs.
    #[error("the viewer sent a message that is too long")]
    TooBig,
}

/// Takes one frame from the beginning of `buffer`: the frame and how many bytes it had; none when it is incomplete.
///
/// # Errors
/// What the protocol forbids, or what is too long.
pub fn take_frame(buffer: &[u8]) -> Result<Option<(Incoming, usize)>, FrameError> {
    let [first, second, rest @ ..] = buffer else { return Ok(None) };
    if first & 0x70 != 0 || second & 0x80 == 0 {
        return Err(FrameError::Protocol);
    }
    let (length, rest) = match second & 0x7F {
        126 => {
            let [high, low, rest @ ..] = rest else { return Ok(None) };
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        127 => return Err(FrameError::TooBig),
        short => (usize::from(short), rest),
    };
    if length > MAX_PAYLOAD {
        return Err(FrameError::TooBig);
    }
    let opcode = first & 0x0F;
    let (is_control, is_final) = (opcode & 0x08 != 0, first & 0x80 != 0);
    if is_control && (length > 125 || !is_final) {
        return Err(FrameError::Protocol);
    }
    if !is_control && (!is_final || opcode == 0) {
        return Err(FrameError::TooBig);
    }
    let Some((mask, rest)) = rest.split_at_checked(4) else { return Ok(None) };
    let Some(masked) = rest.get(..length) else { return Ok(None) };
    let payload: Vec<u8> = masked.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    let used = buffer.len() - rest.len() + length;
    let incoming = match opcode {
        0x1 => serde_json::from_slice(&payload).map_or(Incoming::Unknown, Incoming::Message),
        0x2 => Incoming::Unknown,
        0x8 => Incoming::Close,
        0x9 => Incoming::Ping(payload),
        0xA => Incoming::Pong,
        _ => return Err(FrameError::Protocol),
    };
    Ok(Some((incoming, used)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first, 0x80 | u8::try_from(payload.len()).unwrap(), 1, 2, 3, 4];
        frame.extend(payload.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(byte, key)| byte ^ key));
        frame
    }

    #[test]
    fn frames_are_read_as_they_come() {
        let check = |frame: &[u8], want: Incoming| {
            assert_eq!(take_frame(frame), Ok(Some((want, frame.len()))));
            for cut in 0..frame.len() {
                assert_eq!(take_frame(&frame[..cut]), Ok(None), "cut at {cut}");
            }
        };
        check(&masked(0x81, br#"{"type":"resync"}"#), Incoming::Message(ClientMessage::Resync));
        check(&masked(0x81, br#"{"type":"later"}"#), Incoming::Unknown);
        check(&masked(0x89, b"hello"), Incoming::Ping(b"hello".to_vec()));
        check(&masked(0x8A, b""), Incoming::Pong);
        check(&masked(0x88, &[3, 232]), Incoming::Close);
    }

    #[test]
    fn what_the_protocol_forbids_is_refused() {
        assert_eq!(take_frame(&[0x81, 0x05]), Err(FrameError::Protocol), "unmasked");
        assert_eq!(take_frame(&[0xC1, 0x80]), Err(FrameError::Protocol), "reserved bit");
        assert_eq!(take_frame(&masked(0x83, b"")), Err(FrameError::Protocol), "unknown kind");
        assert_eq!(take_frame(&[0x81, 0xFF]), Err(FrameError::TooBig), "64-bit length");
        assert_eq!(take_frame(&[0x81, 0xFE, 2, 1]), Err(FrameError::TooBig), "513 bytes");
        assert_eq!(take_frame(&masked(0x01, b"{")), Err(FrameError::TooBig), "fragment");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(Some((_, used))) = take_frame(&bytes) {
                prop_assert!(used <= bytes.len());
            }
        }
    }
}
