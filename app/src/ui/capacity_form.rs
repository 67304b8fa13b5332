//! What counts as full: an amount of the owner's, or the balance right after the last top-up.

use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;
use model::Nanodollars;
use model::format::dollars;

use super::fill_panel::{Sent, SentLine, amount};
use crate::fetch;
use crate::live::Live;
use crate::reader::TankPage;

/// Sets what a full tank holds.
#[component]
pub(crate) fn CapacityForm(live: Live, page: RwSignal<TankPage>, refresh: Callback<()>) -> impl IntoView {
    let usd = RwSignal::new(String::new());
    let sent = RwSignal::new(Sent::Nothing);
    let set = move |capacity: Option<Nanodollars>| {
        if sent.get_untracked() == Sent::Busy {
            return;
        }
        sent.set(Sent::Busy);
        let town = live.town.get_untracked().map(|town| town.to_string()).unwrap_or_default();
        spawn_local_scoped_with_cancellation(async move {
            match fetch::set_capacity(&town, capacity).await {
                Ok(()) => {
                    usd.set(String::new());
                    sent.set(Sent::Done(match capacity {
                        Some(capacity) => format!("A full tank holds {}.", dollars(capacity)),
                        None => "Full is the balance right after the last top-up.".to_owned(),
                    }));
                    refresh.run(());
                }
                Err(why) => sent.set(Sent::Failed(why)),
            }
        });
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match amount(&usd.get_untracked()) {
            Ok(capacity) => set(Some(capacity)),
            Err(why) => sent.set(Sent::Failed(why)),
        }
    };
    let now = move || match page.with(|page| page.capacity) {
        Some(capacity) => format!("A full tank holds {}, as set by you.", dollars(capacity)),
        None => "Full is the balance right after the last top-up.".to_owned(),
    };
    let is_set = Memo::new(move |_| page.with(|page| page.capacity.is_some()));
    view! {
        <form class="capacity" on:submit=submit>
            <p class="hint">{now}</p>
            <label>
                <span>"Full, dollars"</span>
                <input r#type="text" inputmode="decimal" autocomplete="off" placeholder="100" required=true maxlength="30"
                    prop:value=usd on:input=move |event| usd.set(event_target_value(&event))/>
            </label>
            <button class="button" r#type="submit">"Set"</button>
            {move || is_set.get().then(|| view! {
                <button class="button" r#type="button" on:click=move |_| set(None)>"Use the last top-up"</button>
            })}
            <SentLine sent/>
        </form>
    }
}
