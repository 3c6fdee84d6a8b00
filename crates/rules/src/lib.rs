//! The pure rules of certvakt: the stage of a certification on a date, the key of its notice, the schedule
//! of runs, the delivery hours, the delay before another attempt, and the last valid day of a renewal.
//!
//! Nothing here does I/O or reads a clock: today is always an argument. Dates are calendar days in the
//! organisation's time zone; instants are UTC.

pub mod calendar;
pub mod hours;
pub mod key;
pub mod national_number;
pub mod normal;
pub mod renewal;
pub mod retry;
pub mod selection;
pub mod stage;
pub mod text;

pub use calendar::{last_valid_day, today};
pub use hours::DeliveryHours;
pub use key::notice_key;
pub use selection::Selection;
pub use stage::{Stage, Stages};
