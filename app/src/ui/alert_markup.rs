//! The markup of the strip of alerts. Made by the server alone.

use model::alert::{AlertView, Severity};
use model::{Timestamp, TownName};

use super::alert_strip::FOLDS;

/// Alerts that are shown at once.
const SHOWN: usize = 3;
/// Alerts in each list that can be unfolded.
const FOLDED: usize = 20;
/// For how long something may be snoozed; none: the viewer's own clock says how long it is until tomorrow.
const CHOICES: [(Option<u32>, &str); 3] = [(Some(15), "15 min"), (Some(60), "1 h"), (None, "Until tomorrow, 8:00")];

/// The strip: up to three alerts, the others behind a word, and those that are snoozed behind another; nothing without
/// alerts.
#[must_use]
pub fn alert_markup(town: &TownName, alerts: &[AlertView]) -> String {
    let (snoozed, awake): (Vec<_>, Vec<_>) = alerts.iter().partition(|alert| alert.snoozed_until.is_some());
    if alerts.is_empty() {
        return String::new();
    }
    let item = |alert: &&AlertView| line(town, alert);
    let shown: String = awake.iter().take(SHOWN).map(item).collect();
    let more = awake.get(SHOWN..).unwrap_or_default();
    let [more_id, snoozed_id] = FOLDS;
    let more = fold(more_id, &format!("and {} more", more.len()), more, item);
    let snoozed = fold(snoozed_id, &format!("{} snoozed", snoozed.len()), &snoozed, item);
    format!("<ul data-says=\"{}\">{shown}</ul>{more}{snoozed}", escaped(&says(&awake)))
}

/// What screen readers hear when the strip changes.
fn says(awake: &[&AlertView]) -> String {
    match awake {
        [] => "No alerts but snoozed ones".to_owned(),
        [one] => format!("One alert: {}", one.words),
        [first, ..] => format!("{} alerts: {}", awake.len(), first.words),
    }
}

fn fold(id: &str, label: &str, alerts: &[&AlertView], item: impl Fn(&&AlertView) -> String) -> String {
    if alerts.is_empty() {
        return String::new();
    }
    let items: String = alerts.iter().take(FOLDED).map(item).collect();
    let rest = match alerts.len().saturating_sub(FOLDED) {
        0 => String::new(),
        rest => format!("<li>{rest} others are in GET /api/towns/\u{2026}/alerts</li>"),
    };
    // The summary has a name of its own, so that the keyboard finds back to it.
    format!("<details id=\"{id}\"><summary id=\"{id}-word\">{label}</summary><ul>{items}{rest}</ul></details>")
}

fn line(town: &TownName, alert: &AlertView) -> String {
    let (severity, word, sign) = match alert.severity {
        Severity::Critical => ("critical", "Critical", "M4 .8h4L11.2 4v4L8 11.2H4L.8 8V4z"),
        Severity::Warning => ("warning", "Warning", "M6 .8 11.6 11H.4z"),
    };
    let (id, words) = (escaped(&alert.id), escaped(&alert.words));
    let address = format!("/api/towns/{town}/alerts/{id}");
    let (when, button) = match alert.snoozed_until {
        Some(until) => (time(until, "until"), wake(&id, &address, &words)),
        None => (time(alert.since, "since"), menu(&id, &address, &words)),
    };
    format!(
        "<li data-severity=\"{severity}\"><svg viewBox=\"0 0 12 12\" width=\"12\" height=\"12\" aria-hidden=\"true\">\
         <path d=\"{sign}\"/></svg><b>{word}</b> <a href=\"{}\">{words}</a> {when}{button}</li>",
        escaped(&alert.href)
    )
}

/// A time that is true by itself, until the page lives and lets it tick.
fn time(at: Timestamp, word: &str) -> String {
    let full = at.to_string();
    let clock = full.get(11..16).unwrap_or_default();
    format!("<time datetime=\"{full}\" title=\"{word} {full}\" data-s=\"{}\">{word} {clock} UTC</time>", at.seconds())
}

/// The browser itself opens the menu, closes it on Escape, on a choice and on a click elsewhere, and gives the focus back.
fn menu(id: &str, address: &str, words: &str) -> String {
    let choice = |(minutes, label): (Option<u32>, &str)| {
        let minutes = minutes.map(|minutes| format!(" data-minutes=\"{minutes}\"")).unwrap_or_default();
        format!(
            "<button type=\"button\" data-post=\"{address}/snooze\"{minutes} popovertarget=\"m-{id}\" \
             popovertargetaction=\"hide\">{label}</button>"
        )
    };
    let choices: String = CHOICES.into_iter().map(choice).collect();
    format!(
        "<button type=\"button\" id=\"s-{id}\" class=\"snooze\" popovertarget=\"m-{id}\" aria-label=\"Snooze: {words}\">\
         Snooze</button><div id=\"m-{id}\" class=\"snooze-menu\" popover=\"auto\" role=\"group\" aria-label=\"Snooze for\">\
         {choices}</div>"
    )
}

fn wake(id: &str, address: &str, words: &str) -> String {
    format!(
        "<button type=\"button\" id=\"s-{id}\" class=\"snooze\" data-post=\"{address}/unsnooze\" data-minutes=\"0\" \
         aria-label=\"Wake: {words}\">Wake</button>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use model::alert::AlertKind;

    use super::*;

    fn alert(id: &str, severity: Severity, snoozed: bool) -> AlertView {
        let at = Timestamp::from_seconds(1_772_129_100);
        AlertView {
            id: id.to_owned(),
            kind: AlertKind::ErrorSpike,
            severity,
            subject: "errors".to_owned(),
            words: format!("{id} <b onclick=\"x\"> & more"),
            since: at,
            href: "/t/home/live?a=1&b=\"2".to_owned(),
            snoozed_until: snoozed.then(|| at.plus_seconds(900)),
        }
    }

    fn markup(alerts: &[AlertView]) -> String {
        alert_markup(&TownName::new("home").unwrap(), alerts)
    }

    #[test]
    fn without_alerts_there_is_nothing() {
        assert_eq!(markup(&[]), "");
    }

    #[test]
    fn words_cannot_become_markup() {
        let html = markup(&[alert("a", Severity::Warning, false), alert("b", Severity::Critical, true)]);
        assert!(html.contains("a &lt;b onclick=&quot;x&quot;&gt; &amp; more</a>"), "{html}");
        assert!(html.contains("href=\"/t/home/live?a=1&amp;b=&quot;2\""), "{html}");
        assert!(!html.contains("<b onclick"));
    }

    #[test]
    fn three_are_shown_and_the_others_are_folded() {
        let many: Vec<_> = (0..30).map(|n| alert(&format!("n{n}"), Severity::Warning, n >= 28)).collect();
        let html = markup(&many);
        let (shown, folded) = html.split_once("<details").unwrap();
        assert_eq!(shown.matches("<li ").count(), SHOWN);
        assert!(shown.contains("28 alerts: n0"), "{shown}");
        assert!(folded.contains(">and 25 more<") && folded.contains(">2 snoozed<"), "{folded}");
        assert!(folded.contains("5 others are in GET"), "{folded}");
        assert!(folded.contains("/api/towns/home/alerts/n28/unsnooze") && !folded.contains("n27"), "{folded}");
    }

    #[test]
    fn each_says_how_bad_it_is_in_words_too() {
        let html = markup(&[alert("a", Severity::Critical, false), alert("b", Severity::Warning, false)]);
        assert!(html.contains("<b>Critical</b>") && html.contains("<b>Warning</b>"));
        assert!(html.contains(">since 18:05 UTC</time>"), "{html}");
    }
}
