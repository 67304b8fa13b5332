//! How the models do: by provider, and the newest calls.

use leptos::prelude::*;
use model::format::{ago, compact, dollars, duration};
use model::live_stats::{CallRow, LatencyWindow, LiveStats};

use super::blank::Blank;
use super::latency_panel::{LatencyTable, Subject};
use super::truth_mark::TruthMark;
use crate::live::Live;
use crate::poll::Poll;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "durations are positive and below years")]
fn latency(call: &CallRow) -> String {
    call.latency_ms.map_or_else(|| "–".to_owned(), |ms| duration((ms.max(0.0) * 1e3).round() as u64))
}

fn speed(call: &CallRow) -> String {
    call.tokens_per_s.map_or_else(|| "–".to_owned(), |rate| format!("{}/s", compact(rate)))
}

/// `12.4k in · 120 out`, where in is everything the model read.
#[expect(clippy::cast_precision_loss, reason = "display only")]
fn tokens(call: &CallRow) -> String {
    let tokens = &call.tokens;
    let read = tokens.input + tokens.cache_read + tokens.cache_write_5m + tokens.cache_write_1h;
    format!("{} in · {} out", compact(read as f64), compact(tokens.output as f64))
}

/// Providers over the window of the panel beside it, then the newest calls.
#[component]
pub(crate) fn CallsPanel(poll: Poll<LiveStats>, live: Live, window: RwSignal<LatencyWindow>) -> impl IntoView {
    let keys = Memo::new(move |_| {
        poll.with(|stats| stats.newest_calls.iter().map(|call| call.key).collect::<Vec<_>>()).unwrap_or_default()
    });
    let call = move |key| poll.with(|stats| stats.newest_calls.iter().find(|call| call.key == key).cloned()).flatten();
    let list = move || {
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Newest model calls">
                <ol class="calls">
                    <For each=move || keys.get() key=|key| *key let:key>
                        {untrack(|| call(key)).map(|call| view! { <CallLine call live/> })}
                    </For>
                </ol>
            </div>
        }
    };
    let truth = poll.truth(live);
    view! {
        <section
            class="panel models"
            class:stale=move || truth.get().is_old()
            data-truth=move || truth.get().name()
            aria-labelledby="models-title"
        >
            <header>
                <h2 id="models-title">"Models"</h2>
                <TruthMark truth/>
                <span class="zone">{move || format!("last {}", window.get().name())}</span>
            </header>
            <LatencyTable poll window subject=Subject::Providers/>
            <h3>"Newest calls"</h3>
            {move || if keys.with(Vec::is_empty) {
                view! { <Blank poll title="No model call yet" hint="Each call appears here as it is committed, with its time, tokens and cost."/> }.into_any()
            } else {
                list().into_any()
            }}
        </section>
    }
}

#[component]
fn CallLine(call: CallRow, live: Live) -> impl IntoView {
    let at = call.at;
    let when = move || ago(live.now.get().micros_since(at) / 1_000_000);
    view! {
        <li class:failed=!call.ok>
            <time datetime=crate::civil::rfc3339(at.seconds())>{when}</time>
            <span class="what" title=call.model.clone()><b>{call.provider.clone()}</b>" "{call.model.clone()}</span>
            <span class="num">{latency(&call)}</span>
            <span class="num speed">{speed(&call)}</span>
            <span class="num tokens">{tokens(&call)}</span>
            <span class="num">{call.cost.map_or_else(|| "unpriced".to_owned(), dollars)}</span>
            <span class="status-word">{if call.ok { "ok" } else { "error" }}</span>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use model::Role;
    use model::time::Timestamp;
    use model::tokens::TokenCounts;
    use model::wire::RowKey;

    use super::*;

    #[test]
    fn a_call_without_a_duration_has_no_speed() {
        let call = CallRow {
            key: RowKey(1),
            at: Timestamp::from_seconds(0),
            provider: "anthropic".to_owned(),
            model: "claude-sonnet-4-5".to_owned(),
            role: Role::Other,
            agent: None,
            session: None,
            latency_ms: None,
            tokens_per_s: None,
            tokens: TokenCounts { input: 400, cache_read: 12_000, output: 120, ..TokenCounts::default() },
            cost: None,
            ok: true,
        };
        assert_eq!([latency(&call), speed(&call), tokens(&call)], ["–", "–", "12.4k in · 120 out"]);
        let timed = CallRow { latency_ms: Some(2_310.0), tokens_per_s: Some(51.9), ..call };
        assert_eq!([latency(&timed), speed(&timed)], ["2.3 s", "51.9/s"]);
    }
}
