//! A carrier file's `[settings]` for this dialect: what differs between carriers that all "speak CORE".
//!
//! The doc comments are the reference that people read; `Partner` is the same after checking.

mod authorization;

pub use authorization::{AuthorizationSettings, InquiryBy};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// X12 over CAQH CORE connectivity, real time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoreSettings {
    /// Address of the real-time service. Its host must be listed in `hosts`.
    pub endpoint: String,
    /// How the interchange is wrapped: `soap` (SOAP 1.2 + WSDL), `mime` (HTTP + MIME multipart) or `plain` (the raw
    /// interchange as the body).
    pub envelope: Envelope,
    /// CORE connectivity rule version, sent as `CORERuleVersion`: `2.2.0`, `4.0.0`.
    #[serde(default = "rule_version")]
    pub rule_version: String,
    /// `PayloadType` of a question.
    #[serde(default = "payload_type_request")]
    pub payload_type_request: String,
    /// `PayloadType` of an answer. Another type in the reply is refused (TA1 and 999 are recognised).
    #[serde(default = "payload_type_response")]
    pub payload_type_response: String,
    /// CORE `SenderID`: who we are to the carrier.
    pub sender_id: String,
    /// CORE `ReceiverID`: who the carrier is.
    pub receiver_id: String,
    /// How times are written: `utc` (2026-11-23T14:00:00Z), `utc_millis` (….000Z), `offset` (…+00:00) or
    /// `offset_millis` (….000+00:00).
    #[serde(default)]
    pub timestamp: TimestampFormat,
    /// `PayloadID`: `uuid` (what the rule asks for) or `trace` (our trace number).
    #[serde(default)]
    pub payload_id: PayloadId,
    /// Letter case of `PayloadID`: `lower` or `upper`.
    #[serde(default)]
    pub payload_id_case: LetterCase,
    /// How the carrier learns who we are: `envelope` (user name and password inside the envelope; the default of `soap`
    /// and `mime`), `basic` (HTTP Basic; the default of `plain`), `header` (an API key in a header) or `none`.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// The header's name where `auth = "header"`.
    #[serde(default)]
    pub auth_header: Option<String>,
    /// Extra fixed HTTP headers. Never a secret: use `auth` for those.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What differs in the interchange itself.
    pub x12: X12Settings,
    /// Submission of authorizations. Without this table the carrier takes none.
    #[serde(default)]
    pub authorization: Option<AuthorizationSettings>,
    /// What differs in the SOAP envelope. Only with `envelope = "soap"`.
    #[serde(default)]
    pub soap: Option<SoapSettings>,
    /// What differs in the MIME envelope. Only with `envelope = "mime"`.
    #[serde(default)]
    pub mime: Option<MimeSettings>,
    /// What differs in the plain body. Only with `envelope = "plain"`.
    #[serde(default)]
    pub plain: Option<PlainSettings>,
}

/// How the interchange is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    /// SOAP 1.2 with WS-Security.
    Soap,
    /// HTTP MIME multipart/form-data.
    Mime,
    /// The raw interchange as the body.
    Plain,
}

/// How times are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimestampFormat {
    /// `2026-11-23T14:00:00Z`
    #[default]
    Utc,
    /// `2026-11-23T14:00:00.000Z`
    UtcMillis,
    /// `2026-11-23T14:00:00+00:00`
    Offset,
    /// `2026-11-23T14:00:00.000+00:00`
    OffsetMillis,
}

/// What stands in `PayloadID`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayloadId {
    /// A random UUID.
    #[default]
    Uuid,
    /// Our trace number.
    Trace,
}

/// Letter case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LetterCase {
    /// `4c6d5447-…`
    #[default]
    Lower,
    /// `4C6D5447-…`
    Upper,
}

/// How the carrier learns who we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// User name and password inside the envelope.
    Envelope,
    /// HTTP Basic.
    Basic,
    /// An API key in a header.
    Header,
    /// Nothing.
    None,
}

/// What differs in the interchange.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct X12Settings {
    /// ISA05, two characters: `ZZ` mutually defined, `30` tax id, `01` DUNS …
    #[serde(default = "mutually_defined")]
    pub sender_qualifier: String,
    /// ISA06, at most 15 characters. Default: `sender_id`.
    #[serde(default)]
    pub sender_id: Option<String>,
    /// ISA07, two characters.
    #[serde(default = "mutually_defined")]
    pub receiver_qualifier: String,
    /// ISA08, at most 15 characters. Default: `receiver_id`.
    #[serde(default)]
    pub receiver_id: Option<String>,
    /// GS02, at most 15 characters. Default: ISA06.
    #[serde(default)]
    pub application_sender: Option<String>,
    /// GS03, at most 15 characters. Default: ISA08.
    #[serde(default)]
    pub application_receiver: Option<String>,
    /// ISA15: `P` production, `T` test.
    #[serde(default)]
    pub usage: Usage,
    /// Element separator.
    #[serde(default = "star")]
    pub element_separator: char,
    /// Component separator.
    #[serde(default = "colon")]
    pub component_separator: char,
    /// Repetition separator.
    #[serde(default = "caret")]
    pub repetition_separator: char,
    /// Segment terminator.
    #[serde(default = "tilde")]
    pub segment_terminator: char,
    /// Whether a line break follows each segment.
    #[serde(default)]
    pub newline: bool,
    /// Whether values are sent in upper case.
    #[serde(default = "yes")]
    pub uppercase: bool,
    /// Names as given (`none`), or by CAQH CORE rule 258 (`core_258`: no punctuation, no suffixes and prefixes).
    #[serde(default)]
    pub name_normalisation: NameNormalisation,
    /// The payer's name in loop 2100A.
    pub payer_name: String,
    /// The payer's identifier in loop 2100A.
    pub payer_id: String,
    /// What kind of identifier it is (NM108): `PI` payer id, `XV` health plan id, `NI`, `FI`, `24` …
    #[serde(default = "payer_qualifier")]
    pub payer_qualifier: String,
    /// Most service types in one question, 1 to 99.
    #[serde(default = "service_types_per_request")]
    pub service_types_per_request: u16,
    /// Several service types: `repeat` them in one EQ segment, or one EQ segment for each (`segments`).
    #[serde(default)]
    pub service_types: ServiceTypes,
    /// What the asking provider is to the carrier (NM101 of loop 2100B): `1P` provider, `FA` facility, `80` hospital …
    #[serde(default = "provider_entity")]
    pub provider_entity: String,
    /// Whether the asking provider is a person rather than an organisation.
    #[serde(default)]
    pub provider_is_person: bool,
    /// Whether the provider's tax id is sent, where the question has one.
    #[serde(default = "yes")]
    pub send_tax_id: bool,
    /// Whether the provider's taxonomy code is sent, where the question has one.
    #[serde(default = "yes")]
    pub send_taxonomy: bool,
    /// Whether the group number is sent, where the question has one.
    #[serde(default = "yes")]
    pub send_group_number: bool,
    /// What the group number is to the carrier (REF01): `6P` group number, `1L` group or policy number, `IG` policy.
    #[serde(default = "group_qualifier")]
    pub group_qualifier: String,
    /// Whether the date of service is sent. Without it the carrier answers for the day it is asked.
    #[serde(default = "yes")]
    pub send_date: bool,
    /// Characters a value may have: `basic` (capitals, digits, common signs) or `extended` (printable ASCII). A value
    /// with others is refused, never changed.
    #[serde(default)]
    pub charset: CharacterSet,
    /// How the member id of an answer is compared with the one asked with: `formatting` (the same letters and digits),
    /// `part` (one may begin or end with the other: carriers that add a prefix or a person's number) or `ignore` (name
    /// and date of birth decide). An answer about somebody else is refused.
    #[serde(default)]
    pub member_id_match: MemberIdComparison,
    /// Implementation guide version of the functional group (GS08).
    #[serde(default = "version")]
    pub version: String,
    /// TRN03, who gave the trace number: ten characters, a digit `1` (tax id), `3` (DUNS) or `9` (own) first.
    #[serde(default = "trace_originator")]
    pub trace_originator: String,
}

/// Test or production.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Usage {
    /// Production.
    #[default]
    P,
    /// Test.
    T,
}

/// How names are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum NameNormalisation {
    /// As given.
    #[default]
    #[serde(rename = "none")]
    None,
    /// By CAQH CORE rule 258.
    #[serde(rename = "core_258")]
    Core258,
}

/// Characters a value may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CharacterSet {
    /// Capitals, digits and common signs.
    Basic,
    /// Printable ASCII.
    #[default]
    Extended,
}

/// How member ids are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberIdComparison {
    /// The same letters and digits.
    #[default]
    Formatting,
    /// One may begin or end with the other.
    Part,
    /// Not compared.
    Ignore,
}

/// How several service types are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceTypes {
    /// Repeated in EQ01.
    #[default]
    Repeat,
    /// One EQ segment each.
    Segments,
}

/// What differs in the SOAP envelope.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SoapSettings {
    /// SOAP version: `1.2` (the rule's), or `1.1`.
    pub version: SoapVersion,
    /// How the password is sent in the UsernameToken: `text` or `digest`.
    pub password_type: PasswordType,
    /// Whether a nonce is sent. Always with `digest`.
    pub nonce: bool,
    /// Whether the time of creation is sent. Always with `digest`.
    pub created: bool,
    /// Whether the security header says `mustUnderstand`.
    pub must_understand: bool,
    /// The action.
    pub action: String,
    /// Whether the action is also sent as an HTTP header `SOAPAction` (SOAP 1.1 always does).
    pub action_header: bool,
    /// How the interchange stands in `Payload`: `cdata`, `escaped` or `base64`.
    pub payload: PayloadForm,
    /// Namespace of the body's element. Default: the rule version's own.
    pub namespace: Option<String>,
}

impl Default for SoapSettings {
    fn default() -> Self {
        Self {
            version: SoapVersion::default(),
            password_type: PasswordType::default(),
            nonce: true,
            created: true,
            must_understand: false,
            action: "RealTimeTransaction".to_owned(),
            action_header: false,
            payload: PayloadForm::default(),
            namespace: None,
        }
    }
}

/// SOAP version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum SoapVersion {
    /// SOAP 1.1.
    #[serde(rename = "1.1")]
    V11,
    /// SOAP 1.2.
    #[default]
    #[serde(rename = "1.2")]
    V12,
}

/// How the password is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PasswordType {
    /// As it is.
    #[default]
    Text,
    /// `Base64(SHA-1(nonce + created + password))`.
    Digest,
}

/// How the interchange stands in `Payload`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayloadForm {
    /// In a CDATA section.
    #[default]
    Cdata,
    /// As text, escaped.
    Escaped,
    /// Base64 (rule version 4.0.0).
    Base64,
}

/// What differs in the MIME envelope: how the carrier spells the form fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MimeSettings {
    /// Field name of the payload type.
    pub payload_type_field: String,
    /// Field name of the processing mode.
    pub processing_mode_field: String,
    /// Field name of the payload id: some carriers want `PayloadId`.
    pub payload_id_field: String,
    /// Field name of the time.
    pub time_stamp_field: String,
    /// Field name of the user name: some carriers want `Username`.
    pub user_name_field: String,
    /// Field name of the password.
    pub password_field: String,
    /// Field name of the sender: some carriers want `SenderId`.
    pub sender_id_field: String,
    /// Field name of the receiver: some carriers want `ReceiverId`.
    pub receiver_id_field: String,
    /// Field name of the rule version.
    pub rule_version_field: String,
    /// Field name of the interchange.
    pub payload_field: String,
}

impl Default for MimeSettings {
    fn default() -> Self {
        Self {
            payload_type_field: "PayloadType".to_owned(),
            processing_mode_field: "ProcessingMode".to_owned(),
            payload_id_field: "PayloadID".to_owned(),
            time_stamp_field: "TimeStamp".to_owned(),
            user_name_field: "UserName".to_owned(),
            password_field: "Password".to_owned(),
            sender_id_field: "SenderID".to_owned(),
            receiver_id_field: "ReceiverID".to_owned(),
            rule_version_field: "CORERuleVersion".to_owned(),
            payload_field: "Payload".to_owned(),
        }
    }
}

impl MimeSettings {
    /// The names in the order in which the fields are sent, with the key each has in the carrier file.
    pub(crate) fn names(&self) -> [(&'static str, &str); 10] {
        [
            ("payload_type_field", &self.payload_type_field),
            ("processing_mode_field", &self.processing_mode_field),
            ("payload_id_field", &self.payload_id_field),
            ("time_stamp_field", &self.time_stamp_field),
            ("user_name_field", &self.user_name_field),
            ("password_field", &self.password_field),
            ("sender_id_field", &self.sender_id_field),
            ("receiver_id_field", &self.receiver_id_field),
            ("rule_version_field", &self.rule_version_field),
            ("payload_field", &self.payload_field),
        ]
    }
}

/// What differs in the plain body.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlainSettings {
    /// The body's media type.
    pub content_type: String,
}

impl Default for PlainSettings {
    fn default() -> Self {
        Self { content_type: "application/edi-x12".to_owned() }
    }
}

fn rule_version() -> String {
    "2.2.0".to_owned()
}
fn payload_type_request() -> String {
    "X12_270_Request_005010X279A1".to_owned()
}
fn payload_type_response() -> String {
    "X12_271_Response_005010X279A1".to_owned()
}
fn mutually_defined() -> String {
    "ZZ".to_owned()
}
fn payer_qualifier() -> String {
    "PI".to_owned()
}
fn provider_entity() -> String {
    "1P".to_owned()
}
fn group_qualifier() -> String {
    "6P".to_owned()
}
fn version() -> String {
    "005010X279A1".to_owned()
}
fn trace_originator() -> String {
    "9PORTICO00".to_owned()
}
fn service_types_per_request() -> u16 {
    10
}
fn star() -> char {
    '*'
}
fn colon() -> char {
    ':'
}
fn caret() -> char {
    '^'
}
fn tilde() -> char {
    '~'
}
fn yes() -> bool {
    true
}
