//! Parts that pages are made of.

pub(crate) mod chips;
pub(crate) mod command;
pub(crate) mod events;
pub(crate) mod gauge;
pub(crate) mod header;
pub(crate) mod instrument;
pub(crate) mod link_status;
pub(crate) mod roster;
pub(crate) mod spark;
pub(crate) mod stat_cards;
pub(crate) mod state;
pub(crate) mod tank_banner;
pub(crate) mod theme_toggle;
