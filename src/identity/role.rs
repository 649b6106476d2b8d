//! What each role may do. The one place: everything else asks for a [`Scope`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Scope;

/// What a person is in a practice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Asks carriers about patients at the desk.
    FrontDesk,
    /// Hands in claims and clears up what became of them.
    Biller,
    /// Hands in authorizations and does what carriers ask of a person.
    AuthorizationCoordinator,
    /// Everything in the practice.
    PracticeAdmin,
    /// Reads the trail and makes evidence packets; changes nothing.
    Auditor,
    /// Looks after keys, people and carriers, and sees no patient data.
    PlatformAdmin,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 6] = [
        Self::FrontDesk,
        Self::Biller,
        Self::AuthorizationCoordinator,
        Self::PracticeAdmin,
        Self::Auditor,
        Self::PlatformAdmin,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::FrontDesk => "front_desk",
            Self::Biller => "biller",
            Self::AuthorizationCoordinator => "authorization_coordinator",
            Self::PracticeAdmin => "practice_admin",
            Self::Auditor => "auditor",
            Self::PlatformAdmin => "platform_admin",
        }
    }

    /// Reads the word back.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// The table. Whoever has [`Scope::Admin`] gives away only what they have themselves, so that a platform admin cannot
    /// make a key, or a colleague, that sees patient data.
    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Self::FrontDesk => &[Scope::Ask, Scope::Carriers],
            Self::Biller | Self::AuthorizationCoordinator => {
                &[Scope::Ask, Scope::Carriers, Scope::Submit, Scope::Resolve]
            }
            Self::PracticeAdmin => &Scope::ALL,
            Self::Auditor => &[Scope::Carriers, Scope::Trail],
            Self::PlatformAdmin => &[Scope::Carriers, Scope::Admin],
        }
    }
}
