//! Parts that pages are made of.

pub(crate) mod chart_canvas;
pub(crate) mod chart_card;
pub(crate) mod chart_keys;
pub(crate) mod chart_pointers;
pub(crate) mod chips;
pub(crate) mod command;
pub(crate) mod events;
pub(crate) mod gauge;
pub(crate) mod header;
pub(crate) mod instrument;
pub(crate) mod legend;
pub(crate) mod link_status;
pub(crate) mod readout;
pub(crate) mod roster;
pub(crate) mod spark;
pub(crate) mod stat_cards;
pub(crate) mod state;
pub(crate) mod stop_panel;
pub(crate) mod tank_banner;
pub(crate) mod theme_toggle;
pub(crate) mod toolbar;
pub(crate) mod twin;
pub(crate) mod webhooks_panel;
