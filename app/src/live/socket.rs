//! The socket: opens, listens, notices silence, and comes back. It runs in the browser only, inside an Effect.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use js_sys::Array;
use leptos::prelude::*;
use model::live::Applied;
use model::time::Timestamp;
use model::wire::ClientMessage;
use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use super::frame::{self, Frame};
use super::link::{Link, Signs};
use super::store::Live;
use super::{backoff, early};

/// Keeps one socket open for the town that is known; closes it when the town changes or the page goes.
pub(crate) fn keep_open(live: Live) {
    Effect::new(move |_| {
        let Some(town) = live.town.get() else { return };
        live.link.set(Link::Connecting);
        let connection = Connection::open(live, town.as_str());
        let tick = {
            let connection = Rc::clone(&connection);
            set_interval_with_handle(move || connection.tick(), Duration::from_secs(1)).ok()
        };
        let hurry = |connection: &Rc<Connection>| {
            let connection = Rc::clone(connection);
            move |_| connection.hurry()
        };
        let online = window_event_listener(leptos::ev::online, hurry(&connection));
        let visible = window_event_listener(leptos::ev::visibilitychange, hurry(&connection));
        let connection = StoredValue::new_local(connection);
        on_cleanup(move || {
            online.remove();
            visible.remove();
            if let Some(tick) = tick {
                tick.clear();
            }
            connection.try_with_value(|connection| connection.close());
        });
    });
}

/// One town's socket through all its attempts.
struct Connection {
    live: Live,
    url: String,
    socket: RefCell<Option<Socket>>,
    heard_ms: Cell<Option<f64>>,
    alive: Cell<bool>,
    failed: Cell<bool>,
    attempt: Cell<u32>,
    retry_ms: Cell<Option<f64>>,
    /// The server's clock minus the browser's, in microseconds.
    ahead_us: Cell<Option<i64>>,
}

/// A browser's socket with the closures it calls; they must live as long.
struct Socket {
    inner: WebSocket,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

#[expect(clippy::cast_possible_truncation, reason = "microseconds since 1970 fit in 53 bits until 2255")]
fn browser_us() -> i64 {
    (js_sys::Date::now() * 1e3) as i64
}

/// A steady clock in milliseconds.
fn steady_ms() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}

impl Connection {
    fn open(live: Live, town: &str) -> Rc<Self> {
        let location = window().location();
        let scheme = if location.protocol().as_deref() == Ok("https:") { "wss" } else { "ws" };
        let host = location.host().unwrap_or_default();
        let connection = Rc::new(Self {
            live,
            url: format!("{scheme}://{host}/live?town={town}"),
            socket: RefCell::new(None),
            heard_ms: Cell::new(None),
            alive: Cell::new(false),
            failed: Cell::new(false),
            attempt: Cell::new(0),
            retry_ms: Cell::new(None),
            ahead_us: Cell::new(None),
        });
        connection.connect();
        connection
    }

    fn connect(self: &Rc<Self>) {
        self.drop_socket();
        self.retry_ms.set(None);
        let early = early::take(&self.url);
        let waiting = early.as_ref().map(|early| early.frames.clone());
        let Some(inner) = early.map_or_else(|| WebSocket::new(&self.url).ok(), |early| Some(early.socket)) else {
            self.lost();
            return;
        };
        let this = Rc::clone(self);
        let message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                this.receive(&text);
            }
        });
        let this = Rc::clone(self);
        let close = Closure::<dyn FnMut(CloseEvent)>::new(move |_| this.lost());
        inner.set_onmessage(Some(message.as_ref().unchecked_ref()));
        inner.set_onclose(Some(close.as_ref().unchecked_ref()));
        *self.socket.borrow_mut() = Some(Socket { inner, _message: message, _close: close });
        for text in waiting.iter().flat_map(Array::iter).filter_map(|frame| frame.as_string()) {
            self.receive(&text);
        }
    }

    fn receive(self: &Rc<Self>, text: &str) {
        let Some(frame) = frame::read(text) else {
            self.say(ClientMessage::RESYNC);
            return;
        };
        self.heard_ms.set(Some(steady_ms()));
        let message = match frame {
            Frame::Message(message) => message,
            Frame::Perf => return self.live.perf.set(text.to_owned()),
            Frame::Canary => return self.send_back(text.to_owned()),
        };
        match self.live.apply(message) {
            Applied::Changed(_) => {}
            Applied::Gap => self.say(ClientMessage::RESYNC),
            Applied::OtherProtocol => return reload_once(),
        }
        if let Some(heard) = self.live.heard() {
            self.ahead_us.set(Some(heard.0 - browser_us()));
        }
        if !self.alive.replace(true) {
            self.attempt.set(0);
            self.look();
            self.judge();
        }
    }

    /// Says whether somebody looks: hosts are read fast only then.
    fn look(&self) {
        self.say(if document().hidden() { ClientMessage::LOOK_AWAY } else { ClientMessage::LOOK });
    }

    /// Sends a canary back when the frame before it is painted: that is drawn in the page's next animation frame, which is
    /// on the screen when the browser comes to a task behind it.
    fn send_back(self: &Rc<Self>, canary: String) {
        let this = Rc::clone(self);
        request_animation_frame(move || set_timeout(move || this.say(&canary), Duration::ZERO));
    }

    fn say(&self, text: &str) {
        if let Some(socket) = &*self.socket.borrow() {
            // A socket that cannot send is closing; `onclose` does the rest.
            let _ = socket.inner.send_with_str(text);
        }
    }

    /// The socket is gone: wait, longer each time.
    fn lost(&self) {
        self.alive.set(false);
        self.failed.set(true);
        let attempt = self.attempt.get();
        self.attempt.set(attempt.saturating_add(1));
        self.retry_ms.set(Some(steady_ms() + backoff::delay_ms(attempt, js_sys::Math::random())));
        self.judge();
    }

    /// The network is back, or somebody looks at the page: do not wait.
    fn hurry(self: &Rc<Self>) {
        if self.retry_ms.get().is_some() && !document().hidden() {
            self.connect();
        } else if self.alive.get() {
            self.look();
        }
        self.tick();
    }

    /// Once a second: the clock moves on, silence is noticed, and a wait ends.
    fn tick(self: &Rc<Self>) {
        if let Some(ahead_us) = self.ahead_us.get() {
            self.live.now.set(Timestamp(browser_us() + ahead_us));
        }
        let now_ms = steady_ms();
        if self.retry_ms.get().is_some_and(|at| at <= now_ms) {
            self.connect();
        }
        let silent = self.heard_ms.get().is_some_and(|at| now_ms - at > 2e3 * model::wire::STALE_AFTER_S as f64);
        if silent && self.alive.get() {
            // Half-open: the other side will never say that it is gone.
            self.drop_socket();
            self.lost();
        }
        self.judge();
    }

    fn judge(&self) {
        let link = Link::judge(Signs {
            now_ms: steady_ms(),
            heard_ms: self.heard_ms.get(),
            store_down_s: self.live.store_down_s(),
            alive: self.alive.get(),
            failed: self.failed.get(),
            retry_ms: self.retry_ms.get(),
        });
        if self.live.link.get_untracked() != link {
            self.live.link.set(link);
        }
    }

    fn drop_socket(&self) {
        if let Some(socket) = self.socket.borrow_mut().take() {
            socket.inner.set_onmessage(None);
            socket.inner.set_onclose(None);
            let _ = socket.inner.close();
        }
    }

    fn close(&self) {
        self.retry_ms.set(None);
        self.drop_socket();
    }
}

/// A newer server speaks another protocol: the page it serves speaks it too. Once per minute at most, should it not.
fn reload_once() {
    const KEY: &str = "towngauge.reloaded";
    let Ok(Some(storage)) = window().session_storage() else { return };
    let now = js_sys::Date::now();
    let last = storage.get_item(KEY).ok().flatten().map(|at| js_sys::parse_float(&at));
    if last.is_none_or(|at| now - at > 60e3) && storage.set_item(KEY, &now.to_string()).is_ok() {
        let _ = window().location().reload();
    }
}
