//! What stands instead of a page: there is none at the address, or it could not be read.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::page::frame::provide_viewer;
use crate::ui::header::Header;

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// No page has this address.
    NoPage,
    /// No town has this name.
    NoTown {
        /// As asked for.
        name: String,
    },
    /// The store does not answer.
    Unavailable,
}

impl Notice {
    /// HTTP status to answer with.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NoPage | Self::NoTown { .. } => 404,
            Self::Unavailable => 503,
        }
    }

    #[cfg(feature = "ssr")]
    pub(crate) const fn title(&self) -> &'static str {
        match self {
            Self::NoPage => "Not found",
            Self::NoTown { .. } => "No such town",
            Self::Unavailable => "Store unavailable",
        }
    }

    /// The page comes back by itself when the store does, with scripts or without.
    #[cfg(feature = "ssr")]
    pub(crate) const fn retry_s(&self) -> Option<u32> {
        match self {
            Self::Unavailable => Some(5),
            Self::NoPage | Self::NoTown { .. } => None,
        }
    }
}

/// Says why, and where to go.
#[component]
pub fn NoticePage(notice: Notice) -> impl IntoView {
    provide_viewer();
    let (title, text) = match &notice {
        Notice::NoPage => (
            "There is no such page".to_owned(),
            "A town has an Overview at /t/NAME, charts at /t/NAME/observability and its sources at /t/NAME/sources.",
        ),
        Notice::NoTown { name } => (
            format!("There is no town \u{201c}{name}\u{201d}"),
            "A town appears with its first event. Check the spelling, or look at the towns there are.",
        ),
        Notice::Unavailable => (
            "The store does not answer".to_owned(),
            "The server keeps trying, and so does this page, every few seconds; the server's log says why. Nothing that was acknowledged is lost.",
        ),
    };
    // An empty address is this page.
    let (to, says) = if notice == Notice::Unavailable { ("", "Try again") } else { ("/", "All towns") };
    view! {
        <Header/>
        <main id="main" class="page">
            <section class="notice">
                <h1>{title}</h1>
                <p>{text}</p>
                <p><a class="button" href=to>{says}</a></p>
            </section>
        </main>
    }
}
