//! A carrier file's `[settings]`: typed by the connector, with every problem named by its path.

use serde::de::DeserializeOwned;

/// The `[settings]` table of a carrier file, and the carrier's hosts.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    table: toml::Table,
    hosts: Vec<String>,
}

/// One thing wrong with a carrier file. It may quote the file: a carrier file holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsProblem {
    /// Keys from `settings` down, array places as numbers: `["endpoint"]`, `["login", "0", "css"]`.
    pub path: Vec<String>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl SettingsProblem {
    /// A problem at a dotted path: `login.0.css`.
    pub fn new(path: &str, message: impl Into<String>) -> Self {
        let path = path.split('.').filter(|key| !key.is_empty()).map(str::to_owned).collect();
        Self { path, message: message.into(), help: None }
    }

    /// Adds how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Settings {
    /// Settings with the hosts the carrier may be reached at (`host` or `host:port`, as the file has them).
    pub fn new(table: toml::Table, hosts: Vec<String>) -> Self {
        Self { table, hosts }
    }

    /// Reads them as `T`. The host has checked them against the connector's schema before, so this mostly cannot fail;
    /// what a schema cannot say (a selector that does not parse) is reported by the type's own deserialiser.
    ///
    /// # Errors
    /// The first problem, with its path.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Vec<SettingsProblem>> {
        serde_path_to_error::deserialize(toml::Value::Table(self.table.clone())).map_err(|error| {
            let path = error.path().iter().map(|segment| segment.to_string().replace(['[', ']'], "")).collect();
            vec![SettingsProblem { path, message: error.into_inner().to_string(), help: None }]
        })
    }

    /// The hosts the carrier may be reached at.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// The raw table.
    pub fn table(&self) -> &toml::Table {
        &self.table
    }

    /// Reads a web address and checks that its host is listed in the carrier file. Plain `http` is accepted only for
    /// loopback.
    ///
    /// # Errors
    /// One problem at `path`.
    pub fn address(&self, path: &str, text: &str) -> Result<http::Uri, SettingsProblem> {
        let uri: http::Uri = text.parse().map_err(|_| {
            SettingsProblem::new(path, "This is not a web address.").help("Write it like https://edi.acme.example/core")
        })?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(SettingsProblem::new(path, "A whole web address is needed, with https:// and a host."));
        };
        let loopback = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
        if scheme != "https" && !(scheme == "http" && loopback) {
            return Err(SettingsProblem::new(path, "Only https:// is allowed (http:// only to this machine itself)."));
        }
        let listed =
            self.hosts.iter().any(|entry| entry == host || uri.authority().is_some_and(|a| a.as_str() == entry));
        if !listed {
            return Err(SettingsProblem::new(path, format!("The host {host} is not listed in this file."))
                .help(format!("Add it: hosts = [\"{host}\"]")));
        }
        Ok(uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Toy {
        steps: Vec<Step>,
    }
    #[derive(serde::Deserialize, Debug)]
    #[allow(dead_code)]
    struct Step {
        most: u8,
    }

    #[test]
    fn a_problem_names_its_path() {
        let table = "[[steps]]\nmost = 1\n[[steps]]\nmost = 300\n".parse().unwrap();
        let problems = Settings::new(table, vec![]).parse::<Toy>().unwrap_err();
        assert_eq!(problems[0].path, ["steps", "1", "most"]);
    }

    #[test]
    fn addresses_are_https_and_listed() {
        let settings = Settings::new(toml::Table::new(), vec!["edi.acme.example".into(), "127.0.0.1:81".into()]);
        assert!(settings.address("endpoint", "https://edi.acme.example/core").is_ok());
        assert!(settings.address("endpoint", "http://127.0.0.1:81/core").is_ok());
        assert!(settings.address("endpoint", "http://127.0.0.1:82/core").is_err());
        assert!(settings.address("endpoint", "http://edi.acme.example/core").is_err());
        assert!(settings.address("endpoint", "https://evil.example/core").is_err());
    }
}
