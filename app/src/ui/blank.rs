//! Nothing to show of what a page reads again: because there is nothing, or because it was never read.

use leptos::prelude::*;

use super::state::Empty;
use crate::poll::{Dated, Poll};

/// What is missing and what would fill it; or that nobody knows yet.
#[component]
pub(crate) fn Blank<T: Dated>(
    /// What is read.
    poll: Poll<T>,
    /// What is missing, in a few words.
    title: &'static str,
    /// What would fill it.
    hint: &'static str,
) -> impl IntoView {
    let unread = Memo::new(move |_| poll.with(|_| ()).is_none());
    move || {
        if unread.get() {
            view! { <Empty title="Not read yet" hint="The server could not read it; this page keeps trying."/> }
        } else {
            view! { <Empty title hint/> }
        }
    }
}
