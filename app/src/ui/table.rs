//! A small table of text in a box that scrolls: one for every panel, so that a page carries it once.

use leptos::prelude::*;

use crate::panel::Line;

/// The table; `label` says what it lists.
pub(super) fn table(label: String, columns: &'static [&'static str], lines: Vec<Line>) -> AnyView {
    let columns = columns.iter().map(|column| view! { <th scope="col">{*column}</th> }).collect_view();
    let row = |Line { head, title, cells, class }: Line| {
        let last = cells.len().saturating_sub(1);
        let cell =
            move |(at, text)| view! { <td class=if at == last { class.clone() } else { String::new() }>{text}</td> };
        let cells = cells.into_iter().enumerate().map(cell).collect_view();
        view! { <tr><th scope="row" title=title>{head}</th>{cells}</tr> }
    };
    let rows = lines.into_iter().map(row).collect_view();
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label=label>
            <table>
                <thead><tr>{columns}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
