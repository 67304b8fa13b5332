//! Coarser tiers from finer ones, periodically.
