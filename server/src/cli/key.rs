//! `towngauge key`: make, list and revoke API keys.

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;

use super::CommandContext;
use crate::db::key::{self, Scope};
use crate::http::{Secret, hash};

/// Make, list and revoke API keys.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make a key and show it, once.
    #[command(after_help = "Example:\n  towngauge key create --scope ingest laptop")]
    Create {
        /// What it is for, such as the sender's name.
        name: String,
        /// What it may do: send events, see pages and figures, or everything.
        #[arg(long, value_enum, default_value = "ingest")]
        scope: Scope,
    },
    /// List keys, without the keys themselves.
    List,
    /// Revoke a key, by name or number; it is dead within seconds.
    Revoke {
        /// Its name or number.
        name: String,
    },
}

/// Does it.
///
/// # Errors
/// No such key, or the database refused.
pub async fn run(args: Key, context: &CommandContext) -> anyhow::Result<ExitCode> {
    match args {
        Key::Create { name, scope } => {
            if name.trim().is_empty() || name.len() > 100 {
                bail!("a key's name has 1 to 100 bytes");
            }
            let secret = Secret::random()?;
            let Some(hash) = hash(secret.reveal()) else { bail!("the new key is not a key") };
            let id = key::insert(&context.pool, name.trim(), scope, &hash).await?;
            println!("{}", secret.reveal());
            eprintln!(
                "Key {id} ({}, scope {}). It is shown only this once; send it as \"Authorization: Bearer …\".",
                name.trim(),
                scope.name()
            );
        }
        Key::List => {
            println!("{:<5}{:<24}{:<8}{:<24}{:<24}", "id", "name", "scope", "made", "last used");
            for row in key::list(&context.pool).await? {
                let minute = |at: crate::db::PgTime| at.0.floor_to(60).to_string();
                let used = match (row.revoked_at, row.last_used) {
                    (Some(at), _) => format!("revoked {}", minute(at)),
                    (None, Some(at)) => minute(at),
                    (None, None) => "never".to_owned(),
                };
                println!("{:<5}{:<24}{:<8}{:<24}{used}", row.id, row.name, row.scope.name(), minute(row.created_at));
            }
        }
        Key::Revoke { name } => match key::revoke(&context.pool, &name).await? {
            0 => bail!("there is no key \"{name}\" in force; towngauge key list shows them"),
            count => println!("Revoked {count} key(s)."),
        },
    }
    Ok(ExitCode::SUCCESS)
}
