//! A pure X12 health-care codec: no I/O of its own, no async.
//!
//! Four storeys, each usable without the ones above it:
//! 1. **Segments**: [`read`] (tolerant, streaming, one reused buffer: oddities become [`finding`]s) and
//!    [`write`](mod@write) (strict: a value that could be taken for a separator is refused, never emitted).
//!    [`envelope`] walks ISA, GS and ST and checks counts and control numbers: as a stream of [`Event`]s in flat memory,
//!    or transaction set by transaction set.
//! 2. **Typed models**: [`eligibility`] (270, 271), [`status`] (276, 277, 277CA), [`review`] (278), [`claim`] (837),
//!    [`remittance`] (835), [`attachment`] (275) and [`ack`] (TA1, 999, 997), each declared once with the macros of
//!    [`model`] and then read and written alike; with [`codes`] for what a code means.
//! 3. **Rules**: [`grammar`] (the guides as tables, and a matcher that walks them) and [`check`] (a whole file against
//!    envelope, guide and sums: findings with place, what was expected and how to mend it; TA1 and 999 from them).
//! 4. **Views**: [`json`] and [`explain`] for people and programs at a terminal; with feature `answers` also
//!    `answers`, which turns an ask into a 270, and a 271, 277, 278 or 835 into Portico's normalised answers with
//!    provenance, and checks that a 271 belongs to the question.
//!
//! Nothing here panics on any input; everything is bounded by named constants. Errors and findings never hold a value.

pub mod ack;
#[cfg(feature = "answers")]
pub mod answers;
pub mod attachment;
pub mod check;
pub mod claim;
pub mod codes;
pub mod delimiters;
pub mod eligibility;
pub mod envelope;
pub mod explain;
pub mod finding;
pub mod grammar;
pub mod json;
pub mod model;
pub mod read;
pub mod remittance;
pub mod review;
pub mod status;
pub mod write;

pub use ack::Acknowledgment;
pub use delimiters::Delimiters;
pub use eligibility::Response;
pub use envelope::{Document, Event, Item, SetHeader, Transaction, Walker};
pub use finding::{Expected, Finding, Findings, Oddity, Severity};
pub use read::{Block, ReadError, Reader, Segment};
