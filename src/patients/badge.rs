//! The closed set of words for where somebody's coverage stands, and the one rule that picks the word.

use connector_sdk::answer::Coverage;
use connector_sdk::{ErrorKind, RefusalReason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stack::{Envelope, OutcomeWord};

/// Where somebody's coverage stands, in one word. The list and a page show it with shape, word and colour together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Badge {
    /// The carrier found nobody with these details.
    NotFound,
    /// Found, and not covered on the day asked about.
    NotActive,
    /// The question cannot be put, or the carrier's word cannot be used: somebody has to mend something or to phone.
    CannotAsk,
    /// The carrier cannot be reached, is closed or busy.
    CarrierDown,
    /// Covered, and there is something to read before the visit.
    ActiveLook,
    /// Asked; the carrier has not answered yet.
    Waiting,
    /// Nobody asked yet.
    NotChecked,
    /// Somebody phoned the carrier and wrote down what it said.
    VerifiedByPhone,
    /// Covered on the day asked about.
    Active,
}

impl Badge {
    /// All of them, the gravest first.
    pub const ALL: [Badge; 9] = [
        Self::NotFound,
        Self::NotActive,
        Self::CannotAsk,
        Self::CarrierDown,
        Self::ActiveLook,
        Self::Waiting,
        Self::NotChecked,
        Self::VerifiedByPhone,
        Self::Active,
    ];

    /// The name on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::NotActive => "not_active",
            Self::CannotAsk => "cannot_ask",
            Self::CarrierDown => "carrier_down",
            Self::ActiveLook => "active_look",
            Self::Waiting => "waiting",
            Self::NotChecked => "not_checked",
            Self::VerifiedByPhone => "verified_by_phone",
            Self::Active => "active",
        }
    }

    /// Reads the name back.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|badge| badge.word() == word)
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::NotActive => "Not active",
            Self::CannotAsk => "Can’t ask",
            Self::CarrierDown => "Carrier down",
            Self::ActiveLook => "Active – look",
            Self::Waiting => "Waiting",
            Self::NotChecked => "Not checked",
            Self::VerifiedByPhone => "Verified by phone",
            Self::Active => "Active",
        }
    }

    /// The sign beside the word, so that colour is never the only one.
    pub fn shape(self) -> &'static str {
        match self {
            Self::NotFound => "⌀",
            Self::NotActive => "✕",
            Self::CannotAsk => "⊘",
            Self::CarrierDown => "⌁",
            Self::ActiveLook => "✓!",
            Self::Waiting => "…",
            Self::NotChecked => "○",
            Self::VerifiedByPhone => "☎",
            Self::Active => "✓",
        }
    }

    /// Whether the carrier, or a person at its phone, said something that can be gone by.
    pub fn is_word(self) -> bool {
        matches!(self, Self::NotFound | Self::NotActive | Self::ActiveLook | Self::Active | Self::VerifiedByPhone)
    }
}

/// The word for what came of a question. **The one rule**: lists, pages and the API all ask here.
///
/// - Answered: active, or active with alerts, is [`Badge::Active`] or [`Badge::ActiveLook`]; an answer that says neither
///   yes nor no is [`Badge::CannotAsk`], so that nobody takes it for a yes.
/// - Refused: nobody found is [`Badge::NotFound`], a busy carrier [`Badge::CarrierDown`], anything else
///   [`Badge::CannotAsk`].
/// - Failed: by who must act.
pub fn badge(envelope: &Envelope) -> Badge {
    match (envelope.outcome, &envelope.answer, &envelope.refusal, &envelope.failure) {
        (OutcomeWord::Pending, ..) => Badge::Waiting,
        (_, Some(answer), ..) => match answer.facts.coverage {
            Coverage::Active if answer.summary.alerts.is_empty() => Badge::Active,
            Coverage::Active => Badge::ActiveLook,
            Coverage::Inactive => Badge::NotActive,
            Coverage::Pending => Badge::Waiting,
            Coverage::Unknown => Badge::CannotAsk,
        },
        (_, None, Some(refusal), _) => of_refusal(refusal.reason),
        (_, None, None, Some(failure)) => of_failure(failure.kind),
        (_, None, None, None) => Badge::CarrierDown,
    }
}

fn of_refusal(reason: RefusalReason) -> Badge {
    match reason {
        RefusalReason::MemberNotFound | RefusalReason::DependentNotFound | RefusalReason::MemberAmbiguous => {
            Badge::NotFound
        }
        RefusalReason::CarrierBusy => Badge::CarrierDown,
        RefusalReason::ProviderNotRecognised
        | RefusalReason::ProviderNotEnrolled
        | RefusalReason::ServiceNotSupported
        | RefusalReason::DateOutOfRange
        | RefusalReason::Duplicate
        | RefusalReason::NeedsMoreInformation
        | RefusalReason::Other => Badge::CannotAsk,
    }
}

/// The word for a question without an outcome.
pub fn of_failure(kind: ErrorKind) -> Badge {
    match kind {
        ErrorKind::RequestInvalid
        | ErrorKind::NotPermitted
        | ErrorKind::CarrierUnknown
        | ErrorKind::Unsupported
        | ErrorKind::CredentialMissing
        | ErrorKind::CredentialRejected
        | ErrorKind::NeedsPerson
        | ErrorKind::CarrierPaused => Badge::CannotAsk,
        ErrorKind::CarrierUnavailable
        | ErrorKind::CarrierTimeout
        | ErrorKind::CarrierThrottled
        | ErrorKind::CarrierClosed
        | ErrorKind::CarrierUntrusted
        | ErrorKind::AnswerMismatch
        | ErrorKind::ProtocolBroken
        | ErrorKind::EgressRefused
        | ErrorKind::Overloaded
        | ErrorKind::CircuitOpen
        | ErrorKind::DeadlineExceeded
        | ErrorKind::NotKept
        | ErrorKind::Internal => Badge::CarrierDown,
    }
}

/// The word for a fixed reason for which an item of a batch waits or failed.
pub fn of_reason(reason: &str) -> Badge {
    // A login that is stopped is no failure's kind: nothing was sent.
    if reason == "credential_stopped" {
        return Badge::CannotAsk;
    }
    ErrorKind::ALL.into_iter().find(|kind| kind.name() == reason).map_or(Badge::CarrierDown, of_failure)
}

#[cfg(test)]
mod tests {
    use connector_sdk::answer::Alert;
    use connector_sdk::{EligibilityAnswer, Error, Operation, Refusal};
    use jiff::Timestamp;

    use super::*;
    use crate::stack::Failure;

    fn envelope(outcome: OutcomeWord) -> Envelope {
        let mut envelope = Envelope::awaited("q", Operation::Eligibility, "northstar", Timestamp::UNIX_EPOCH, None);
        envelope.outcome = outcome;
        envelope
    }

    fn answered(coverage: Coverage, alert: bool) -> Badge {
        let mut answer: EligibilityAnswer = serde_json::from_value(serde_json::json!({
            "coverage": coverage, "member": {}, "plans": [], "benefits": [], "carrier_contacts": [],
            "raw": connector_sdk::EligibilityFacts::default().raw,
            "summary": { "paragraph": "", "alerts": [] }, "not_stated": []
        }))
        .unwrap();
        if alert {
            answer.summary.alerts.push(Alert { kind: "other_payer".to_owned(), text: "x".into() });
        }
        badge(&Envelope { answer: Some(answer.into()), ..envelope(OutcomeWord::Answered) })
    }

    #[test]
    fn each_end_has_its_word() {
        assert_eq!(badge(&envelope(OutcomeWord::Pending)), Badge::Waiting);
        assert_eq!(answered(Coverage::Active, false), Badge::Active);
        assert_eq!(answered(Coverage::Active, true), Badge::ActiveLook);
        assert_eq!(answered(Coverage::Inactive, true), Badge::NotActive);
        assert_eq!(answered(Coverage::Unknown, true), Badge::CannotAsk);
        let refused = |reason| {
            let refusal = Some(Refusal::new(reason));
            badge(&Envelope { refusal, ..envelope(OutcomeWord::Refused) })
        };
        assert_eq!(refused(RefusalReason::MemberNotFound), Badge::NotFound);
        assert_eq!(refused(RefusalReason::ProviderNotEnrolled), Badge::CannotAsk);
        assert_eq!(refused(RefusalReason::CarrierBusy), Badge::CarrierDown);
        let failed = |kind| {
            let failure = Some(Failure::of(&Error::new(kind, "x")));
            badge(&Envelope { failure, ..envelope(OutcomeWord::Failed) })
        };
        assert_eq!(failed(ErrorKind::CarrierTimeout), Badge::CarrierDown);
        assert_eq!(failed(ErrorKind::CredentialRejected), Badge::CannotAsk);
    }

    #[test]
    fn the_words_are_those_of_the_wire() {
        for badge in Badge::ALL {
            assert_eq!(serde_json::to_value(badge).unwrap(), badge.word());
            assert_eq!(Badge::from_word(badge.word()), Some(badge));
        }
    }

    #[test]
    fn a_reason_means_the_same_as_its_kind() {
        for kind in
            [ErrorKind::CredentialMissing, ErrorKind::NeedsPerson, ErrorKind::CarrierClosed, ErrorKind::Internal]
        {
            assert_eq!(of_reason(kind.name()), of_failure(kind), "{}", kind.name());
        }
    }
}
