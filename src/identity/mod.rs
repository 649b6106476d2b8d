//! API keys to callers. A key belongs to one practice and carries scopes; nothing may be asked without one.
//!
//! A key is 256 random bits, so that its plain SHA-256 is enough at rest: there is nothing to guess.

mod keys;
#[cfg(test)]
mod tests;

pub use keys::{ApiKeyInfo, AuthError, Caller, Identity, NewApiKey, Scope};
