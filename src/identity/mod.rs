//! Room: identity.
