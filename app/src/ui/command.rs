//! A command to paste, with a button that copies it.

use std::time::Duration;

use leptos::prelude::*;

/// A command line in full, selectable, with a copy button.
#[component]
pub(crate) fn Command(
    /// The command.
    #[prop(into)]
    text: String,
    /// What it does.
    #[prop(into)]
    label: String,
    /// For tight places.
    #[prop(optional)]
    small: bool,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    let (to_copy, copies) = (text.clone(), format!("Copy: {label}"));
    let copy = move |_| {
        // Where the clipboard is refused, the text can still be selected by hand.
        let written = write_clipboard(&to_copy);
        copied.set(written);
        set_timeout(
            move || {
                copied.try_set(false);
            },
            Duration::from_secs(2),
        );
    };
    view! {
        <div class="command" class:small=small>
            <pre><code>{text}</code></pre>
            <button r#type="button" class="copy" on:click=copy aria-label=copies>
                {move || if copied.get() { "Copied" } else { "Copy" }}
            </button>
        </div>
    }
}

/// Asks the browser to copy; true when it took the request.
fn write_clipboard(text: &str) -> bool {
    let navigator = window().navigator();
    let clipboard = js_sys::Reflect::get(&navigator, &"clipboard".into()).ok().filter(|c| c.is_object());
    let Some(clipboard) = clipboard else { return false };
    let write = js_sys::Reflect::get(&clipboard, &"writeText".into()).ok();
    let write = write.and_then(|f| wasm_bindgen::JsCast::dyn_into::<js_sys::Function>(f).ok());
    write.is_some_and(|write| write.call1(&clipboard, &text.into()).is_ok())
}
