//! The server: sources in, Postgres in the middle, pages and live frames out.

pub mod cli;
pub mod clock;
pub mod db;
pub mod http;
pub mod hub;
pub mod ingest;
pub mod postgres;
pub mod retention;
pub mod rollup;
pub mod source;
