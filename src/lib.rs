//! Portico: one self-hosted gateway to every health insurer.
//!
//! Modules stand in the order in which a question meets them. Each room imports only rooms below it; a wall test
//! (`tests/gateway/architecture.rs`) reads this list and holds the arrow.
//!
//! 1. [`cli`]: the command line (argv to calls, no logic of its own)
//! 2. [`house`]: the rooms put together, for `serve`, `demo` and the tests
//! 3. [`api`]: JSON over HTTP; the only room that knows status codes
//! 4. [`events`]: what happened, for programs: a list and signed deliveries
//! 5. [`submissions`]: the ledger of what has an effect: never lost, never sent twice
//! 6. [`gateway`]: caller + carrier + ask to outcome; the one crossroads
//! 7. [`stack`]: the question plane: audit, deadline, cache, retry, breaker, dispatch
//! 8. [`vault`]: carrier credentials at rest; lends them to the wire through the trait the wire asks for
//! 9. [`wire`]: the HTTP plane: record, egress, limit, session, client
//! 10. [`logging`]: which log lines are written
//! 11. [`config`]: what `gateway.toml` says
//! 12. [`carriers`]: carrier files to validated values; search; reload
//! 13. [`registry`]: the one list of compiled-in connectors
//! 14. [`identity`]: practices, people, roles; API keys and sessions to callers
//! 15. [`trail`]: the paper trail and the stored answers
//! 16. [`store`]: the only SQL
//! 17. [`practice`]: the one word all rooms share: whose question it is
//! 18. [`totp`]: the arithmetic of one-time codes, for the wire and for identity
//! 19. [`failpoint`]: places where a test may stop the process; nothing in a usual build

pub mod api;
pub mod carriers;
pub mod cli;
pub mod config;
pub mod events;
pub mod failpoint;
pub mod gateway;
pub mod house;
pub mod identity;
pub mod logging;
pub mod practice;
pub mod registry;
pub mod stack;
pub mod store;
pub mod submissions;
pub mod totp;
pub mod trail;
pub mod vault;
pub mod wire;
