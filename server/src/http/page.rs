//! The pages: rendered by Leptos with real numbers, each with its own content security policy.

use std::sync::Arc;

use app::reader::TownReader;
use app::{App as AppRoot, PageStatus, shell};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use leptos::config::LeptosOptions;
use leptos::context::{provide_context, use_context};
use leptos::nonce::use_nonce;
use leptos_axum::{LeptosRoutes as _, ResponseOptions, generate_route_list, render_app_async_with_context};

use crate::state::App;

/// Every page, and the server functions behind them.
pub fn router(app: &App) -> Router {
    let options = LeptosOptions::builder().output_name("towngauge").build();
    let paths = app.assets.paths();
    let document = move || shell(paths.clone());
    let reader: Arc<dyn TownReader> = Arc::clone(&app.reader) as Arc<dyn TownReader>;
    let context = move || provide(&reader);
    let missing = render_app_async_with_context(context.clone(), document.clone());
    Router::new()
        .leptos_routes_with_context(&options, generate_route_list(AppRoot), context, document)
        .fallback(move |request: Request<Body>| {
            let render = missing.clone();
            async move {
                let mut response: Response = render(request).await;
                if response.status() == StatusCode::OK {
                    *response.status_mut() = StatusCode::NOT_FOUND;
                }
                response
            }
        })
        .with_state(options)
}

/// What pages find in context, and the headers of this one answer.
fn provide(reader: &Arc<dyn TownReader>) {
    provide_context(Arc::clone(reader));
    let Some(response) = use_context::<ResponseOptions>() else { return };
    let nonce = use_nonce().map(|nonce| format!(" 'nonce-{nonce}'")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'{nonce} 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
    // Live numbers: a page out of a cache would lie.
    response.insert_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    provide_context(PageStatus(Arc::new(move |status| {
        if let Ok(status) = StatusCode::from_u16(status) {
            response.set_status(status);
        }
    })));
}
