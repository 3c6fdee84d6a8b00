//! Time zones as the database names them.

use chrono_tz::Tz;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef};
use sqlx::{Decode, Postgres, Type};

/// An organisation's time zone, which the database holds as a name of the IANA database. A name that this binary does
/// not know is [`StoreError::UnknownZone`](crate::StoreError::UnknownZone) wherever a row has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(pub Tz);

/// A name of a time zone that this binary does not know.
#[derive(Debug, thiserror::Error)]
#[error("the time zone '{0}' is not known")]
pub(crate) struct UnknownZone(pub(crate) String);

impl Type<Postgres> for Zone {
    fn type_info() -> PgTypeInfo {
        <str as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <str as Type<Postgres>>::compatible(ty)
    }
}

impl<'r> Decode<'r, Postgres> for Zone {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let name = <&str as Decode<Postgres>>::decode(value)?;
        Ok(Self(name.parse().map_err(|_| UnknownZone(name.to_owned()))?))
    }
}
