//! The frame of a town's pages: its live state, its socket, its header. It stays from tab to tab.

use leptos::prelude::*;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_params_map;

use crate::api::{read_snapshot, read_towns};
use crate::live::{Live, keep_open};
use crate::ui::header::{Header, TownHeader};
use crate::ui::link_status::LinkBanner;
use crate::ui::state::{Failed, Pending};

/// Reads the town once, then follows it live.
#[component]
pub(crate) fn TownPage() -> impl IntoView {
    let params = use_params_map();
    let town = Memo::new(move |_| params.read().get("town").unwrap_or_default());
    let live = Live::new();
    provide_context(live);
    keep_open(live);
    let snapshot = Resource::new(move || town.get(), read_snapshot);
    let towns = Resource::new(|| (), |()| read_towns());
    let page = move || {
        Suspend::new(async move {
            let (read, towns) = (snapshot.await, towns.await.unwrap_or_default());
            match read {
                Ok(read) => {
                    let name = read.town.to_string();
                    live.seed(read);
                    view! {
                        <TownHeader live town=name towns/>
                        <LinkBanner live/>
                        <Outlet/>
                    }
                    .into_any()
                }
                Err(error) => view! {
                    <Header/>
                    <main id="main" class="page"><Failed error retry=move |()| snapshot.refetch()/></main>
                }
                .into_any(),
            }
        })
    };
    view! { <Transition fallback=|| view! { <Header/><main id="main" class="page"><Pending what="the town"/></main> }>{page}</Transition> }
}
