//! Portico: one self-hosted gateway to every health insurer.
//!
//! Modules stand in the order in which a question meets them. Each room imports only rooms below it; a wall test
//! (`tests/gateway/architecture.rs`) reads this list and holds the arrow.
//!
//! 1. [`cli`]: the command line (argv to calls, no logic of its own)
//! 2. [`keeper`]: the running gateway over time: sealed, open, sealed again; the operator's line to it
//! 3. [`house`]: the rooms put together, for `serve`, `demo` and the tests
//! 4. [`pages`]: the staff's pages: HTML over HTTP
//! 5. [`api`]: JSON over HTTP; the only room that knows which error has which status
//! 6. [`batches`]: many questions at once: taken in durably, asked in the background, each once
//! 7. [`events`]: what happened, for programs: a list and signed deliveries
//! 8. [`backup`]: the whole store in a sealed file, and back
//! 9. [`submissions`]: the ledger of what has an effect: never lost, never sent twice
//! 10. [`patients`]: the practice's patients, found tolerantly, with the last word of each carrier
//! 11. [`tasks`]: what carriers ask of a person: shown, counted down, answered once
//! 12. [`gateway`]: caller + carrier + ask to outcome; the one crossroads
//! 13. [`stack`]: the question plane: audit, deadline, cache, retry, breaker, dispatch
//! 14. [`vault`]: carrier credentials at rest; lends them to the wire through the trait the wire asks for
//! 15. [`wire`]: the HTTP plane: record, egress, limit, session, client
//! 16. [`logging`]: which log lines are written
//! 17. [`hygiene`]: no core dumps, no look into this process
//! 18. [`config`]: what `gateway.toml` says
//! 19. [`carriers`]: carrier files to validated values; search; reload
//! 20. [`registry`]: the one list of compiled-in connectors
//! 21. [`identity`]: practices, people, roles; API keys and sessions to callers
//! 22. [`packets`]: evidence packets: made, and checked
//! 23. [`trail`]: the paper trail and the stored answers
//! 24. [`store`]: the only SQL
//! 25. [`practice`]: the one word all rooms share: whose question it is
//! 26. [`totp`]: the arithmetic of one-time codes, for the wire and for identity
//! 27. [`failpoint`]: places where a test may stop the process; nothing in a usual build

pub mod api;
pub mod backup;
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
pub mod pages;
pub mod patients;
pub mod practice;
pub mod registry;
pub mod stack;
pub mod store;
pub mod submissions;
pub mod tasks;
pub mod totp;
pub mod trail;
pub mod vault;
pub mod wire;
