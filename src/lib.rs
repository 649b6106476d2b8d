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
//! 6. [`schedule`]: who comes on which day, taken in from other systems; the batch that verifies them
//! 7. [`batches`]: many questions at once: taken in durably, asked in the background, each once
//! 8. [`events`]: what happened, for programs: a list and signed deliveries
//! 9. [`backup`]: the whole store in a sealed file, and back
//! 10. [`submissions`]: the ledger of what has an effect: never lost, never sent twice
//! 11. [`patients`]: the practice's patients, found tolerantly, with the last word of each carrier
//! 12. [`tasks`]: what carriers ask of a person: shown, counted down, answered once
//! 13. [`gateway`]: caller + carrier + ask to outcome; the one crossroads
//! 14. [`stack`]: the question plane: audit, deadline, cache, retry, breaker, dispatch
//! 15. [`pauses`]: carriers that a practice asks nothing for a while, because a person said so
//! 16. [`vault`]: carrier credentials at rest; lends them to the wire through the trait the wire asks for
//! 17. [`wire`]: the HTTP plane: record, egress, limit, session, client
//! 18. [`logging`]: which log lines are written
//! 19. [`hygiene`]: no core dumps, no look into this process
//! 20. [`config`]: what `gateway.toml` says
//! 21. [`carriers`]: carrier files to validated values; search; reload
//! 22. [`registry`]: the one list of compiled-in connectors
//! 23. [`identity`]: practices, people, roles; API keys and sessions to callers
//! 24. [`packets`]: evidence packets: made, and checked
//! 25. [`trail`]: the paper trail and the stored answers
//! 26. [`store`]: the only SQL
//! 27. [`practice`]: the one word all rooms share: whose question it is
//! 28. [`totp`]: the arithmetic of one-time codes, for the wire and for identity
//! 29. [`differences`]: two answers of a carrier, compared fact by fact
//! 30. [`paper`]: a part of our own pages as a PDF
//! 31. [`failpoint`]: places where a test may stop the process; nothing in a usual build

pub mod api;
pub mod backup;
pub mod batches;
pub mod carriers;
pub mod cli;
pub mod config;
pub mod differences;
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
pub mod paper;
pub mod patients;
pub mod pauses;
pub mod practice;
pub mod registry;
pub mod schedule;
pub mod stack;
pub mod store;
pub mod submissions;
pub mod tasks;
pub mod totp;
pub mod trail;
pub mod vault;
pub mod wire;
