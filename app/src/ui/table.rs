//! A small table of text in a box that scrolls: one for every panel, so that a page carries it once.

use leptos::prelude::*;

/// One line.
pub(super) struct Row {
    /// The first cell, which names the line.
    pub head: String,
    /// What the pointer is told of it.
    pub title: String,
    /// The other cells.
    pub cells: Vec<String>,
    /// A class of the last cell, for its colour.
    pub class: &'static str,
}

/// The table; `label` says what it lists.
pub(super) fn table(label: String, columns: &'static [&'static str], rows: Vec<Row>) -> AnyView {
    let columns = columns.iter().map(|column| view! { <th scope="col">{*column}</th> }).collect_view();
    let row = |Row { head, title, cells, class }: Row| {
        let last = cells.len().saturating_sub(1);
        let cell = |(at, text)| view! { <td class=if at == last { class } else { "" }>{text}</td> };
        let cells = cells.into_iter().enumerate().map(cell).collect_view();
        view! { <tr><th scope="row" title=title>{head}</th>{cells}</tr> }
    };
    let rows = rows.into_iter().map(row).collect_view();
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
