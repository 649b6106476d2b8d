//! Claims (837): professional, institutional and dental.
//!
//! - [`Claims`]: a whole transaction set, both ways. The three kinds share one tree, as their guides do.
//! - [`ClaimJudge`]: sums, pointers and days, for the checker.

mod detail;
mod judge;
mod kind;
mod levels;
mod segments;
mod sums;

pub use detail::{Adjudication, Claim, Drug, Form, HomePlan, Line, OtherInsurance};
pub use judge::ClaimJudge;
pub use kind::{Charge, Kind};
pub use levels::{Billing, Claims, OtherPayer, Party, Patient, Person, Subscriber};
pub use segments::{Clm, Cn1, Cr3, Cr7, Ctp, Dn1, Dn2, Frm, Hcp, K3, Lin, Mea, Oi, Pat, Ps1, Sbr, Sv5, Svd, Unit};

#[cfg(test)]
mod tests;
