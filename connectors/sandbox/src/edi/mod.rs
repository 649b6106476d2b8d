//! The carriers' own small X12 side: reading a 270, writing a 271, TA1 and 999. Written apart from the gateway's codec
//! on purpose: two ends that share code agree even where both are wrong.

mod read;
mod write;

pub(crate) use read::Inquiry;
pub(crate) use write::{Payer, Style, answer, refuse, reject_999, reject_ta1};
