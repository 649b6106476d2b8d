//! For the tests of connectors: a host that answers from a script, with a clock that stands still, and the suite of
//! behaviour that every connector must show.

mod behaviour;
mod carrier_file;
mod fake_host;

pub use behaviour::behaviour;
pub use carrier_file::carrier_settings;
pub use fake_host::{FakeHost, block_on};
