//! The link before the client: a line of script in the document opens the socket while the client is still on its way,
//! and the client takes it over. It saves the handshake, a tenth of a second and more, before a page is live.

use js_sys::{Array, Reflect};
use leptos::prelude::window;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::WebSocket;

/// Where the script leaves the socket, on `window`.
const NAME: &str = "towngaugeLink";

/// For documents of a town, which say its name in `data-town`. What comes before the client does waits in a list, up to
/// a bound: should the client never come, nothing grows.
#[cfg(feature = "ssr")]
pub(crate) const SCRIPT: &str = "(function(){var w=[],s=new WebSocket(location.origin.replace('http','ws')+'/live?town='+\
                                 document.documentElement.dataset.town);s.onmessage=function(e){if(w.push(e.data)>300)\
                                 s.close()};window.towngaugeLink={s:s,w:w}})()";

/// A socket that was opened before, with the frames that it has brought.
pub(super) struct Early {
    pub socket: WebSocket,
    pub frames: Array,
}

/// The early socket, once, when it leads to `url` and is not closed.
pub(super) fn take(url: &str) -> Option<Early> {
    let (window, name) = (window(), JsValue::from_str(NAME));
    let link = Reflect::get(&window, &name).ok().filter(|link| !link.is_falsy())?;
    Reflect::delete_property(&window, &name).ok()?;
    let part = |name: &str| Reflect::get(&link, &JsValue::from_str(name)).ok();
    let socket: WebSocket = part("s")?.unchecked_into();
    let frames: Array = part("w")?.unchecked_into();
    let is_usable = socket.ready_state() <= WebSocket::OPEN && socket.url() == url;
    if !is_usable {
        socket.set_onmessage(None);
        let _ = socket.close();
    }
    is_usable.then_some(Early { socket, frames })
}
