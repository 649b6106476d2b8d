//! The remittance (835): what a payer paid, claim by claim, and why it is not what was charged.
//!
//! - [`Remittance`]: a whole transaction set, both ways.
//! - [`Stream`]: the same part by part, in flat memory however long a transaction set is ([`Parts`] where the segments come
//!   from elsewhere).
//! - [`Books`]: whether the sums come out even; [`BalanceJudge`] says so to the checker.

mod adjustments;
mod advice;
mod balance;
mod judge;
mod parts;
mod segments;

pub use adjustments::{Adjustment, Cas, MAX_ADJUSTMENTS, Plb, ProviderAdjustment, ProviderReason};
pub use advice::{ClaimGroup, ClaimPayment, Party, Remittance, ServicePayment};
pub use balance::{Balance, Books, Mismatch, Rule};
pub use judge::BalanceJudge;
pub use parts::{Claim, End, MAX_PART_BYTES, MAX_PART_SEGMENTS, Part, Parts};
pub use segments::{Bpr, Clp, Cur, Lq, Mia, Moa, Nte, Rdm, Ts2, Ts3};

/// The 835s of a file in flat memory: one claim at a time, however long a transaction set is.
pub type Stream<R> = crate::envelope::Stream<R, Parts>;

#[cfg(test)]
mod tests;
