//! Every operation under /api, in the order of the routers. Examples of answers are files beside this one; with
//! `TOWNGAUGE_EXAMPLES=write` the test of the document writes them anew from a real server.

use super::operation::{Operation, PLAIN, Try};

/// What every list of costs takes.
macro_rules! cost_query {
    ($($more:expr),*) => {
        &[
            ("town", "home", "town; else the server's own"),
            ("range", "7d", "today, 7d or 30d (as always)"),
            ("from", "", "instead of a range: first day, YYYY-MM-DD"),
            ("to", "", "last day, included"),
            ("tz", "Europe/Berlin", "IANA zone in which days begin"),
            ("rig", "", "rig; as often as needed, (none) for what is not attributed, like all that follow"),
            ("role", "", "role"),
            ("agent", "", "agent"),
            ("model", "", "model"),
            ("provider", "", "whose model: Anthropic, OpenAI, ..."),
            ("bead", "", "bead"),
            ("session", "", "conversation"),
            ("provenance", "", "billed, reported, computed, estimated or unpriced"),
            $($more),*
        ]
    };
}

/// Every operation.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        method: "post",
        path: "/api/ingest",
        summary: "Stores events: one, an array, or a line each (NDJSON). Answered after the commit, item by item.",
        query: &[("town", "home", "town; else the server's own")],
        body: Some(include_str!("examples/post_ingest.body.json")),
        answer: Some(include_str!("examples/post_ingest.json")),
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/api/ship",
        summary: "Takes what towngauge watch --to sends from another machine.",
        query: &[("town", "home", "town")],
        tried: Try::Elsewhere,
        ..PLAIN
    },
    Operation {
        path: "/api/towns/{town}/shippers",
        summary: "How far each sending machine is.",
        answer: Some(include_str!("examples/get_towns_town_shippers.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/towns/{town}/unmapped",
        summary: "What OpenTelemetry sent and nobody understood, by name.",
        answer: Some(include_str!("examples/get_towns_town_unmapped.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/towns",
        summary: "Every town with its dials.",
        answer: Some(include_str!("examples/get_towns.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/towns/{town}/gauges",
        summary: "The dials of a town and all its tanks.",
        answer: Some(include_str!("examples/get_towns_town_gauges.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/towns/{town}/snapshot",
        summary: "The whole live state: the same as the first frame of the WebSocket /live.",
        answer: Some(include_str!("examples/get_towns_town_snapshot.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/towns/{town}/ledger",
        summary: "The newest entries of the balance.",
        query: &[("limit", "10", "entries at most")],
        answer: Some(include_str!("examples/get_towns_town_ledger.json")),
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/api/towns/{town}/topup",
        summary: "Fills the tank; the same request_id fills it once.",
        body: Some(include_str!("examples/post_towns_town_topup.body.json")),
        status: 201,
        answer: Some(include_str!("examples/post_towns_town_topup.json")),
        ..PLAIN
    },
    Operation {
        method: "put",
        path: "/api/towns/{town}/capacity",
        summary: "Says what a full tank holds; null: the balance after the last top-up.",
        body: Some(include_str!("examples/put_towns_town_capacity.body.json")),
        answer: Some(include_str!("examples/put_towns_town_capacity.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/events",
        summary: "Newest events of a town.",
        query: &[("town", "home", "town"), ("limit", "5", "events at most")],
        answer: Some(include_str!("examples/get_events.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/towns/{town}/events",
        summary: "A page of events, newest first, with filters.",
        query: &[
            ("before", "", "next of the page before"),
            ("limit", "5", "events, at most 500"),
            ("kind", "", "kinds, with commas between them"),
            ("rig", "", "rig"),
            ("role", "", "roles, with commas between them"),
            ("agent", "", "agent"),
            ("level", "", "info, warn, error, with commas between them"),
            ("source", "", "sources such as claude_code or api, with commas between them"),
            ("q", "", "a part of a name"),
        ],
        answer: Some(include_str!("examples/get_towns_town_events.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/costs",
        summary: "The calls of a period, newest first; next goes on.",
        query: cost_query!(
            ("after", "", "next of the page before"),
            ("limit", "5", "calls, at most 1000"),
            ("format", "", "csv")
        ),
        answer: Some(include_str!("examples/get_costs.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/costs/summary",
        summary: "What a period cost, by provenance, with the period before and the cards.",
        query: cost_query!(),
        answer: Some(include_str!("examples/get_costs_summary.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/costs/board",
        summary: "Everything that the Costs page shows, out of one snapshot; sums are arrays: calls, tokens by kind, nanodollars, tokens without a price.",
        query: cost_query!((
            "by",
            "role",
            "what the river is of: role, rig, agent, model, provider, bead, session or provenance"
        )),
        answer: Some(include_str!("examples/get_costs_board.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/stats/daily",
        summary: "Each day of a period. Rows sum to total.",
        query: cost_query!(("format", "", "csv")),
        answer: Some(include_str!("examples/get_stats_daily.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/stats/roles",
        summary: "A period by role. Rows sum to total.",
        query: cost_query!(("format", "", "csv")),
        answer: Some(include_str!("examples/get_stats_roles.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/stats/rigs",
        summary: "A period by rig. Rows sum to total.",
        query: cost_query!(("format", "", "csv")),
        answer: Some(include_str!("examples/get_stats_rigs.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/stats/models",
        summary: "A period by model. Rows sum to total.",
        query: cost_query!(("format", "", "csv")),
        answer: Some(include_str!("examples/get_stats_models.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/stats/beads",
        summary: "The dearest beads of a period, with state, models and agents. Rows and rest sum to total.",
        query: cost_query!(
            ("limit", "5", "rows, at most 1000; what is over it is summed in rest"),
            ("format", "", "csv")
        ),
        answer: Some(include_str!("examples/get_stats_beads.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/stats/sessions",
        summary: "The dearest conversations of a period. Rows and rest sum to total.",
        query: cost_query!(
            ("limit", "5", "rows, at most 1000; what is over it is summed in rest"),
            ("format", "", "csv")
        ),
        answer: Some(include_str!("examples/get_stats_sessions.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/towns/{town}/requests",
        summary: "How many requests were in flight over a window or a range: mean and maximum per step.",
        query: &[
            ("window", "1h", "1h, 6h, 24h or 7d"),
            ("from", "", "instead of a window: beginning, RFC 3339"),
            ("to", "", "end"),
            ("step", "", "seconds per step: 10, 60, 300, 1800 or 21600, at most 400 steps"),
        ],
        answer: Some(include_str!("examples/get_towns_town_requests.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/towns/{town}/tanks",
        summary: "Every tank: what is left, and how long it lasts.",
        answer: Some(include_str!("examples/get_towns_town_tanks.json")),
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/api/towns/{town}/windows",
        summary: "Tells how much of a subscription's windows is used.",
        body: Some(include_str!("examples/post_towns_town_windows.body.json")),
        answer: Some(include_str!("examples/post_towns_town_windows.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/towns/{town}/alerts",
        summary: "What is not fine in a town, and what of it is snoozed.",
        answer: Some(include_str!("examples/get_towns_town_alerts.json")),
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/api/towns/{town}/alerts/{id}/snooze",
        summary: "Silences an alert for some minutes, a week at most: pages fold it, webhooks are told only that it ended.",
        body: Some(include_str!("examples/post_towns_town_alerts_id_snooze.body.json")),
        tried: Try::Elsewhere,
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/api/towns/{town}/alerts/{id}/unsnooze",
        summary: "Lets a snoozed alert be heard again.",
        tried: Try::Elsewhere,
        ..PLAIN
    },
    Operation {
        path: "/api/towns/{town}/stop",
        summary: "The rule for an empty tank, whether it stops agents now, and who asks.",
        answer: Some(include_str!("examples/get_towns_town_stop.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/webhooks",
        summary: "Webhooks and what came of what they were told.",
        answer: Some(include_str!("examples/get_webhooks.json")),
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/api/webhooks/test",
        summary: "Tells webhooks something, to see whether they work.",
        body: Some(include_str!("examples/post_webhooks_test.body.json")),
        status: 202,
        tried: Try::Elsewhere,
        ..PLAIN
    },
    Operation { method: "post", path: "/api/demo", summary: "Opens the made-up town.", tried: Try::Elsewhere, ..PLAIN },
    Operation {
        path: "/api/towns/{town}/series",
        summary: "One metric over a window or a range; CSV with Accept: text/csv.",
        query: &[
            ("metric", "cost", "tokens, cost, agents, beads, lines, latency or errors"),
            ("tool", "", "of latency: whose; else that of all tools together"),
            ("window", "1h", "1h, 6h, 24h or 7d"),
            ("from", "", "instead of a window: beginning, RFC 3339"),
            ("to", "", "end"),
            ("format", "", "csv"),
        ],
        answer: Some(include_str!("examples/get_towns_town_series.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/prices",
        summary: "The price book, in dollars per million tokens.",
        query: &[("model", "claude-sonnet-4-5", "one model")],
        answer: Some(include_str!("examples/get_prices.json")),
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/api/prices",
        summary: "Adds a price.",
        body: Some(include_str!("examples/post_prices.body.json")),
        status: 201,
        answer: Some(include_str!("examples/post_prices.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/towns/{town}/unpriced",
        summary: "Models that are used and have no price.",
        answer: Some(include_str!("examples/get_towns_town_unpriced.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/towns/{town}/reprice",
        summary: "Repricings: what waits and what they did.",
        answer: Some(include_str!("examples/get_towns_town_reprice.json")),
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/api/towns/{town}/reprice",
        summary: "Prices stored calls again, in the background.",
        body: Some(include_str!("examples/post_towns_town_reprice.body.json")),
        status: 202,
        answer: Some(include_str!("examples/post_towns_town_reprice.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/towns/{town}/sources",
        summary: "How each source stands, what it got wrong, and how to connect it.",
        answer: Some(include_str!("examples/get_towns_town_sources.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/live/stats",
        summary: "This minute: totals, burn, latency, newest calls, sessions, counters, watermarks, sources.",
        query: &[
            ("town", "home", "town; else the server's own"),
            ("tz", "Europe/Berlin", "IANA zone in which days and months begin"),
        ],
        answer: Some(include_str!("examples/get_live_stats.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/live/stream",
        summary: "Server-Sent Events: ready, then event or tool_call once for each stored event, gone for replaced ones, and burn_tick every 5 s. Goes on behind Last-Event-ID.",
        query: &[
            ("town", "home", "town; else the server's own"),
            ("tz", "Europe/Berlin", "IANA zone for burn_tick"),
            ("last_event_id", "", "as the header, for who cannot set one"),
        ],
        media: "text/event-stream",
        answer: Some(include_str!("examples/get_live_stream.txt")),
        tried: Try::Elsewhere,
        ..PLAIN
    },
    Operation {
        path: "/api/system/metrics",
        summary: "Counters since the start and figures of now.",
        answer: Some(include_str!("examples/get_system_metrics.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/system/events",
        summary: "Newest events of a town, as lines.",
        query: &[("town", "home", "town"), ("limit", "5", "events, at most 500")],
        answer: Some(include_str!("examples/get_system_events.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/system/activeRequests",
        summary: "What is under way in a town.",
        query: &[("town", "home", "town")],
        answer: Some(include_str!("examples/get_system_activeRequests.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/system/health",
        summary: "Whether the server is well, and if not, what to do.",
        answer: Some(include_str!("examples/get_system_health.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/system/channels",
        summary: "How each source of a town stands.",
        query: &[("town", "home", "town")],
        answer: Some(include_str!("examples/get_system_channels.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/page/towns",
        summary: "What the towns page reads again.",
        answer: Some(include_str!("examples/get_page_towns.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/page/sources/{town}",
        summary: "What the Sources page reads again.",
        answer: Some(include_str!("examples/get_page_sources_town.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/page/tank/{town}",
        summary: "What the Tank page reads again.",
        answer: Some(include_str!("examples/get_page_tank_town.json")),
        ..PLAIN
    },
    Operation {
        path: "/api/page/charts/{town}",
        summary: "What the charts read again.",
        query: &[
            ("window", "1h", "1h, 6h, 24h or 7d"),
            ("from", "", "beginning"),
            ("to", "", "end"),
            ("tool", "", "whose latency; else that of all tools together"),
            ("compare", "", "before: also the period before"),
        ],
        answer: Some(include_str!("examples/get_page_charts_town.json")),
        ..PLAIN
    },
    Operation { path: "/api/openapi.json", summary: "This document.", tried: Try::Elsewhere, ..PLAIN },
    Operation {
        path: "/api/towns/{town}/hosts",
        summary: "What the machines of a town use right now.",
        tried: Try::Elsewhere,
        ..PLAIN
    },
    Operation {
        path: "/api/towns/{town}/hosts/history",
        summary: "What the machines of a town used, as columns.",
        query: &[("window", "1h", "1h, 6h, 24h or 7d")],
        tried: Try::Elsewhere,
        ..PLAIN
    },
    Operation {
        path: "/api/system/cost",
        summary: "What this server itself costs its machine, and how long an event takes until a page shows it.",
        answer: Some(include_str!("examples/get_system_cost.json")),
        tried: Try::Elsewhere,
        ..PLAIN
    },
    Operation {
        method: "post",
        path: "/api/ship/host",
        summary: "Takes what another machine uses.",
        query: &[("town", "home", "town")],
        tried: Try::Elsewhere,
        ..PLAIN
    },
    Operation {
        path: "/api/page/live/{town}",
        summary: "What the Live page reads again.",
        tried: Try::Elsewhere,
        ..PLAIN
    },
    Operation {
        path: "/api/page/machine/{town}",
        summary: "What the Machine page reads again.",
        tried: Try::Elsewhere,
        ..PLAIN
    },
];
