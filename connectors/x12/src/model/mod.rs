//! Typed segments, loops and transaction sets, declared once and then read, written, copied and shown alike.
//!
//! - [`value`](self): what stands in an element: [`Text`], [`Money`], [`Day`], [`Count`], repeats (`Vec`) and composites.
//!   A value that is not of its type is kept as it stands ([`Typed::Other`]).
//! - segments: structs of values ([`common`] and [`health`] have those that many transactions share).
//! - loops and transaction sets: structs of segments and loops; see the module's macros.
//!
//! Reading borrows from what was read, never fails and loses nothing: what has no place is an [`Extra`] of the loop it
//! stood in. Writing refuses what X12 cannot carry. What is written is read back equal; the places (`at`) of segments,
//! and HL numbers, are not part of equality.

pub mod common;
mod cursor;
mod few;
pub mod health;
mod hi;
pub(crate) mod loops;
mod rare;
#[cfg(test)]
pub mod sample;
pub(crate) mod segment;
pub(crate) mod value;

pub use cursor::{Cursor, Outer};
pub use few::Few;
pub use loops::{Levels, Node, Slot};
pub(crate) use loops::{loops, transactions};
pub use rare::Rare;
pub use segment::{At, Extra, Hl, SegmentModel, Surplus};
pub(crate) use segment::{segment_node, segments};
pub use value::{Count, Day, Money, Rest, Text, Typed, Value, Written};
pub(crate) use value::{composites, not_given};
