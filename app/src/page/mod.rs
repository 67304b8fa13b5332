//! The pages.

pub(crate) mod first_run;
pub(crate) mod frame;
pub(crate) mod live;
pub(crate) mod machine;
pub(crate) mod notice;
pub(crate) mod observability;
pub(crate) mod overview;
pub(crate) mod sources;
pub(crate) mod tank;
pub(crate) mod towns;
