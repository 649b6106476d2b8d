//! For the tests of connectors: a host that answers from a script, with a clock that stands still.

mod fake_host;

pub use fake_host::{FakeHost, block_on};
