//! Portico: one self-hosted gateway to every health insurer.
//!
//! Modules stand in the order in which a question meets them. Each room imports only rooms below it; a wall test
//! (`tests/gateway/architecture.rs`) reads this list and holds the arrow.
//!
//! 1. [`cli`]: the command line (argv to calls, no logic of its own)
//! 2. [`house`]: the rooms put together, for `serve`, `demo` and the tests
//! 3. [`api`]: JSON over HTTP; the only room that knows status codes
//! 4. [`batches`]: many questions at once: taken in durably, asked in the background, each once
//! 5. [`events`]: what happened, for programs: a list and signed deliveries
//! 6. [`submissions`]: the ledger of what has an effect: never lost, never sent twice
//! 7. [`gateway`]: caller + carrier + ask to outcome; the one crossroads
//! 8. [`stack`]: the question plane: audit, deadline, cache, retry, breaker, dispatch
//! 9. [`vault`]: carrier credentials at rest; lends them to the wire through the trait the wire asks for
//! 10. [`wire`]: the HTTP plane: record, egress, limit, session, client
//! 11. [`logging`]: which log lines are written
//! 12. [`config`]: what `gateway.toml` says
//! 13. [`carriers`]: carrier files to validated values; search; reload
//! 14. [`registry`]: the one list of compiled-in connectors
//! 15. [`identity`]: practices, people, roles; API keys and sessions to callers
//! 16. [`packets`]: evidence packets: made, and checked
//! 17. [`trail`]: the paper trail and the stored answers
//! 18. [`store`]: the only SQL
//! 19. [`practice`]: the one word all rooms share: whose question it is
//! 20. [`totp`]: the arithmetic of one-time codes, for the wire and for identity
//! 21. [`failpoint`]: places where a test may stop the process; nothing in a usual build

pub mod api;
pub mod batches;
pub mod carriers;
pub mod cli;
pub mod config;
pub mod events;
pub mod failpoint;
pub mod gateway;
pub mod house;
pub mod identity;
pub mod logging;
pub mod packets;
pub mod practice;
pub mod registry;
pub mod stack;
pub mod store;
pub mod submissions;
pub mod totp;
pub mod trail;
pub mod vault;
pub mod wire;
