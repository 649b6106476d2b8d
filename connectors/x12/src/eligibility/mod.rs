//! Eligibility and benefits: the question (270) and the answer (271), both ways, 005010X279A1 and 004010X092A1.
//!
//! A practice writes an [`EligibilityInquiry`] and reads an [`EligibilityResponse`]; a carrier does the opposite, with the
//! same types. [`Response`] is a 271 as the practice reads it: put in order first, with what was odd about it.

mod arrange;
mod names;
mod reading;
mod request;
mod response;
mod segments;

pub use arrange::MAX_RESPONSE_SEGMENTS;
pub use names::core_258;
pub use reading::{Level, LevelKind, Rejection, Response};
pub use request::{
    EligibilityInquiry, EligibilityQuestion, InquiryDependent, InquiryReceiver, InquirySource, InquirySubscriber,
};
pub use response::{
    EligibilityBenefit, EligibilityResponse, RelatedEntity, ResponseDependent, ResponseParty, ResponseReceiver,
    ResponseSource, ResponseSubscriber,
};
pub use segments::{AskedService, Eb, Iii, Le, Ls, Mpi};
