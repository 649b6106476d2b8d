//! For the tests of connectors: a host that answers from a script, with a clock that stands still.

mod carrier_file;
mod fake_host;

pub use carrier_file::carrier_settings;
pub use fake_host::{FakeHost, block_on};
