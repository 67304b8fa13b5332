//! Postgres: the only place that uses sqlx.
