//! The HTML document around a page.

use leptos::nonce::use_nonce;
use leptos::prelude::*;

use crate::document::Document;
use crate::live::EARLY_SCRIPT;
use crate::seed::SEED_ID;

/// Addresses of the built files; their names carry a hash of the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetPaths {
    /// All style sheets in one.
    pub css: String,
    /// The picture in the browser's tab.
    pub icon: String,
    /// The client of the page.
    pub client: ClientPaths,
}

/// Addresses of one client's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientPaths {
    /// The module that wasm-bindgen made.
    pub js: String,
    /// The WASM itself.
    pub wasm: String,
    /// The module that starts the WASM.
    pub boot: String,
}

/// Applies a chosen theme before the first paint; without one the system decides.
const THEME: &str = "try{var t=localStorage.getItem('towngauge.theme');\
                     if(t==='dark'||t==='light')document.documentElement.dataset.theme=t}catch(e){}";

/// The whole document. No inline style anywhere: the content security policy forbids it.
pub fn shell(assets: AssetPaths, document: Document) -> impl IntoView + 'static {
    let AssetPaths { css, icon, client: ClientPaths { js, wasm, boot } } = assets;
    let (client, title, seed) = (document.client().name(), document.title(), document.seed());
    let town = document.town().map(ToString::to_string);
    let link = town.is_some().then(|| view! { <script nonce=use_nonce() inner_html=EARLY_SCRIPT></script> });
    let retry = document.retry_s().map(|s| view! { <meta http-equiv="refresh" content=s.to_string()/> });
    view! {
        <!DOCTYPE html>
        <html lang="en" data-town=town>
            <head>
                <meta charset="utf-8"/>
                <title>{title}</title>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="dark light"/>
                <meta name="theme-color" content="#0d0f12" media="(prefers-color-scheme: dark)"/>
                <meta name="theme-color" content="#f4f5f7" media="(prefers-color-scheme: light)"/>
                {retry}
                <script nonce=use_nonce()>{THEME}</script>
                {link}
                <link rel="stylesheet" href=css/>
                <link rel="icon" type="image/svg+xml" href=icon/>
                <link rel="modulepreload" href=js/>
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                <script type="module" src=boot></script>
                // Data, not a program: browsers do not run it, and the policy does not concern it.
                <script id=SEED_ID r#type="application/json" inner_html=seed></script>
            </head>
            <body data-client=client>{document.view()}</body>
        </html>
    }
}
