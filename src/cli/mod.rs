//! The command line: argv to calls, no logic of its own.
