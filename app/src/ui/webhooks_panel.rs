//! Who is told of alerts, and what came of it.

use leptos::prelude::*;
use model::alert::{DeliveryView, MAX_TRIES, WebhookView, WebhooksView};
use model::format::ago;
use model::time::{MICROS_PER_SECOND, Timestamp};

use super::command::Command;
use super::state::Empty;
use super::table::{Row, table};

/// What makes a webhook.
const EXAMPLE: &str = "[[webhook]]
url = \"https://example.org/hook\"
secret_env = \"TOWNGAUGE_HOOK_SECRET\"
events = [\"tank.low\", \"tank.empty\", \"tank.refilled\", \"source.silent\", \"agent.stalled\"]";

/// The panel of webhooks.
#[component]
pub fn WebhooksPanel(
    /// What the server says of them.
    view: WebhooksView,
) -> impl IntoView {
    let now = view.at;
    let count = view.webhooks.len();
    let hooks = view.webhooks.into_iter().map(|hook| view! { <HookPart hook now/> }).collect_view();
    view! {
        <section class="panel actuator" aria-labelledby="webhooks-title">
            <header><h2 id="webhooks-title">"Webhooks"</h2><span class="count">{count}</span></header>
            {if count == 0 {
                view! {
                    <Empty title="Nobody is told of alerts" hint="A table in towngauge.toml names who is: at a low, empty or refilled tank, a silent source, a stalled agent."/>
                    <Command label="A webhook, in towngauge.toml" text=EXAMPLE/>
                }.into_any()
            } else {
                hooks.into_any()
            }}
        </section>
    }
}

#[component]
fn HookPart(hook: WebhookView, now: Timestamp) -> impl IntoView {
    let events = hook.events.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    let town = hook.town.map_or_else(|| "every town".to_owned(), |town| format!("town {town}"));
    let rows: Vec<Row> = hook.deliveries.into_iter().map(|delivery| delivery_row(delivery, now)).collect();
    let label = format!("Deliveries to {}", hook.address);
    view! {
        <h3>{hook.address}</h3>
        <p class="hint">{format!("Told of {events}, for {town}.")}</p>
        {if rows.is_empty() {
            view! { <p class="hint">"Nothing to tell yet. POST /api/webhooks/test tries whether it works."</p> }.into_any()
        } else {
            table(label, &["What", "Town", "When", "Result"], rows)
        }}
    }
}

fn delivery_row(delivery: DeliveryView, now: Timestamp) -> Row {
    let (class, result) = result(&delivery, now);
    let cells = vec![delivery.town.to_string(), ago(now.micros_since(delivery.at) / MICROS_PER_SECOND), result];
    Row { head: delivery.kind.name().to_owned(), title: delivery.id, cells, class }
}

/// What came of it: a class for its colour, and the words.
fn result(delivery: &DeliveryView, now: Timestamp) -> (&'static str, String) {
    let tries = delivery.tries;
    let why = delivery.error.as_deref().unwrap_or("no answer yet");
    match (delivery.delivered_at, delivery.next_try) {
        (Some(_), _) if tries > 1 => ("delivered", format!("delivered at try {tries}")),
        (Some(_), _) => ("delivered", "delivered".to_owned()),
        (None, Some(_)) if tries == 0 => ("waiting", "waiting".to_owned()),
        (None, Some(next)) => {
            let seconds = (next.micros_since(now) / MICROS_PER_SECOND).max(0);
            let span = if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds / 60) };
            ("waiting", format!("try {tries} of {MAX_TRIES}: {why}; again in {span}"))
        }
        (None, None) => ("failed-try", format!("given up after {tries} tries: {why}")),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use model::TownName;
    use model::alert::AlertKind;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn delivery(tries: u32, delivered: bool, next_s: Option<i64>, error: Option<&str>) -> DeliveryView {
        DeliveryView {
            id: "id".to_owned(),
            kind: AlertKind::TankEmpty,
            town: TownName::new("home").expect("a name"),
            at: NOW.plus_seconds(-30),
            tries,
            delivered_at: delivered.then_some(NOW),
            next_try: next_s.map(|s| NOW.plus_seconds(s)),
            status: None,
            error: error.map(str::to_owned),
        }
    }

    fn html(webhooks: Vec<WebhookView>) -> String {
        Owner::new().with(|| view! { <WebhooksPanel view=WebhooksView { at: NOW, webhooks }/> }.to_html())
    }

    #[test]
    fn without_a_webhook_it_says_how_to_make_one() {
        let html = html(Vec::new());
        assert!(html.contains("Nobody is told of alerts") && html.contains("secret_env"), "{html}");
    }

    #[test]
    fn every_result_is_said_in_words() {
        let deliveries = vec![
            delivery(0, false, Some(0), None),
            delivery(1, true, None, None),
            delivery(3, true, None, None),
            delivery(2, false, Some(30), Some("it answered 503")),
            delivery(10, false, None, Some("it cannot be reached")),
        ];
        let hook = |deliveries| WebhookView {
            id: "h".to_owned(),
            address: "https://example.org/…".to_owned(),
            events: vec![AlertKind::TankEmpty],
            town: None,
            deliveries,
        };
        let shown = html(vec![hook(deliveries), hook(Vec::new())]);
        for want in [
            "tank.empty, for every town",
            ">waiting<",
            ">delivered<",
            "delivered at try 3",
            "try 2 of 10: it answered 503; again in 30 s",
            "given up after 10 tries: it cannot be reached",
            "Nothing to tell yet",
        ] {
            assert!(shown.contains(want), "{want} in {shown}");
        }
    }
}
