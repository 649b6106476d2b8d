//! Which practice a question belongs to: the one value that cache keys, sessions, limits and records all carry.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The id of a practice: opaque, ours, never a name. Cheap to clone, safe to log.
///
/// A credential that serves the whole gateway still runs under the practice that asks, so that limits and records can
/// tell practices apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PracticeId(Arc<str>);

impl PracticeId {
    /// The practice with this id.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PracticeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::PracticeId;

    #[test]
    fn is_its_text_in_json_and_for_people() {
        let id = PracticeId::new("p-1");
        assert_eq!(id.to_string(), "p-1");
        assert_eq!(serde_json::to_string(&id).ok().as_deref(), Some("\"p-1\""));
        assert_ne!(id, PracticeId::new("p-2"));
    }
}
