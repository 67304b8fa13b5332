//! The pages.

pub(crate) mod first_run;
pub(crate) mod not_found;
pub(crate) mod observability;
pub(crate) mod overview;
pub(crate) mod town;
pub(crate) mod towns;
