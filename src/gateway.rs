//! `Gateway::ask`: the one crossroads.
