//! The life of a credential: active, suspect, verifying, disabled; and when its values end.
//!
//! ```text
//! active ── a login fails, or nobody knows how it ended ──> suspect ── a person starts one try ──> verifying
//! verifying ── accepted ──> active      verifying ── refused ──> disabled      verifying ── no verdict ──> suspect
//! any ── new values ──> active
//! ```

use jiff::Timestamp;
use serde::Serialize;

use super::credential::{CredentialInfo, CredentialState};
use super::error::VaultError;
use crate::store::credentials::CredentialRow;
use crate::wire::Doubt;

/// Days before the end of a credential's values at which people are reminded, the longest first.
pub const REMIND_DAYS: [i64; 3] = [30, 14, 3];

/// Why a credential is suspect after the data was put back: the carrier may have refused it since, or have been given
/// another password, and this data does not know.
pub const RESTORED: &str = "the data was put back to an earlier state";

const DAY_MICROSECONDS: i64 = 86_400_000_000;

/// A credential whose values end soon, or have ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Reminder {
    /// For which carrier.
    pub carrier: String,
    /// When its values end.
    pub expires_at: Timestamp,
    /// Whole days until then; below zero when they have ended.
    pub days_left: i64,
    /// Which reminder this is: 30, 14 or 3 days; 0 when they have ended.
    pub due: i64,
}

/// The life's word for a stored row.
pub(super) fn state(row: &CredentialRow) -> CredentialState {
    match (row.state.as_str(), row.stage.as_deref()) {
        ("active", Some("verifying")) => CredentialState::Verifying,
        ("active", _) => CredentialState::Active,
        (_, Some("disabled")) => CredentialState::Disabled,
        _ => CredentialState::Suspect,
    }
}

/// Whether a reason means that the carrier has said no, rather than that nobody knows.
pub(super) fn is_refusal(reason: &str) -> bool {
    let unclear =
        [Doubt::Unrecognised, Doubt::NoReply, Doubt::Interrupted, Doubt::Person, Doubt::Unanswered, Doubt::CodeRefused];
    reason != RESTORED && !unclear.iter().any(|doubt| doubt.word() == reason)
}

/// Whether a credential with this reason may be tried again by whoever answers for the practice at a carrier's pages: what
/// is in doubt is an answer of theirs, not what the vault holds.
pub fn waits_for_answer(reason: &str) -> bool {
    [Doubt::Unanswered, Doubt::CodeRefused].iter().any(|doubt| doubt.word() == reason)
}

/// The stage of a credential that is stopped for this reason; as the store's own statement has it.
pub(super) fn stage_after(before: Option<&str>, reason: &str) -> &'static str {
    if before == Some("verifying") && is_refusal(reason) { "disabled" } else { "suspect" }
}

/// Why a row that is not active cannot be lent.
pub(super) fn stopped(row: &CredentialRow) -> VaultError {
    match state(row) {
        CredentialState::Disabled => VaultError::Disabled,
        _ if row.reason.as_deref() == Some(Doubt::Person.word()) => VaultError::PersonWanted,
        _ if row.reason.as_deref().is_some_and(waits_for_answer) => VaultError::AnswerWanted,
        _ => VaultError::Stopped,
    }
}

impl CredentialInfo {
    /// What people are to be told about the end of its values now; `None` while that is far.
    pub fn reminder(&self, now: Timestamp) -> Option<Reminder> {
        let expires_at = self.expires_at?;
        let left = expires_at.as_microsecond().saturating_sub(now.as_microsecond());
        let days_left = left.div_euclid(DAY_MICROSECONDS);
        let due = if left <= 0 {
            0
        } else {
            REMIND_DAYS.into_iter().rev().find(|days| left <= days.saturating_mul(DAY_MICROSECONDS))?
        };
        Some(Reminder { carrier: self.carrier.clone(), expires_at, days_left, due })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(days: i64) -> CredentialInfo {
        CredentialInfo {
            id: "cred_1".into(),
            carrier: "acme".into(),
            state: CredentialState::Active,
            fields: vec![],
            generation: 1,
            origins: vec![],
            created_at: Timestamp::UNIX_EPOCH,
            last_used_at: None,
            stopped_at: None,
            expires_at: Timestamp::from_microsecond(days * DAY_MICROSECONDS).ok(),
            reason: None,
        }
    }

    #[test]
    fn reminders_come_at_30_14_and_3_days() {
        let due = |days| info(days).reminder(Timestamp::UNIX_EPOCH).map(|reminder| (reminder.due, reminder.days_left));
        assert_eq!(due(31), None);
        assert_eq!(due(30), Some((30, 30)));
        assert_eq!(due(15), Some((30, 15)));
        assert_eq!(due(14), Some((14, 14)));
        assert_eq!(due(3), Some((3, 3)));
        assert_eq!(due(0), Some((0, 0)));
        assert_eq!(due(-2), Some((0, -2)));
        assert_eq!(CredentialInfo { expires_at: None, ..info(1) }.reminder(Timestamp::UNIX_EPOCH), None);
    }
}
