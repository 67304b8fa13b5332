//! The server as a whole: started in order, stopped in the opposite one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::alert::{self, Bell, Hooks, Watch};
use crate::assets::Assets;
use crate::canary;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::live_seed::PgSeeds;
use crate::db::notify::{Ears, Heard};
use crate::db::price::Prices;
use crate::db::{self, DbError, Pool, coverage, key};
use crate::demo::Keeper;
use crate::feed::Feeds;
use crate::host::{self, Desk, MachineProbe, OwnMeter, RunBook, Who};
use crate::http::{self, Access, AccessSettings, Mode};
use crate::hub::{Hub, HubSettings};
use crate::ingest::{Intake, IntakeLimits, LogGate, WriterHandle, instance_id};
use crate::postgres::OpenMode;
use crate::read::{Address, Reader, SetupFacts};
use crate::request;
use crate::retention;
use crate::rollup;
use crate::source::balance::{self, Poller};
use crate::source::destination::StoreDestination;
use crate::source::registry::Roots;
use crate::source::watch;
use crate::standing::{Folders, Rates};
use crate::state::{App, AppState, Counters};
use crate::stop::StopDesk;
use crate::store::Store;
use crate::store_watch;

/// How often it is noted that towns are observed.
const COVERAGE_PERIOD: Duration = Duration::from_secs(10);

/// How long the watcher may take to finish what it has in hand.
const SOURCES_PATIENCE: Duration = Duration::from_secs(3);

/// A running server.
pub struct Running {
    /// Its address, such as `http://127.0.0.1:4680`.
    pub address: String,
    app: App,
    store: Store,
    writer: WriterHandle,
    hub_task: JoinHandle<()>,
    http: JoinHandle<()>,
    watcher: Option<JoinHandle<()>>,
    background: Vec<JoinHandle<()>>,
    /// What brings events in of its own accord.
    stop_sources: CancellationToken,
    stop_background: CancellationToken,
    stop_streams: CancellationToken,
    stop_http: CancellationToken,
}

/// Serves on `listener` until `shutdown`, and says on stdout when it is ready.
///
/// # Errors
/// It cannot start; the message says what to do.
pub async fn run(config: Config, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    let server = tokio::select! {
        server = start(config, listener) => server?,
        () = shutdown.cancelled() => return Ok(()),
    };
    println!("Towngauge is running at {}", server.address);
    shutdown.cancelled().await;
    server.stop().await;
    Ok(())
}

/// Starts everything, and returns when requests are answered.
///
/// # Errors
/// It cannot start; the message says what to do.
pub async fn start(config: Config, listener: TcpListener) -> anyhow::Result<Running> {
    let store = Store::open(&config, OpenMode::Serve).await?;
    start_on(config, listener, store).await
}

/// As [`start`], on a store that is open already.
///
/// # Errors
/// It cannot start; the message says what to do.
pub async fn start_on(config: Config, listener: TcpListener, store: Store) -> anyhow::Result<Running> {
    let local = listener.local_addr().context("the listener has no address")?;
    match assemble(config, listener, local, &store).await {
        Ok(parts) => Ok(parts.running(store)),
        Err(error) => {
            store.close().await;
            Err(error)
        }
    }
}

/// Everything but the store.
struct Parts(Box<dyn FnOnce(Store) -> Running + Send>);

impl Parts {
    fn running(self, store: Store) -> Running {
        (self.0)(store)
    }
}

async fn assemble(config: Config, listener: TcpListener, local: SocketAddr, store: &Store) -> anyhow::Result<Parts> {
    let (clock, pool) = (config.clock.value.map_or_else(Clock::system, Clock::starting_at), store.pool.clone());
    let settings = AccessSettings {
        address: local,
        allow_hosts: config.allow_hosts.value.clone(),
        public_url: config.public_url.value.clone(),
    };
    let access = Access::new(settings, pool.clone(), clock.clone());
    if access.mode() == Mode::Keys && key::count(&pool).await? == 0 {
        bail!(
            "{local} can be reached from other machines, so every request needs a key, and there is none yet.\n\
             Make one with: towngauge key create --scope admin NAME\n\
             Or listen on this machine only: --listen 127.0.0.1:{}",
            local.port()
        );
    }
    let hooks = Arc::new(Hooks::read(&config.webhooks.value, &|name| std::env::var(name).ok())?);
    db::town::ensure(&pool, &config.town.value, false).await?;
    coverage::extend_all(&pool, clock.now()).await?;

    let hub_settings = HubSettings { max_viewers: config.max_viewers.value, build: crate::VERSION.to_owned() };
    let (hub, committed, hub_task) =
        Hub::start(hub_settings, clock.clone(), Arc::new(PgSeeds(pool.clone()))).await.context("the live state")?;
    let limits = IntakeLimits { queue_events: config.queue_events.value, ..IntakeLimits::default() };
    let (intake, writer) = Intake::start(pool.clone(), Arc::clone(&store.prices), committed, limits);

    let stop_background = CancellationToken::new();
    let bell = Arc::new(Bell::default());
    let heard = Hearers { hub: hub.clone(), prices: Arc::clone(&store.prices), bell: Arc::clone(&bell) };
    let mut background = vec![
        rollup::spawn_worker(pool.clone(), stop_background.clone()),
        retention::spawn(pool.clone(), config.retention.value, stop_background.clone()),
        tokio::spawn(observe(pool.clone(), clock.clone(), stop_background.clone())),
        tokio::spawn(listen(pool.clone(), heard, stop_background.clone())),
    ];
    background.push(tokio::spawn(store_watch::run(pool.clone(), hub.clone(), clock.clone(), stop_background.clone())));
    let watch = Watch {
        pool: pool.clone(),
        hub: hub.clone(),
        clock: clock.clone(),
        hooks: Arc::clone(&hooks),
        limits: config.alerts.limits,
        bell,
    };
    background.extend(alert::spawn(watch, &stop_background).await);
    let lost_after_s = config.request_lost_after_s.value;
    background.push(request::spawn(pool.clone(), intake.clone(), clock.clone(), lost_after_s, stop_background.clone()));
    let stop_sources = CancellationToken::new();
    let poller = Poller { pool: pool.clone(), hub: hub.clone(), clock: clock.clone(), town: config.town.value.clone() };
    background.extend(balance::spawn(poller, &config.balances.value, &stop_sources).await.context("balances")?);
    let (folders, watcher) = watch_local(&config, &intake, &pool, &stop_sources);
    let (rates, counting) = Rates::spawn(pool.clone(), clock.clone(), stop_background.clone());
    background.push(counting);

    let stop = StopDesk::new(config.stop.policy());
    let address = match &config.public_url.value {
        Some(url) => Address::Told(url.clone()),
        None => Address::Bound(format!("http://{local}")),
    };
    let town = config.town.value.clone();
    let keys_required = access.mode() == Mode::Keys;
    let facts = SetupFacts { address, town, folders, rates, keys_required, lost_after_s };
    let started = clock.now();
    let reader = Arc::new(Reader::new(pool.clone(), hub.clone(), clock.clone(), facts));
    let runs = RunBook::new(Arc::clone(&reader), clock.clone(), started);
    let desk = Desk::new(pool.clone(), hub.clone(), clock.clone(), runs);
    background.push(tokio::spawn(desk.clone().follow(stop_background.clone())));
    background.push(tokio::spawn(canary::run(hub.clone(), intake.clone(), clock.clone(), stop_background.clone())));
    background.extend(read_own_host(&config, &desk, &stop_background));
    let demo = Keeper::new(pool.clone(), intake.clone(), clock.clone(), desk.clone(), stop_sources.clone());
    demo.continue_all().await.context("made-up towns")?;
    let assets = Assets::find(&|name| std::env::var(name).ok());
    if !assets.is_built() {
        tracing::warn!("the client is not built, so pages do not come alive; run cargo xtask build");
    }
    let stop_streams = CancellationToken::new();
    let app = Arc::new(AppState {
        config,
        started,
        reader,
        desk,
        own: OwnMeter::default(),
        clock,
        pool,
        intake,
        demo,
        hub,
        feeds: Feeds::new(store.pool.clone(), stop_streams.clone()),
        access,
        assets,
        large_bodies: AppState::large_bodies(),
        heads: crate::source::otlp::Heads::default(),
        stop,
        logs: LogGate::default(),
        hooks,
        counters: Counters::default(),
    });
    let stop_http = CancellationToken::new();
    let http = tokio::spawn(http::serve(listener, http::router(&app), stop_http.clone()));
    Ok(Parts(Box::new(move |store| Running {
        address: format!("http://{local}"),
        app,
        store,
        writer,
        hub_task,
        http,
        watcher,
        background,
        stop_sources,
        stop_background,
        stop_streams,
        stop_http,
    })))
}

impl Running {
    /// The server's parts, for tests.
    #[must_use]
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Stops: sources, intake, rollups, viewers, requests, Postgres, in this order.
    pub async fn stop(self) {
        tracing::info!("stopping");
        self.stop_sources.cancel();
        if let Some(watcher) = self.watcher
            && tokio::time::timeout(SOURCES_PATIENCE, watcher).await.is_err()
        {
            // Its cursor is in the store: what it had in hand is read again.
            tracing::warn!("the watcher was still reading");
        }
        // From here on senders are told to come back; everything acknowledged is committed.
        self.app.intake.close_and_drain(self.writer).await;
        self.stop_background.cancel();
        for task in self.background {
            if let Err(error) = task.await {
                tracing::error!(%error, "a background task ended badly");
            }
        }
        self.app.hub.stop().await;
        self.stop_streams.cancel();
        self.stop_http.cancel();
        for (name, task) in [("hub", self.hub_task), ("http", self.http)] {
            if let Err(error) = task.await {
                tracing::error!(%error, name, "a task ended badly");
            }
        }
        if let Err(error) = coverage::extend_all(&self.app.pool, self.app.clock.now()).await {
            tracing::warn!(%error, "the end of the observation could not be noted");
        }
        drop(self.app);
        self.store.close().await;
        tracing::info!("stopped");
    }
}

/// Notes every ten seconds that towns are being observed.
async fn observe(pool: Pool, clock: Clock, stop: CancellationToken) {
    let mut tick = tokio::time::interval(COVERAGE_PERIOD);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = coverage::extend_all(&pool, clock.now()).await {
            tracing::warn!(%error, "the observation could not be noted");
        }
    }
}

/// Who is told what other processes changed.
struct Hearers {
    hub: Hub,
    prices: Arc<Prices>,
    bell: Arc<Bell>,
}

/// Tells the hub what other processes changed, and what no committed batch tells it.
async fn listen(pool: Pool, hearers: Hearers, stop: CancellationToken) {
    let Hearers { hub, prices, bell } = hearers;
    let work = async {
        let mut deaf = false;
        loop {
            let mut ears = match Ears::open(&pool).await {
                Ok(ears) => ears,
                Err(error) => {
                    tracing::warn!(%error, "cannot hear other processes; trying again");
                    tokio::time::sleep(Duration::from_secs(2)).await;
                    continue;
                }
            };
            // What was said before there were ears. At the first time the hub has just read everything.
            if let Err(error) = catch_up(&pool, &hub, &prices, deaf).await {
                tracing::warn!(%error, "new prices cannot be read; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
            deaf = true;
            bell.ring();
            loop {
                match ears.next(instance_id()).await {
                    Ok(Heard::Changed(town)) => hub.reload(town).await,
                    Ok(Heard::Beads(town)) => hub.reload_beads(town).await,
                    Ok(Heard::Tanks(town)) => hub.reload_tanks(town).await,
                    Ok(Heard::Alerts(_)) => bell.ring(),
                    // Anything may have been missed: as after new ears, which are opened if it cannot be read now.
                    Ok(heard @ (Heard::Prices | Heard::Anything)) => {
                        let all = matches!(heard, Heard::Anything);
                        bell.ring();
                        if let Err(error) = catch_up(&pool, &hub, &prices, all).await {
                            tracing::warn!(%error, "new prices cannot be read; trying again");
                            break;
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot hear other processes; trying again");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        break;
                    }
                }
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

/// Reads the price book again, and with `towns` every town's live state too.
async fn catch_up(pool: &Pool, hub: &Hub, prices: &Prices, towns: bool) -> Result<(), DbError> {
    prices.reload(pool).await?;
    if towns {
        for card in hub.cards().await.unwrap_or_default() {
            hub.reload(card.name).await;
        }
    }
    Ok(())
}

/// Reads what this machine uses, unless told not to.
fn read_own_host(config: &Config, desk: &Desk, stop: &CancellationToken) -> Option<JoinHandle<()>> {
    let name = config.host.value.clone()?;
    let who = Who::this_process("serve", name);
    let sink = desk.sink(config.town.value.clone(), who, true);
    let data_dir = config.data_dir.value.clone();
    Some(tokio::spawn(host::run(move || Box::new(MachineProbe::new(data_dir)), sink, stop.clone())))
}

/// Follows this machine's agents' files, unless told not to, and says which.
fn watch_local(
    config: &Config,
    intake: &Intake,
    pool: &Pool,
    stop: &CancellationToken,
) -> (Folders, Option<JoinHandle<()>>) {
    if !config.watch.value {
        tracing::info!("local files are not watched");
        return (Folders::default(), None);
    }
    let roots = Roots::found(config.beads.value.clone(), config.git.value.clone());
    let now = roots.now();
    if now.is_empty() {
        tracing::info!("no agents' files were found on this machine yet; they are watched once there are any");
    }
    for root in now {
        tracing::info!(path = %root.path.display(), source = root.source.name(), "watching");
    }
    let town = config.town.value.clone();
    let store = StoreDestination::new(town, pool.clone(), intake.clone());
    let store = Arc::new(store.losing_after(config.request_lost_after_s.value));
    let task = watch::spawn_into(store, roots.clone(), stop.clone(), !config.paths.value);
    (Folders::followed(roots, task.abort_handle()), Some(task))
}
