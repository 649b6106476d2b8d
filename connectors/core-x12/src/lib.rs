//! Dialect: X12 over CAQH CORE connectivity, real time, as the client.
//!
//! Read in this order: [`settings`] (what differs between carriers), `partner` (the same, checked), `eligibility` (one
//! operation: ask → interchange → envelope → reply → answer), `submission` (authorizations: the same in three steps),
//! `interchange` (what stands around a transaction set), `envelope` (both directions, whatever the shape),
//! `metadata` (what stands in one), `soap`, `mime`, `plain` (one shape each), `multipart` and `xml` (bounded readers), `fault` and `classify` (what a
//! refused envelope and a reply without one mean).

mod classify;
mod eligibility;
#[cfg(test)]
mod eligibility_tests;
mod envelope;
mod fault;
#[cfg(test)]
mod fixtures;
mod interchange;
mod metadata;
mod mime;
mod multipart;
mod partner;
mod plain;
pub mod settings;
mod soap;
mod submission;
#[cfg(test)]
mod wire_tests;
mod xml;

use std::sync::Arc;

use connector_sdk::connector::Built;
use connector_sdk::{Connector, CredentialField, Eligibility, Operation, Registration, Settings, SignIn, Submissions};

use crate::partner::Partner;
use crate::settings::{Auth, CoreSettings};
use crate::submission::Authorizations;

/// This dialect's row in the host's list of connectors.
pub static REGISTRATION: Registration = Registration {
    name: "core-x12",
    speaks: "X12 over CAQH CORE connectivity: SOAP, MIME, or a plain HTTPS body",
    transport: "x12",
    operations: &[Operation::Eligibility, Operation::Authorization],
    sign_in: "user name and password in the envelope, HTTP Basic, or an API key header",
    settings_schema: || schemars::schema_for!(CoreSettings).to_value(),
    example: include_str!("../example.toml"),
    build,
};

fn build(settings: &Settings) -> Built {
    let partner = Arc::new(Partner::read(settings)?);
    let settings = partner.settings.authorization.clone();
    let authorizations = settings.map(|settings| Authorizations { partner: partner.clone(), settings });
    Ok(Arc::new(CoreX12 { partner, authorizations }))
}

/// The dialect, set up for one carrier.
struct CoreX12 {
    partner: Arc<Partner>,
    authorizations: Option<Authorizations>,
}

impl Connector for CoreX12 {
    fn sign_in(&self) -> SignIn<'_> {
        match (self.partner.auth, &self.partner.auth_header) {
            (Auth::Envelope, _) => SignIn::InRequest,
            (Auth::Basic, _) => SignIn::Basic,
            (Auth::Header, Some(name)) => SignIn::Header(name.clone()),
            (Auth::Header, None) | (Auth::None, _) => SignIn::None,
        }
    }

    fn eligibility(&self) -> Option<&dyn Eligibility> {
        Some(self)
    }

    fn submissions(&self) -> Option<&dyn Submissions> {
        self.authorizations.as_ref().map(|authorizations| authorizations as &dyn Submissions)
    }

    fn credential_fields(&self) -> Vec<CredentialField> {
        match self.partner.auth {
            Auth::Envelope | Auth::Basic => vec![
                CredentialField::required("username", "User name"),
                CredentialField::required("password", "Password"),
            ],
            Auth::Header => vec![CredentialField::required("api_key", "API key")],
            Auth::None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_builds_and_the_schema_names_every_table() {
        let file: toml::Table = REGISTRATION.example.parse().unwrap();
        assert_eq!(file["connector"].as_str(), Some(REGISTRATION.name));
        let hosts = file["hosts"].as_array().unwrap().iter().map(|host| host.as_str().unwrap().to_owned()).collect();
        let settings = Settings::new(file["settings"].as_table().unwrap().clone(), hosts);
        let connector = (REGISTRATION.build)(&settings).ok().unwrap();
        assert!(matches!(connector.sign_in(), SignIn::InRequest));
        assert_eq!(connector.credential_fields().len(), 2);
        let schema = serde_json::to_string(&(REGISTRATION.settings_schema)()).unwrap();
        for word in ["service_types_per_request", "must_understand", "core_258", "additionalProperties"] {
            assert!(schema.contains(word), "{word}");
        }
    }
}
