//! What the Tank page says of the webhooks, in words. Pure.

use app::panel::{HookCard, Line};
use model::alert::{DeliveryView, MAX_TRIES, WebhookView, WebhooksView};
use model::format::ago;
use model::time::{MICROS_PER_SECOND, Timestamp};

/// The panel's words, of each webhook.
#[must_use]
pub fn cards(view: &WebhooksView) -> Vec<HookCard> {
    view.webhooks.iter().map(|hook| card(hook, view.at)).collect()
}

fn card(hook: &WebhookView, now: Timestamp) -> HookCard {
    let events = hook.events.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    let town = hook.town.as_ref().map_or_else(|| "every town".to_owned(), |town| format!("town {town}"));
    HookCard {
        address: hook.address.clone(),
        told: format!("Told of {events}, for {town}."),
        deliveries: hook.deliveries.iter().map(|delivery| line(delivery, now)).collect(),
    }
}

fn line(delivery: &DeliveryView, now: Timestamp) -> Line {
    let (class, result) = result(delivery, now);
    let cells = vec![delivery.town.to_string(), ago(now.micros_since(delivery.at) / MICROS_PER_SECOND), result];
    Line { head: delivery.kind.name().to_owned(), title: delivery.id.clone(), cells, class: class.to_owned() }
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

#[cfg(test)]
mod tests {
    use model::TownName;
    use model::alert::AlertKind;

    use app::WebhooksPanel;
    use leptos::prelude::*;

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
        let cards = cards(&WebhooksView { at: NOW, webhooks });
        Owner::new().with(|| view! { <WebhooksPanel cards/> }.to_html())
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
