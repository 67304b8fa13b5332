//! Markup that stays as the server made it. The browser takes it over unseen, so a client carries nothing of it: as a
//! view it would weigh as much as one that changes.

/// The inside of an element whose content the browser never renders itself.
pub(crate) fn fixed(html: impl FnOnce() -> String) -> String {
    if cfg!(feature = "ssr") { html() } else { String::new() }
}
