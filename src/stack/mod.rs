//! The question plane, one layer per file.
