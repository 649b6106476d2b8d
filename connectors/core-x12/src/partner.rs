//! A trading partner: the settings of one carrier, checked.

use connector_sdk::{Settings, SettingsProblem};
use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::settings::{Auth, CoreSettings, Envelope, InquiryBy, MimeSettings, PasswordType, PayloadForm, SoapSettings};

/// The settings after checking: what the rest of the crate works with.
pub(crate) struct Partner {
    pub(crate) settings: CoreSettings,
    pub(crate) endpoint: http::Uri,
    pub(crate) auth: Auth,
    pub(crate) auth_header: Option<HeaderName>,
    pub(crate) headers: HeaderMap,
    pub(crate) soap: SoapSettings,
    pub(crate) mime: MimeSettings,
    pub(crate) plain_content_type: HeaderValue,
}

impl Partner {
    /// Checks a carrier file's settings.
    ///
    /// # Errors
    /// Everything that is wrong with them, each with its path and how to mend it.
    pub(crate) fn read(settings: &Settings) -> Result<Self, Vec<SettingsProblem>> {
        let core: CoreSettings = settings.parse()?;
        let mut problems = Vec::new();
        let endpoint = settings.address("endpoint", &core.endpoint).map_err(|problem| problems.push(problem)).ok();
        let auth = core.auth.unwrap_or(match core.envelope {
            Envelope::Soap | Envelope::Mime => Auth::Envelope,
            Envelope::Plain => Auth::Basic,
        });
        check_envelope(&core, auth, &mut problems);
        check_texts(&core, &mut problems);
        check_delimiters(&core, &mut problems);
        check_mime(&core, &mut problems);
        check_authorization(&core, &mut problems);
        let auth_header = auth_header(&core, auth, &mut problems);
        let headers = headers(&core, &mut problems);
        let content_type = core.plain.clone().unwrap_or_default().content_type;
        let plain_content_type = HeaderValue::from_str(&content_type)
            .map_err(|_| {
                problems.push(SettingsProblem::new("plain.content_type", "This cannot stand in an HTTP header."));
            })
            .ok();
        match (endpoint, plain_content_type) {
            (Some(endpoint), Some(plain_content_type)) if problems.is_empty() => Ok(Self {
                endpoint,
                auth,
                auth_header,
                headers,
                soap: core.soap.clone().unwrap_or_default(),
                mime: core.mime.clone().unwrap_or_default(),
                plain_content_type,
                settings: core,
            }),
            _ => Err(problems),
        }
    }

    /// The namespace of the SOAP body's element.
    pub(crate) fn soap_namespace(&self) -> String {
        self.soap
            .namespace
            .clone()
            .unwrap_or_else(|| format!("http://www.caqh.org/SOAP/WSDL/CORERule{}.xsd", self.settings.rule_version))
    }
}

fn check_envelope(core: &CoreSettings, auth: Auth, problems: &mut Vec<SettingsProblem>) {
    let tables = [
        ("soap", core.soap.is_some(), Envelope::Soap),
        ("mime", core.mime.is_some(), Envelope::Mime),
        ("plain", core.plain.is_some(), Envelope::Plain),
    ];
    for (name, present, of) in tables {
        if present && core.envelope != of {
            problems.push(
                SettingsProblem::new(name, format!("This table belongs to envelope = \"{name}\"."))
                    .help("Remove the table, or change `envelope`."),
            );
        }
    }
    if core.envelope == Envelope::Plain && auth == Auth::Envelope {
        problems.push(
            SettingsProblem::new("auth", "A plain body has no envelope that could hold a user name.")
                .help("Use auth = \"basic\" or auth = \"header\"."),
        );
    }
    let action = core.soap.as_ref().map_or("", |soap| soap.action.as_str());
    if !action.chars().all(|c| c.is_ascii_graphic() && c != '"' && c != '\\') || action.len() > 200 {
        problems
            .push(SettingsProblem::new("soap.action", "An action is a word or an address, without spaces and quotes."));
    }
    if let Some(soap) = &core.soap
        && soap.password_type == PasswordType::Digest
        && !(soap.nonce && soap.created)
    {
        problems.push(
            SettingsProblem::new(
                "soap.password_type",
                "A password digest is made with a nonce and a time of creation.",
            )
            .help("Remove `nonce = false` and `created = false`, or use password_type = \"text\"."),
        );
    }
}

/// Longest sender and receiver id of an ISA, characters.
const ISA_ID_MAX: usize = 15;

/// Lengths and characters of what goes into the interchange and the envelope.
fn check_texts(core: &CoreSettings, problems: &mut Vec<SettingsProblem>) {
    let x12 = &core.x12;
    // A value that is left out is another one that is checked where it stands.
    let ids = [
        ("x12.sender_id", &x12.sender_id),
        ("x12.receiver_id", &x12.receiver_id),
        ("x12.application_sender", &x12.application_sender),
        ("x12.application_receiver", &x12.application_receiver),
    ];
    let exact = |text: &String, length| (text.clone(), length, length);
    let up_to = |text: &String, length| (text.clone(), 1, length);
    let rows = [
        ("rule_version", up_to(&core.rule_version, 10)),
        ("payload_type_request", up_to(&core.payload_type_request, 80)),
        ("payload_type_response", up_to(&core.payload_type_response, 80)),
        ("sender_id", up_to(&core.sender_id, if x12.sender_id.is_none() { ISA_ID_MAX } else { 50 })),
        ("receiver_id", up_to(&core.receiver_id, if x12.receiver_id.is_none() { ISA_ID_MAX } else { 50 })),
        ("x12.sender_qualifier", exact(&x12.sender_qualifier, 2)),
        ("x12.receiver_qualifier", exact(&x12.receiver_qualifier, 2)),
        ("x12.payer_name", up_to(&x12.payer_name, 60)),
        ("x12.payer_id", up_to(&x12.payer_id, 80)),
        ("x12.payer_qualifier", (x12.payer_qualifier.clone(), 1, 2)),
        ("x12.provider_entity", (x12.provider_entity.clone(), 2, 3)),
        ("x12.group_qualifier", (x12.group_qualifier.clone(), 2, 3)),
        ("x12.version", up_to(&x12.version, 12)),
        ("x12.trace_originator", exact(&x12.trace_originator, 10)),
    ];
    let delimiters = [x12.element_separator, x12.component_separator, x12.repetition_separator, x12.segment_terminator];
    let ids = ids.into_iter().filter_map(|(path, id)| Some((path, up_to(id.as_ref()?, ISA_ID_MAX))));
    for (path, (text, least, most)) in rows.into_iter().chain(ids) {
        let length = text.chars().count();
        let for_isa = matches!(path, "sender_id" | "receiver_id") && most == ISA_ID_MAX;
        if length < least || length > most {
            let wanted = if least == most { format!("exactly {most}") } else { format!("{least} to {most}") };
            let problem = SettingsProblem::new(path, format!("This has {length} characters; {wanted} are allowed."));
            problems.push(if for_isa {
                problem.help(format!("It is the ISA's too; a shorter one for that is `{path}` in [settings.x12]."))
            } else {
                problem
            });
        }
        if text.trim() != text || !text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
            problems.push(
                SettingsProblem::new(path, "Only plain ASCII without spaces at either end can be sent.")
                    .help("Write it without accents, line breaks and outer spaces."),
            );
        }
        if (for_isa || path.starts_with("x12.")) && text.chars().any(|c| delimiters.contains(&c)) {
            problems.push(
                SettingsProblem::new(path, "This holds one of the delimiters; X12 cannot escape them.")
                    .help("Change the value, or that delimiter in [settings.x12]."),
            );
        }
    }
    if x12.service_types_per_request == 0 || x12.service_types_per_request > 99 {
        problems.push(SettingsProblem::new("x12.service_types_per_request", "1 to 99 service types can be sent."));
    }
}

fn check_delimiters(core: &CoreSettings, problems: &mut Vec<SettingsProblem>) {
    let x12 = &core.x12;
    let all = [
        ("x12.element_separator", x12.element_separator),
        ("x12.component_separator", x12.component_separator),
        ("x12.repetition_separator", x12.repetition_separator),
        ("x12.segment_terminator", x12.segment_terminator),
    ];
    for (place, (path, delimiter)) in all.iter().enumerate() {
        if !delimiter.is_ascii() || delimiter.is_ascii_alphanumeric() || matches!(delimiter, ' ' | '\0') {
            problems.push(
                SettingsProblem::new(path, "A delimiter is one ASCII character that is no letter, digit or space.")
                    .help("Usual are * : ^ ~"),
            );
        }
        let in_xml =
            core.envelope == Envelope::Soap && core.soap.as_ref().is_none_or(|s| s.payload != PayloadForm::Base64);
        if delimiter.is_ascii_control() && in_xml && *delimiter != '\n' {
            problems.push(
                SettingsProblem::new(path, "XML cannot carry this control character.")
                    .help("Choose another delimiter, or payload = \"base64\" in [settings.soap]."),
            );
        }
        if all.iter().take(place).any(|(_, other)| other == delimiter) {
            problems.push(SettingsProblem::new(path, "The four delimiters must all differ."));
        }
    }
}

fn check_mime(core: &CoreSettings, problems: &mut Vec<SettingsProblem>) {
    let Some(mime) = &core.mime else { return };
    let names = mime.names();
    for (place, (key, name)) in names.iter().enumerate() {
        let path = format!("mime.{key}");
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')) {
            problems.push(SettingsProblem::new(&path, "A field name is made of letters, digits, '-', '_' and '.'."));
        }
        if names.iter().take(place).any(|(_, other)| other == name) {
            problems.push(SettingsProblem::new(&path, "Two fields have the same name."));
        }
    }
}

/// Longest visibility delay or bound: thirty days, in seconds.
const VISIBILITY_MAX_SECS: u32 = 30 * 24 * 3600;

fn check_authorization(core: &CoreSettings, problems: &mut Vec<SettingsProblem>) {
    let Some(authorization) = &core.authorization else { return };
    let mut problem =
        |key: &str, message: &str| problems.push(SettingsProblem::new(&format!("authorization.{key}"), message));
    for (key, text, most) in [
        ("payload_type_request", &authorization.payload_type_request, 80),
        ("payload_type_response", &authorization.payload_type_response, 80),
        ("inquiry_payload_type_request", &authorization.inquiry_payload_type_request, 80),
        ("inquiry_payload_type_response", &authorization.inquiry_payload_type_response, 80),
        ("version", &authorization.version, 12),
        ("inquiry_version", &authorization.inquiry_version, 12),
    ] {
        if text.is_empty() || text.len() > most || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            problem(key, "This is made of letters, digits and '_'.");
        }
    }
    let bound = authorization.visibility_bound_secs;
    if bound == Some(0) || authorization.visibility_delay_secs.max(bound.unwrap_or(0)) > VISIBILITY_MAX_SECS {
        problem("visibility_bound_secs", "Delay and bound are more than zero and at most thirty days.");
    }
    if bound.is_some_and(|bound| bound < authorization.visibility_delay_secs) {
        problem("visibility_bound_secs", "The longest time is not shorter than the usual one (visibility_delay_secs).");
    }
    if authorization.inquiry == InquiryBy::None && (bound.is_some() || authorization.authoritative_negatives) {
        problem("inquiry", "A visibility bound means nothing where there is no inquiry.");
    }
    if authorization.no_effect_statuses.iter().any(|status| !(400..500).contains(status)) {
        problem(
            "no_effect_statuses",
            "Only statuses from 400 to 499: after a 5xx nobody knows what became of a request.",
        );
    }
    let busy = ["42", "80"];
    if authorization.no_effect_codes.iter().chain(&authorization.absent_codes).any(|code| busy.contains(&code.as_str()))
    {
        problem("no_effect_codes", "42 and 80 say that a system did not answer, not that it did nothing.");
    }
}

fn auth_header(core: &CoreSettings, auth: Auth, problems: &mut Vec<SettingsProblem>) -> Option<HeaderName> {
    match (auth, &core.auth_header) {
        (Auth::Header, None) => {
            problems.push(
                SettingsProblem::new("auth_header", "The name of the header is missing.")
                    .help("Add, say: auth_header = \"X-API-Key\""),
            );
            None
        }
        (Auth::Header, Some(name)) => match name.parse() {
            Ok(name) => Some(name),
            Err(_) => {
                problems.push(SettingsProblem::new("auth_header", "This is not the name of an HTTP header."));
                None
            }
        },
        (Auth::Envelope | Auth::Basic | Auth::None, Some(_)) => {
            problems.push(
                SettingsProblem::new("auth_header", "This is used only with auth = \"header\".").help("Remove it."),
            );
            None
        }
        (Auth::Envelope | Auth::Basic | Auth::None, None) => None,
    }
}

/// Headers that the host or this crate sets itself.
const OWN_HEADERS: &[&str] =
    &["host", "content-length", "content-type", "transfer-encoding", "connection", "soapaction"];

fn headers(core: &CoreSettings, problems: &mut Vec<SettingsProblem>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in &core.headers {
        // The header's name is a key of the file and may hold dots, so the path is built by hand.
        let problem = |message: &str| {
            let mut problem = SettingsProblem::new("headers", message);
            problem.path.push(name.clone());
            problem
        };
        let lower = name.to_ascii_lowercase();
        let secret = ["authorization", "cookie", "token", "secret", "password", "api-key", "apikey"]
            .iter()
            .any(|word| lower.contains(word));
        if secret {
            problems.push(
                problem("A carrier file holds no secret.")
                    .help("Use auth = \"header\" with auth_header; the value is kept in the vault."),
            );
        } else if OWN_HEADERS.contains(&lower.as_str()) {
            problems.push(problem("This header is set by the gateway.").help("Remove it."));
        } else {
            match (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
                (Ok(name), Ok(value)) => {
                    map.insert(name, value);
                }
                _ => problems.push(problem("This name or value cannot stand in an HTTP header.")),
            }
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::settings;

    fn paths(changes: &[(&str, &str)]) -> Vec<String> {
        let problems = Partner::read(&settings(changes)).err().unwrap_or_default();
        problems.iter().map(|problem| problem.path.join(".")).collect()
    }

    #[test]
    fn the_example_is_right_and_defaults_hold() {
        let partner = Partner::read(&settings(&[])).ok().unwrap();
        assert_eq!(partner.auth, Auth::Envelope);
        assert_eq!(partner.soap_namespace(), "http://www.caqh.org/SOAP/WSDL/CORERule2.2.0.xsd");
        let plain =
            Partner::read(&settings(&[("\"soap\"  ", "\"plain\""), ("[settings.soap]", "[unused]")])).ok().unwrap();
        assert_eq!(plain.auth, Auth::Basic);
    }

    #[test]
    fn all_problems_come_at_once() {
        let found = paths(&[
            ("https://edi.acme.example", "https://elsewhere.example"),
            ("PORTICO01", "A-SENDER-MUCH-TOO-LONG"),
            ("ACME HEALTH", "ACME*HEALTH"),
            ("sender_qualifier = \"ZZ\"", "sender_qualifier = \"Z\""),
            ("service_types_per_request = 10", "service_types_per_request = 0"),
            ("# component_separator = \":\"", "component_separator = \"*\""),
            ("password_type = \"text\"", "password_type = \"digest\""),
            ("nonce = true", "nonce = false"),
            ("action = \"RealTimeTransaction\"", "action = \"Real \\\"Time\""),
            ("# auth = \"envelope\"", "auth = \"header\""),
        ]);
        let wanted = [
            "endpoint",
            "soap.action",
            "soap.password_type",
            "sender_id",
            "x12.sender_qualifier",
            "x12.payer_name",
            "x12.service_types_per_request",
            "x12.component_separator",
            "auth_header",
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_long_sender_id_needs_a_shorter_one_for_the_isa() {
        let long = ("PORTICO01", "A-SENDER-MUCH-TOO-LONG");
        assert_eq!(paths(&[long]), ["sender_id"]);
        assert_eq!(paths(&[long, ("usage = \"T\"", "usage = \"T\"\nsender_id = \"SHORT\"")]), Vec::<String>::new());
        assert_eq!(paths(&[("PORTICO01", "PORTICO*01")]), ["sender_id"]);
    }

    #[test]
    fn tables_of_another_envelope_and_secrets_in_headers_are_refused() {
        assert_eq!(paths(&[("\"soap\"  ", "\"mime\"")]), ["soap"]);
        assert_eq!(
            paths(&[("\"soap\"  ", "\"plain\""), ("[settings.soap]", "[unused]"), ("# auth =", "auth =")]),
            ["auth"]
        );
        let headers =
            "headers = { \"Authorization\" = \"x\", \"Host\" = \"h\", \"X-Fine\" = \"1\", \"b c\" = \"2\" }\n";
        let found = paths(&[("# auth = \"envelope\"", headers)]);
        assert_eq!(found, ["headers.Authorization", "headers.Host", "headers.b c"]);
        let twice = "[settings.mime]\nsender_id_field = \"PayloadID\"\n";
        assert_eq!(
            paths(&[("\"soap\"  ", "\"mime\""), ("[settings.soap]", "[unused]"), ("# [settings.mime]", twice)]),
            ["mime.sender_id_field"]
        );
    }

    #[test]
    fn authorizations_promise_nothing_that_would_make_two_of_one() {
        let bad = "[settings.authorization]\nno_effect_statuses = [404, 500]\nvisibility_bound_secs = 60\n\
                   absent_codes = [\"42\"]\nversion = \"0 1\"\n";
        let found = paths(&[("# [settings.authorization]", bad)]);
        let wanted = ["version", "visibility_bound_secs", "inquiry", "no_effect_statuses", "no_effect_codes"];
        assert_eq!(found, wanted.map(|key| format!("authorization.{key}")));
        let partner =
            Partner::read(&settings(&[("# [settings.authorization]", "[settings.authorization]")])).ok().unwrap();
        let promised = partner.settings.authorization.unwrap();
        assert!(promised.visibility_bound_secs.is_none() && !promised.authoritative_negatives);
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(!paths(&[("uppercase", "upper_case")]).is_empty());
    }
}
