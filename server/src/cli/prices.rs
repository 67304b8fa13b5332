//! `towngauge prices`: the price book, listed, added to by hand, imported into. Running servers learn of it at once.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use model::price::{Rates, TierRule};
use model::time::Timestamp;

use super::CommandContext;
use crate::clock::Clock;
use crate::db::price::{self, Listed, NewPrice};
use crate::http::price_body;
use crate::price_list::{self, Above, Amount, Entry, per_million};

/// LiteLLM's list has some two million bytes.
const MAX_LIST_BYTES: u64 = 64 << 20;
/// Where imported figures come from.
const LITELLM: &str = "LiteLLM's model_prices_and_context_window.json";
/// Added prices that are printed one by one.
const SHOWN: usize = 20;

/// List prices, add one, or import LiteLLM's list.
#[derive(Debug, Subcommand)]
pub enum PricesCommand {
    /// Print the price book: dollars per million tokens.
    List {
        /// Only this model's, under the name that the book has for it.
        #[arg(long)]
        model: Option<String>,
        /// Machine-readable, as GET /api/prices answers.
        #[arg(long)]
        json: bool,
    },
    /// Add a price. Amounts are dollars per million tokens; what is not given follows from --input.
    #[command(after_help = ADD_EXAMPLES)]
    Add(Box<AddArgs>),
    /// Add what a list of LiteLLM's says and the book does not; read twice, it adds nothing.
    #[command(after_help = IMPORT_EXAMPLES)]
    Import {
        /// A model_prices_and_context_window.json; - reads standard input.
        file: PathBuf,
        /// From when on the prices hold: a day (UTC) or a time in RFC 3339. [default: today]
        #[arg(long, value_name = "DATE")]
        effective: Option<String>,
        /// Only say what would be added.
        #[arg(long)]
        dry_run: bool,
    },
}

const ADD_EXAMPLES: &str = "\
Examples:
  towngauge prices add my-model --input 0.5 --output 2
  towngauge prices add claude-next --effective 2026-12-01 --input 4 --output 20 --cache-read 0.4 --fast 2
  towngauge prices add long-model --input 1 --output 4 --above 200000 --rule whole-request --above-input 2 --above-output 8";

const IMPORT_EXAMPLES: &str = "\
Example:
  curl -sL https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json \\
    | towngauge prices import - --dry-run";

/// A price.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Model, without date or provider unless the price is theirs alone.
    model: String,
    /// From when on it holds: a day (UTC) or a time in RFC 3339. [default: today]
    #[arg(long, value_name = "DATE")]
    effective: Option<String>,
    /// Per million input tokens, without cache.
    #[arg(long, value_name = "DOLLARS")]
    input: String,
    /// Per million output tokens.
    #[arg(long, value_name = "DOLLARS")]
    output: String,
    /// Per million tokens read from the cache. [default: Claude 0.1 times the input price, others the input price]
    #[arg(long, value_name = "DOLLARS")]
    cache_read: Option<String>,
    /// Per million tokens written to the cache for five minutes. [default: Claude 1.25 times, others the input price]
    #[arg(long = "write-5m", value_name = "DOLLARS")]
    write_5m: Option<String>,
    /// Per million tokens written to the cache for one hour. [default: Claude 2 times, others the input price]
    #[arg(long = "write-1h", value_name = "DOLLARS")]
    write_1h: Option<String>,
    /// Tokens above which higher prices hold.
    #[arg(long, value_name = "TOKENS", requires_all = ["rule", "above_input", "above_output"])]
    above: Option<u64>,
    /// What the threshold applies to.
    #[arg(long, value_enum, requires = "above")]
    rule: Option<Rule>,
    /// As --input, above the threshold.
    #[arg(long, value_name = "DOLLARS", requires = "above")]
    above_input: Option<String>,
    /// As --output, above the threshold.
    #[arg(long, value_name = "DOLLARS", requires = "above")]
    above_output: Option<String>,
    /// As --cache-read, above the threshold.
    #[arg(long, value_name = "DOLLARS", requires = "above")]
    above_cache_read: Option<String>,
    /// As --write-5m, above the threshold.
    #[arg(long = "above-write-5m", value_name = "DOLLARS", requires = "above")]
    above_write_5m: Option<String>,
    /// As --write-1h, above the threshold.
    #[arg(long = "above-write-1h", value_name = "DOLLARS", requires = "above")]
    above_write_1h: Option<String>,
    /// What fast mode multiplies by, such as 2.5. [default: 1]
    #[arg(long, value_name = "TIMES")]
    fast: Option<String>,
    /// Where the figures come from.
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
}

/// What a threshold applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rule {
    /// Each kind of token on its own: only the part above costs more.
    #[value(alias = "marginal_per_kind")]
    MarginalPerKind,
    /// The whole request, once its input and cache exceed it.
    #[value(alias = "whole_request")]
    WholeRequest,
}

impl From<Rule> for TierRule {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::MarginalPerKind => Self::MarginalPerKind,
            Rule::WholeRequest => Self::WholeRequest,
        }
    }
}

impl AddArgs {
    fn entry(self) -> Entry {
        let above = self.above.zip(self.rule).zip(self.above_input.zip(self.above_output));
        let above = above.map(|((tokens, rule), (input, output))| Above {
            tokens,
            rule: rule.into(),
            input: Amount(input),
            output: Amount(output),
            cache_read: self.above_cache_read.map(Amount),
            write_5m: self.above_write_5m.map(Amount),
            write_1h: self.above_write_1h.map(Amount),
        });
        Entry {
            model: self.model,
            effective: self.effective,
            input: Amount(self.input),
            output: Amount(self.output),
            cache_read: self.cache_read.map(Amount),
            write_5m: self.write_5m.map(Amount),
            write_1h: self.write_1h.map(Amount),
            above,
            fast: self.fast.map(Amount),
            source: self.source,
        }
    }
}

/// Does it.
///
/// # Errors
/// Not a price or a list, or the database refused.
pub async fn run(command: PricesCommand, context: &CommandContext) -> anyhow::Result<ExitCode> {
    let now = Clock::system().now();
    match command {
        PricesCommand::List { model, json } => {
            let rows = price::list(&context.pool, model.as_deref()).await?;
            if let Some(model) = model.filter(|_| rows.is_empty()) {
                bail!("the price book has no \"{model}\"; add its price with towngauge prices add");
            }
            if json { println!("{}", price_body(&rows)) } else { print!("{}", table(&rows)) }
        }
        PricesCommand::Add(args) => add(&args.entry().price(now)?, context, now).await?,
        PricesCommand::Import { file, effective, dry_run } => {
            import(&file, effective.as_deref(), dry_run, context, now).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn add(row: &NewPrice, context: &CommandContext, now: Timestamp) -> anyhow::Result<()> {
    let added = price::append(&context.pool, |book| row.unless_in_force(book)).await?;
    if added.is_empty() {
        println!("The price book says so already; nothing changed.");
        return Ok(());
    }
    println!("Added the price of {} from {} on.", row.model, row.effective);
    println!("  {}", spell(&row.rates));
    if let Some(tier) = row.tier {
        println!("  above {} tokens ({}): {}", tier.above_tokens, tier.rule.name(), spell(&tier.rates));
    }
    if row.effective < now {
        let model = crate::db::unpriced::quoted(&row.model);
        println!("Calls since then keep their cost until they are repriced, town by town:");
        println!("  towngauge reprice --town {} --from {} --model {model}", context.town, row.effective);
    }
    Ok(())
}

async fn import(
    file: &PathBuf,
    effective: Option<&str>,
    dry_run: bool,
    context: &CommandContext,
    now: Timestamp,
) -> anyhow::Result<()> {
    let today: String = now.to_string().chars().take_while(|c| *c != 'T').collect();
    let raw = effective.unwrap_or(&today);
    let effective = price_list::instant(raw)
        .with_context(|| format!("--effective: \"{raw}\" is neither a day, such as 2026-11-20, nor a time"))?;
    let shown = file.display();
    let text = if file.as_os_str() == "-" {
        read(std::io::stdin())
    } else {
        File::open(file).map_err(Into::into).and_then(read)
    };
    let list = price_list::read(&text.with_context(|| format!("{shown} cannot be read"))?)
        .with_context(|| shown.to_string())?;
    let mut unchanged = 0;
    let mut choose = |book: &model::price::PriceBook| {
        let (news, same) = list.news(book, effective, LITELLM, &today);
        unchanged = same;
        news
    };
    let added = if dry_run {
        choose(&price::load(&context.pool).await?)
    } else {
        price::append(&context.pool, &mut choose).await?
    };
    for row in added.iter().take(SHOWN) {
        println!("  {}: {}", row.model, spell(&row.rates));
    }
    if added.len() > SHOWN {
        println!("  and {} more; towngauge prices list shows all", added.len() - SHOWN);
    }
    let would = if dry_run { "Would add" } else { "Added" };
    println!("{would} {} prices from {effective} on; {unchanged} are in force already.", added.len());
    for (reason, count) in &list.skipped {
        println!("Skipped {count} {}.", reason.words());
    }
    if !added.is_empty() && effective < now {
        println!("Calls since then keep their cost until they are repriced, town by town:");
        println!("  towngauge reprice --town {} --from {effective}", context.town);
    }
    Ok(())
}

fn read(from: impl Read) -> anyhow::Result<String> {
    let mut text = String::new();
    from.take(MAX_LIST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_LIST_BYTES {
        bail!("it has more than {MAX_LIST_BYTES} bytes");
    }
    Ok(text)
}

/// `input 3, output 15, cache read 0.3, write 5m 3.75, write 1h 6 ($ per million tokens)`
fn spell(rates: &Rates) -> String {
    let [input, output, read, write_5m, write_1h] = amounts(rates);
    format!("input {input}, output {output}, cache read {read}, write 5m {write_5m}, write 1h {write_1h} ($/Mtok)")
}

fn amounts(rates: &Rates) -> [String; 5] {
    [rates.input, rates.output, rates.cache_read, rates.cache_write_5m, rates.cache_write_1h].map(per_million)
}

fn table(rows: &[Listed]) -> String {
    const HEAD: [&str; 10] =
        ["model", "effective", "input", "output", "read", "write 5m", "write 1h", "fast", "above", "source"];
    let cells = |row: &Listed| -> Vec<String> {
        let price = &row.price;
        let fast = per_million(i64::from(price.fast_percent) * 10_000);
        let above = price.tier.map_or_else(String::new, |tier| {
            format!("{} {} {}", tier.above_tokens, tier.rule.name(), amounts(&tier.rates).join("/"))
        });
        let mut cells = vec![price.model.clone(), day(price.effective)];
        cells.extend(amounts(&price.rates));
        cells.extend([fast, above, format!("{}, {}", row.source, row.noted)]);
        cells
    };
    let mut lines = vec![HEAD.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(cells));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let mut table = String::new();
    for line in &lines {
        let mut text = String::new();
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            // Writing to a string cannot fail.
            let _ = match column {
                2..=7 => write!(text, "{cell:>width$}  "),
                _ => write!(text, "{cell:<width$}  "),
            };
        }
        table.push_str(text.trim_end());
        table.push('\n');
    }
    table
}

/// A midnight as its day.
fn day(at: Timestamp) -> String {
    let text = at.to_string();
    text.strip_suffix("T00:00:00Z").map_or(text.clone(), str::to_owned)
}
