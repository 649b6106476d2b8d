//! Checks a whole file: the reader's and the envelope's findings, a guide's, and the balances.

mod judge;

pub use judge::{Judge, Place};
