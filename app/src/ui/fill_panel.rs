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
    // Stays the same until a top-up went through: sent again after a lost answer, it fills in once.
    let request = StoredValue::new(None::<String>);
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
        let id = request.get_value().unwrap_or_else(fetch::random_uuid);
        request.set_value(Some(id.clone()));
        sent.set(Sent::Busy);
        let (town, note_text) = (town(), note.get_untracked());
        spawn_local_scoped_with_cancellation(async move {
            match fetch::topup(&town, amount, &note_text, &id).await {
                Ok(()) => {
                    request.set_value(None);
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
}
