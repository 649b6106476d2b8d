//! Log lines: a sentence and named fields. Our own modules log at the level asked for; other people's code only warns,
//! whatever the level, because its `trace` lines may hold bytes of a message.

use std::io::IsTerminal;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Crates whose log lines are ours.
const OURS: [&str; 6] = ["portico", "connector_sdk", "core_x12", "json_hub", "html_portal", "sandbox"];

/// Which lines pass at this level.
pub fn filter(level: LevelFilter) -> Targets {
    OURS.iter().fold(Targets::new().with_default(LevelFilter::WARN), |targets, name| targets.with_target(*name, level))
}

/// Starts logging to standard error: one line per event, as JSON when `json`; in colour for a terminal only. A second call
/// changes nothing.
pub fn start(level: LevelFilter, json: bool) {
    let colour = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::registry().with(filter(level));
    let started = if json {
        lines.with(tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr)).try_init()
    } else {
        lines.with(tracing_subscriber::fmt::layer().compact().with_ansi(colour).with_writer(std::io::stderr)).try_init()
    };
    // A subscriber that is there already (a test's) stays.
    drop(started);
}
