//! What a batch's requests change.

use std::collections::BTreeMap;

use model::event::{Envelope, Event, PricedEvent};
use model::request::{RequestId, RequestOf, RequestSpan, RequestStep};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::Columns;
use crate::db::{DbError, PgTime, TownKey};

/// Merges what `inserted` tells of requests into what is known of them. Batches without any cost nothing.
///
/// # Errors
/// Whatever Postgres reports.
pub(in crate::db) async fn fold<'a>(
    connection: &mut PgConnection,
    inserted: impl Iterator<Item = (TownKey, &'a PricedEvent)>,
) -> Result<(), DbError> {
    let mut told: BTreeMap<(TownKey, RequestId), (RequestOf, RequestSpan)> = BTreeMap::new();
    for (town, event) in inserted {
        let Event::Request(step) = &event.envelope.event else { continue };
        let envelope = &event.envelope;
        let span = RequestSpan::told(step.edge, envelope.at, step.ok);
        let of = request_of(envelope, step);
        told.entry((town, RequestId::of_key(envelope.key)))
            .and_modify(|(known, spans)| {
                *known = merged(known.clone(), of.clone());
                *spans = spans.merge(span);
            })
            .or_insert((of, span));
    }
    if told.is_empty() {
        return Ok(());
    }
    let spans = || told.values().map(|(_, span)| span);
    let times =
        |of: fn(&RequestSpan) -> Option<model::Timestamp>| spans().map(|span| of(span).map(PgTime)).collect::<Vec<_>>();
    let statement = sqlx::query(include_str!("../sql/request_fold.sql"))
        .bind(told.keys().map(|(town, _)| town.0).collect::<Vec<_>>())
        .bind(told.keys().map(|(_, id)| Uuid::from_u128(id.number())).collect::<Vec<_>>())
        .bind(times(|span| span.started))
        .bind(times(|span| span.ended.map(|(at, _)| at)))
        .bind(spans().map(|span| span.ended.map(|(_, ok)| ok)).collect::<Vec<_>>())
        .bind(times(|span| span.lost));
    Columns::of(told.values().map(|(of, _)| of)).bind(statement).execute(connection).await?;
    Ok(())
}

fn request_of(envelope: &Envelope, step: &RequestStep) -> RequestOf {
    RequestOf {
        source: envelope.source.clone(),
        rig: envelope.rig.clone(),
        role: envelope.role,
        agent: envelope.agent.clone(),
        session: envelope.session.clone(),
        bead: envelope.bead.clone(),
        model: step.model.clone(),
        tool: step.tool.clone(),
    }
}

/// What is said first of a request stays; what it leaves open is filled in.
fn merged(known: RequestOf, more: RequestOf) -> RequestOf {
    RequestOf {
        source: known.source,
        rig: known.rig.or(more.rig),
        role: if known.role == model::Role::Other { more.role } else { known.role },
        agent: known.agent.or(more.agent),
        session: known.session.or(more.session),
        bead: known.bead.or(more.bead),
        model: known.model.or(more.model),
        tool: known.tool.or(more.tool),
    }
}
