//! Claims (837): professional, institutional and dental.
//!
//! - [`Claims`]: a whole transaction set, both ways. The three kinds share one tree, as their guides do.
//! - [`Stream`] and [`Parts`]: level by level and claim by claim, in flat memory.
//! - [`ClaimJudge`]: sums, pointers and days, for the checker.

mod detail;
mod judge;
mod kind;
mod levels;
mod parts;
mod segments;
mod sums;

pub use detail::{Adjudication, Claim, Drug, Form, HomePlan, Line, OtherInsurance};
pub use judge::ClaimJudge;
pub use kind::{Charge, Kind};
pub use levels::{Billing, Claims, OtherPayer, Party, Patient, Person, Subscriber};
pub use parts::{End, InContext, MAX_PART_BYTES, MAX_PART_SEGMENTS, Part, Parts};
pub use segments::{Clm, Cn1, Cr3, Cr7, Ctp, Dn1, Dn2, Frm, Hcp, K3, Lin, Mea, Oi, Pat, Ps1, Sbr, Sv5, Svd};

/// The 837s of a file in flat memory: one claim at a time with the levels above it, however long a transaction set is.
pub type Stream<R> = crate::envelope::Stream<R, Parts>;

#[cfg(test)]
mod tests;
