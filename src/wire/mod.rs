//! The HTTP plane: record, egress, limit, session, client.

pub mod credentials;

pub use credentials::{Credentials, Lease};
