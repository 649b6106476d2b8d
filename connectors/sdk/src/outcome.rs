//! What the carrier said: an answer, or a refusal. A refusal is an answer too ("member not found"), never an error.

use serde::{Deserialize, Serialize};

/// The carrier's word on one ask.
#[derive(Clone, Debug)]
pub enum Outcome<T> {
    /// It answered.
    Answered(T),
    /// It understood and said no.
    Refused(Refusal),
}

impl<T> Outcome<T> {
    /// Turns the answer, leaves a refusal as it is.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Answered(answer) => Outcome::Answered(f(answer)),
            Self::Refused(refusal) => Outcome::Refused(refusal),
        }
    }
}

/// Why a carrier said no, in our words. The carrier's own codes stand beside it, verbatim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// No such member, or the details given do not belong together.
    MemberNotFound,
    /// The member is known, the dependent is not.
    DependentNotFound,
    /// The details given fit more than one person.
    MemberAmbiguous,
    /// The carrier does not know the provider.
    ProviderNotRecognised,
    /// The carrier knows the provider, but it is not enrolled or may not ask this.
    ProviderNotEnrolled,
    /// The carrier does not answer for this service, or not for this kind of provider.
    ServiceNotSupported,
    /// The date lies outside the period the carrier answers for.
    DateOutOfRange,
    /// The same ask was sent before.
    Duplicate,
    /// A field that this carrier needs is missing or not in its format.
    NeedsMoreInformation,
    /// The carrier's system cannot answer now; ask again later.
    CarrierBusy,
    /// Anything else; the carrier's codes and text tell.
    Other,
}

impl RefusalReason {
    /// What to say at the front desk. Fixed words; the carrier's codes stand beside them.
    pub fn text(self) -> &'static str {
        match self {
            Self::MemberNotFound => {
                "The carrier found no member with these details. One wrong digit is enough: compare them with the card."
            }
            Self::DependentNotFound => "The carrier knows the subscriber, but found no dependent with these details.",
            Self::MemberAmbiguous => "These details fit more than one person at the carrier. Add another detail.",
            Self::ProviderNotRecognised => "The carrier does not know this provider under the NPI that was sent.",
            Self::ProviderNotEnrolled => {
                "The carrier knows this provider, but does not let it ask. Check the enrollment."
            }
            Self::ServiceNotSupported => "The carrier does not answer for this service or this kind of provider.",
            Self::DateOutOfRange => "The date lies outside the period for which the carrier answers.",
            Self::Duplicate => "The carrier says that it has had the same question before.",
            Self::NeedsMoreInformation => "The carrier needs a detail that is missing or not in its format.",
            Self::CarrierBusy => "The carrier's system cannot answer right now. Ask again later.",
            Self::Other => "The carrier refused the question. Its own codes and text tell why.",
        }
    }

    /// The ask's fields to look at, when the carrier did not name one.
    pub fn look_at(self) -> &'static [&'static str] {
        match self {
            Self::MemberNotFound | Self::MemberAmbiguous => {
                &["member.member_id", "member.date_of_birth", "member.last_name", "member.first_name"]
            }
            Self::DependentNotFound => &["dependent.date_of_birth", "dependent.first_name", "dependent.last_name"],
            Self::ProviderNotRecognised | Self::ProviderNotEnrolled => &["provider.npi"],
            Self::ServiceNotSupported => &["service.types"],
            Self::DateOutOfRange => &["service.date"],
            Self::Duplicate | Self::NeedsMoreInformation | Self::CarrierBusy | Self::Other => &[],
        }
    }
}

/// The carrier understood and said no.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Refusal {
    /// Why, in our words.
    pub reason: RefusalReason,
    /// The carrier's own codes, as they came, all of them.
    pub carrier_codes: Vec<CarrierCode>,
    /// What a person at the front desk may read.
    pub text: String,
    /// Which fields of the ask to look at, as paths: `member.date_of_birth`.
    pub look_at: Vec<String>,
    /// The other sets of fields this carrier can search by. Filled by the host from the carrier file.
    #[serde(default)]
    pub other_searches: Vec<Vec<String>>,
}

impl Refusal {
    /// A refusal with the reason's own words and fields to look at.
    pub fn new(reason: RefusalReason) -> Self {
        Self {
            reason,
            carrier_codes: Vec::new(),
            text: reason.text().to_owned(),
            look_at: reason.look_at().iter().map(|path| (*path).to_owned()).collect(),
            other_searches: Vec::new(),
        }
    }

    /// Adds one of the carrier's codes.
    #[must_use]
    pub fn code(mut self, code: CarrierCode) -> Self {
        self.carrier_codes.push(code);
        self
    }
}

/// A code of the carrier's, verbatim, with the place it stood in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CarrierCode {
    /// X12: the loop the AAA stood in (`2100C`).
    #[serde(rename = "loop", default, skip_serializing_if = "Option::is_none")]
    pub loop_id: Option<String>,
    /// The code as it came: an AAA03 value, a JSON API's error code.
    pub code: String,
    /// X12 AAA04: what to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<String>,
    /// What the code means, in our words, where we know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
}
