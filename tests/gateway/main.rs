//! Whole-gateway tests: the real rooms, real servers on loopback, through the public API and command line only; and the
//! wall tests, which read the project's own files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failing test is the message"
)]

mod process;
mod support;

mod across;
mod answers;
mod architecture;
mod bad_carriers;
mod bad_requests;
mod batches;
mod batches_killed;
mod benefits;
mod canaries;
mod carriers;
mod client_certificates;
mod client_keys;
mod command_line;
mod credentials;
mod desk_pages;
#[cfg(all(feature = "failpoints", target_os = "linux"))]
mod disk;
mod isolation;
#[cfg(feature = "failpoints")]
mod kill;
mod lockout;
mod pages_admin;
mod pages_check;
mod patients;
#[cfg(feature = "failpoints")]
mod put_back;
mod readme;
mod restart;
mod sandbox_carriers;
mod sandbox_truth;
mod schedule;
mod sealed;
mod signing_in;
mod story;
mod submissions;
mod tamper;
mod tasks;
mod trail;
mod webhooks;
mod x12_files;
