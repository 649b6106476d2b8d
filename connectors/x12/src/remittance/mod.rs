//! The remittance (835): what a payer paid, claim by claim, and why it is not what was charged.
//!
//! - [`Remittance`]: a whole transaction set, both ways.

mod adjustments;
mod advice;
mod segments;

pub use adjustments::{Adjustment, Cas, MAX_ADJUSTMENTS, Plb, ProviderAdjustment, ProviderReason};
pub use advice::{ClaimGroup, ClaimPayment, Party, Remittance, ServicePayment};
pub use segments::{Bpr, Clp, Cur, Lq, Mia, Moa, Nte, Rdm, Ts2, Ts3};

#[cfg(test)]
mod tests;
