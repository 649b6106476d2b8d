//! What this process asks of the system so that keys and patients' data do not leave it by a side door.

/// No core dump is written of this process, and no other process of the same user may look into it (on Linux).
///
/// # Errors
/// What the system refused, in fixed words; the process works all the same, only less guarded.
#[cfg(unix)]
pub fn keep_memory_private() -> Result<(), &'static str> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(|_| "the system does not let core dumps be switched off")?;
    not_dumpable()
}

/// Other systems have no such switch that is known here.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn keep_memory_private() -> Result<(), &'static str> {
    Ok(())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn not_dumpable() -> Result<(), &'static str> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|_| "the system does not keep other processes out of this one's memory")
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
fn not_dumpable() -> Result<(), &'static str> {
    Ok(())
}

/// Writes a secret into the log, into a metric or into a temporary file, whichever a test asks for: so that the search for
/// secrets can be seen to find one. It is in no program that is built for use.
#[cfg(debug_assertions)]
pub fn leak_when_a_test_asks(secret: &str) {
    match std::env::var("PORTICO_TEST_LEAK").as_deref() {
        Ok("log") => tracing::debug!(secret, "leaked, because a test asks for it"),
        Ok("metric") => metrics::counter!("portico_leaked", "secret" => secret.to_owned()).increment(1),
        Ok("file") => {
            use base64::Engine;
            use std::io::Write;
            let text = base64::engine::general_purpose::STANDARD.encode(secret);
            let path = std::env::temp_dir().join("leaked");
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            // A test that does not find it fails.
            let _ = file.and_then(|mut file| file.write_all(text.as_bytes()));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_does_as_it_is_asked() {
        use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
        super::keep_memory_private().unwrap();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }
}
