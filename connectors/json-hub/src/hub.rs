//! One carrier's JSON service, built from its file; the connector itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use connector_sdk::connector::{Built, ClientProof};
use connector_sdk::{
    Connector, Context, CredentialField, Eligibility, EligibilityLimits, Settings, SettingsProblem, SignIn,
};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use serde_json::Value;

use crate::check;
use crate::fields::RequestCodes;
use crate::path::Path;
use crate::settings::{AnswerRules, Auth, Encoding, ErrorRules, HubSettings, Meaning};
use crate::template::Template;

/// A carrier's JSON service.
pub struct Hub {
    sign_in: Known,
    credential_fields: Vec<CredentialField>,
    pub(crate) url: Uri,
    headers: Vec<(HeaderName, String)>,
    pub(crate) encoding: Encoding,
    pub(crate) body: Template,
    pub(crate) codes: RequestCodes,
    pub(crate) poll: Poll,
    pub(crate) errors: Vec<ErrorRules>,
    pub(crate) statuses: BTreeMap<u16, Meaning>,
    pub(crate) answer: AnswerRules,
    pub(crate) limits: EligibilityLimits,
    /// Checks addresses that come from the carrier against its listed hosts.
    pub(crate) addresses: Settings,
}

/// How often and where to ask again.
pub struct Poll {
    pub(crate) statuses: Vec<u16>,
    pub(crate) state: Option<Path>,
    pub(crate) not_ready: Vec<String>,
    pub(crate) link: Option<Path>,
    pub(crate) id: Option<Path>,
    pub(crate) url: Option<String>,
    pub(crate) interval: Duration,
    pub(crate) interval_max: Duration,
    pub(crate) polls_max: u16,
}

/// A way to sign in, read and checked.
enum Known {
    None,
    Basic,
    Header(HeaderName),
    ClientCredentials { token_url: Uri, scope: Option<String>, proof: ClientProof },
    InBody,
}

/// Builds a carrier's service from its `[settings]`, or says everything that is wrong with them.
pub fn build(settings: &Settings) -> Built {
    let parsed: HubSettings = settings.parse()?;
    let mut problems = Vec::new();
    check::whole(&parsed, &mut problems);
    check::leaks(&parsed, &mut problems);
    let body = Template::read(&Value::Object(parsed.request.body.clone()), "request.body", &mut problems);
    check::body(&parsed, &body, &mut problems);
    let url = address(settings, "request.url", &parsed.request.url, &mut problems);
    if let Some(poll_url) = &parsed.poll.url {
        address(settings, "poll.url", &poll_url.replace("{id}", "0"), &mut problems);
    }
    let (sign_in, credential_fields) = sign_in(settings, &parsed.auth, &mut problems);
    let headers = headers(&parsed.request.headers, &mut problems);
    let (Some(url), Some(sign_in), true) = (url, sign_in, problems.is_empty()) else { return Err(problems) };
    let statuses =
        parsed.statuses.iter().filter_map(|(status, meaning)| Some((status.parse().ok()?, *meaning))).collect();
    let poll = parsed.poll;
    Ok(Arc::new(Hub {
        sign_in,
        credential_fields,
        url,
        headers,
        encoding: parsed.request.encoding,
        limits: limits(&body, parsed.request.service_types_max),
        codes: RequestCodes::new(&parsed.request),
        body,
        poll: Poll {
            statuses: poll.statuses,
            state: poll.state,
            not_ready: poll.not_ready,
            link: poll.link,
            id: poll.id,
            url: poll.url,
            interval: Duration::from_millis(poll.interval_ms),
            interval_max: Duration::from_millis(poll.interval_max_ms.max(poll.interval_ms)),
            polls_max: poll.polls_max,
        },
        errors: parsed.errors,
        statuses,
        answer: parsed.answer,
        addresses: settings.clone(),
    }))
}

fn address(settings: &Settings, path: &str, text: &str, problems: &mut Vec<SettingsProblem>) -> Option<Uri> {
    settings.address(path, text).map_err(|problem| problems.push(problem)).ok()
}

fn sign_in(
    settings: &Settings,
    auth: &Auth,
    problems: &mut Vec<SettingsProblem>,
) -> (Option<Known>, Vec<CredentialField>) {
    let field = CredentialField::required;
    match auth {
        Auth::None => (Some(Known::None), Vec::new()),
        Auth::Basic => (Some(Known::Basic), vec![field("username", "User name"), field("password", "Password")]),
        Auth::ApiKey { header } => {
            let name = HeaderName::try_from(header.as_str()).ok();
            if name.is_none() {
                problems.push(
                    SettingsProblem::new("auth.header", "This is not the name of a header.")
                        .help("Write a name such as X-Api-Key; the key itself goes into the vault."),
                );
            }
            (name.map(Known::Header), vec![field("api_key", "API key")])
        }
        Auth::ClientCredentials { token_url, scope, basic } => {
            let token_url = address(settings, "auth.token_url", token_url, problems);
            let proof = if *basic { ClientProof::Basic } else { ClientProof::Form };
            let known = token_url.map(|token_url| Known::ClientCredentials { token_url, scope: scope.clone(), proof });
            (known, vec![field("client_id", "Client id"), field("client_secret", "Client secret")])
        }
        Auth::PrivateKeyJwt { token_url, scope, algorithm } => {
            let token_url = address(settings, "auth.token_url", token_url, problems);
            let proof = ClientProof::Assertion(*algorithm);
            let known = token_url.map(|token_url| Known::ClientCredentials { token_url, scope: scope.clone(), proof });
            let name = CredentialField { optional: true, ..field("key_id", "Key id (kid), as the carrier has it") };
            (known, vec![field("client_id", "Client id"), field("private_key", "Private key (PEM, PKCS #8)"), name])
        }
        Auth::TlsClientAuth { token_url, scope } => {
            let token_url = address(settings, "auth.token_url", token_url, problems);
            let (scope, proof) = (scope.clone(), ClientProof::Certificate);
            let known = token_url.map(|token_url| Known::ClientCredentials { token_url, scope, proof });
            (known, vec![field("client_id", "Client id")])
        }
        Auth::InBody { fields } => {
            (Some(Known::InBody), fields.iter().map(|name| field(name, &name.replace('_', " "))).collect())
        }
    }
}

fn headers(written: &BTreeMap<String, String>, problems: &mut Vec<SettingsProblem>) -> Vec<(HeaderName, String)> {
    let mut headers = Vec::new();
    for (name, value) in written {
        let path = format!("request.headers.{name}");
        let problem = match HeaderName::try_from(name.as_str()) {
            Err(_) => Some(SettingsProblem::new(&path, "This is not the name of a header.")),
            Ok(known) if check::holds_a_secret(&known) => Some(
                SettingsProblem::new(&path, "A secret must not stand in a carrier file.")
                    .help("Take the line out, set [settings.auth], and put the secret into the vault."),
            ),
            Ok(known) if known == header::CONTENT_LENGTH || known == header::HOST => {
                Some(SettingsProblem::new(&path, "This header is set by the gateway itself."))
            }
            Ok(known) => {
                let plain = value.replace("{trace}", "");
                if plain.contains(['{', '}']) {
                    Some(SettingsProblem::new(&path, "Only {trace} can stand in a header."))
                } else if HeaderValue::try_from(value.as_str()).is_err() {
                    Some(SettingsProblem::new(&path, "This value cannot stand in a header."))
                } else {
                    headers.push((known, value.clone()));
                    None
                }
            }
        };
        problems.extend(problem);
    }
    headers
}

fn limits(body: &Template, most: Option<u16>) -> EligibilityLimits {
    let uses = |wanted: &str| body.uses(&|name: &str| name == wanted);
    let room = if uses("service.types") {
        99
    } else {
        // No place for a service type at all: the carrier answers for the plan as a whole, whatever is asked.
        if uses("service.type") { 1 } else { 99 }
    };
    EligibilityLimits {
        dependents: body.uses(&|name: &str| name.starts_with("dependent.") || name.starts_with("patient.")),
        service_types_max: most.unwrap_or(room).min(room),
        procedures: uses("service.procedures") || uses("service.procedure"),
    }
}

impl Connector for Hub {
    fn sign_in(&self) -> SignIn<'_> {
        match &self.sign_in {
            Known::None => SignIn::None,
            Known::Basic => SignIn::Basic,
            Known::Header(name) => SignIn::Header(name.clone()),
            Known::ClientCredentials { token_url, scope, proof } => {
                SignIn::ClientCredentials { token_url: token_url.clone(), scope: scope.clone(), proof: *proof }
            }
            Known::InBody => SignIn::InRequest,
        }
    }

    fn credential_fields(&self) -> Vec<CredentialField> {
        self.credential_fields.clone()
    }

    fn eligibility(&self) -> Option<&dyn Eligibility> {
        Some(self)
    }
}

impl Hub {
    /// The headers of every request.
    pub(crate) fn put_headers(&self, ctx: &Context, into: &mut HeaderMap) {
        into.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::try_from(value.replace("{trace}", ctx.trace())) {
                into.insert(name.clone(), value);
            }
        }
    }
}
