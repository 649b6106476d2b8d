//! The only SQL: one writer thread with group commit, readers beside it.
