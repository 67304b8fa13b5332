//! Filling the tank by hand.

use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;
use model::Nanodollars;
use model::format::dollars;

use super::capacity_form::CapacityForm;
use super::command::Command;
use crate::fetch;
use crate::live::Live;
use crate::reader::TankPage;

/// What became of a form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Sent {
    #[default]
    Nothing,
    Busy,
    Done(String),
    Failed(String),
}

/// Reads an amount that is more than nothing.
pub(crate) fn amount(raw: &str) -> Result<Nanodollars, String> {
    let amount = Nanodollars::parse_dollars(raw).map_err(|error| format!("{error}."))?;
    if amount > Nanodollars::ZERO {
        Ok(amount)
    } else {
        Err("Use an amount of more than nothing, such as 50.".to_owned())
    }
}

/// A top-up on its way to the server, under an id by which it counts once.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attempt {
    amount: Nanodollars,
    note: String,
    request: String,
}

impl Attempt {
    /// The id stays as long as the same amount is sent again: after a lost answer it fills in once, also when its note was
    /// edited meanwhile. Another amount is another top-up.
    fn after(last: Option<Self>, amount: Nanodollars, note: String, id: impl FnOnce() -> String) -> Self {
        match last {
            Some(last) if last.amount == amount => Self { note, ..last },
            _ => Self { amount, note, request: id() },
        }
    }
}

/// The line under a form: always there, so that nothing shifts.
#[component]
pub(crate) fn SentLine(sent: RwSignal<Sent>) -> impl IntoView {
    let text = move || match sent.get() {
        Sent::Nothing => String::new(),
        Sent::Busy => "Sending…".to_owned(),
        Sent::Done(text) | Sent::Failed(text) => text,
    };
    let failed = move || matches!(sent.get(), Sent::Failed(_));
    view! { <p class="sent" class:failed=failed role="status">{text}</p> }
}

/// A form for a top-up and one for what counts as full; `refresh` reads the page's data again.
#[component]
pub(crate) fn FillPanel(live: Live, page: RwSignal<TankPage>, refresh: Callback<()>) -> impl IntoView {
    let (usd, note) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let sent = RwSignal::new(Sent::Nothing);
    // The one that did not go through.
    let last = StoredValue::new(None::<Attempt>);
    let town = move || live.town.get_untracked().map(|town| town.to_string()).unwrap_or_default();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if sent.get_untracked() == Sent::Busy {
            return;
        }
        let amount = match amount(&usd.get_untracked()) {
            Ok(amount) => amount,
            Err(why) => return sent.set(Sent::Failed(why)),
        };
        let attempt = Attempt::after(last.get_value(), amount, note.get_untracked(), fetch::random_uuid);
        last.set_value(Some(attempt.clone()));
        sent.set(Sent::Busy);
        let town = town();
        spawn_local_scoped_with_cancellation(async move {
            match fetch::topup(&town, amount, &attempt.note, &attempt.request).await {
                Ok(()) => {
                    last.set_value(None);
                    usd.set(String::new());
                    note.set(String::new());
                    sent.set(Sent::Done(format!("Filled {}.", dollars(amount))));
                    refresh.run(());
                }
                Err(why) => sent.set(Sent::Failed(why)),
            }
        });
    };
    let command = move || {
        let town = live.town.get().map(|town| town.to_string()).unwrap_or_default();
        view! { <Command text=format!("towngauge topup --town {town} --usd 50") label="Fill the tank from the command line"/> }
    };
    let wrong = move || matches!(sent.get(), Sent::Failed(_)).to_string();
    view! {
        <section class="panel fill-panel" aria-label="Fill up">
            <header><h2>"Fill up"</h2></header>
            <div class="forms">
                <form class="topup" on:submit=submit>
                    <label>
                        <span>"Dollars"</span>
                        <input r#type="text" inputmode="decimal" autocomplete="off" placeholder="50" required=true maxlength="30"
                            aria-invalid=wrong prop:value=usd on:input=move |event| usd.set(event_target_value(&event))/>
                    </label>
                    <label class="wide">
                        <span>"Note"</span>
                        <input r#type="text" autocomplete="off" placeholder="optional" maxlength="200"
                            prop:value=note on:input=move |event| note.set(event_target_value(&event))/>
                    </label>
                    <button class="button primary" r#type="submit" aria-disabled=move || (sent.get() == Sent::Busy).to_string()>"Fill up"</button>
                    <SentLine sent/>
                </form>
                <CapacityForm live page refresh/>
                <p class="hint">"Or on the command line:"</p>
                {command}
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_checked_before_they_are_sent() {
        assert_eq!(amount(" 12.50 "), Ok(Nanodollars(12_500_000_000)));
        assert!(amount("0").unwrap_err().contains("more than nothing"));
        assert!(amount("-5").unwrap_err().contains("more than nothing"));
        assert!(amount("fifty").unwrap_err().contains("not an amount"));
    }

    #[test]
    fn what_is_sent_again_keeps_its_id_also_with_another_note_and_another_amount_gets_its_own() {
        let mut ids = 0;
        let mut send = |last: &Option<Attempt>, dollars: i64, note: &str| {
            let amount = Nanodollars(dollars * 1_000_000_000);
            let id = || {
                ids += 1;
                ids.to_string()
            };
            let attempt = Attempt::after(last.clone(), amount, note.to_owned(), id);
            assert_eq!((attempt.amount, attempt.note.as_str()), (amount, note));
            Some(attempt)
        };
        let request = |attempt: &Option<Attempt>| attempt.as_ref().unwrap().request.clone();
        let first = send(&None, 50, "");
        let again = send(&first, 50, "");
        assert_eq!((request(&first), request(&again)), ("1".to_owned(), "1".to_owned()));
        let more = send(&again, 100, "");
        assert_eq!(request(&more), "2");
        // An answer was lost, and only the note was edited: it fills in once.
        let noted = send(&more, 100, "March");
        assert_eq!(request(&noted), "2");
        assert_eq!(request(&send(&noted, 100, "March")), "2");
        // After one that went through nothing is remembered.
        assert_eq!(request(&send(&None, 100, "March")), "3");
    }
}
