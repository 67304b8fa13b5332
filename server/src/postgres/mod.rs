//! The embedded private Postgres cluster.
