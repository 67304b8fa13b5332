//! Rows of every tier: whose they are, as stored, and their sums as columns.

use std::collections::BTreeMap;

use model::cost::{SPEND_MEASURES, SpendSum};
use model::event::{Event, PricedEvent, Provenance};
use model::id::Role;
use model::time::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::QUARTER_S;
use crate::db::fold::Statement;
use crate::db::{DbError, PgTime};
use crate::source::identity;

/// The columns of a sum, in the order of its array.
pub(super) const MEASURES: [&str; SPEND_MEASURES] = [
    "calls",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cost",
    "unpriced_tokens",
];

/// Whose calls, as stored: numbers as in `event`, and '' for what is not known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Whose<S> {
    pub role: i16,
    pub rig: S,
    pub agent: S,
    pub model: S,
    pub bead: S,
    pub session: S,
    pub provenance: i16,
}

/// Sums of one town by bucket and whose they are.
pub(super) type Sums = BTreeMap<(Timestamp, Whose<String>), SpendSum>;

impl<'a> Whose<&'a str> {
    /// Whose an event is, with the quarter that it belongs to; none unless it is a call.
    pub(super) fn of(event: &'a PricedEvent) -> Option<(Timestamp, Self)> {
        let envelope = &event.envelope;
        let Event::ModelCall(call) = &envelope.event else { return None };
        let provenance = event.cost.map_or(Provenance::Unpriced, |cost| cost.provenance);
        let whose = Self {
            role: number(envelope.role.index()),
            rig: envelope.rig.as_ref().map_or("", |rig| rig.as_str()),
            agent: envelope.agent.as_ref().map_or("", |agent| agent.as_str()),
            model: call.model.as_str(),
            bead: envelope.bead.as_ref().map_or("", |bead| bead.as_str()),
            session: envelope.session.as_ref().map_or("", |session| session.as_str()),
            provenance: number(provenance.index()),
        };
        Some((envelope.at.floor_to(QUARTER_S), whose))
    }
}

impl Whose<String> {
    /// Without what accounts do not know.
    pub(super) fn account(&self) -> Self {
        Self { bead: String::new(), session: String::new(), ..self.clone() }
    }
    /// What stands for it in keys.
    fn id(&self) -> Uuid {
        let numbers = [self.role.to_le_bytes(), self.provenance.to_le_bytes()].concat();
        let Self { rig, agent, model, bead, session, .. } = self;
        let parts = [&numbers, rig.as_bytes(), agent.as_bytes(), model.as_bytes(), bead.as_bytes(), session.as_bytes()];
        Uuid::from_u128(identity::hash("spender", &parts))
    }
}

/// Roles and provenances by position, as in `event`.
pub(super) fn number(index: usize) -> i16 {
    i16::try_from(index).unwrap_or(i16::MAX)
}

pub(super) fn role(number: i16) -> Role {
    usize::try_from(number).ok().and_then(Role::from_index).unwrap_or_default()
}

pub(super) fn provenance(number: i16) -> Provenance {
    let known = usize::try_from(number).ok().and_then(|index| Provenance::ALL.get(index).copied());
    known.unwrap_or(Provenance::Unpriced)
}

/// Reads the measures of a row.
pub(super) fn sum(row: &PgRow) -> Result<SpendSum, DbError> {
    let mut measures = [0; SPEND_MEASURES];
    for (measure, name) in measures.iter_mut().zip(MEASURES) {
        *measure = row.try_get(name)?;
    }
    Ok(SpendSum::from(measures))
}

/// Reads bucket, whose and sum.
pub(super) fn decode(row: &PgRow) -> Result<((Timestamp, Whose<String>), SpendSum), DbError> {
    let whose = Whose {
        role: row.try_get("role")?,
        rig: row.try_get("rig")?,
        agent: row.try_get("agent")?,
        model: row.try_get("model")?,
        bead: row.try_get("bead")?,
        session: row.try_get("session")?,
        provenance: row.try_get("provenance")?,
    };
    Ok(((row.try_get::<PgTime, _>("bucket")?.0, whose), sum(row)?))
}

/// Adds a row to what it is a part of.
pub(super) fn add(sums: &mut Sums, key: (Timestamp, Whose<String>), sum: &SpendSum) {
    sums.entry(key).or_default().add(sum);
}

/// Binds bucket, role, rig, agent, model, bead, session, provenance and the measures, one list each.
pub(super) fn bind<'q, S: AsRef<str>>(
    statement: Statement<'q>,
    rows: &[(Timestamp, &Whose<S>, &SpendSum)],
) -> Statement<'q> {
    let number = |of: fn(&Whose<S>) -> i16| rows.iter().map(|(_, whose, _)| of(whose)).collect::<Vec<i16>>();
    let text = |of: fn(&Whose<S>) -> &S| {
        rows.iter().map(|(_, whose, _)| of(whose).as_ref().to_owned()).collect::<Vec<String>>()
    };
    let mut statement = statement
        .bind(rows.iter().map(|(bucket, ..)| PgTime(*bucket)).collect::<Vec<_>>())
        .bind(number(|whose| whose.role))
        .bind(text(|whose| &whose.rig))
        .bind(text(|whose| &whose.agent))
        .bind(text(|whose| &whose.model))
        .bind(text(|whose| &whose.bead))
        .bind(text(|whose| &whose.session))
        .bind(number(|whose| whose.provenance));
    let measures: Vec<[i64; SPEND_MEASURES]> = rows.iter().map(|(.., sum)| (**sum).into()).collect();
    for at in 0..SPEND_MEASURES {
        statement = statement.bind(measures.iter().filter_map(|row| row.get(at).copied()).collect::<Vec<i64>>());
    }
    statement
}

/// What stands for each row's spender in keys.
pub(super) fn ids(rows: &[(Timestamp, &Whose<String>, &SpendSum)]) -> Vec<Uuid> {
    rows.iter().map(|(_, whose, _)| whose.id()).collect()
}
