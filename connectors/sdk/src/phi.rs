//! Text about a patient, kept out of every log line by its type.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value that may identify a patient. It serialises as itself (answers must show it), but has no `Display`, and its
/// `Debug` prints a placeholder, so that it cannot reach a log, an error or a panic message by accident.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
#[schemars(transparent)]
pub struct Phi<T>(T);

impl<T> Phi<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Call it where the value is put on the wire or into an answer, never to format a message.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl Phi<String> {
    /// The text as `&str`.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl<T> From<T> for Phi<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl From<&str> for Phi<String> {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl<T> fmt::Debug for Phi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹phi›")
    }
}

#[cfg(test)]
mod tests {
    use super::Phi;

    #[test]
    fn debug_hides_and_json_shows() {
        let name = Phi::<String>::from("Zanzibar");
        assert!(!format!("{name:?}").contains("Zanzibar"));
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"Zanzibar\"");
    }
}
