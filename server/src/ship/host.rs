//! Readings of this machine, to a server elsewhere. They are of the moment: what cannot be sent now is a gap there, and
//! nothing waits for it.

use std::time::Duration;

use async_trait::async_trait;
use model::host::{HISTORY_STEP_S, HostSample};
use reqwest::header::AUTHORIZATION;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::sender::Target;
use super::wire::VERSION;
use crate::host::Sink;

/// A server that takes longer is told the next reading instead.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest that a server may ask to wait.
const LONGEST_S: u64 = 60;
/// How often it is tried while a server does not want it.
const UNWANTED: Duration = Duration::from_secs(60);

/// The body of `POST /api/ship/host`. Numbers and a name: nothing else of a machine leaves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostReport {
    /// [`VERSION`].
    pub ship: u32,
    /// Made with the sender's state folder.
    pub shipper: Uuid,
    /// What people call the machine.
    pub name: String,
    /// The process that reads it.
    pub pid: u32,
    /// The reading. It is taken for what the machine uses when it arrives: clocks differ.
    pub sample: HostSample,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostWanted {
    /// Seconds until the next reading is wanted.
    pub next_s: u64,
}

/// Sends readings.
pub struct ShippedSink {
    client: reqwest::Client,
    target: Target,
    address: String,
    report: HostReport,
    is_failing: bool,
}

impl ShippedSink {
    /// For the machine that `shipper` calls `name`.
    ///
    /// # Errors
    /// There is no HTTP client to be had.
    pub fn new(target: &Target, shipper: Uuid, name: &str) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            // A key goes to the address that it was given for, and to no other.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("towngauge/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let address = format!("{}/api/ship/host?town={}", target.url, target.town);
        let sample = HostSample::default();
        let report = HostReport { ship: VERSION, shipper, name: name.to_owned(), pid: std::process::id(), sample };
        Ok(Self { client, target: target.clone(), address, report, is_failing: false })
    }

    async fn send(&self) -> Result<HostWanted, String> {
        let mut request = self.client.post(&self.address).json(&self.report);
        if let Some(key) = &self.target.key {
            request = request.header(AUTHORIZATION, key.header());
        }
        let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
        let status = answer.status();
        if !status.is_success() {
            return Err(format!("the server answers {status}"));
        }
        answer.json().await.map_err(|_| "something else than a Towngauge answers".to_owned())
    }
}

#[async_trait]
impl Sink for ShippedSink {
    async fn take(&mut self, sample: HostSample, _weight: Duration) -> Duration {
        self.report.sample = sample;
        match self.send().await {
            Ok(HostWanted { next_s }) => {
                self.is_failing = false;
                Duration::from_secs(next_s.min(LONGEST_S))
            }
            Err(reason) => {
                // The sender says loudly when nothing gets through; this is one line more in its log.
                if !std::mem::replace(&mut self.is_failing, true) {
                    tracing::warn!(reason, "what this machine uses is not taken; trying again");
                    return Duration::from_secs(HISTORY_STEP_S.unsigned_abs());
                }
                UNWANTED
            }
        }
    }
    /// What the server wants, it says with its next answer.
    async fn nudged(&self) {
        std::future::pending().await
    }
}
