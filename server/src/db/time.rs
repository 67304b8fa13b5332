//! `timestamptz` as [`Timestamp`], to the microsecond, both ways.

use model::time::Timestamp;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};

/// A [`Timestamp`] on its way into or out of a `timestamptz`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PgTime(pub Timestamp);

/// Postgres counts microseconds from 2000-01-01; we count from 1970.
pub(crate) const EPOCH_OFFSET_US: i64 = Timestamp::MIN_BELIEVED.0;

impl Type<Postgres> for PgTime {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("timestamptz")
    }
}
impl PgHasArrayType for PgTime {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("_timestamptz")
    }
}
impl Encode<'_, Postgres> for PgTime {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(self.0.0 - EPOCH_OFFSET_US, buffer)
    }
}
impl<'r> Decode<'r, Postgres> for PgTime {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        // The extended protocol answers in binary.
        let micros: [u8; 8] = value.as_bytes()?.try_into()?;
        Ok(Self(Timestamp(i64::from_be_bytes(micros) + EPOCH_OFFSET_US)))
    }
}
impl From<Timestamp> for PgTime {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}
impl From<PgTime> for Timestamp {
    fn from(at: PgTime) -> Self {
        at.0
    }
}
