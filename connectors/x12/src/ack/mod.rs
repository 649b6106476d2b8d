//! Acknowledgments: TA1 (a whole interchange), 999 and its forerunner 997 (a functional group). Accepted or not, and why.
//!
//! [`Ta1`], [`ImplementationAcknowledgment`] (999) and [`FunctionalAcknowledgment`] (997) are the typed models, both ways;
//! [`Acknowledgment`] is the one view of all three that programs ask: is it a rejection, of what, and why.

mod group;
mod interchange;
mod make;
mod view;

pub use group::{
    Ak1, Ak2, Ak9, Context, Ctx, ElementAt, ElementError, ElementName, FunctionalAcknowledgment, Ik3, Ik4, Ik5,
    ImplementationAcknowledgment, SegmentError, SetAcknowledgment,
};
pub use interchange::Ta1;
pub use view::{Acknowledgment, Note, Verdict};
