//! Room: trail.
