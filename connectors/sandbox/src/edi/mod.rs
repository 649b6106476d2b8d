//! The carriers' X12 side: reading a 270, writing a 271, TA1 and 999, with the typed models of the codec, which are made
//! for both sides. What the codec writes is held against validators of others, so that two ends that share it cannot
//! quietly agree on something wrong.

mod read;
mod write;

pub(crate) use read::Inquiry;
pub(crate) use write::{Payer, Style, answer, refuse, reject_999, reject_ta1, reviewed};
