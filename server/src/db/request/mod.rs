//! Requests as they are stored: what is in flight, what was, and what nobody heard the end of.
//!
//! Rows of `request` are merges of what was told, as [`model::request::RequestSpan`] is, in whichever order it comes. They
//! are locked last, after everything that [`super::fold`] touches, and in the order of town and id.

mod fold;
mod implied;
mod read;
mod sweep;

pub(super) use fold::fold;
pub use implied::{Late, imply};
pub use read::{Flights, Spans, active, spans};
pub use sweep::{Overdue, give_up, overdue, settle, trim};

use model::id::{AgentName, BeadId, ModelName, RigName, SessionId, SourceName, ToolName};
use model::request::RequestOf;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::DbError;

/// The columns of [`request_of`].
const OF: &str = "source, role, rig, agent, session, bead, model, tool";

/// Whose the request of a row is; a name that this version refuses is none.
fn request_of(row: &PgRow) -> Result<RequestOf, DbError> {
    let text = |column: &str| row.try_get::<Option<&str>, _>(column);
    let source = text("source")?.unwrap_or_default();
    let unknown = |_| DbError::Unknown { what: format!("source \"{source}\"") };
    Ok(RequestOf {
        source: SourceName::new(source).map_err(unknown)?,
        role: super::agent::role_of(row.try_get("role")?),
        rig: text("rig")?.and_then(|name| RigName::new(name).ok()),
        agent: text("agent")?.and_then(|name| AgentName::new(name).ok()),
        session: text("session")?.and_then(|name| SessionId::new(name).ok()),
        bead: text("bead")?.and_then(|name| BeadId::new(name).ok()),
        model: text("model")?.and_then(|name| ModelName::new(name).ok()),
        tool: text("tool")?.and_then(|name| ToolName::new(name).ok()),
    })
}

/// [`RequestOf`] as columns, one value per request.
#[derive(Default)]
struct Columns<'a> {
    source: Vec<&'a str>,
    role: Vec<i16>,
    rig: Vec<Option<&'a str>>,
    agent: Vec<Option<&'a str>>,
    session: Vec<Option<&'a str>>,
    bead: Vec<Option<&'a str>>,
    model: Vec<Option<&'a str>>,
    tool: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn of(requests: impl Iterator<Item = &'a RequestOf>) -> Self {
        let mut columns = Self::default();
        for of in requests {
            columns.source.push(of.source.as_str());
            columns.role.push(super::agent::role_number(of.role));
            columns.rig.push(of.rig.as_ref().map(RigName::as_str));
            columns.agent.push(of.agent.as_ref().map(AgentName::as_str));
            columns.session.push(of.session.as_ref().map(SessionId::as_str));
            columns.bead.push(of.bead.as_ref().map(BeadId::as_str));
            columns.model.push(of.model.as_ref().map(ModelName::as_str));
            columns.tool.push(of.tool.as_ref().map(ToolName::as_str));
        }
        columns
    }

    fn bind(self, statement: super::fold::Statement<'a>) -> super::fold::Statement<'a> {
        statement
            .bind(self.source)
            .bind(self.role)
            .bind(self.rig)
            .bind(self.agent)
            .bind(self.session)
            .bind(self.bead)
            .bind(self.model)
            .bind(self.tool)
    }
}
