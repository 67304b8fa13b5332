//! `towngauge topup`: fills the tank; a running server shows it at once.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use model::Nanodollars;
use uuid::Uuid;

use super::CommandContext;
use crate::clock::Clock;
use crate::db::ledger::{self, Added, Entry, EntryKind};
use crate::db::town;
use crate::ingest::instance_id;

/// Fill a town's tank.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  towngauge topup --usd 50\n  towngauge topup --town gas --usd 12.50 --note \"March\""
)]
pub struct Topup {
    /// How many dollars, such as 50 or 12.50.
    #[arg(long, value_name = "AMOUNT")]
    usd: String,
    /// Why, for the ledger.
    #[arg(long, default_value = "")]
    note: String,
    /// Told twice, the same id fills in once.
    #[arg(long, value_name = "UUID")]
    request_id: Option<Uuid>,
    /// From now on, a full tank holds this many dollars.
    #[arg(long, value_name = "AMOUNT")]
    capacity: Option<String>,
}

/// Writes the ledger.
///
/// # Errors
/// Not an amount, another amount for the same request, or the database refused.
pub async fn run(args: Topup, context: &CommandContext) -> anyhow::Result<ExitCode> {
    let amount = Nanodollars::parse_dollars(&args.usd).context("--usd")?;
    let capacity = args.capacity.as_deref().map(Nanodollars::parse_dollars).transpose().context("--capacity")?;
    if amount.0 <= 0 || capacity.is_some_and(|capacity| capacity.0 <= 0) {
        bail!("amounts are more than nothing");
    }
    let name = &context.town;
    let key = town::ensure(&context.pool, name, false).await?;
    let request = args.request_id.unwrap_or_else(Uuid::now_v7);
    let entry = Entry { at: Clock::system().now(), kind: EntryKind::Topup, amount, note: args.note, request };
    match ledger::add(&context.pool, (key, name), &entry, instance_id()).await? {
        Added::Stored => println!("Filled {amount} into the tank of {name}."),
        Added::Duplicate => println!("This request was filled in before; nothing changed."),
        Added::Other { amount: earlier } => bail!(
            "--request-id {request} stands for an entry of {earlier} already, not of {amount}; nothing was \
             filled in. Use another id for another amount, or none"
        ),
    }
    // After the entry: what is refused changes nothing.
    if capacity.is_some() {
        ledger::set_capacity(&context.pool, name, capacity, instance_id()).await?;
    }
    Ok(ExitCode::SUCCESS)
}
