//! Room: vault.
