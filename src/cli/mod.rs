//! The command line: argv to calls, no logic of its own.

pub mod check;
pub mod connectors;
pub mod reference;
