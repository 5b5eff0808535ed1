//! The heart of windows: which windows a record belongs to, when they fire, what came too late, and where a replay has
//! to begin. Data structures only: no I/O, no clock, no threads; all times are milliseconds since 1970, handed in.
//!
//! A [`Table`] holds what is open of one log, or of the partitions of one number where sources are copartitioned. It is
//! given each record with [`Table::record`] and each new time with [`Table::advance`], and tells what happened as
//! [`Event`]s. Where the time comes from is somebody else's business: [`Sources`] takes it from the partitions that are
//! read (idleness, clocks that are ahead), [`Claims`] from what the writers of a re-keyed log claim in it.
//! [`Table::cut`] is what a commit must remember; [`Table::resume`] starts from it, and what is then replayed is decided
//! again, but says nothing below the cut.

mod aligned;
mod claims;
mod cut;
mod far;
mod heard;
mod kind;
mod late;
mod need;
mod rules;
mod session;
mod sliding;
mod slots;
mod table;
#[cfg(test)]
mod tests;
mod time;

pub use claims::{Claim, Claims, ClaimsError, Control};
pub use cut::{Cut, CutLimit, Part, Split};
pub use far::{Far, Stretch};
pub use heard::{Heard, Intake, Newest, Skip};
pub use kind::Kind;
pub use late::{Late, LateReason};
pub use need::Needed;
pub use rules::{Rules, RulesError, Ways};
pub use table::{Entry, Event, Span, Table, Verdict};
pub use time::{Sources, Time};

pub use super::{HeldBackReason, Place, Reason};

/// What one key has gathered in one window.
pub trait Aggregate: Default {
    /// What a record adds.
    type Item;

    /// Takes a record. Called in the order of arrival, which need not be the order of times.
    fn add(&mut self, item: Self::Item, at: &Place);
}
