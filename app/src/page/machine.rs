//! Machine: what the hosts of a town use, now and before, and what Towngauge itself costs.

use leptos::prelude::*;
use model::Window;
use model::format::grouped;

use super::frame::town_frame;
use crate::machine::{MachineBoard, event_to_pixel, of_all, short};
use crate::seed::MachineSeed;
use crate::sources::Step;
use crate::ui::guide::StepBox;
use crate::ui::header::Tab;
use crate::ui::host_card::HostCard;
use crate::ui::truth_mark::TruthMark;
use crate::ui::unread::Unread;
use crate::zone::use_zone;

/// The bar, the server's own cost, and a card for each host.
#[component]
pub fn MachineView(seed: MachineSeed) -> impl IntoView {
    let MachineSeed { town, window, page, connect } = seed;
    let (live, top) = town_frame(town, Tab::Machine);
    let board = MachineBoard::new(live, window, page);
    board.follow();
    let is_empty = Memo::new(move |_| board.names().is_empty());
    let names = Memo::new(move |_| board.names());
    view! {
        {top}
        <main id="main" class="page machine-page">
            <h1 class="visually-hidden">"Machine"</h1>
            <Bar board/>
            <Unread what="The past" failed=board.failed read_at=board.read_at live again=Callback::new(move |()| board.refresh())/>
            {move || is_empty.get().then(|| view! { <NoHost board connect=connect.clone()/> })}
            <For each=move || names.get() key=String::clone let:host>
                <HostCard board host/>
            </For>
            <Own board/>
        </main>
    }
}

#[component]
fn Bar(board: MachineBoard) -> impl IntoView {
    let zone = use_zone();
    let windows = Window::ALL.map(|window| {
        // A link, so that it opens in a new tab too; a plain click stays on the page.
        let follow = move |event: leptos::ev::MouseEvent| {
            if event.button() == 0 && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key()) {
                event.prevent_default();
                board.goto(window);
            }
        };
        view! {
            <a
                on:click=follow
                href=move || board.address(window)
                aria-current=move || (board.window.get() == window).then_some("true")
                aria-label=format!("The last {}", window.name())
            >
                {window.name()}
            </a>
        }
    });
    view! {
        <div class="toolbar" role="toolbar" aria-label="Range">
            <nav class="windows" aria-label="Window">{windows}</nav>
            <p class="resolution unit">{move || format!("{} means", crate::observe::words::step(board.step_s()))}</p>
            <p class="unit">{move || format!("times in {}", zone.name())}</p>
            <span class="busy" class:on=move || board.loading.get() role="status">
                {move || board.loading.get().then_some("Reading")}
            </span>
        </div>
    }
}

/// What would fill the page.
#[component]
fn NoHost(board: MachineBoard, connect: Step) -> impl IntoView {
    let town = move || board.live.town.get().map(|town| town.to_string());
    view! {
        <section class="panel no-host">
            <p class="empty-title">"No machine of this town has been read"</p>
            <p class="empty-hint">
                "The server reads its own machine for the town of its local files, unless it was started with --host off. \
                 For town "<strong>{town}</strong>", start the watcher on a machine where its agents run: it ships what they \
                 write, and what the machine uses with it."
            </p>
            <StepBox step=connect/>
        </section>
    }
}

/// What the age is of.
const EVENT_TO_PIXEL: &str = "From an event's coming into the queue until a page had painted it, median and worst of the last minute: measured by canaries, which \
                              take the way of events through queue, commit and socket every 5 s while somebody looks. From another \
                              machine the way of the page's answer is included";

/// What the server itself costs.
#[component]
fn Own(board: MachineBoard) -> impl IntoView {
    let own = board.own;
    let truth = Memo::new(move |_| board.truth());
    let fact = move |label: &'static str, title: &'static str, text: Signal<String>| {
        view! { <div title=title><dt>{label}</dt><dd>{text}</dd></div> }
    };
    let cpu = Signal::derive(move || short(own.get().cpu_percent, 1, " %"));
    let rss = Signal::derive(move || of_all(own.get().rss_bytes));
    let queries = Signal::derive(move || short(own.get().queries_per_s, 1, "/s"));
    let count = |count: u64| grouped(i64::try_from(count).unwrap_or(i64::MAX));
    let viewers = Signal::derive(move || count(own.get().viewers));
    let queue = Signal::derive(move || count(own.get().queue_events));
    let age = Signal::derive(move || own.with(event_to_pixel));
    view! {
        <section class="panel own" class:stale=move || truth.get().is_old() data-truth=move || truth.get().name() aria-labelledby="own-title">
            <h2 id="own-title">"Towngauge itself"</h2>
            <TruthMark truth/>
            <dl>
                {fact("CPU", "Processor time of the server over the last seconds, in percent of one processor", cpu)}
                {fact("Memory", "Resident memory of the server, without its Postgres", rss)}
                {fact("Queries", "Transactions of its database per second; a query outside of one counts as one", queries)}
                {fact("Viewers", "Open live pages", viewers)}
                {fact("Queue", "Events that wait to be stored, or are being stored", queue)}
                {fact("Event to pixel", EVENT_TO_PIXEL, age)}
            </dl>
        </section>
    }
}
