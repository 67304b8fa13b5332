//! How to connect an agent or a tool: what to paste, with this server's real address.

use leptos::prelude::*;

use super::command::Command;
use crate::roll::Roll;
use crate::sources::{Guide, SourceCard, SourceKind, Step};

/// One guide.
#[component]
pub(crate) fn GuideCard(
    /// What it says.
    guide: Guide,
    /// Where the sources' states come from; the first page has none.
    #[prop(optional)]
    roll: Option<Roll>,
) -> impl IntoView {
    let Guide { id, title, about, steps, sources } = guide;
    let states = roll.map(|roll| sources.into_iter().map(|name| view! { <State roll name/> }).collect_view());
    let steps = steps.into_iter().map(|step| view! { <StepBox step/> }).collect_view();
    view! {
        <article class="panel guide" id=format!("connect-{id}")>
            <h3>{title}</h3>
            {states.map(|states| view! { <ul class="states">{states}</ul> })}
            <p>{about}</p>
            {steps}
        </article>
    }
    .into_any()
}

/// Something to paste, with where it goes.
#[component]
pub(crate) fn StepBox(step: Step) -> impl IntoView {
    view! {
        <div class="step">
            <p>{step.label.clone()}</p>
            <Command label=step.label text=step.text/>
        </div>
    }
}

#[component]
fn State(roll: Roll, name: String) -> impl IntoView {
    let card = Memo::new(move |_| roll.card(&name));
    let says = move |card: SourceCard| {
        // The others say it in their titles.
        let kind = if card.kind == SourceKind::FileTail { " · files" } else { "" };
        view! {
            <li title=card.words>
                <span class="standing" data-standing=card.standing.name()>{card.standing.label()}</span>
                <span class="unit">{card.title}{kind}</span>
            </li>
        }
    };
    move || card.get().map(says)
}
