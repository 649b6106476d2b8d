//! Between Portico's asks and answers and the typed models (feature `answers`).
//!
//! - [`inquiry`]: a 270 of an ask.
//! - [`eligibility`]: what a 271 says of each patient, as facts with provenance or as a refusal.
//! - [`check`]: the same for the one patient that was asked about, once the answer is known to belong to the question
//!   ([`answer`] takes the raw bytes, acknowledgments included).
//! - [`claim_status`]: where a 277 says that each claim stands.
//! - [`remittance`]: what an 835 says, whole or part by part.
//!
//! - [`authorization`]: what a 278 says of each case, as an authorization with provenance or as a refusal.
//!
//! No EB segment disappears: each is represented in the facts by at least one provenance entry ([`represented`]).

pub mod ask;
pub mod authorization;
mod benefits;
pub mod check;
mod claim_status;
mod patient;
mod plans;
mod refusal;
pub mod remittance;
mod slots;
mod words;

use std::collections::BTreeSet;

use connector_sdk::answer::{Benefit, Coded, EligibilityFacts, OtherFact, Place, Provenance, RawRef};
use connector_sdk::{EligibilityRequest, Error, ErrorKind, Outcome};
use jiff::civil::Date;

pub use ask::{InquiryOptions, inquiry};
pub use check::{Expected, MemberIdMatch, answer};
pub use claim_status::{ClaimAnswered, ClaimLevel, claim_status, state_of};

use crate::codes::{self, Table};
use crate::eligibility::{EligibilityBenefit, Level, Rejection, Response};
use crate::model::common::Aaa;
use crate::write::WriteError;
use patient::Patient;

impl From<WriteError> for Error {
    /// The ask cannot be sent: the facts name segment, place and element, never the value.
    fn from(error: WriteError) -> Self {
        let name = codes::segment_name(&error.segment).unwrap_or("other");
        Error::new(ErrorKind::RequestInvalid, error.reason.message())
            .fact("reason", error.reason.word())
            .fact("segment", name)
            .fact("position", error.position)
            .fact("element", error.element)
    }
}

/// Carrier contacts that are gathered from benefits; each stands with its benefit too.
const MAX_CONTACTS: usize = 100;

/// What a 271 says of one patient.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Place of the transaction set in its interchange.
    pub transaction: u32,
    /// The patient is a dependent.
    pub dependent: bool,
    /// An answer, or a refusal with all its codes.
    pub outcome: Outcome<EligibilityFacts>,
}

/// What a 271 says, patient by patient. With AAA and no EB it is a refusal; with both it is an answer, and the AAA stand
/// in it as remarks. `ask` tells the days coverage is judged for and what to compare the carrier's file with.
pub fn eligibility(response: &Response, ask: Option<&EligibilityRequest>) -> Vec<Answered> {
    Patient::all(response).iter().map(|patient| answered(patient, ask)).collect()
}

fn answered(patient: &Patient<'_>, ask: Option<&EligibilityRequest>) -> Answered {
    let rejections = patient.rejections();
    let said = patient.own().is_some_and(|own| !own.benefits.is_empty());
    let outcome = if said || rejections.is_empty() {
        Outcome::Answered(facts(patient, ask, &rejections))
    } else {
        Outcome::Refused(refusal::refusal(&rejections))
    };
    Answered { transaction: patient.response.transaction, dependent: patient.dependent.is_some(), outcome }
}

/// The days asked about, where the ask names any.
fn days(ask: Option<&EligibilityRequest>) -> Option<(Date, Date)> {
    let service = &ask?.service;
    let first = service.date.or(service.from)?;
    Some((first, service.date.or(service.to).unwrap_or(first)))
}

fn facts(patient: &Patient<'_>, ask: Option<&EligibilityRequest>, rejections: &[Rejection<'_>]) -> EligibilityFacts {
    let response = patient.response;
    let mut facts = EligibilityFacts {
        member: patient.member(ask),
        dependent: patient.dependent_on_file(ask),
        carrier_contacts: patient.source_contacts(),
        raw: RawRef { transaction: "271".to_owned(), segments: response.segments },
        ..EligibilityFacts::default()
    };
    if let Some(own) = patient.own() {
        let services = ask.map(EligibilityRequest::service_types).unwrap_or_default();
        let days = days(ask).or(response.date().map(|date| (date, date)));
        facts.coverage = plans::coverage(patient, &own, &services, days);
        facts.plans = plans::plans(patient, &own);
        facts.benefits = benefits(response.transaction, &own);
        let elsewhere = facts
            .benefits
            .iter()
            .filter(|benefit| benefit.other.iter().any(|fact| matches!(fact.kind.code.as_str(), "U" | "W" | "MC")));
        let contacts: Vec<_> = elsewhere.flat_map(|benefit| benefit.contacts.clone()).collect();
        for contact in contacts {
            if facts.carrier_contacts.len() < MAX_CONTACTS && !facts.carrier_contacts.contains(&contact) {
                facts.carrier_contacts.push(contact);
            }
        }
    }
    // Those inside EB loops stand with their benefit.
    let remarks: Vec<_> = rejections.iter().filter(|rejection| !rejection.loop_id.starts_with("2110")).collect();
    if !remarks.is_empty() {
        facts.benefits.push(Benefit {
            service: Coded::new("", "Remarks on the question"),
            other: remarks.iter().map(|rejection| rejection_fact(rejection.aaa)).collect(),
            provenance: remarks
                .iter()
                .map(|rejection| {
                    words::provenance(response.transaction, rejection.aaa.at.0, "AAA", &rejection.loop_id, &["other"])
                })
                .collect(),
            ..Benefit::default()
        });
    }
    facts
}

/// Lines that are not wholly told by a plan become benefits.
fn benefits(transaction: u32, own: &Level<'_>) -> Vec<Benefit> {
    let coverage =
        |line: &EligibilityBenefit<'_>| plans::status(&line.benefit.information).is_some() && plans::whole_plan(line);
    benefits::benefits(
        transaction,
        own,
        |line| match line.benefit.information.as_ref() {
            "R" => !line.rejections.is_empty(),
            "L" => !plans::takes_primary_care(line),
            _ if coverage(line) => {
                plans::says_more(line) || line.benefit.service_types.iter().any(|service| service != "30")
            }
            _ => true,
        },
        |line, service| service != "30" || !coverage(line) || plans::says_more(line),
    )
}

/// An AAA that stands beside an answer.
fn rejection_fact(rejection: &Aaa<'_>) -> OtherFact {
    let meaning = codes::label(Table::RejectReason, &rejection.reason).unwrap_or(&rejection.reason);
    let follow_up = codes::label(Table::FollowUp, &rejection.follow_up).unwrap_or(&rejection.follow_up);
    OtherFact {
        kind: Coded::new(format!("{}{}", OtherFact::TURNED_AWAY, rejection.reason), meaning),
        amount: None,
        share: None,
        quantity: None,
        unit: None,
        period: None,
        text: words::some(follow_up),
    }
}

/// Which EB segments the facts speak of: transaction set and place in it. For tests: the number must equal the EB
/// segments that were sent.
pub fn represented(facts: &EligibilityFacts) -> BTreeSet<(u32, u32)> {
    let plans = facts
        .plans
        .iter()
        .flat_map(|plan| plan.provenance.iter().chain(plan.other_payers.iter().flat_map(|payer| &payer.provenance)));
    let benefits = facts.benefits.iter().flat_map(|benefit| &benefit.provenance);
    let place = |provenance: &Provenance| match &provenance.place {
        Place::Segment { transaction, position, id, .. } if id == "EB" => Some((*transaction, *position)),
        _ => None,
    };
    plans.chain(benefits).filter_map(place).collect()
}
