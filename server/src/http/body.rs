//! Reads a request's body with a bound on the wire and another after decompression.

use std::io::Read;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::ApiError;

/// Body after decompression, and on the wire.
pub const MAX_BODY_BYTES: usize = 64 << 20;
/// Above this a body needs one of the few places for large ones.
pub const LARGE_BODY_BYTES: usize = 1 << 20;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As it is.
    Plain,
    /// `Content-Encoding: gzip`
    Gzip,
}

/// Looks at the headers: what this endpoint understands.
///
/// # Errors
/// 415 for another type or encoding, 413 when the declared length is too much already.
pub fn check(headers: &HeaderMap) -> Result<Packing, ApiError> {
    if let Some(kind) = headers.get(CONTENT_TYPE) {
        let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let known = [
            "application/json",
            "application/x-ndjson",
            "application/ndjson",
            "application/jsonl",
            "application/json-lines",
        ];
        if !known.contains(&kind.as_str()) {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!("Content-Type \"{}\" is not understood", kind.chars().take(80).collect::<String>()),
                "send application/json (an object or an array) or application/x-ndjson (one object per line)",
            ));
        }
    }
    packing(headers)
}

/// How the body is packed, whatever it is.
///
/// # Errors
/// 415 for another encoding, 413 when the declared length is too much already.
pub fn packing(headers: &HeaderMap) -> Result<Packing, ApiError> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    if declared.is_some_and(|length| length > MAX_BODY_BYTES) {
        return Err(too_large());
    }
    match headers.get(CONTENT_ENCODING).map(|v| v.as_bytes().to_ascii_lowercase()).as_deref() {
        None | Some(b"" | b"identity") => Ok(Packing::Plain),
        Some(b"gzip" | b"x-gzip") => Ok(Packing::Gzip),
        Some(_) => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "this Content-Encoding is not understood",
            "send the body as it is, or with gzip",
        )),
    }
}

/// Whether the body is, or may turn out to be, large.
fn may_be_large(headers: &HeaderMap, packing: Packing) -> bool {
    let declared = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    declared.is_none_or(|length| length > large(packing))
}

/// Bytes on the wire that may become a large body.
const fn large(packing: Packing) -> usize {
    match packing {
        Packing::Gzip => LARGE_BODY_BYTES / 16,
        Packing::Plain => LARGE_BODY_BYTES,
    }
}

/// The body of a request that says what it is and how long, as it came, and how it is packed. What is large has one of
/// the few places for such, as long as the permit lives.
///
/// # Errors
/// As [`check`] and [`read`], and 503 when every place is taken.
pub async fn take(
    request: Request,
    places: &Semaphore,
) -> Result<(Vec<u8>, Packing, Option<SemaphorePermit<'_>>), ApiError> {
    let packing = check(request.headers())?;
    let place = if may_be_large(request.headers(), packing) {
        let taken = places.try_acquire();
        Some(taken.map_err(|_| ApiError::unavailable("several large bodies are being read already", 1))?)
    } else {
        None
    };
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    Ok((read(request.into_body(), declared.unwrap_or(16 << 10)).await?, packing, place))
}

/// As [`read`], for senders that do not say how much follows: one of the places for large bodies is taken only when it
/// turns out to be one.
///
/// # Errors
/// As [`read`], and 503 when every place is taken.
pub async fn read_undeclared<'a>(
    mut body: Body,
    packing: Packing,
    places: &'a Semaphore,
) -> Result<(Vec<u8>, Option<SemaphorePermit<'a>>), ApiError> {
    let mut bytes = Vec::new();
    let mut place = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::bad_request("the body ended early", "send it again"))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        if bytes.len() + data.len() > large(packing) && place.is_none() {
            let taken = places.try_acquire();
            place = Some(taken.map_err(|_| ApiError::unavailable("several large bodies are being read already", 1))?);
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, place))
}

/// The body as it came, at most [`MAX_BODY_BYTES`].
///
/// # Errors
/// 413 beyond the bound, 400 when the sender breaks off.
async fn read(mut body: Body, expected: usize) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::with_capacity(expected.min(MAX_BODY_BYTES));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::bad_request("the body ended early", "send it again"))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// Unpacks, and stops as soon as it is too much.
///
/// # Errors
/// 413 beyond the bound, 400 for what is not gzip.
pub fn unpack(packed: Vec<u8>, packing: Packing) -> Result<Vec<u8>, ApiError> {
    if packing == Packing::Plain {
        return Ok(packed);
    }
    let bound = u64::try_from(MAX_BODY_BYTES).unwrap_or(u64::MAX) + 1;
    let mut plain = Vec::with_capacity((packed.len() * 4).min(MAX_BODY_BYTES));
    let done = MultiGzDecoder::new(packed.as_slice()).take(bound).read_to_end(&mut plain);
    done.map_err(|_| {
        ApiError::bad_request("the body is not gzip, although its Content-Encoding says so", "check the sender")
    })?;
    if plain.len() > MAX_BODY_BYTES { Err(too_large()) } else { Ok(plain) }
}

fn too_large() -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body is larger than {} MB", MAX_BODY_BYTES >> 20),
        "send it in several requests; order does not matter",
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_bomb_stops_at_the_bound() {
        let bomb = gzip(&vec![b' '; MAX_BODY_BYTES + 10]);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(unpack(bomb, Packing::Gzip).unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[test]
    fn gzip_is_unpacked_and_rubbish_is_named() {
        assert_eq!(unpack(gzip(b"{}"), Packing::Gzip).unwrap(), b"{}");
        assert_eq!(unpack(b"{}".to_vec(), Packing::Gzip).unwrap_err().status, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn types_that_are_not_understood_are_415() {
        let check = |name: axum::http::HeaderName, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, axum::http::HeaderValue::from_static(value));
            super::check(&headers).map_err(|error| error.status)
        };
        assert_eq!(check(CONTENT_TYPE, "application/json; charset=utf-8"), Ok(Packing::Plain));
        assert_eq!(check(CONTENT_TYPE, "text/plain"), Err(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        assert_eq!(check(CONTENT_ENCODING, "GZIP"), Ok(Packing::Gzip));
        assert_eq!(check(CONTENT_ENCODING, "zstd"), Err(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        assert_eq!(check(CONTENT_LENGTH, "99999999999"), Err(StatusCode::PAYLOAD_TOO_LARGE));
    }
}
