//! Answers as JSON with named fields. Money is integer nanodollars.

use model::cost::{BeadCost, CostSummary, CostTotal, SPEND_MEASURES, SessionCost, SpendSum, UNATTRIBUTED};
use model::event::{Event, PricedEvent, Provenance};
use model::time::{TimeRange, Timestamp};
use serde_json::{Value, json};

use super::ask::Asked;

/// The fields of a sum, in the order of its array.
pub(super) const MEASURES: [&str; SPEND_MEASURES] = [
    "calls",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cost_nanodollars",
    "unpriced_tokens",
];

/// The columns of a list of calls.
pub(super) const CALL_COLUMNS: [&str; 18] = [
    "at",
    "session",
    "agent",
    "rig",
    "role",
    "model",
    "bead",
    "ok",
    "duration_us",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cost_nanodollars",
    "computed_nanodollars",
    "provenance",
    "price_id",
];

pub(super) fn sums(sum: &SpendSum) -> Value {
    let measures = <[i64; SPEND_MEASURES]>::from(*sum);
    MEASURES.iter().zip(measures).map(|(name, n)| ((*name).to_owned(), Value::from(n))).collect()
}

/// A sum with the group it is of.
pub(super) fn group(name: Option<&str>, sum: &SpendSum) -> Value {
    let mut row = sums(sum);
    row["key"] = name.unwrap_or(UNATTRIBUTED).into();
    row
}

fn range(range: TimeRange) -> Value {
    json!({"from": range.from().to_string(), "to": range.to().to_string()})
}

fn instant(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| at.to_string().into())
}

/// What a list is of.
pub(super) fn period(asked: &Asked) -> Value {
    let mut answer = range(asked.period.range);
    answer["town"] = asked.town.to_string().into();
    answer["days"] = json!([asked.period.first, asked.period.last]);
    answer["tz"] = asked.filter.tz.as_str().into();
    answer
}

fn total(spent: &CostTotal) -> Value {
    let mut answer = range(spent.range);
    answer["total"] = sums(&spent.total);
    answer["provenance"] =
        spent.provenance.iter().map(|found| group(found.group.as_deref(), &found.sum)).collect::<Vec<_>>().into();
    answer
}

pub(super) fn summary(summary: &CostSummary) -> Value {
    let mut answer = total(&summary.spent);
    answer["at"] = summary.at.to_string().into();
    answer["days"] = json!([summary.days.0, summary.days.1]);
    answer["tz"] = summary.tz.as_str().into();
    answer["filter"] = summary.filter.as_str().into();
    answer["before"] = total(&summary.before);
    let cards = &summary.cards;
    answer["cards"] = json!({
        "today": sums(&cards.today),
        "week": sums(&cards.week),
        "month": sums(&cards.month),
        "sessions": cards.sessions,
        "landed_beads": cards.landed_beads,
        "landed": sums(&cards.landed),
        "cost_per_landed_bead_nanodollars":
            (cards.landed_beads > 0).then(|| cards.landed.cost.0.checked_div(cards.landed_beads)),
        "coordination": sums(&cards.coordination),
        "unattributed": sums(&cards.unattributed),
    });
    answer["summing"] = summary.summing.into();
    answer
}

pub(super) fn bead(bead: &BeadCost) -> Value {
    let mut row = group(bead.bead.as_ref().map(|id| id.as_str()), &bead.sum);
    row["title"] = bead.title.as_str().into();
    row["status"] = bead.status.as_str().into();
    row["state"] = json!(bead.state);
    row["created_at"] = instant(bead.created_at);
    row["closed_at"] = instant(bead.closed_at);
    row["first_at"] = instant(bead.first_at);
    row["last_at"] = instant(bead.last_at);
    row["models"] =
        bead.models.iter().map(|found| group(found.group.as_deref(), &found.sum)).collect::<Vec<_>>().into();
    row["agents"] = json!(bead.agents);
    row["sessions"] = bead.sessions.into();
    row
}

pub(super) fn session(session: &SessionCost) -> Value {
    let mut row = group(session.session.as_ref().map(|id| id.as_str()), &session.sum);
    row["role"] = session.role.name().into();
    row["rig"] = json!(session.rig);
    row["agent"] = json!(session.agent);
    row["bead"] = json!(session.bead);
    row["start"] = instant(session.start);
    row["end"] = instant(session.end);
    row
}

pub(super) fn call(priced: &PricedEvent) -> Value {
    let envelope = &priced.envelope;
    let Event::ModelCall(call) = &envelope.event else { return Value::Null };
    let [input, output, read, write_5m, write_1h] = call.tokens.kinds();
    let cost = priced.cost;
    json!({
        "at": envelope.at.to_string(),
        "session": envelope.session,
        "agent": envelope.agent,
        "rig": envelope.rig,
        "role": envelope.role.name(),
        "model": call.model,
        "bead": envelope.bead,
        "ok": call.ok,
        "duration_us": call.duration_us,
        "input_tokens": input,
        "output_tokens": output,
        "cache_read_tokens": read,
        "cache_write_5m_tokens": write_5m,
        "cache_write_1h_tokens": write_1h,
        "cost_nanodollars": cost.and_then(|cost| cost.amount),
        "computed_nanodollars": cost.and_then(|cost| cost.computed),
        "provenance": cost.map_or(Provenance::Unpriced, |cost| cost.provenance).name(),
        "price_id": cost.and_then(|cost| cost.price_id),
    })
}
