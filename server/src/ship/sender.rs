//! Takes batches out of the spool and sends them, oldest first, until the server says that they are stored.

use std::collections::VecDeque;
use std::fmt;
use std::io::Read as _;
use std::str::FromStr;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use model::id::TownName;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::answer::{Verdict, verdict};
use super::backoff::Backoff;
use super::spool::{Spool, SpoolError, Standing, Waiting, pack};
use super::wire::{Head, Line, Mark, VERSION, spell};

/// Packed batches of one request.
const REQUEST_BYTES: u64 = 512 << 10;
/// The same, unpacked: far below what the server takes.
const REQUEST_PLAIN_BYTES: u64 = 16 << 20;
/// With nothing to send, the server hears this often that all is well.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// Between two lines about how far it is, while much waits.
const SAY_EVERY: Duration = Duration::from_secs(5);
/// What is read of an answer.
const ANSWER_BYTES: usize = 4 << 10;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

/// An API key; shown by nothing.
#[derive(Clone)]
pub struct ShipKey(HeaderValue);

impl ShipKey {
    /// As the header `Authorization`.
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl FromStr for ShipKey {
    type Err = &'static str;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let raw = raw.trim();
        if raw.is_empty() {
            return Err("the key is empty");
        }
        let mut value =
            HeaderValue::from_str(&format!("Bearer {raw}")).map_err(|_| "the key has characters that no key has")?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl fmt::Debug for ShipKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShipKey(…)")
    }
}

/// Where batches go.
#[derive(Debug, Clone)]
pub struct Target {
    /// The server's address, without a slash at its end.
    pub url: String,
    /// The town there.
    pub town: TownName,
    /// What the server knows us by; a server on loopback needs none.
    pub key: Option<ShipKey>,
}

/// How it sends.
#[derive(Debug, Clone)]
pub struct SenderSettings {
    /// Where to.
    pub target: Target,
    /// What people call this sender.
    pub name: String,
    /// How long it may go on once it was told to stop.
    pub patience: Duration,
}

/// Sends what a spool holds.
#[derive(Debug)]
pub struct Sender {
    spool: Spool,
    settings: SenderSettings,
    client: reqwest::Client,
    address: String,
    backoff: Backoff,
    /// What went wrong since the last success; said when it changes.
    trouble: Option<String>,
    said: Instant,
    is_behind: bool,
}

/// What is to be sent as one request.
struct Request<'a> {
    /// Batches with their lines, packed.
    parts: Vec<(Mark, &'a [u8])>,
    /// What waits besides.
    left: Standing,
    /// When the oldest of it was read.
    oldest_us: Option<i64>,
}

/// Whether sending can go on.
#[derive(PartialEq, Eq)]
enum Next {
    Go,
    /// The end has come.
    Leave,
}

impl Sender {
    /// A sender for what `spool` holds.
    ///
    /// # Errors
    /// There is no HTTP client to be had.
    pub fn new(spool: Spool, settings: SenderSettings) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            // A key goes to the address that it was given for, and to no other.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("towngauge/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let address = format!("{}/api/ship?town={}", settings.target.url, settings.target.town);
        let said = Instant::now();
        Ok(Self {
            spool,
            settings,
            client,
            address,
            backoff: Backoff::default(),
            trouble: None,
            said,
            is_behind: false,
        })
    }

    /// Sends until `stop`, and then for as long as its patience lasts; what is left stays in the spool.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), SpoolError> {
        let patience = self.settings.patience;
        let end = async {
            stop.cancelled().await;
            tokio::time::sleep(patience).await;
        };
        tokio::select! {
            done = self.work(&stop) => done,
            () = end => Ok(()),
        }
    }

    async fn work(&mut self, stop: &CancellationToken) -> Result<(), SpoolError> {
        let mut max_bytes = REQUEST_BYTES;
        loop {
            let mut batches = self.spool.oldest(max_bytes).await?;
            let mut plain = 0;
            let fits = batches.iter().take_while(|batch| {
                plain += batch.plain_bytes;
                plain <= REQUEST_PLAIN_BYTES
            });
            let fits = fits.count().max(1);
            batches.truncate(fits);
            let Some(last) = batches.last().map(|batch| batch.seq) else {
                if stop.is_cancelled() {
                    return Ok(());
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.spool.news() => {}
                    () = tokio::time::sleep(HEARTBEAT) => self.beat().await,
                }
                continue;
            };
            // Some say only how far files were read.
            if batches.iter().all(|batch| batch.lines == 0) {
                self.spool.acknowledge(last).await?;
                continue;
            }
            let next = match self.send(&batches).await {
                Verdict::Stored => {
                    self.spool.acknowledge(last).await?;
                    max_bytes = REQUEST_BYTES;
                    self.went_well();
                    Next::Go
                }
                // Which of them it is shows when they come one by one.
                Verdict::Split { .. } | Verdict::Refused { .. } if batches.len() > 1 => {
                    max_bytes = 0;
                    Next::Go
                }
                Verdict::Refused { reason } => {
                    let lines = unpack(&batches[0].packed);
                    self.park(batches[0].seq, reason, lines).await?;
                    self.spool.acknowledge(last).await?;
                    Next::Go
                }
                Verdict::Split { .. } => self.send_in_parts(&batches[0], stop).await?,
                Verdict::Later { reason, after } => self.wait(reason, after, stop).await,
                Verdict::Held { reason } => self.hold(reason, stop).await,
            };
            if next == Next::Leave {
                return Ok(());
            }
        }
    }

    /// Halves a batch until every part is taken, or is one line that is refused. Parts that were stored stay so; the
    /// batch itself is done with its last part.
    async fn send_in_parts(&mut self, batch: &Waiting, stop: &CancellationToken) -> Result<Next, SpoolError> {
        let whole = unpack(&batch.packed);
        let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
        let mut parts = VecDeque::from(halves(&lines));
        while let Some(part) = parts.pop_front() {
            let plain = part.concat();
            let packed = pack(&plain).map_err(|error| SpoolError::Folder { path: "gzip".into(), error })?;
            let mark = Mark { seq: batch.seq, more: !parts.is_empty() };
            let next = match self.post(self.request(vec![(mark, &packed)], Some(batch.at.0))).await {
                Verdict::Stored => {
                    self.went_well();
                    Next::Go
                }
                Verdict::Split { .. } if part.len() > 1 => {
                    halves(part).into_iter().rev().for_each(|half| parts.push_front(half));
                    Next::Go
                }
                Verdict::Split { reason } | Verdict::Refused { reason } => {
                    self.park(batch.seq, reason, plain).await?;
                    Next::Go
                }
                Verdict::Later { reason, after } => {
                    parts.push_front(part);
                    self.wait(reason, after, stop).await
                }
                Verdict::Held { reason } => {
                    parts.push_front(part);
                    self.hold(reason, stop).await
                }
            };
            if next == Next::Leave {
                return Ok(Next::Leave);
            }
        }
        self.spool.acknowledge(batch.seq).await?;
        Ok(Next::Go)
    }

    async fn send(&self, batches: &[Waiting]) -> Verdict {
        let sent = batches.iter().filter(|batch| batch.lines > 0);
        let parts = sent.map(|batch| (Mark { seq: batch.seq, more: false }, batch.packed.as_slice())).collect();
        let mut request = self.request(parts, batches.last().map(|batch| batch.at.0));
        let bytes: usize = batches.iter().map(|batch| batch.packed.len()).sum();
        request.left.bytes = request.left.bytes.saturating_sub(u64::try_from(bytes).unwrap_or(u64::MAX));
        request.left.batches = request.left.batches.saturating_sub(u64::try_from(batches.len()).unwrap_or(u64::MAX));
        if request.left.batches == 0 {
            (request.left.bytes, request.oldest_us) = (0, None);
        }
        self.post(request).await
    }

    /// Tells the server that all is well here.
    async fn beat(&mut self) {
        let request = self.request(Vec::new(), None);
        match self.post(request).await {
            Verdict::Stored => self.went_well(),
            Verdict::Later { reason, .. }
            | Verdict::Held { reason }
            | Verdict::Split { reason }
            | Verdict::Refused { reason } => self.say_trouble(reason),
        }
    }

    fn request<'a>(&self, parts: Vec<(Mark, &'a [u8])>, oldest_us: Option<i64>) -> Request<'a> {
        Request { parts, left: self.spool.standing(), oldest_us }
    }

    async fn post(&self, request: Request<'_>) -> Verdict {
        let head = Head {
            ship: VERSION,
            shipper: self.spool.shipper(),
            name: self.settings.name.clone(),
            host: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            version: crate::VERSION.to_owned(),
            waiting_bytes: request.left.bytes,
            oldest_us: request.oldest_us,
            parked: request.left.parked,
            dropped: request.left.dropped,
            error: self.trouble.clone(),
        };
        // Of a batch that goes on in another request, the server has not taken the number yet.
        let sent = request.parts.last().and_then(|(mark, _)| (!mark.more).then_some(mark.seq));
        let mut body = match pack(&spell(&head)) {
            Ok(body) => body,
            Err(error) => return Verdict::Later { reason: error.to_string(), after: None },
        };
        for (mark, packed) in request.parts {
            body.extend_from_slice(&pack(&spell(&Line::Batch(mark))).unwrap_or_default());
            body.extend_from_slice(packed);
        }
        let mut post = self
            .client
            .post(&self.address)
            .header(CONTENT_TYPE, "application/x-ndjson")
            .header(CONTENT_ENCODING, "gzip")
            .body(body);
        if let Some(key) = &self.settings.target.key {
            post = post.header(AUTHORIZATION, key.header());
        }
        match post.send().await {
            Ok(answer) => read(answer, sent).await,
            Err(error) => Verdict::Later { reason: spell_error(&error), after: None },
        }
    }

    fn went_well(&mut self) {
        self.backoff.reset();
        if self.trouble.take().is_some() {
            tracing::info!("the server takes batches again");
        }
        let standing = self.spool.standing();
        if standing.batches == 0 && std::mem::take(&mut self.is_behind) {
            tracing::info!("everything is shipped");
        } else if standing.batches > 0 && self.said.elapsed() >= SAY_EVERY {
            (self.said, self.is_behind) = (Instant::now(), true);
            tracing::info!(batches = standing.batches, bytes = standing.bytes, "shipping; so much still waits");
        }
    }

    /// Says what is wrong, once.
    fn say_trouble(&mut self, reason: String) {
        if self.trouble.as_ref() != Some(&reason) {
            let standing = self.spool.standing();
            tracing::warn!(batches = standing.batches, bytes = standing.bytes, "nothing is shipped for now: {reason}");
        }
        (self.trouble, self.is_behind) = (Some(reason), true);
    }

    async fn wait(&mut self, reason: String, after: Option<Duration>, stop: &CancellationToken) -> Next {
        self.say_trouble(reason);
        let own = self.backoff.next(dice());
        self.pause(after.map_or(own, |asked| asked.max(own)), stop).await
    }

    /// As [`Sender::wait`], and says it every time: somebody has to do something.
    async fn hold(&mut self, reason: String, stop: &CancellationToken) -> Next {
        if self.trouble.as_ref() == Some(&reason) {
            tracing::warn!("still nothing is shipped: {reason}");
        }
        self.wait(reason, None, stop).await
    }

    /// Told to stop, it does not wait: what is left is sent the next time.
    async fn pause(&self, pause: Duration, stop: &CancellationToken) -> Next {
        if stop.is_cancelled() {
            return Next::Leave;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
        Next::Go
    }

    async fn park(&self, seq: u64, reason: String, lines: Vec<u8>) -> Result<(), SpoolError> {
        let said = reason.clone();
        let file = self.spool.park(seq, reason, lines).await?;
        tracing::error!(file = %file.display(), "the server refused what is now in this file, for good: {said}");
        Ok(())
    }
}

fn halves<'a>(lines: &'a [&'a [u8]]) -> Vec<&'a [&'a [u8]]> {
    let (first, second) = lines.split_at(lines.len() / 2);
    [first, second].into_iter().filter(|half| !half.is_empty()).collect()
}

fn unpack(packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    // It was packed by this program and its hash was checked.
    let _ = MultiGzDecoder::new(packed).read_to_end(&mut plain);
    plain
}

async fn read(mut answer: reqwest::Response, sent: Option<u64>) -> Verdict {
    let status = answer.status().as_u16();
    let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut said = Vec::new();
    while said.len() < ANSWER_BYTES {
        match answer.chunk().await {
            Ok(Some(chunk)) => said.extend_from_slice(&chunk[..chunk.len().min(ANSWER_BYTES - said.len())]),
            Ok(None) => break,
            // Half an answer says nothing: not that it is stored, and not that somebody else stands there.
            Err(error) => {
                return Verdict::Later { reason: spell_error(&error), after: retry_after.map(Backoff::asked) };
            }
        }
    }
    verdict(status, retry_after, &said, sent)
}

/// What went wrong and why, without the address, which is known.
fn spell_error(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() {
        "the server does not answer in time"
    } else if error.is_connect() {
        "the server cannot be reached"
    } else {
        "the request did not get through"
    };
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    cause.map_or_else(|| kind.to_owned(), |cause| format!("{kind}: {cause}"))
}

fn dice() -> u32 {
    // Without randomness the schedule is the longest one.
    getrandom::u32().unwrap_or(u32::MAX)
}
