//! Health care services review, the 278, in its four uses: request and response (005010X217), inquiry and response
//! (X215), notice and acknowledgment (X216). One model holds them all, because they share their loops; which use one is
//! [`ServicesReview::kind`] tells. 004010X094A1 is read too: there the provider has a level of its own (HL `19`), and
//! traces, dates and diagnoses stand with the patient.
//!
//! [`ServicesReview::cases`] walks over what is reviewed, whatever the version.

mod cases;
mod kind;
mod model;
mod segments;
#[cfg(test)]
mod tests;

#[cfg(feature = "answers")]
pub(crate) use cases::few;
pub use cases::{Case, MAX_DETAILS, Matter, RefusedAt, ReviewedService};
pub use kind::Kind;
pub use model::{
    ReviewDependent, ReviewEvent, ReviewOrganization, ReviewParty, ReviewProvider, ReviewRequester, ReviewService,
    ReviewSubscriber, ServicesReview,
};
pub use segments::{Hcr, Um};
