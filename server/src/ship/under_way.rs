//! How it travels that a request is under way, or over.

use model::request::{Implied, RequestOf};
use model::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::wire::Hex;

#[derive(Serialize, Deserialize)]
struct Form {
    id: Hex,
    at: i64,
    over: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<Hex>,
    of: RequestOf,
}

pub(super) fn serialize<S: Serializer>(told: &Implied, serializer: S) -> Result<S::Ok, S::Error> {
    let Implied { id, of, at, over, claim } = told;
    Form { id: Hex(*id), at: at.0, over: *over, claim: claim.map(Hex), of: of.clone() }.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<Implied>, D::Error> {
    let Form { id, at, over, claim, of } = Form::deserialize(deserializer)?;
    let at = Timestamp(at).believed().map_err(serde::de::Error::custom)?;
    Ok(Box::new(Implied { id: id.0, of, at, over, claim: claim.map(|claim| claim.0) }))
}
