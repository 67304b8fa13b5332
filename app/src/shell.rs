//! The HTML document around the app.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use crate::routes::App;

/// Addresses of the built files; their names carry a hash of the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetPaths {
    /// The module that wasm-bindgen made.
    pub js: String,
    /// The WASM itself.
    pub wasm: String,
    /// All style sheets in one.
    pub css: String,
    /// The module that starts the WASM.
    pub boot: String,
    /// The picture in the browser's tab.
    pub icon: String,
}

/// Applies a chosen theme before the first paint; without one the system decides.
const THEME: &str = "try{var t=localStorage.getItem('towngauge.theme');\
                     if(t==='dark'||t==='light')document.documentElement.dataset.theme=t}catch(e){}";

/// The whole document. No inline style anywhere: the content security policy forbids it.
pub fn shell(assets: AssetPaths) -> impl IntoView + 'static {
    let AssetPaths { js, wasm, css, boot, icon } = assets;
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="dark light"/>
                <meta name="theme-color" content="#0d0f12" media="(prefers-color-scheme: dark)"/>
                <meta name="theme-color" content="#f4f5f7" media="(prefers-color-scheme: light)"/>
                <script nonce=use_nonce()>{THEME}</script>
                <link rel="stylesheet" href=css/>
                <link rel="icon" type="image/svg+xml" href=icon/>
                <link rel="modulepreload" href=js/>
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                <script type="module" src=boot></script>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
