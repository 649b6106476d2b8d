//! What may become of a submission: one pure function, [`next`]. The worker asks it inside the transaction that writes
//! the result down, and a test (`explore.rs`) walks every order in which workers, kills, lost and late messages and
//! inquiries can meet.
//!
//! ```text
//! Queued ──claim──> Intent ──arm──> Armed ──a definite word──> Accepted | Rejected
//!   ^                 │               │
//!   └── not sent ─────┘               └─ anything else ─> Unknown ─ found ─────────────> Accepted
//!   ^                                                     Unknown ─ proven absent, twice ─┐
//!   └─────────────────────────────────────────────────────────────────────────────────────┘
//! Queued | Intent | Armed | Unknown ──the data was put back to an earlier state──> Unknown, anew
//! ```
//!
//! Nothing leads from [`State::Armed`] or [`State::Unknown`] back to [`State::Queued`] but the carrier's own word: that it
//! refused without effect, or, past its visibility bound, that it has nothing.

use schemars::JsonSchema;
use serde::Serialize;

/// Negative answers that an absence takes at least, the last of them past the visibility bound.
pub const NEGATIVES_MIN: u8 = 2;

/// Where a submission stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits to be sent; nothing of it is at the carrier.
    Queued,
    /// A worker has written down the bytes and may be connecting; nothing has left.
    Intent,
    /// The first byte may leave at any moment, or has left.
    Armed,
    /// Bytes may have left, and there is no definite word. It is never sent again from here.
    Unknown {
        /// Inquiries that found nothing.
        negatives: u8,
        /// It stands in the operator's queue.
        person: bool,
    },
    /// The carrier has it; there is a receipt.
    Accepted,
    /// The carrier turned it away and keeps nothing of it, or it cannot be put into the carrier's words.
    Rejected,
    /// Taken back before anything was sent.
    Cancelled,
    /// A person has closed it without knowing what became of it.
    Voided,
}

/// What happens to a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A worker begins attempt n + 1 with these bytes.
    Claim,
    /// The connector cannot put the ask into this carrier's words.
    Unsendable,
    /// Connected and signed in; the first byte leaves as soon as this is durable.
    Arm,
    /// The attempt ended before a byte left.
    NotSent,
    /// The carrier refused the credential, and with it the request.
    CredentialRefused,
    /// The carrier refused by a word that its connector declares to be without effect.
    Refused,
    /// The carrier has it.
    Accepted,
    /// The attempt ended without a definite word.
    Unclear,
    /// Whoever ran the attempt is gone.
    Lost,
    /// An inquiry found exactly this submission.
    Found,
    /// An inquiry found nothing.
    NotFound {
        /// It was asked past the visibility bound, and this carrier's "there is none" is reliable.
        proves: bool,
    },
    /// An inquiry found several, or something else.
    Ambiguous,
    /// Time for a person to look.
    Escalate,
    /// A person says what became of it.
    Resolve(Decision),
    /// The practice takes it back.
    Cancel,
    /// The data was put back to an earlier state: since then it may have been sent, by a process whose books are gone.
    Restored,
}

/// What a person found out about a submission whose fate nobody knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// The carrier has it.
    Present,
    /// The carrier does not have it: it will be sent again.
    Absent {
        /// The visibility bound is over: nothing of it can still appear.
        settled: bool,
    },
    /// It is closed; it will not be sent again.
    Void,
}

/// How an attempt ended. Once it is one of the others, it never changes again; [`Outcome::Unknown`] may become known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// No byte of the committing request left.
    NotSent,
    /// The carrier refused and keeps nothing of it.
    RejectedNoEffect,
    /// The carrier accepted it.
    Accepted,
    /// Nobody can say.
    Unknown,
    /// The carrier was asked: it does not have it.
    ConfirmedAbsent,
    /// The carrier was asked: it has it.
    ConfirmedPresent,
}

/// What an event leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where the submission stands then.
    pub state: State,
    /// What the open attempt ended with, where it did.
    pub attempt: Option<Outcome>,
}

/// Why an event cannot happen in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impossible {
    /// It makes no sense there: somebody else was quicker, or it is over.
    NotHere,
    /// A person says that the carrier does not have it while it could still appear there.
    TooEarly,
}

/// What becomes of a submission in `state` when `event` happens. The only rule there is.
///
/// # Errors
/// [`Impossible`]; nothing changes then.
pub fn next(state: State, event: Event) -> Result<Step, Impossible> {
    use Event as E;
    use State as S;
    let step = |state, attempt| Ok(Step { state, attempt });
    match (state, event) {
        (S::Queued, E::Claim) => step(S::Intent, None),
        (S::Queued, E::Unsendable) => step(S::Rejected, None),
        (S::Queued, E::Cancel) => step(S::Cancelled, None),

        (S::Intent, E::Arm) => step(S::Armed, None),
        (S::Intent, E::NotSent | E::CredentialRefused | E::Unclear | E::Lost) => {
            step(S::Queued, Some(Outcome::NotSent))
        }
        // A step before the committing one was refused: a draft page that does not know the member.
        (S::Intent, E::Refused) => step(S::Rejected, Some(Outcome::RejectedNoEffect)),

        (S::Armed, E::Accepted) => step(S::Accepted, Some(Outcome::Accepted)),
        (S::Armed, E::Refused) => step(S::Rejected, Some(Outcome::RejectedNoEffect)),
        (S::Armed, E::CredentialRefused) => step(S::Queued, Some(Outcome::RejectedNoEffect)),
        // "Not sent" is not believed once it is armed: the byte may have left.
        (S::Armed, E::NotSent | E::Unclear | E::Lost) => {
            step(S::Unknown { negatives: 0, person: false }, Some(Outcome::Unknown))
        }

        (S::Unknown { .. }, E::Found) => step(S::Accepted, Some(Outcome::ConfirmedPresent)),
        (S::Unknown { negatives, person }, E::NotFound { proves }) => {
            let negatives = negatives.saturating_add(1);
            if proves && negatives >= NEGATIVES_MIN {
                return step(S::Queued, Some(Outcome::ConfirmedAbsent));
            }
            step(S::Unknown { negatives: negatives.min(NEGATIVES_MIN), person }, None)
        }
        // Something is there: the negatives before it prove nothing any more.
        (S::Unknown { .. }, E::Ambiguous) => step(S::Unknown { negatives: 0, person: true }, None),
        (S::Unknown { negatives, person: false }, E::Escalate) => step(S::Unknown { negatives, person: true }, None),
        (S::Unknown { .. }, E::Resolve(Decision::Present)) => step(S::Accepted, Some(Outcome::ConfirmedPresent)),
        (S::Unknown { .. }, E::Resolve(Decision::Absent { settled: true })) => {
            step(S::Queued, Some(Outcome::ConfirmedAbsent))
        }
        (S::Unknown { .. }, E::Resolve(Decision::Absent { settled: false })) => Err(Impossible::TooEarly),
        // Its attempt stays unknown for good, and so does the guard against another one.
        (S::Unknown { .. }, E::Resolve(Decision::Void)) => step(S::Voided, None),

        // One that waits has no open attempt: whoever writes this down makes one, for the one that nobody remembers.
        (S::Queued | S::Intent | S::Armed, E::Restored) => {
            step(S::Unknown { negatives: 0, person: false }, Some(Outcome::Unknown))
        }
        // It may have been found absent and sent again since: the negatives before that prove nothing.
        (S::Unknown { person, .. }, E::Restored) => step(S::Unknown { negatives: 0, person }, None),

        _ => Err(Impossible::NotHere),
    }
}

impl State {
    /// The word in the store and in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Intent => "intent",
            Self::Armed => "armed",
            Self::Unknown { .. } => "unknown",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Voided => "voided",
        }
    }

    /// Every word, in the order of a submission's life.
    pub const WORDS: [&'static str; 8] =
        ["queued", "intent", "armed", "unknown", "accepted", "rejected", "cancelled", "voided"];

    /// Reads it back from the store.
    pub fn read(word: &str, negatives: i64, person: bool) -> Option<Self> {
        Some(match word {
            "queued" => Self::Queued,
            "intent" => Self::Intent,
            "armed" => Self::Armed,
            "unknown" => Self::Unknown { negatives: u8::try_from(negatives).ok()?, person },
            "accepted" => Self::Accepted,
            "rejected" => Self::Rejected,
            "cancelled" => Self::Cancelled,
            "voided" => Self::Voided,
            _ => return None,
        })
    }
}

impl Outcome {
    /// The word in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::RejectedNoEffect => "rejected_no_effect",
            Self::Accepted => "accepted",
            Self::Unknown => "unknown",
            Self::ConfirmedAbsent => "confirmed_absent",
            Self::ConfirmedPresent => "confirmed_present",
        }
    }
}

impl Event {
    /// The action word of its record.
    pub fn action(self) -> &'static str {
        match self {
            Self::Claim => "submission.intent",
            Self::Unsendable => "submission.unsendable",
            Self::Arm => "submission.armed",
            Self::NotSent => "submission.not_sent",
            Self::CredentialRefused => "submission.credential_refused",
            Self::Refused => "submission.rejected",
            Self::Accepted => "submission.accepted",
            Self::Unclear => "submission.unknown",
            Self::Lost => "submission.lost",
            Self::Found => "submission.found",
            Self::NotFound { .. } => "submission.not_found",
            Self::Ambiguous => "submission.ambiguous",
            Self::Escalate => "submission.escalated",
            Self::Resolve(Decision::Present) => "submission.resolved_present",
            Self::Resolve(Decision::Absent { .. }) => "submission.resolved_absent",
            Self::Resolve(Decision::Void) => "submission.resolved_void",
            Self::Cancel => "submission.cancelled",
            Self::Restored => "submission.restored",
        }
    }
}
