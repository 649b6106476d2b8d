//! Dialect: an HTML portal behind a form login, described in the carrier's TOML.
