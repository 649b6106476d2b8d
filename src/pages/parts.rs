//! What pages are put together from, each thing once. `/dev/components` shows all of them in all their states.

pub mod badge;
pub mod compare;
pub mod field;
pub mod lists;
pub mod money;
pub mod problems;
pub mod progress;
pub mod stamp;
pub mod words;
