//! Dialect: an HTML portal behind a form login, described in the carrier's TOML.
//!
//! A page is never guessed at. What the file describes must be there, or the question stops with
//! [`connector_sdk::ErrorKind::ProtocolBroken`] and the place in the file; a page for a person is answered by a person or by
//! nobody; an
//! answer that is not shown to be the member's is not given.
//!
//! Read in this order: [`settings`] (the description; `README.md` explains it for people), [`check`] (what may be wrong
//! with one), `walk` (from page to page), `sign_in`, `eligibility` and `read` (pages to an answer), then the tools:
//! `person`, `page`, `document`, `form`, `find`, `table`, `template`, `value`, `address`.

use std::sync::Arc;

use bytes::Bytes;
use connector_sdk::connector::Built;
use connector_sdk::{
    Connector, CredentialField, Eligibility, Error, ErrorKind, Operation, Registration, Result, Settings, SignIn,
};
use http::Response;

mod address;
mod benefits;
pub mod check;
pub mod css;
mod document;
mod eligibility;
mod find;
mod form;
mod page;
mod person;
mod read;
mod results;
pub mod settings;
mod sign_in;
mod table;
pub mod template;
mod value;
mod walk;

use document::Document;
use page::Page;
use settings::PortalSettings;
use template::Name;

/// The row of `portico connectors`.
pub static REGISTRATION: Registration = Registration {
    name: "html-portal",
    speaks: "HTML pages behind a sign-in form, described in the carrier file",
    transport: "html",
    operations: &[Operation::Eligibility],
    sign_in: "sign-in form, one-time code (TOTP, or entered by a person)",
    settings_schema: || schemars::schema_for!(PortalSettings).to_value(),
    example: include_str!("../example.toml"),
    build,
};

/// One portal.
pub struct Portal {
    settings: PortalSettings,
    /// Knows the listed hosts.
    hosts: Settings,
    fields: Vec<CredentialField>,
}

fn build(settings: &Settings) -> Built {
    let parsed: PortalSettings = settings.parse()?;
    let problems = check::check(&parsed, settings);
    if !problems.is_empty() {
        return Err(problems);
    }
    let fields = credential_fields(&parsed);
    Ok(Arc::new(Portal { settings: parsed, hosts: settings.clone(), fields }))
}

impl Portal {
    /// An address of the carrier file.
    fn resolve(&self, address: &str) -> Result<String> {
        let base = &self.settings.base_url;
        self.link(base, base, address)
    }

    /// A reference on a page: `base` is where relative ones start, `page` the page itself.
    fn link(&self, base: &str, page: &str, reference: &str) -> Result<String> {
        let whole = if reference.trim().is_empty() { Some(page.to_owned()) } else { address::join(base, reference) };
        let whole =
            whole.ok_or_else(|| Error::new(ErrorKind::ProtocolBroken, "A link of the portal leads to no address."))?;
        match self.hosts.address("base_url", &whole) {
            Ok(_) => Ok(whole),
            Err(_) => Err(Error::new(
                ErrorKind::EgressRefused,
                "A page of the portal leads to a host that the carrier file does not list; it was not followed.",
            )),
        }
    }

    /// Whether this is the sign-in page, come instead of the page wanted.
    fn is_signed_out(&self, page: &Page, open: &Document) -> bool {
        page.status == 401 || page.shows(open, &self.settings.signed_out)
    }

    /// The same for a reply as the host has it. A reply that is no page is no sign-in page.
    fn is_signed_out_reply(&self, reply: &Response<Bytes>) -> bool {
        if reply.status() == http::StatusCode::UNAUTHORIZED {
            return true;
        }
        let asked = http::Uri::from_static("/");
        let Ok(page) = Page::new(reply, &asked, self.settings.limits.page_max_bytes) else { return false };
        page.open().is_ok_and(|open| self.is_signed_out(&page, &open))
    }
}

impl Connector for Portal {
    fn sign_in(&self) -> SignIn<'_> {
        SignIn::Form(self)
    }

    fn credential_fields(&self) -> Vec<CredentialField> {
        self.fields.clone()
    }

    fn eligibility(&self) -> Option<&dyn Eligibility> {
        self.settings.eligibility.is_some().then_some(self as &dyn Eligibility)
    }
}

/// The fields that the sign-in's placeholders name. One used only in a step with `when` may be missing.
fn credential_fields(settings: &PortalSettings) -> Vec<CredentialField> {
    let mut fields: Vec<CredentialField> = Vec::new();
    for step in &settings.sign_in {
        for template in step.fields.values().chain(step.extra.values()) {
            for (name, _) in template.names() {
                let name = match name {
                    Name::Secret(field) => field.as_str(),
                    Name::Totp => "totp_seed",
                    _ => continue,
                };
                // Without the key a person enters each code.
                let optional = !step.when.is_empty() || name == "totp_seed";
                match fields.iter_mut().find(|field| field.name == name) {
                    Some(field) => field.optional &= optional,
                    None => {
                        fields.push(CredentialField { optional, ..CredentialField::required(name, &label(name)) });
                    }
                }
            }
        }
    }
    // In the order in which a person is asked: name, password, the rest.
    fields.sort_by_key(|field| match field.name.as_str() {
        "username" => 0,
        "password" => 1,
        "totp_seed" => 3,
        _ => 2,
    });
    fields
}

fn label(field: &str) -> String {
    match field {
        "username" => "User name".to_owned(),
        "password" => "Password".to_owned(),
        "totp_seed" => "Authenticator key (for one-time codes)".to_owned(),
        other => {
            let words = other.replace('_', " ");
            let mut chars = words.chars();
            chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests;
