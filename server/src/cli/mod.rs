//! Subcommands of `towngauge`.
