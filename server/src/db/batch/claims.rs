//! Which of a batch's claimed events count, given those that are stored.
//!
//! - **By message** (transcripts): `model::dedupe::resolve`, which is `ccusage`'s rule; nothing below changes it.
//! - **By request** (OpenTelemetry events): one call with the transcript's call of the same request. The larger total
//!   counts, of equal ones the transcript's. When the event counts, the transcript's claim stays and points to the
//!   event's place: so later copies of the call are still known. A claim by request is stored only while it counts.
//! - **By group** (events and metrics that name no call): they count while nobody reports the same session's events of
//!   that kind with more knowledge; a mark per group keeps that somebody does, so the order of arrival does not matter.
//!
//! Transactions of a custodian (`db::custody`) decide side by side where nothing is told but by message: then a decision
//! depends on nothing but reports of the same message, which no two of them speak of, and on marks, which all of them make
//! alike. Everything else is decided by one transaction at a time.
//!
//! One exception to the rules: when the same request has a main and a larger side-chain report, and the event's total lies
//! between the two, main beats side chain, side chain beats event and event beats main; then the last one decides.

use std::collections::HashMap;

use model::dedupe::{Basis, Claim, Rank, Resolution, resolve};
use model::event::EventKind;
use model::id::EventKey;
use sqlx::postgres::PgConnection;

use super::{Row, Verdict, place};
use crate::db::claim::{self, Stored};
use crate::db::custody::{Custody, is_by_message};
use crate::db::event::Place;
use crate::db::{DbError, TownKey};
use crate::source::{identity, otlp};

/// A message, a request or a group, of a town.
type Id = (TownKey, u128);

/// What has to be done about claims.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// Stored claims that a better report replaces, with their events.
    pub replaced: Vec<Stored>,
    /// Claims of the batch that count.
    pub new: Vec<Stored>,
    /// Marks of the batch. They are stored last, with what all batches touch: whoever decides beside this one and marks the
    /// same group waits there.
    pub marks: Vec<Stored>,
}

impl Claims {
    /// Applies the batch's claims in order to what is stored. Until the transaction ends, nobody else decides about
    /// the claims of these towns, but for transactions of the same `custody`.
    ///
    /// Fails with [`DbError::Contested`] where it has to be decided without custody.
    pub(super) async fn decide(
        connection: &mut PgConnection,
        rows: &[Row],
        custody: Option<&Custody>,
        verdicts: &mut [Verdict],
    ) -> Result<Self, DbError> {
        let claimed: Vec<(usize, Claim)> =
            rows.iter().enumerate().filter_map(|(i, row)| Some((i, row.event.envelope.claim?))).collect();
        if let Some(custody) = custody {
            let is_own = |(i, claim): &(usize, Claim)| is_by_message(claim) && rows[*i].town == custody.town();
            if !claimed.iter().all(is_own) || !custody.share(&mut *connection).await? {
                return Err(DbError::Contested);
            }
        } else {
            let mut towns: Vec<i32> = claimed.iter().map(|(i, _)| rows[*i].town.0).collect();
            towns.sort_unstable();
            towns.dedup();
            claim::lock(&mut *connection, &towns).await?;
        }
        let stored = stored(connection, rows, &claimed).await?;
        if custody.is_some() && !stored.iter().all(|s| is_by_message(&s.claim) || s.claim.basis == Basis::Mark) {
            return Err(DbError::Contested);
        }
        let mut book = Book::of(stored);
        for (i, claim) in claimed {
            book.apply(i, &rows[i], claim, verdicts);
        }
        if !book.superseded.is_empty() {
            claim::delete(connection, &book.superseded).await?;
        }
        Ok(book.close())
    }
}

/// A claim that is stored, or will be.
#[derive(Debug, Clone, Copy)]
struct Known {
    stored: Stored,
    /// Position in the batch of the event that it holds; none for what was stored before or another claim holds.
    row: Option<usize>,
    /// Not in the database as it is here.
    fresh: bool,
}

/// What is known of everything that the batch speaks of.
#[derive(Debug, Default)]
struct Book {
    /// By message.
    calls: HashMap<Id, Vec<Known>>,
    /// Messages of a request.
    messages: HashMap<Id, Vec<u128>>,
    /// By request.
    requests: HashMap<Id, Known>,
    /// By group.
    groups: HashMap<Id, Group>,
    replaced: Vec<Stored>,
    /// Claims that go or change without their event.
    superseded: Vec<Stored>,
}

#[derive(Debug, Default)]
struct Group {
    mark: Option<Known>,
    reports: HashMap<u128, Known>,
}

impl Group {
    fn level(&self) -> u64 {
        self.mark.map_or(0, |mark| mark.stored.claim.rank.tokens)
    }
}

/// The group that a report belongs to, whatever its basis.
fn group_of(row: &Row, claim: &Claim) -> Option<u128> {
    let envelope = &row.event.envelope;
    let kind = envelope.event.kind();
    match claim.basis {
        Basis::Event | Basis::Metric | Basis::Mark => Some(claim.message),
        Basis::Message | Basis::Part | Basis::Request => {
            let grouped = matches!(kind, EventKind::ModelCall | EventKind::ToolCall | EventKind::LinesChanged);
            envelope.session.as_ref().filter(|_| grouped).map(|s| identity::group(kind.name(), s.as_str()))
        }
    }
}

/// What a report says of how much is known of its group. Telemetry names the ids of some tool uses and not of others; as
/// long as no transcript is read, all of them count.
fn level_of(row: &Row, claim: &Claim) -> u64 {
    let level = claim.basis.level();
    if otlp::is_source(&row.event.envelope.source) { level.min(Basis::Event.level()) } else { level }
}

/// Every stored claim that matters for the batch's.
async fn stored(
    connection: &mut PgConnection,
    rows: &[Row],
    claimed: &[(usize, Claim)],
) -> Result<Vec<Stored>, DbError> {
    let mut messages: Vec<Id> = Vec::with_capacity(claimed.len());
    let mut requests: Vec<Id> = Vec::new();
    let mut exact: Vec<(TownKey, u128, u128)> = Vec::new();
    let mut levels: HashMap<Id, u64> = HashMap::new();
    for (i, claim) in claimed {
        let town = rows[*i].town;
        match claim.basis {
            Basis::Message | Basis::Part => {
                messages.push((town, claim.message));
                if claim.basis == Basis::Message && claim.request != 0 {
                    exact.push((town, claim.request, claim.request));
                }
            }
            Basis::Request => {
                requests.push((town, claim.request));
                exact.push((town, claim.request, claim.request));
            }
            Basis::Event | Basis::Metric | Basis::Mark => exact.push((town, claim.message, claim.request)),
        }
        if let Some(group) = group_of(&rows[*i], claim) {
            let level = levels.entry((town, group)).or_default();
            *level = level_of(&rows[*i], claim).max(*level);
        }
    }
    exact.extend(levels.keys().map(|(town, group)| (*town, *group, 0)));
    messages.sort_unstable();
    messages.dedup();
    requests.sort_unstable();
    requests.dedup();
    exact.sort_unstable();
    exact.dedup();
    let mut stored = Vec::new();
    if !messages.is_empty() {
        let calls = claim::select(&mut *connection, &messages).await?;
        // A rival may stand for an event by its request, which then goes with it.
        let by_request = calls.iter().filter(|s| s.claim.basis == Basis::Message && s.claim.request != 0);
        exact.extend(by_request.map(|s| (s.place.town, s.claim.request, s.claim.request)));
        stored.extend(calls);
        exact.sort_unstable();
        exact.dedup();
    }
    stored.extend(claim::select_exact(&mut *connection, &exact).await?);
    if !requests.is_empty() {
        stored.extend(claim::select_by_request(&mut *connection, &requests).await?);
    }
    let marks: HashMap<Id, u64> = stored
        .iter()
        .filter(|s| s.claim.basis == Basis::Mark)
        .map(|s| ((s.place.town, s.claim.message), s.claim.rank.tokens))
        .collect();
    let rising: Vec<(TownKey, u128, u64)> = levels
        .into_iter()
        .filter(|(id, level)| *level > marks.get(id).copied().unwrap_or(0))
        .map(|((town, group), level)| (town, group, level))
        .collect();
    if !rising.is_empty() {
        stored.extend(claim::select_below(&mut *connection, &rising).await?);
    }
    Ok(stored)
}

impl Book {
    fn of(mut stored: Vec<Stored>) -> Self {
        let id = |s: &Stored| (s.place.town, s.claim.message, s.claim.request);
        stored.sort_unstable_by_key(id);
        stored.dedup_by_key(|s| id(s));
        let mut book = Self::default();
        for stored in stored {
            let town = stored.place.town;
            let claim = stored.claim;
            let known = Known { stored, row: None, fresh: false };
            match claim.basis {
                Basis::Message | Basis::Part => book.list(known),
                Basis::Request => {
                    book.requests.insert((town, claim.request), known);
                }
                Basis::Event | Basis::Metric => {
                    book.groups.entry((town, claim.message)).or_default().reports.insert(claim.request, known);
                }
                Basis::Mark => book.groups.entry((town, claim.message)).or_default().mark = Some(known),
            }
        }
        book
    }

    fn list(&mut self, known: Known) {
        let Stored { claim, place } = known.stored;
        self.calls.entry((place.town, claim.message)).or_default().push(known);
        if claim.basis == Basis::Message && claim.request != 0 {
            let messages = self.messages.entry((place.town, claim.request)).or_default();
            if !messages.contains(&claim.message) {
                messages.push(claim.message);
            }
        }
    }

    fn apply(&mut self, i: usize, row: &Row, claim: Claim, verdicts: &mut [Verdict]) {
        if let Some(group) = group_of(row, &claim) {
            self.raise((row.town, group), level_of(row, &claim), place(row), verdicts);
        }
        let counts = match claim.basis {
            Basis::Message | Basis::Part => self.by_message(i, place(row), claim, verdicts),
            Basis::Request => self.by_request(i, place(row), claim, verdicts),
            Basis::Event | Basis::Metric => self.by_group(i, place(row), claim),
            Basis::Mark => false,
        };
        if !counts {
            verdicts[i] = Verdict::Duplicate;
        }
    }

    fn by_message(&mut self, i: usize, place: Place, claim: Claim, verdicts: &mut [Verdict]) -> bool {
        let town = place.town;
        let rivals = self.calls.entry((town, claim.message)).or_default();
        let claims: Vec<Claim> = rivals.iter().map(|rival| rival.stored.claim).collect();
        let Resolution::Store { replaces } = resolve(&claims, &claim) else { return false };
        // From the back, so that the positions before stay what they are.
        let beaten: Vec<Known> = replaces.into_iter().rev().map(|position| rivals.remove(position)).collect();
        for rival in beaten {
            let request = (town, rival.stored.claim.request);
            match self.requests.get(&request).copied() {
                Some(told) if told.stored.place == rival.stored.place => {
                    self.supersede(&rival);
                    if rival.stored.claim.request != claim.request {
                        self.requests.remove(&request);
                        self.retire(&told, verdicts);
                    }
                }
                _ => self.retire(&rival, verdicts),
            }
        }
        let mut known = Known { stored: Stored { claim, place }, row: Some(i), fresh: true };
        let request = (town, claim.request);
        if let Some(told) = self.requests.get(&request).copied().filter(|_| claim.basis == Basis::Message) {
            if told.stored.claim.outweighs_message(&claim) {
                known = Known { stored: Stored { claim, place: told.stored.place }, row: None, fresh: true };
            } else {
                self.requests.remove(&request);
                self.retire(&told, verdicts);
            }
        }
        self.list(known);
        known.row.is_some()
    }

    fn by_request(&mut self, i: usize, place: Place, claim: Claim, verdicts: &mut [Verdict]) -> bool {
        let request = (place.town, claim.request);
        let told = self.requests.get(&request).copied();
        if told.is_some_and(|told| resolve(&[told.stored.claim], &claim) == Resolution::Duplicate) {
            return false;
        }
        let largest = self.largest(request);
        if largest.is_some_and(|known| !claim.outweighs_message(&known.stored.claim)) {
            return false;
        }
        if let Some(told) = &told {
            self.retire(told, verdicts);
        }
        if let Some(known) = largest {
            let shadowed = told.is_some_and(|told| told.stored.place == known.stored.place);
            if shadowed {
                self.supersede(&known)
            } else {
                self.retire(&known, verdicts)
            }
            let claims = self.calls.entry((place.town, known.stored.claim.message)).or_default();
            claims.retain(|other| other.stored.claim.request != claim.request);
            claims.push(Known { stored: Stored { place, ..known.stored }, row: None, fresh: true });
        }
        self.requests.insert(request, Known { stored: Stored { claim, place }, row: Some(i), fresh: true });
        true
    }

    /// The largest report by message of a request. There is one, but for gateways that give many the same id.
    fn largest(&self, request: Id) -> Option<Known> {
        let messages = self.messages.get(&request)?;
        let of_request =
            |known: &&Known| known.stored.claim.request == request.1 && known.stored.claim.basis == Basis::Message;
        let known = messages.iter().filter_map(|message| self.calls.get(&(request.0, *message))).flatten();
        known.filter(of_request).max_by_key(|known| known.stored.claim.rank).copied()
    }

    fn by_group(&mut self, i: usize, place: Place, claim: Claim) -> bool {
        let group = self.groups.entry((place.town, claim.message)).or_default();
        if group.level() > claim.basis.level() || group.reports.contains_key(&claim.request) {
            return false;
        }
        group.reports.insert(claim.request, Known { stored: Stored { claim, place }, row: Some(i), fresh: true });
        true
    }

    /// Notes that the group is reported on this level, and takes back what was on lower ones.
    fn raise(&mut self, id: Id, level: u64, place: Place, verdicts: &mut [Verdict]) {
        let group = self.groups.entry(id).or_default();
        if group.level() >= level {
            return;
        }
        let rank = Rank { sidechain: false, tokens: level, has_speed: false, at: place.at.0, origin: 0 };
        let claim = Claim { message: id.1, request: 0, rank, basis: Basis::Mark };
        let stored = Stored { claim, place: Place { key: EventKey(0), ..place } };
        let before = group.mark.replace(Known { stored, row: None, fresh: true });
        let lower: Vec<Known> =
            group.reports.extract_if(|_, known| known.stored.claim.basis.level() < level).map(|(_, k)| k).collect();
        if let Some(before) = before {
            self.supersede(&before);
        }
        for known in lower {
            self.retire(&known, verdicts);
        }
    }

    /// The claim goes, and the event that it holds.
    fn retire(&mut self, known: &Known, verdicts: &mut [Verdict]) {
        match known.row {
            Some(earlier) => verdicts[earlier] = Verdict::Duplicate,
            None => self.replaced.push(known.stored),
        }
    }

    /// The claim goes; its event is another claim's.
    fn supersede(&mut self, known: &Known) {
        if !known.fresh {
            self.superseded.push(known.stored);
        }
    }

    fn close(self) -> Claims {
        let calls = self.calls.into_values().flatten();
        let (marks, reports): (Vec<_>, Vec<_>) = self.groups.into_values().map(|g| (g.mark, g.reports)).unzip();
        let grouped = marks.into_iter().flatten().chain(reports.into_iter().flat_map(HashMap::into_values));
        let known = calls.chain(self.requests.into_values()).chain(grouped);
        let mut new: Vec<Stored> = known.filter(|known| known.fresh).map(|known| known.stored).collect();
        new.sort_unstable_by_key(|s| (s.place.town, s.claim.message, s.claim.request));
        let (marks, new) = new.into_iter().partition(|s| s.claim.basis == Basis::Mark);
        Claims { replaced: self.replaced, new, marks }
    }
}
