//! The targets that `cargo xtask bench` measures, by their numbers in the performance notes.

use clap::ValueEnum;
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum Target {
    /// Ingest: of binary COPY, of select-then-upsert, and what rollups cost
    P1,
    /// From an event to its pixel
    P2,
    /// Charts and pages over ten million events
    P3,
    /// Fan-out to ten thousand viewers
    P4,
    /// Drawing, beside other libraries
    P5,
    /// Size and time of the first page
    P6,
    /// What the monitor itself costs
    P7,
    /// Backfill of transcripts, beside ccusage
    P8,
    /// Warm start, Postgres included
    P9,
}

impl Target {
    pub const ALL: [Self; 9] =
        [Self::P1, Self::P2, Self::P3, Self::P4, Self::P5, Self::P6, Self::P7, Self::P8, Self::P9];
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
