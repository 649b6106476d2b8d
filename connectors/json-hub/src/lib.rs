//! Dialect: a clearinghouse-style JSON API described in the carrier's TOML.
//!
//! How to write such a file stands in this crate's `README.md`. Read the code in this order: [`settings`] (what an
//! administrator writes), [`path`] and [`template`] (its two small languages), [`hub`] (one carrier, built; the
//! connector), [`eligibility`] (one question from ask to answer), [`exchange`] (send, poll, tell an error from an answer), [`echo`] (is it ours), [`answer`] and
//! [`benefits`] (the reply as facts), [`merge`] (parts of one benefit put together).

pub mod answer;
pub mod benefits;
pub mod check;
pub mod codes;
pub mod dates;
pub mod echo;
pub mod eligibility;
pub mod exchange;
pub mod fields;
pub mod hub;
pub mod merge;
pub mod path;
pub mod refusal;
pub mod settings;
pub mod template;
pub mod value;

#[cfg(test)]
mod tests;

use connector_sdk::{Operation, Registration};

/// This dialect's row of `portico connectors`.
pub static REGISTRATION: Registration = Registration {
    name: "json-hub",
    speaks: "JSON over HTTPS, as clearinghouses and carriers offer it",
    transport: "json",
    operations: &[Operation::Eligibility],
    sign_in: "OAuth2 client credentials, an API key in a header, HTTP Basic, in the body, or none",
    settings_schema: || schemars::schema_for!(settings::HubSettings).to_value(),
    example: include_str!("../example.toml"),
    build: hub::build,
};

#[cfg(test)]
pub(crate) fn settings_of_the_example() -> settings::HubSettings {
    tests::example_settings().parse().unwrap()
}
