//! A carrier file's `[settings]` and `hosts`, without the host's reader of such files.

use crate::Settings;

/// Reads `[settings]` and `hosts` of a carrier file; the rest of the file is the host's.
///
/// # Errors
/// What TOML cannot read, in words.
pub fn carrier_settings(file: &str) -> Result<Settings, String> {
    let mut file: toml::Table = file.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let hosts = file.remove("hosts").and_then(|hosts| hosts.as_array().cloned()).unwrap_or_default();
    let hosts = hosts.iter().filter_map(|host| host.as_str().map(str::to_owned)).collect();
    match file.remove("settings") {
        Some(toml::Value::Table(settings)) => Ok(Settings::new(settings, hosts)),
        _ => Err("The file has no [settings] table.".to_owned()),
    }
}
