//! Models without a price: what they used, and how to add the price.

use leptos::prelude::*;
use model::format::grouped;

use super::command::Command;
use crate::sources::UnpricedModel;

/// A line per model; nothing when every model has a price.
#[component]
pub(crate) fn Unpriced(
    /// The models.
    #[prop(into)]
    models: Signal<Vec<UnpricedModel>>,
) -> impl IntoView {
    let line = |UnpricedModel { model, calls, tokens, command }: UnpricedModel| {
        view! {
            <li>
                <code>{model.clone()}</code>
                <span class="unit">{format!("{} calls, {} tokens", grouped(calls), grouped(tokens))}</span>
                <Command label=format!("Add a price for {model}") text=command/>
            </li>
        }
    };
    move || {
        (!models.with(Vec::is_empty)).then(|| {
            view! {
                <section class="panel unpriced" aria-labelledby="unpriced-title">
                    <header><h2 id="unpriced-title">"Models without a price"</h2></header>
                    <p>"Their tokens count, and their cost is missing from every figure."</p>
                    <ul>{models.get().into_iter().map(line).collect_view()}</ul>
                </section>
            }
        })
    }
}
