//! Everything that the Costs page shows.

use std::collections::BTreeMap;

use model::TimeRange;
use model::cost::{
    BurnToday, CostBoard, CostFilter, DaySum, Dimension, GroupSum, MAX_OPTIONS, Options, RiverRow, RiverRows, SpendSum,
    TreeRow,
};
use model::id::{AgentName, RigName, Role};
use model::provider::provider_of;
use sqlx::postgres::PgConnection;

use super::summary::{self, ACCOUNT, Account, Accounts};
use super::{Question, days, dearest_first, detail};
use crate::db::DbError;
use crate::db::spend::{self, Columns};

/// Days of the calendar.
const CALENDAR_DAYS: i32 = 365;
/// Days that the mean per day is of, today left out.
const MEAN_DAYS: i32 = 29;
/// Beads with a row of their own.
const MOST_BEADS: usize = 200;
/// Conversations with a bar of their own.
const MOST_SESSIONS: usize = 2_000;
/// Lengths of the river's buckets, each with the longest range that it is for, in days.
const STEPS: [(i64, i64); 3] = [(900, 2), (3_600, 8), (21_600, 62)];
const DAY_S: i64 = 86_400;

pub(super) async fn read(
    connection: &mut PgConnection,
    question: Question<'_>,
    by: Dimension,
) -> Result<CostBoard, DbError> {
    let Question { town, period, .. } = question;
    let accounts = Accounts::read(connection, question).await?;
    let beads = detail::beads(connection, question, MOST_BEADS).await?;
    let sessions = detail::sessions(connection, question, MOST_SESSIONS).await?;
    let named = sessions.rows.iter().filter(|row| row.session.is_some()).count();
    let session_count = i64::try_from(named).unwrap_or(i64::MAX).saturating_add(sessions.rest_sessions);
    let landed = (beads.landed, beads.landed_sum);
    let summary = summary::of(connection, question, &accounts, landed, session_count).await?;
    let calendar = period.days_between(period.today.plus(1 - CALENDAR_DAYS), period.today);
    let calendar = days(connection, question, &calendar).await?;
    Ok(CostBoard {
        summary,
        river: river(connection, question, by).await?,
        before: before(connection, question, by, &accounts).await?,
        burn: burn(connection, question, accounts.today, &calendar).await?,
        calendar,
        tree: tree(&accounts.period),
        beads,
        sessions,
        options: options(connection, question).await?,
        since: spend::since(connection, town).await?,
    })
}

async fn river(connection: &mut PgConnection, question: Question<'_>, by: Dimension) -> Result<RiverRows, DbError> {
    let Question { town, filter, period, .. } = question;
    let range = period.range;
    let fits = |(_, days): &&(i64, i64)| range.seconds() <= days * DAY_S;
    let step_s = STEPS.iter().find(fits).map_or(DAY_S, |(step_s, _)| *step_s);
    let mut buckets = Vec::new();
    let mut from = range.from();
    while let Ok(bucket) = TimeRange::new(from, from.plus_seconds(step_s).min(range.to())) {
        buckets.push(bucket);
        from = bucket.to();
    }
    let mut rows: Vec<RiverRow> = spend::sums(connection, town, &buckets, Columns(&[by]), filter)
        .await?
        .into_iter()
        .filter_map(|(bucket, group, sum)| {
            let at = buckets.get(bucket)?.from();
            Some(RiverRow { at, group: group.into_iter().next().flatten().map(Into::into), sum })
        })
        .collect();
    rows.sort_by(|a, b| (a.at, &a.group).cmp(&(b.at, &b.group)));
    Ok(RiverRows { by, from: range.from(), step_s, buckets: buckets.len(), rows })
}

/// The groups of the period before.
async fn before(
    connection: &mut PgConnection,
    question: Question<'_>,
    by: Dimension,
    accounts: &Accounts,
) -> Result<Vec<GroupSum>, DbError> {
    if matches!(by, Dimension::Bead | Dimension::Session) {
        let rows =
            spend::sums(connection, question.town, &[question.period.before], Columns(&[by]), question.filter).await?;
        let named = |group: Vec<Option<String>>| group.into_iter().next().flatten().map(Into::into);
        let mut groups: Vec<_> =
            rows.into_iter().map(|(_, group, sum)| GroupSum { group: named(group), sum }).collect();
        dearest_first(&mut groups);
        return Ok(groups);
    }
    Ok(grouped(&accounts.before, by))
}

/// What accounts spent by one of their columns.
fn grouped(accounts: &[Account], by: Dimension) -> Vec<GroupSum> {
    let column = if by == Dimension::Provider { Dimension::Model } else { by };
    let place = ACCOUNT.iter().position(|known| *known == column).unwrap_or_default();
    let mut sums: BTreeMap<Option<&str>, SpendSum> = BTreeMap::new();
    for (account, sum) in accounts {
        let name = account.get(place).and_then(Option::as_deref);
        let name = if by == Dimension::Provider { Some(provider_of(name.unwrap_or_default())) } else { name };
        sums.entry(name).or_default().add(sum);
    }
    let mut groups: Vec<GroupSum> =
        sums.into_iter().map(|(name, sum)| GroupSum { group: name.map(Into::into), sum }).collect();
    dearest_first(&mut groups);
    groups
}

fn tree(accounts: &[Account]) -> Vec<TreeRow> {
    let mut sums: BTreeMap<&[Option<String>], SpendSum> = BTreeMap::new();
    for (account, sum) in accounts {
        sums.entry(account.get(..3).unwrap_or_default()).or_default().add(sum);
    }
    let name = |account: &[Option<String>], at: usize| account.get(at).cloned().flatten();
    sums.into_iter()
        .map(|(account, sum)| TreeRow {
            role: Role::parse(&name(account, 0).unwrap_or_default()),
            rig: name(account, 1).and_then(|rig| RigName::new(&rig).ok()),
            agent: name(account, 2).and_then(|agent| AgentName::new(&agent).ok()),
            sum,
        })
        .collect()
}

async fn burn(
    connection: &mut PgConnection,
    question: Question<'_>,
    today: SpendSum,
    calendar: &[DaySum],
) -> Result<BurnToday, DbError> {
    let Question { town, filter, period, .. } = question;
    let day = period.today;
    let range = period.instants(day, day).unwrap_or(period.range);
    let sessions = spend::sums(connection, town, &[range], Columns(&[Dimension::Session]), filter).await?;
    let of_mean = calendar.iter().filter(|sum| (1..=MEAN_DAYS).contains(&day.days_since(sum.day)));
    let spent: Vec<SpendSum> = of_mean.map(|day| day.sum).skip_while(SpendSum::is_zero).collect();
    Ok(BurnToday {
        day,
        range,
        sum: today,
        sessions: i64::try_from(sessions.iter().filter(|(_, group, _)| group != &[None]).count()).unwrap_or(i64::MAX),
        days_before: i64::try_from(spent.len()).unwrap_or(i64::MAX),
        spent_before: spent.into_iter().sum(),
    })
}

/// What the period can be filtered by.
async fn options(connection: &mut PgConnection, question: Question<'_>) -> Result<Vec<Options>, DbError> {
    let all = CostFilter::default();
    let rows = spend::sums(connection, question.town, &[question.period.range], Columns(&ACCOUNT), &all).await?;
    let accounts: Vec<Account> = rows.into_iter().map(|(_, account, sum)| (account, sum)).collect();
    let dimensions = [
        Dimension::Role,
        Dimension::Rig,
        Dimension::Agent,
        Dimension::Model,
        Dimension::Provider,
        Dimension::Provenance,
    ];
    let of = |by| Options {
        by,
        groups: grouped(&accounts, by).into_iter().map(|group| group.group).take(MAX_OPTIONS).collect(),
    };
    Ok(dimensions.map(of).into())
}
