//! Portico: one self-hosted gateway to every health insurer.
//!
//! Modules stand in the order in which a question meets them. Each room imports only rooms below it; a wall test
//! (`tests/architecture.rs`) reads this list and holds the arrow.
//!
//! 1. [`cli`]: the command line (argv to calls, no logic of its own)
//! 2. [`api`]: JSON over HTTP; the only room that knows status codes
//! 3. [`house`]: the rooms put together
//! 4. [`gateway`]: caller + carrier + ask to outcome; the one crossroads
//! 4. [`stack`]: the question plane: audit, deadline, cache, retry, breaker, dispatch
//! 5. [`vault`]: carrier credentials at rest; lends them to the wire through the trait the wire asks for
//! 6. [`wire`]: the HTTP plane: record, egress, limit, session, client
//! 7. [`config`]: what `gateway.toml` says
//! 8. [`carriers`]: carrier files to validated values; search; reload
//! 9. [`registry`]: the one list of compiled-in connectors
//! 10. [`identity`]: API keys to callers
//! 11. [`trail`]: the paper trail and the stored answers
//! 12. [`store`]: the only SQL
//! 13. [`practice`]: the one word all rooms share: whose question it is

pub mod api;
pub mod carriers;
pub mod cli;
pub mod config;
pub mod envelope;
pub mod gateway;
pub mod house;
pub mod identity;
pub mod logging;
pub mod practice;
pub mod registry;
pub mod stack;
pub mod store;
pub mod trail;
pub mod vault;
pub mod wire;
