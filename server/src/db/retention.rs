//! How far back events and tiers reach.
