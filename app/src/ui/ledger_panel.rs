//! The ledger: what was filled in and put right, and who said so.

use leptos::prelude::*;
use model::format::{dollars, grouped};

use super::state::Empty;
use super::truth_mark::TruthMark;
use crate::live::Live;
use crate::reader::{LedgerLine, TankPage};
use crate::truth::Truth;
use crate::zone::use_zone;

/// The newest entries, newest first.
#[component]
pub(crate) fn LedgerPanel(live: Live, page: RwSignal<TankPage>, truth: Memo<Truth>) -> impl IntoView {
    let zone = use_zone();
    let row = move |line: LedgerLine| {
        let sign = if line.amount.0 > 0 { "+" } else { "" };
        let kind = if line.correction { "Correction" } else { "Top-up" };
        let note = if line.note.is_empty() { "by hand".to_owned() } else { line.note };
        let at_s = line.at.seconds();
        view! {
            <tr data-kind=if line.correction { "correction" } else { "topup" }>
                <td class="when">{move || zone.day_clock(at_s)}</td>
                <td>{kind}</td>
                <td class="number">{format!("{sign}{}", dollars(line.amount))}</td>
                <td class="why">{note}</td>
            </tr>
        }
    };
    let body = move || {
        let entries = page.with(|page| page.entries.clone());
        if entries.is_empty() && truth.get().is_unread() {
            return view! { <Empty title="Not read yet" hint="The server could not read it; this page keeps trying."/> }
                .into_any();
        }
        if entries.is_empty() {
            return view! {
                <Empty title="No entries yet" hint="A top-up is the first one. From then on the meter goes down by what calls cost."/>
            }
            .into_any();
        }
        view! {
            <table class="ledger">
                <thead><tr><th scope="col">"When"</th><th scope="col">"What"</th><th scope="col" class="number">"Amount"</th><th scope="col">"Why"</th></tr></thead>
                <tbody>{entries.into_iter().map(row).collect_view()}</tbody>
            </table>
        }
        .into_any()
    };
    let count = move || {
        let (shown, total) = page.with(|page| (page.entries.len(), page.total));
        let shown = i64::try_from(shown).unwrap_or(i64::MAX);
        if total > shown { format!("newest {} of {}", grouped(shown), grouped(total)) } else { grouped(total) }
    };
    let more = move || {
        let hidden = page.with(|page| page.total > i64::try_from(page.entries.len()).unwrap_or(i64::MAX));
        hidden.then(|| {
            let town = live.town.get().map(|town| town.to_string()).unwrap_or_default();
            view! { <p class="more">"Up to 1,000 entries: "<code>{format!("GET /api/towns/{town}/ledger?limit=1000")}</code></p> }
        })
    };
    view! {
        <section class="panel ledger-panel" aria-label="Ledger">
            <header><h2>"Ledger"</h2><span class="count">{count}</span><TruthMark truth/><span class="zone">{move || zone.name()}</span></header>
            <div class="scroll" tabindex="0" role="region" aria-label="Ledger entries">{body}{more}</div>
        </section>
    }
}
