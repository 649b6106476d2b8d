//! How authorizations are submitted to a carrier, and how one asks afterwards what became of them.

use schemars::JsonSchema;
use serde::Deserialize;

/// Submission of authorizations (X12 278). Without this table the carrier takes none.
///
/// What stands here is what the gateway relies on when an answer is missing: a bound that is too short, or a "none" that
/// is not to be relied on, makes two cases of one. Write what the carrier's companion guide or its own people say, and
/// leave out what they do not.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthorizationSettings {
    /// `PayloadType` of a request for review.
    pub payload_type_request: String,
    /// `PayloadType` of its answer. Another type in the reply is not taken for an answer (TA1 and 999 are recognised).
    pub payload_type_response: String,
    /// Implementation guide version of the request (GS08).
    pub version: String,
    /// What can be asked when an answer is missing: `none`, or `trace` where an inquiry (005010X215) that names our trace
    /// number (TRN02) finds exactly the request with that number.
    pub inquiry: InquiryBy,
    /// `PayloadType` of an inquiry.
    pub inquiry_payload_type_request: String,
    /// `PayloadType` of an inquiry's answer.
    pub inquiry_payload_type_response: String,
    /// Implementation guide version of the inquiry (GS08).
    pub inquiry_version: String,
    /// How long after a request its record shows in an inquiry, as a rule: the first inquiry waits this long. Seconds.
    pub visibility_delay_secs: u32,
    /// The longest that it can take, seconds. Without it nothing is ever sent again unless a person says so.
    pub visibility_bound_secs: Option<u32>,
    /// Whether the carrier's "there is none" is to be relied on once that time is over. `false` where it may keep records
    /// back.
    pub authoritative_negatives: bool,
    /// AAA03 codes of an inquiry's answer that mean "there is none".
    pub absent_codes: Vec<String>,
    /// AAA03 codes of a request's answer after which the carrier keeps nothing of the request. Any other code, and any of
    /// these beside "do not send again, we hold it" (AAA04 `S`, `Y`), leaves open what became of it.
    pub no_effect_codes: Vec<String>,
    /// HTTP statuses, below 500, after which the carrier keeps nothing of the request.
    pub no_effect_statuses: Vec<u16>,
}

/// What an inquiry finds a request by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InquiryBy {
    /// There is no inquiry.
    #[default]
    None,
    /// Our trace number.
    Trace,
}

/// Codes about what was missing or wrong in the request itself, or about people the carrier does not know: it was not
/// reviewed. Left out: those about a decision (04, 35, 98, AE, CI, E8) and those of systems that did not answer (42, 80),
/// behind which the request may have gone on.
const NO_EFFECT_CODES: [&str; 47] = [
    "15", "33", "41", "43", "44", "45", "46", "47", "48", "49", "50", "51", "52", "53", "56", "57", "58", "60", "61",
    "62", "63", "64", "65", "66", "67", "68", "69", "70", "71", "72", "73", "74", "75", "76", "77", "78", "79", "95",
    "97", "AA", "AF", "AG", "AO", "IA", "MA", "T4", "T5",
];
/// Statuses by which a server says that it did not look at the request, or could not read it.
const NO_EFFECT_STATUSES: [u16; 6] = [400, 404, 405, 413, 415, 422];
/// The first inquiry's usual wait, seconds.
const VISIBILITY_DELAY_SECS: u32 = 120;

impl Default for AuthorizationSettings {
    fn default() -> Self {
        Self {
            payload_type_request: "X12_278_Request_005010X217E1_2".to_owned(),
            payload_type_response: "X12_278_Response_005010X217E1_2".to_owned(),
            version: "005010X217".to_owned(),
            inquiry: InquiryBy::None,
            inquiry_payload_type_request: "X12_278_Request_005010X215".to_owned(),
            inquiry_payload_type_response: "X12_278_Response_005010X215".to_owned(),
            inquiry_version: "005010X215".to_owned(),
            visibility_delay_secs: VISIBILITY_DELAY_SECS,
            visibility_bound_secs: None,
            authoritative_negatives: false,
            absent_codes: vec!["AA".to_owned()],
            no_effect_codes: NO_EFFECT_CODES.map(str::to_owned).to_vec(),
            no_effect_statuses: NO_EFFECT_STATUSES.to_vec(),
        }
    }
}
