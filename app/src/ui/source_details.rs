//! What is behind a source's figures: refused items, names that nobody understood, and the rules it is read by.

use leptos::prelude::*;
use model::format::{ago, grouped};

use super::source_row::{Card, part};
use super::source_words as words;
use crate::live::Live;
use crate::reader::WatchedRoot;
use crate::sources::{RefusedItem, SourceCard};

/// Everything, in the order in which something may be wrong.
#[component]
pub(super) fn SourceDetails(card: Card, live: Live) -> impl IntoView {
    let drift = move || card.with(|card| card.as_ref().and_then(SourceCard::drift));
    let roots = move || {
        let root = |WatchedRoot { path, files, .. }: WatchedRoot| {
            view! { <li><code>{path}</code>" "<span class="unit">{format!("{files} files")}</span></li> }
        };
        let roots = part(card, |card| card.roots.clone());
        (!roots.is_empty())
            .then(|| view! { <dt>"Watched"</dt><dd><ul>{roots.into_iter().map(root).collect_view()}</ul></dd> })
    };
    view! {
        <div class="source-details">
            <p>{move || part(card, |card| card.words.clone())}</p>
            <Refused card live/>
            <Unmapped card/>
            <dl>
                {move || drift().map(|drift| view! { <dt>"Cost"</dt><dd>{words::drift(drift)}</dd> })}
                <dt>"Tokens"</dt>
                <dd>{move || part(card, |card| card.token_rule.clone())}</dd>
                {move || part(card, |card| card.latency_rule.clone()).map(|rule| view! { <dt>"Tool latency"</dt><dd>{rule}</dd> })}
                <dt>"Lag"</dt>
                <dd>"How old the newest event of the last batch was when it was stored."</dd>
                {roots}
            </dl>
        </div>
    }
    .into_any()
}

#[component]
fn Refused(card: Card, live: Live) -> impl IntoView {
    let items = Memo::new(move |_| part(card, |card| card.refused.clone()));
    let of = move || {
        let (shown, all) = (items.with(Vec::len), part(card, |card| card.rejected));
        format!("Rejected, the newest {shown} of {}", grouped(all))
    };
    let rows = move || {
        let row = |RefusedItem { at, place, reason }: RefusedItem| {
            view! {
                <tr>
                    <td class="unit">{move || ago(live.now.get().micros_since(at) / 1_000_000)}</td>
                    <td><code>{place}</code></td>
                    <td>{reason}</td>
                </tr>
            }
        };
        items.get().into_iter().map(row).collect_view()
    };
    move || {
        (!items.with(Vec::is_empty)).then(|| {
            view! {
                <table class="refused">
                    <caption>{of}</caption>
                    <thead class="visually-hidden"><tr><th scope="col">"When"</th><th scope="col">"Where"</th><th scope="col">"Why"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            }
            .into_any()
        })
    }
}

#[component]
fn Unmapped(card: Card) -> impl IntoView {
    let names = Memo::new(move |_| part(card, |card| card.unmapped.clone()));
    let of = move || {
        let (shown, all) = (names.with(Vec::len), part(card, |card| card.unmapped_names));
        let more = if usize::try_from(all).is_ok_and(|all| all > shown) {
            format!(", {shown} of {all}")
        } else {
            String::new()
        };
        format!("Received and not understood, by name{more}")
    };
    let items = move || {
        let item = |(name, count)| view! { <li><code>{name}</code>" "<span class="unit">{format!("× {}", grouped(count))}</span></li> };
        names.get().into_iter().map(item).collect_view()
    };
    move || {
        (!names.with(Vec::is_empty)).then(|| {
            view! {
                <section class="unmapped">
                    <h3>{of}</h3>
                    <ul>{items}</ul>
                </section>
            }
            .into_any()
        })
    }
}
