//! Dark or light: from the system, unless chosen; the choice is kept in the browser.

use chart::Mode;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;

const KEY: &str = "towngauge.theme";

/// What was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Choice {
    #[default]
    Auto,
    Dark,
    Light,
}

impl Choice {
    const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }
    fn parse(raw: &str) -> Self {
        match raw {
            "dark" => Self::Dark,
            "light" => Self::Light,
            _ => Self::Auto,
        }
    }
    const fn next(self) -> Self {
        match self {
            Self::Auto => Self::Dark,
            Self::Dark => Self::Light,
            Self::Light => Self::Auto,
        }
    }
}

#[derive(Clone, Copy)]
struct ModeContext {
    choice: RwSignal<Choice>,
    mode: Memo<Mode>,
}

/// Provides the mode that canvases paint in. It follows the system and the choice.
pub(crate) fn provide_mode() {
    let choice = RwSignal::new(Choice::default());
    let system_light = RwSignal::new(false);
    let mode = Memo::new(move |_| match (choice.get(), system_light.get()) {
        (Choice::Light, _) | (Choice::Auto, true) => Mode::Light,
        (Choice::Dark, _) | (Choice::Auto, false) => Mode::Dark,
    });
    provide_context(ModeContext { choice, mode });
    Effect::new(move |_| {
        if let Ok(Some(query)) = window().match_media("(prefers-color-scheme: light)") {
            system_light.set(query.matches());
            let watched = query.clone();
            let changed = Closure::<dyn FnMut()>::new(move || system_light.set(watched.matches()));
            query.set_onchange(Some(changed.as_ref().unchecked_ref()));
            // As long as the page lives.
            changed.forget();
        }
        let kept = window().local_storage().ok().flatten().and_then(|storage| storage.get_item(KEY).ok().flatten());
        choice.set(kept.as_deref().map(Choice::parse).unwrap_or_default());
    });
}

/// The mode that canvases paint in.
pub(crate) fn use_mode() -> Memo<Mode> {
    use_context::<ModeContext>().map_or_else(|| Memo::new(|_| Mode::default()), |context| context.mode)
}

fn keep(choice: Choice) {
    if let Some(root) = document().document_element() {
        let _ = match choice {
            Choice::Auto => root.remove_attribute("data-theme"),
            Choice::Dark | Choice::Light => root.set_attribute("data-theme", choice.name()),
        };
    }
    // Without storage the choice lasts as long as the page.
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = match choice {
            Choice::Auto => storage.remove_item(KEY),
            Choice::Dark | Choice::Light => storage.set_item(KEY, choice.name()),
        };
    }
}

/// One button through auto, dark and light.
#[component]
pub(crate) fn ThemeToggle() -> impl IntoView {
    let choice = use_context::<ModeContext>().map(|context| context.choice).unwrap_or_default();
    let name = move || choice.get().name();
    view! {
        <button
            class="theme-toggle"
            r#type="button"
            aria-label=move || format!("Theme: {}. Change", name())
            title=move || format!("Theme: {}", name())
            on:click=move |_| {
                choice.update(|c| *c = c.next());
                keep(choice.get_untracked());
            }
        >
            <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
                <circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-width="1.5"/>
                <path d="M8 1.75a6.25 6.25 0 0 1 0 12.5z" fill="currentColor"/>
            </svg>
            <span>{name}</span>
        </button>
    }
}
