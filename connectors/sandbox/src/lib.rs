//! Simulated carriers: real servers on loopback, for the demo and the tests.
#![doc = include_str!("../README.md")]

mod assertion;
mod bluevalley;
mod carrier_file;
mod clock;
mod control;
mod control_http;
mod credentials;
mod edi;
mod form;
mod harborhmo;
mod hubline;
mod lines;
mod mime;
mod molasses;
mod northstar;
pub mod people;
mod random;
mod sandbox;
mod search;
mod serve;
mod statemed;
mod truth;
mod xml;

#[cfg(test)]
mod tests;

pub use assertion::ClientKey;
pub use carrier_file::carrier_file;
pub use control::{Counters, Down, Layout, Page, Switches, WRONG_PASSWORDS_MAX};
pub use credentials::{CarrierCredential, credentials};
pub use sandbox::{CARRIERS, Control, Sandbox, SandboxConfig};
pub use search::{NOT_ENROLLED_NPI, UNKNOWN_NPI};
pub use truth::truth;
