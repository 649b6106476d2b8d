//! The form: a carrier, then what this carrier needs, with its rules in words.

use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::carriers;
use super::form::{self, PRESETS};
use super::suspects;
use crate::api::Problem;
use crate::carriers::Carrier;
use crate::gateway::Plane;
use crate::identity::{Npi, Scope};
use crate::pages::carrier_health;
use crate::pages::fault::Fault;
use crate::pages::fields::Fields;
use crate::pages::frame::{Place, csrf};
use crate::pages::parts::field::{date, radios, select, text};
use crate::pages::parts::problems::{Problems, id};
use crate::pages::patient;
use crate::pages::visit::Visit;

const TITLE: &str = "Check coverage";

/// Whom the form is for, by ids of ours.
#[derive(Deserialize)]
pub struct For {
    patient: Option<String>,
    carrier: Option<String>,
}

/// `GET /check`
pub async fn start(visit: Visit, Query(wanted): Query<For>) -> Result<Response, Fault> {
    visit.need(Scope::Ask)?;
    let mut fields = match &wanted.patient {
        None => Fields::default(),
        Some(id) => form::of_patient(&patient::read(&visit, id).await?, wanted.carrier.as_deref()),
    };
    if let Some(carrier) = &wanted.carrier {
        fields.put("carrier", carrier.as_str());
    }
    begin(&visit, &mut fields);
    page(&visit, &fields, &Problems::none()).await
}

/// What a new form has in it: today, and the plan as a whole.
pub fn begin(visit: &Visit, fields: &mut Fields) {
    if fields.get("service.date").is_empty() {
        fields.put("service.date", visit.app.gateway.today().to_string());
    }
    if form::types(fields).is_empty() {
        fields.add("types", "30");
    }
}

/// The page with the form as it stands, and everything that is wrong with it.
pub async fn page(visit: &Visit, fields: &Fields, problems: &Problems) -> Result<Response, Fault> {
    let npis = npis(visit).await?;
    let plane = carriers::plane(visit, fields.get("carrier"));
    let notice = match &plane {
        Some(plane) => carrier_health::notice(visit, &plane.carrier.id).await?,
        None => Markup::default(),
    };
    let sheet = Sheet { visit, fields, problems, plane: plane.as_ref(), npis: &npis };
    let body = html! {
        div.stack {
            (problems.summary())
            h1 { "Check coverage" }
            @if fields.some("patient_id").is_none() && problems.is_empty() {
                form.row.bottoms role="search" method="post" action="/find" aria-label="Find a known patient" {
                    (csrf(visit))
                    (text("q", "A patient your practice knows").hint("Name, date of birth, member ID, telephone or your own number").kind("search")
                        .show(&Fields::default(), problems))
                    button.button type="submit" { "Find" }
                }
                p.soft { "Or somebody new:" }
            }
            form.stack.check method="post" action="/check" data-draft {
                (csrf(visit))
                (sheet.kept())
                @if let Some(plane) = &plane {
                    // The first button of a form is what the Enter key presses.
                    button.hidden type="submit" tabindex="-1" aria-hidden="true" { "Check coverage" }
                    (carriers::chosen(visit, plane))
                    (notice)
                } @else {
                    button.hidden type="submit" formaction="/check/carrier" tabindex="-1" aria-hidden="true" { "Find carrier" }
                    section.card.stack {
                        h2 { "Which carrier?" }
                        (carriers::picker(visit, fields, problems, problems.is_empty()))
                    }
                }
                (sheet.patient())
                (sheet.visit_part())
                (sheet.buttons())
            }
        }
    };
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, visit.page(Place::Check, TITLE, body)).into_response())
}

/// The practice's own providers.
pub async fn npis(visit: &Visit) -> Result<Vec<Npi>, Fault> {
    let profile = visit.app.identity.practice(visit.caller.practice()).await.map_err(Problem::from)?;
    Ok(profile.npis)
}

/// A form with what stands in it and what is known around it.
pub struct Sheet<'a> {
    /// Whose.
    pub visit: &'a Visit,
    /// What stands in it.
    pub fields: &'a Fields,
    /// What is wrong with it.
    pub problems: &'a Problems,
    /// The carrier, where one is chosen.
    pub plane: Option<&'a Plane>,
    /// The practice's own providers.
    pub npis: &'a [Npi],
}

impl Sheet<'_> {
    fn carrier(&self) -> Option<&Carrier> {
        self.plane.map(|plane| &*plane.carrier)
    }

    /// What the form holds without showing it.
    pub fn kept(&self) -> Markup {
        html! {
            @for name in ["patient_id", "before"] {
                @if let Some(value) = self.fields.some(name) { input type="hidden" name=(name) value=(value); }
            }
            @if let Some(carrier) = self.carrier() { input type="hidden" name="carrier" value=(carrier.id); }
        }
    }

    fn takes(&self, name: &str) -> bool {
        let own = name.rsplit('.').next().unwrap_or(name);
        if !["member.", "patient.", "subscriber."].iter().any(|person| name.starts_with(person)) {
            return true;
        }
        // A dependent is found by the names and the birth date that are the dependent's to give.
        let dependent = name.starts_with("patient.") && form::is_dependent(self.fields);
        dependent || self.carrier().is_none_or(|carrier| carriers::takes(carrier, own))
    }

    fn hint(&self, name: &str) -> Option<String> {
        let carrier = self.carrier()?;
        if !self.takes(name) {
            return Some("Not sent to this carrier".to_owned());
        }
        let own = name.rsplit('.').next().unwrap_or(name);
        carrier.form.fields.iter().find(|rule| rule.field == own).and_then(|rule| rule.help.clone())
    }

    /// One field by its name, as every form here shows it.
    pub fn one(&self, name: &str, focus: bool) -> Markup {
        let (fields, problems) = (self.fields, self.problems);
        let label = label(name);
        if name.ends_with("date_of_birth") {
            let hint =
                if self.takes(name) { "For example 3 12 1986".to_owned() } else { self.hint(name).unwrap_or_default() };
            return date(name, label, &hint, focus, fields, problems);
        }
        if name.ends_with(".sex") {
            let options =
                [("", "Not said"), ("female", "Female"), ("male", "Male"), ("unknown", "Unknown to the carrier")];
            let options = options.map(|(value, text)| (value.to_owned(), text.to_owned()));
            return select(name, label, &options, fields, problems);
        }
        match name {
            "provider.npi" => self.provider(focus),
            "types" => self.types(),
            "relationship" => self.relationship(),
            _ => {
                let hint = self
                    .hint(name)
                    .or_else(|| (name == "member.member_id").then(|| "As printed on the card".to_owned()));
                let mut field = text(name, label).max(80);
                if name.ends_with("suffix") {
                    field = field.size("short").max(10);
                }
                if name == "service.date" {
                    field = field.kind("date").size("short");
                }
                if let Some(hint) = &hint {
                    field = field.hint(hint);
                }
                if focus {
                    field = field.focus();
                }
                html! { (field.show(fields, problems)) (self.spelling(name)) }
            }
        }
    }

    /// Another spelling that would fit the carrier's rule. Offered, never put in by itself.
    fn spelling(&self, name: &str) -> Markup {
        let rule = self.carrier().and_then(|carrier| {
            carrier
                .form
                .fields
                .iter()
                .find(|rule| name == format!("member.{}", rule.field))
                .and_then(|rule| rule.pattern.as_ref())
        });
        let offer = rule.and_then(|pattern| suspects::spelling(self.fields.get(name), pattern));
        html! {
            @if let (Some((better, why)), Some(_)) = (offer, self.problems.about(name)) {
                p.note.look {
                    "Perhaps " span.number { (better) } ": " (why) " "
                    button.button.slim type="submit" name={ "use." (name) } value=(better) { "Ask with this one" }
                }
            }
        }
    }

    fn patient(&self) -> Markup {
        let known = self.fields.some("patient_id").is_some();
        let more: Vec<&str> = ["member.group_number", "patient.sex"]
            .into_iter()
            .filter(|name| self.carrier().is_some_and(|carrier| !carrier.form.accepts.is_empty()) && self.takes(name))
            .collect();
        let focus = self.plane.is_some() && self.problems.is_empty() && !known;
        html! {
            section.card.stack {
                h2 { "Patient" @if known { " " span.soft.small { "known to your practice" } } }
                (self.one("member.member_id", focus))
                div.fields {
                    (self.one("patient.first_name", false))
                    (self.one("patient.last_name", false))
                    (self.one("patient.suffix", false))
                }
                (self.one("patient.date_of_birth", false))
                @if !more.is_empty() { div.fields { @for name in more { (self.one(name, false)) } } }
                (self.relatives())
            }
        }
    }

    fn relatives(&self) -> Markup {
        let takes =
            self.carrier().is_none_or(|carrier| carrier.eligibility_limits().is_none_or(|limits| limits.dependents));
        html! {
            @if takes || form::is_dependent(self.fields) {
                (self.one("relationship", false))
                fieldset.stack.subscriber {
                    legend { strong { "The subscriber" } " " span.soft { "only where the patient is somebody else" } }
                    div.fields { (self.one("subscriber.first_name", false)) (self.one("subscriber.last_name", false)) }
                    (self.one("subscriber.date_of_birth", false))
                }
            } @else {
                p.soft { "This carrier is asked with the patient as the member; it has no question about dependents." }
            }
        }
    }

    fn relationship(&self) -> Markup {
        let options = [
            ("self", "the subscriber"),
            ("spouse", "the spouse"),
            ("child", "a child"),
            ("other_adult", "another adult"),
        ];
        let mut chosen = Fields::default();
        chosen.put("relationship", self.fields.some("relationship").unwrap_or("self"));
        radios("relationship", label("relationship"), &options, &chosen, self.problems)
    }

    fn visit_part(&self) -> Markup {
        html! {
            section.card.stack {
                h2 { "About the visit" }
                div.fields { (self.one("service.date", false)) (self.one("provider.npi", false)) }
                (self.one("types", false))
            }
        }
    }

    fn types(&self) -> Markup {
        let ticked = form::types(self.fields);
        let limit = self.carrier().and_then(Carrier::eligibility_limits).map(|limits| limits.service_types_max);
        let wrong = self.problems.about("types");
        html! {
            fieldset.field id=(id("types")) .has-wrong[wrong.is_some()] {
                legend { "Asking about" }
                @if let Some(most) = limit.filter(|most| usize::from(*most) < PRESETS.len()) {
                    span.hint { "This carrier takes " (most) " in one question." }
                }
                @if let Some(wrong) = wrong { span.wrong { span.hidden { "Error: " } (wrong) } }
                div.choices {
                    @for (code, name) in PRESETS {
                        label { input type="checkbox" name="types" value=(code) checked[ticked.iter().any(|own| own == code)]; (name) }
                    }
                }
            }
            (text("types.more", "Other service type codes").hint("X12 codes such as UC or AL, with spaces between")
                .show(self.fields, self.problems))
        }
    }

    fn provider(&self, focus: bool) -> Markup {
        let typed = self.fields.get("provider.npi");
        if self.npis.is_empty() {
            let mut field = text("provider.npi", label("provider.npi"))
                .hint("Ten digits. An administrator can enter your providers once, under Admin.")
                .mode("numeric")
                .size("short")
                .max(20);
            if focus {
                field = field.focus();
            }
            return field.show(self.fields, self.problems);
        }
        let mut options: Vec<(String, String)> =
            self.npis.iter().map(|npi| (npi.npi.clone(), format!("{} · NPI {}", npi.name, npi.npi))).collect();
        if !typed.is_empty() && !options.iter().any(|(npi, _)| npi == typed) {
            options.push((typed.to_owned(), format!("NPI {typed}")));
        }
        select("provider.npi", label("provider.npi"), &options, self.fields, self.problems)
    }

    fn buttons(&self) -> Markup {
        html! {
            div.row {
                button.button.first type="submit" { "Check coverage" }
                @if let Some(plane) = self.plane {
                    button.button type="submit" name="live" value="yes" data-key="ctrl-enter" { "Ask live, past any saved answer" }
                    span.soft.small {
                        "Gives up after " (plane.carrier.limits.deadline.as_secs()) " s"
                    }
                }
            }
        }
    }
}

/// What a field is called.
pub fn label(name: &str) -> &'static str {
    match name {
        "member.member_id" => "Member ID",
        "member.group_number" => "Group number",
        "patient.first_name" => "First name",
        "patient.last_name" => "Last name",
        "patient.suffix" | "subscriber.suffix" => "Suffix",
        "patient.date_of_birth" => "Date of birth",
        "patient.sex" => "Sex on the carrier’s file",
        "subscriber.sex" => "Subscriber’s sex on the carrier’s file",
        "relationship" => "The patient is",
        "subscriber.first_name" => "Subscriber’s first name",
        "subscriber.last_name" => "Subscriber’s last name",
        "subscriber.date_of_birth" => "Subscriber’s date of birth",
        "service.date" => "Service date",
        "types" => "Asking about",
        "provider.npi" => "Provider",
        _ => "Carrier",
    }
}
