//! Asking a provider: one request with the key, a bounded answer, no redirects.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};

use super::answer::Question;
use super::{Balance, Provider, Trouble};

/// How long a provider may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Where a key is. The key itself is nowhere in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In a variable of the environment.
    Environment(String),
    /// In a file, the only thing in it.
    File(PathBuf),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

impl KeySource {
    /// For the page and the API: as it is written, but of a file only the name. Where it is, is the owner's affair.
    fn public(&self) -> String {
        match self {
            Self::Environment(name) => format!("environment {name}"),
            Self::File(path) => format!("file {}", file_name(path)),
        }
    }

    /// The header with the key, marked as a secret. A file is read each time, so that a new key needs no restart.
    fn header(&self, env: &Environment) -> Result<HeaderValue, Trouble> {
        let key = match self {
            Self::Environment(name) => env(name).ok_or_else(|| {
                Trouble::new(format!("There is no key: {name} is not set in the server's environment."))
            })?,
            Self::File(path) => std::fs::read_to_string(path).map_err(|error| {
                let text = format!("There is no key: {} cannot be read ({}).", self.public(), error.kind());
                self.trouble(text)
            })?,
        };
        if key.trim().is_empty() {
            return Err(self.trouble(format!("There is no key: {} is empty.", self.public())));
        }
        let unusable = |_| self.trouble(format!("The key in {} holds characters that no key has.", self.public()));
        let mut header = HeaderValue::from_str(&format!("Bearer {}", key.trim())).map_err(unusable)?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// Trouble with the key; the log is told where it should have been.
    fn trouble(&self, text: String) -> Trouble {
        tracing::warn!(key = %self, "a balance cannot be asked for: {text}");
        Trouble::new(text)
    }
}

/// The last part of a path.
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| "of the key".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// An account with a balance, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Who has it.
    pub provider: Provider,
    /// Where it answers, without a slash at the end.
    pub base_url: String,
    /// Where the key is.
    pub key: KeySource,
    /// Of Kilo: whose balance it is, when not one's own.
    pub organization: Option<String>,
}

/// The variables of the environment.
type Environment = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Asks providers.
pub struct Asker {
    client: reqwest::Client,
    env: Environment,
    /// Accounts whose first question was answered once: the other one tells of something else, such as a key's own limit,
    /// and a passing refusal must not put that in the place of the balance.
    settled: Mutex<Vec<Account>>,
}

impl Asker {
    /// Asks with keys out of `env`.
    ///
    /// # Errors
    /// The system has no TLS to speak of.
    pub fn new(env: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> anyhow::Result<Self> {
        // A redirect would carry the key elsewhere.
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("towngauge/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, env: Box::new(env), settled: Mutex::default() })
    }

    /// The balance of an account.
    ///
    /// # Errors
    /// There is none to be had; the text says why.
    pub async fn ask(&self, account: &Account) -> Result<Balance, Trouble> {
        let mut question = Question::first(account.provider);
        loop {
            match (self.once(account, question).await, question.otherwise()) {
                (Err(trouble), Some(other)) if trouble.is_forbidden && !self.settled().contains(account) => {
                    question = other;
                }
                (told, other) => {
                    let mut settled = self.settled();
                    if told.is_ok() && other.is_some() && !settled.contains(account) {
                        settled.push(account.clone());
                    }
                    return told;
                }
            }
        }
    }

    fn settled(&self) -> MutexGuard<'_, Vec<Account>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn once(&self, account: &Account, question: Question) -> Result<Balance, Trouble> {
        let name = account.provider.title();
        let unreachable = |error: reqwest::Error| {
            // The error's own text could hold the address with more than it should.
            let why = if error.is_timeout() { "did not answer within 10 s" } else { "cannot be reached" };
            Trouble::new(format!("{name} {why}. The last reading stays."))
        };
        let key = account.key.header(&self.env)?;
        let mut request =
            self.client.get(format!("{}{}", account.base_url, question.path())).header(AUTHORIZATION, key);
        if let Some(organization) = &account.organization {
            request = request.header("X-KiloCode-OrganizationId", organization);
        }
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(Trouble::new(format!("{name}'s answer is too long to be a balance.")));
            }
            body.extend_from_slice(&chunk);
        }
        question.read(status, &body).map_err(|trouble| Trouble { retry_after_s: retry_after, ..trouble })
    }
}
