//! The webhooks with their secrets, for as long as the server runs.

use std::fmt;

use anyhow::Context as _;
use model::alert::AlertKind;
use model::id::TownName;
use tokio::sync::Notify;

use crate::config::{Env, HookUrl, Webhook};

/// A webhook that can be called.
#[derive(Clone)]
pub struct Hook {
    /// The same as long as its address is the same.
    pub id: String,
    /// Where it is.
    pub url: HookUrl,
    /// What its bodies are signed with.
    pub secret: Vec<u8>,
    /// What it is told.
    pub events: Vec<AlertKind>,
    /// Of which town; none: of all.
    pub town: Option<TownName>,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hook({}, {})", self.id, self.url)
    }
}

/// Every webhook.
#[derive(Debug, Default)]
pub struct Hooks {
    hooks: Vec<Hook>,
    /// Something new is to be told.
    pub(super) news: Notify,
}

impl Hooks {
    /// The webhooks of the configuration.
    ///
    /// # Errors
    /// A secret is not where it should be.
    pub fn read(webhooks: &[Webhook], env: Env<'_>) -> anyhow::Result<Self> {
        let hook = |webhook: &Webhook| {
            Ok(Hook {
                id: webhook.url.id(),
                url: webhook.url.clone(),
                secret: webhook.secret.read(env).with_context(|| format!("the webhook at {}", webhook.url))?,
                events: webhook.events.clone(),
                town: webhook.town.clone(),
            })
        };
        Ok(Self { hooks: webhooks.iter().map(hook).collect::<anyhow::Result<_>>()?, news: Notify::new() })
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.hooks.is_empty()
    }
    /// All of them, in the order of the configuration.
    #[must_use]
    pub fn all(&self) -> &[Hook] {
        &self.hooks
    }
    /// The one of that id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Hook> {
        self.hooks.iter().find(|hook| hook.id == id)
    }
    /// Those that are to be told of `kind` in `town`.
    pub fn told<'a>(&'a self, kind: AlertKind, town: &'a TownName) -> impl Iterator<Item = &'a Hook> {
        self.hooks
            .iter()
            .filter(move |hook| hook.events.contains(&kind) && hook.town.as_ref().is_none_or(|own| own == town))
    }
    /// Something is to be told: do not wait for the next look.
    pub fn wake(&self) {
        self.news.notify_one();
    }
}
