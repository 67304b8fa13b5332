//! The price book in the database: append-only, loaded as a whole, replaced as a whole.

use std::sync::{Arc, PoisonError, RwLock};

use model::price::{Price, PriceBook, Rates, Tier, TierRule};
use model::time::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};

use super::{DbError, PgTime, Pool, notify};

/// The price book in force, shared by everything that prices. Readers take a snapshot and never wait for long.
#[derive(Debug, Default)]
pub struct Prices(RwLock<Arc<PriceBook>>);

impl Prices {
    /// Begins with `book`.
    #[must_use]
    pub fn new(book: PriceBook) -> Arc<Self> {
        Arc::new(Self(RwLock::new(Arc::new(book))))
    }
    /// The book in force now.
    #[must_use]
    pub fn current(&self) -> Arc<PriceBook> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
    /// Puts in force what the database says now.
    ///
    /// # Errors
    /// As [`load`]; the book stays as it was.
    pub async fn reload(&self, pool: &Pool) -> Result<(), DbError> {
        self.replace(load(pool).await?);
        Ok(())
    }
    /// Puts another book in force.
    pub fn replace(&self, book: PriceBook) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(book);
    }
}

/// A row to be added; `id` of the price is given by the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPrice {
    /// Model, lower case, without date or provider.
    pub model: String,
    /// From when on the price holds.
    pub effective: Timestamp,
    /// Prices per token in picodollars.
    pub rates: Rates,
    /// Higher prices for large requests, where there are any.
    pub tier: Option<Tier>,
    /// Multiplier of fast mode in percent.
    pub fast_percent: u32,
    /// Where the figures come from.
    pub source: String,
    /// When they were noted, `YYYY-MM-DD`.
    pub noted: String,
}

impl NewPrice {
    /// This row, unless the book says the same at its date.
    #[must_use]
    pub fn unless_in_force(&self, book: &PriceBook) -> Vec<Self> {
        let known = book.at(&self.model, self.effective);
        let same = |price: &Price| {
            price.model == self.model && price.asks_the_same(&self.rates, self.tier.as_ref(), self.fast_percent)
        };
        if known.is_some_and(same) { Vec::new() } else { vec![self.clone()] }
    }
}

/// The whole book.
///
/// # Errors
/// The database refused, or holds a rule that this version does not know.
pub async fn load(pool: &Pool) -> Result<PriceBook, DbError> {
    load_in(&mut *pool.acquire().await?).await
}

/// As [`load`], as the connection's transaction sees it.
///
/// # Errors
/// As [`load`].
pub async fn load_in(connection: &mut PgConnection) -> Result<PriceBook, DbError> {
    let rows = sqlx::query(include_str!("sql/price_load.sql")).fetch_all(connection).await?;
    let prices: Vec<Price> = rows.iter().map(price).collect::<Result<_, _>>()?;
    Ok(PriceBook::new(prices))
}

/// Adds the rows that are not there yet, and returns how many were new. Rows are never changed: what was priced
/// stays explicable.
///
/// # Errors
/// The database refused.
pub async fn seed(pool: &Pool, rows: &[NewPrice]) -> Result<u64, DbError> {
    let mut added = 0;
    let mut transaction = pool.begin().await?;
    for row in rows {
        added += insert(&mut transaction, row, 0).await?;
    }
    if added > 0 {
        notify::send_prices(&mut transaction).await?;
    }
    transaction.commit().await?;
    Ok(added)
}

/// A row as it stands in the book, with what is kept of its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The price.
    pub price: Price,
    /// Where the figures come from.
    pub source: String,
    /// When they were noted, `YYYY-MM-DD`.
    pub noted: String,
}

/// Every row, or those of one model under the name that the book has for it; by model and date.
///
/// # Errors
/// As [`load`].
pub async fn list(pool: &Pool, model: Option<&str>) -> Result<Vec<Listed>, DbError> {
    let rows = sqlx::query(include_str!("sql/price_load.sql")).fetch_all(pool).await?;
    let mut listed = Vec::with_capacity(rows.len());
    for row in &rows {
        listed.push(Listed { price: price(row)?, source: row.try_get("source")?, noted: row.try_get("noted")? });
    }
    if let Some(model) = model {
        let book = PriceBook::new(listed.iter().map(|row| row.price.clone()));
        let entry = book.entry(model).unwrap_or_default();
        listed.retain(|row| row.price.model == entry);
    }
    listed.sort_by(|a, b| {
        (&a.price.model, a.price.effective, a.price.id).cmp(&(&b.price.model, b.price.effective, b.price.id))
    });
    Ok(listed)
}

/// Appends what `choose` finds missing in the book as it is, and returns what that was; every running server hears of
/// it. Nobody else appends meanwhile, so that two at once do not append the same.
///
/// # Errors
/// The database refused.
pub async fn append(pool: &Pool, choose: impl FnOnce(&PriceBook) -> Vec<NewPrice>) -> Result<Vec<NewPrice>, DbError> {
    let mut transaction = pool.begin().await?;
    // Readers go on; 'pric' keeps the number space apart.
    sqlx::query("select pg_advisory_xact_lock(x'70726963'::bigint)").execute(&mut *transaction).await?;
    let news = choose(&load_in(&mut transaction).await?);
    for row in &news {
        let (revision,): (i32,) = sqlx::query_as(include_str!("sql/price_revision.sql"))
            .bind(&row.model)
            .bind(PgTime(row.effective))
            .bind(&row.source)
            .bind(&row.noted)
            .fetch_one(&mut *transaction)
            .await?;
        insert(&mut transaction, row, revision).await?;
    }
    if !news.is_empty() {
        notify::send_prices(&mut transaction).await?;
    }
    transaction.commit().await?;
    Ok(news)
}

async fn insert(connection: &mut PgConnection, row: &NewPrice, revision: i32) -> Result<u64, DbError> {
    let [input, output, read, write_5m, write_1h] = kinds(&row.rates);
    let tier = row.tier.map(|tier| kinds(&tier.rates));
    let done = sqlx::query(include_str!("sql/price_insert.sql"))
        .bind(&row.model)
        .bind(PgTime(row.effective))
        .bind(input)
        .bind(output)
        .bind(read)
        .bind(write_5m)
        .bind(write_1h)
        .bind(row.tier.map(|tier| signed(tier.above_tokens)))
        .bind(row.tier.map(|tier| tier.rule.name()))
        .bind(tier.map(|t| t[0]))
        .bind(tier.map(|t| t[1]))
        .bind(tier.map(|t| t[2]))
        .bind(tier.map(|t| t[3]))
        .bind(tier.map(|t| t[4]))
        .bind(i32::try_from(row.fast_percent).unwrap_or(i32::MAX))
        .bind(&row.source)
        .bind(&row.noted)
        .bind(revision)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

fn price(row: &PgRow) -> Result<Price, DbError> {
    let rates = |columns: [&str; 5]| -> Result<Rates, DbError> {
        let mut kinds = [0; 5];
        for (slot, column) in kinds.iter_mut().zip(columns) {
            *slot = row.try_get(column)?;
        }
        let [input, output, cache_read, cache_write_5m, cache_write_1h] = kinds;
        Ok(Rates { input, output, cache_read, cache_write_5m, cache_write_1h })
    };
    let rule: Option<String> = row.try_get("tier_rule")?;
    let tier = match rule.as_deref() {
        None => None,
        Some(name) => Some(Tier {
            above_tokens: unsigned(row.try_get("tier_above")?),
            rule: TierRule::parse(name).ok_or_else(|| DbError::Unknown { what: format!("price rule \"{name}\"") })?,
            rates: rates([
                "tier_input",
                "tier_output",
                "tier_cache_read",
                "tier_cache_write_5m",
                "tier_cache_write_1h",
            ])?,
        }),
    };
    Ok(Price {
        id: row.try_get("price_id")?,
        model: row.try_get("model")?,
        effective: row.try_get::<PgTime, _>("effective")?.0,
        rates: rates(["input", "output", "cache_read", "cache_write_5m", "cache_write_1h"])?,
        tier,
        fast_percent: u32::try_from(row.try_get::<i32, _>("fast_percent")?).unwrap_or(100),
    })
}

const fn kinds(rates: &Rates) -> [i64; 5] {
    [rates.input, rates.output, rates.cache_read, rates.cache_write_5m, rates.cache_write_1h]
}
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
