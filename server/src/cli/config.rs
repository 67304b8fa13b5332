//! `towngauge config`

use std::process::ExitCode;

use crate::config::Config;

/// Prints what is in force and where it comes from.
pub fn run(config: &Config) -> ExitCode {
    match &config.file {
        Some(file) => println!("# {}", file.display()),
        None => println!("# no towngauge.toml"),
    }
    for (name, value, origin) in config.lines() {
        println!("{name:<31}{value:<40} {origin}");
    }
    ExitCode::SUCCESS
}
