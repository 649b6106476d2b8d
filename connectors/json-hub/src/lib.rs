//! Dialect: a clearinghouse-style JSON API described in the carrier's TOML.
