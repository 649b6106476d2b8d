//! Portico: one self-hosted gateway to every health insurer.
//!
//! Modules stand in the order in which a question meets them. Each room imports only rooms below it; a wall test
//! (`tests/gateway/architecture.rs`) reads this list and holds the arrow.
//!
//! 1. [`cli`]: the command line (argv to calls, no logic of its own)
//! 2. [`keeper`]: the running gateway over time: sealed, open, sealed again; the operator's line to it
//! 3. [`house`]: the rooms put together, for `serve`, `demo` and the tests
//! 4. [`api`]: JSON over HTTP; the only room that knows status codes
//! 5. [`batches`]: many questions at once: taken in durably, asked in the background, each once
//! 6. [`events`]: what happened, for programs: a list and signed deliveries
//! 7. [`submissions`]: the ledger of what has an effect: never lost, never sent twice
//! 8. [`gateway`]: caller + carrier + ask to outcome; the one crossroads
//! 9. [`stack`]: the question plane: audit, deadline, cache, retry, breaker, dispatch
//! 10. [`vault`]: carrier credentials at rest; lends them to the wire through the trait the wire asks for
//! 11. [`wire`]: the HTTP plane: record, egress, limit, session, client
//! 12. [`logging`]: which log lines are written
//! 13. [`hygiene`]: no core dumps, no look into this process
//! 14. [`config`]: what `gateway.toml` says
//! 15. [`carriers`]: carrier files to validated values; search; reload
//! 16. [`registry`]: the one list of compiled-in connectors
//! 17. [`identity`]: practices, people, roles; API keys and sessions to callers
//! 18. [`packets`]: evidence packets: made, and checked
//! 19. [`trail`]: the paper trail and the stored answers
//! 20. [`store`]: the only SQL
//! 21. [`practice`]: the one word all rooms share: whose question it is
//! 22. [`totp`]: the arithmetic of one-time codes, for the wire and for identity
//! 23. [`failpoint`]: places where a test may stop the process; nothing in a usual build

pub mod api;
pub mod batches;
pub mod carriers;
pub mod cli;
pub mod config;
pub mod events;
pub mod failpoint;
pub mod gateway;
pub mod house;
pub mod hygiene;
pub mod identity;
pub mod keeper;
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
