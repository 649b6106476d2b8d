//! The whole wire against real sockets on loopback.

mod faults;
mod secrets;
mod sessions;
