//! The total of a period with where it comes from, the period before, and the cards.

use model::TimeRange;
use model::cost::{CostCards, CostSummary, CostTotal, Dimension, GroupSum, LocalDay, SpendSum};
use model::event::Provenance;
use model::id::Role;
use sqlx::postgres::PgConnection;

use super::Question;
use crate::db::DbError;
use crate::db::spend::{self, Columns};

/// What one account spent: role, rig, agent, model and provenance, in this order.
pub(super) type Account = (Vec<Option<String>>, SpendSum);

/// The columns of an [`Account`].
pub(super) const ACCOUNT: [Dimension; 5] =
    [Dimension::Role, Dimension::Rig, Dimension::Agent, Dimension::Model, Dimension::Provenance];

/// Roles that coordinate others.
const COORDINATION: [Role; 4] = [Role::Mayor, Role::Deacon, Role::Witness, Role::Refinery];

/// Accounts of the period, of the one before, of today, this week and this month.
pub(super) struct Accounts {
    pub period: Vec<Account>,
    pub before: Vec<Account>,
    pub today: SpendSum,
    week: SpendSum,
    month: SpendSum,
}

pub(super) async fn read(connection: &mut PgConnection, question: Question<'_>) -> Result<CostSummary, DbError> {
    let accounts = Accounts::read(connection, question).await?;
    let Question { town, filter, period, .. } = question;
    let landed = spend::landed(connection, town, period.range, filter).await?;
    let sessions = spend::session_count(connection, town, period.range, filter).await?;
    of(connection, question, &accounts, landed, sessions).await
}

pub(super) async fn of(
    connection: &mut PgConnection,
    question: Question<'_>,
    accounts: &Accounts,
    (landed_beads, landed): (i64, SpendSum),
    sessions: i64,
) -> Result<CostSummary, DbError> {
    let Question { town, now, filter, period } = question;
    let part = |is_in: &dyn Fn(&[Option<String>]) -> bool| -> SpendSum {
        accounts.period.iter().filter(|(account, _)| is_in(account)).map(|(_, sum)| *sum).sum()
    };
    let coordinates = |role: Option<&str>| COORDINATION.iter().any(|known| role == Some(known.name()));
    Ok(CostSummary {
        at: now,
        days: (period.first, period.last),
        tz: filter.tz.to_string(),
        filter: filter.to_query(),
        spent: total(period.range, &accounts.period),
        before: total(period.before, &accounts.before),
        cards: CostCards {
            today: accounts.today,
            week: accounts.week,
            month: accounts.month,
            sessions,
            landed_beads,
            landed,
            coordination: part(&|account| coordinates(account.first().and_then(Option::as_deref))),
            unattributed: part(&|account| account.get(1..3).is_some_and(|names| names.iter().all(Option::is_none))),
        },
        summing: spend::waiting(connection, town).await?,
    })
}

impl Accounts {
    pub(super) async fn read(connection: &mut PgConnection, question: Question<'_>) -> Result<Self, DbError> {
        let Question { town, filter, period, .. } = question;
        let today = period.today;
        let (year, month, _) = today.date();
        let first_of_month = LocalDay::parse(&format!("{year:04}-{month:02}-01")).unwrap_or(today);
        let since = |day: LocalDay| period.instants(day, today).unwrap_or(period.range);
        let ranges = [period.range, period.before, since(today), since(today.monday()), since(first_of_month)];
        let mut found: [Vec<Account>; 5] = Default::default();
        for (range, account, sum) in spend::sums(connection, town, &ranges, Columns(&ACCOUNT), filter).await? {
            if let Some(accounts) = found.get_mut(range) {
                accounts.push((account, sum));
            }
        }
        let [period, before, today, week, month] = found;
        let all = |accounts: Vec<Account>| accounts.into_iter().map(|(_, sum)| sum).sum();
        Ok(Self { period, before, today: all(today), week: all(week), month: all(month) })
    }
}

fn total(range: TimeRange, accounts: &[Account]) -> CostTotal {
    let of = |provenance: Provenance| GroupSum {
        group: Some(provenance.name().into()),
        sum: accounts
            .iter()
            .filter(|(account, _)| account.last().and_then(Option::as_deref) == Some(provenance.name()))
            .map(|(_, sum)| *sum)
            .sum(),
    };
    let provenance = Provenance::ALL.into_iter().map(of).filter(|group| !group.sum.is_zero()).collect();
    CostTotal { range, total: accounts.iter().map(|(_, sum)| *sum).sum(), provenance }
}
