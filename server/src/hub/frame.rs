//! WebSocket frames as bytes: encoded once, written to every viewer as they are (RFC 6455, section 5.2).

use bytes::Bytes;
use serde::Serialize;

/// A ping without payload.
pub const PING: &[u8] = &[0x89, 0];

/// Why the server closes (RFC 6455, section 7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// Answer to the viewer's own close.
    Normal = 1000,
    /// The server stops.
    GoingAway = 1001,
    /// The viewer sent what the protocol does not allow.
    ProtocolError = 1002,
    /// The viewer sent more than this server reads.
    TooBig = 1009,
}

/// A message as one unmasked text frame.
///
/// # Errors
/// Never for the messages of this program; serde's signature.
pub fn text(message: &impl Serialize) -> Result<Bytes, serde_json::Error> {
    const LONGEST_HEADER: usize = 10;
    let mut frame = vec![0; LONGEST_HEADER];
    serde_json::to_writer(&mut frame, message)?;
    let length = frame.len() - LONGEST_HEADER;
    let header = header(0x81, length);
    let start = LONGEST_HEADER - header.len();
    frame[start..LONGEST_HEADER].copy_from_slice(&header);
    Ok(Bytes::from(frame).slice(start..))
}

/// A close frame.
#[must_use]
pub fn close(code: CloseCode) -> Bytes {
    let [high, low] = u16::to_be_bytes(code as u16);
    Bytes::copy_from_slice(&[0x88, 2, high, low])
}

/// A pong with the ping's payload, which is at most 125 bytes long.
#[must_use]
pub fn pong(payload: &[u8]) -> Bytes {
    let payload = &payload[..payload.len().min(125)];
    let mut frame = header(0x8A, payload.len());
    frame.extend_from_slice(payload);
    Bytes::from(frame)
}

fn header(first: u8, length: usize) -> Vec<u8> {
    let mut header = vec![first];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => header.push(short),
        (_, Ok(medium)) => {
            header.push(126);
            header.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            header.push(127);
            header.extend_from_slice(&u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    header
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use model::wire::ServerMessage;

    use super::*;

    #[test]
    fn lengths_are_written_in_the_shortest_form() {
        assert_eq!(header(0x81, 125), [0x81, 125]);
        assert_eq!(header(0x81, 126), [0x81, 126, 0, 126]);
        assert_eq!(header(0x81, 65_535), [0x81, 126, 255, 255]);
        assert_eq!(header(0x81, 65_536), [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn a_text_frame_is_its_header_and_the_json() {
        let frame = text(&ServerMessage::Beat { at: Timestamp(5) }).unwrap();
        assert_eq!(usize::from(frame[1]), frame.len() - 2);
        assert_eq!(&frame[2..], br#"{"type":"beat","at":5}"#);
    }
}
