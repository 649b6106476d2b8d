//! The whole wire against real sockets on loopback.

mod certificates;
mod commit;
mod faults;
mod secrets;
mod sessions;
