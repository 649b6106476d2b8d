//! Who asks.

use std::collections::BTreeSet;

use super::{Level, Role, Scope};
use crate::practice::PracticeId;
use crate::trail::Actor;

/// Who asks. Made here and by [`super::Identity`] only, so that a practice in hand is a practice that was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    practice: PracticeId,
    id: String,
    who: Who,
    scopes: BTreeSet<Scope>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Key,
    Person { role: Role, level: Level },
    CommandLine,
}

impl Caller {
    pub(super) fn key(practice: PracticeId, id: String, scopes: BTreeSet<Scope>) -> Self {
        Self { practice, id, who: Who::Key, scopes }
    }

    pub(super) fn person(practice: PracticeId, id: String, role: Role, level: Level) -> Self {
        Self { practice, id, who: Who::Person { role, level }, scopes: role.scopes().iter().copied().collect() }
    }

    /// The command line acting for a practice: whoever can read the data directory and the key file.
    pub fn command_line(practice: PracticeId) -> Self {
        let scopes = Scope::ALL.into_iter().collect();
        Self { practice, id: "command_line".to_owned(), who: Who::CommandLine, scopes }
    }

    /// Whose question it is.
    pub fn practice(&self) -> &PracticeId {
        &self.practice
    }

    /// The id of the key or of the person.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The person's role; `None` for keys and the command line.
    pub fn role(&self) -> Option<Role> {
        if let Who::Person { role, .. } = self.who { Some(role) } else { None }
    }

    /// Whether the caller may do this. No scope includes another.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Everything the caller may do.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> + '_ {
        self.scopes.iter().copied()
    }

    /// Whether somebody in this role may do nothing that the caller may not.
    pub(super) fn covers(&self, role: Role) -> bool {
        role.scopes().iter().all(|scope| self.may(*scope))
    }

    /// The caller as the trail names it.
    pub fn actor(&self) -> Actor {
        match self.who {
            Who::Key => Actor::key(&self.id),
            Who::Person { role, level } => Actor::person(&self.id, role.word(), level.word()),
            Who::CommandLine => Actor::command_line(),
        }
    }
}
