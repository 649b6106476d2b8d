//! A 278 as authorizations (feature `answers`): one for each case, with provenance, or a refusal.
//!
//! | HCR01 | state | |
//! |---|---|---|
//! | `A1` | approved | |
//! | `A2` | partially approved | |
//! | `A6` | partially approved | certified with changes: it is not what was asked for |
//! | `A3` | denied | |
//! | `A4` | pended | |
//! | `C` | cancelled | |
//! | `CT` | needs person | the carrier wants to be called |
//! | `NA` | not required | |
//! | other | unknown | the code is kept |
//!
//! A decision on the event holds for every service without one of its own. Where services were decided unlike each other,
//! or unlike the event, the whole is partially approved if anything was approved; pended if anything is still open.
//! AAA without any HCR is a [`Refusal`](connector_sdk::outcome::Refusal).

mod ask;
mod numbers;
mod services;
mod steps;
#[cfg(test)]
mod tests;

pub use ask::{INQUIRY_GUIDE, REQUEST_GUIDE, ReviewOptions, review_inquiry, review_request};

use connector_sdk::Outcome;
use connector_sdk::answer::authorization::{AuthorizationState as State, Decision, TimelineEntry};
use connector_sdk::answer::{Authorization, DateSpan, Provenance, RawRef};
use jiff::civil::Date;

use super::refusal;
use super::words::{coded, contact, date, phi, provenance};
use crate::codes::Table;
use crate::eligibility::Rejection;
use crate::envelope::Transaction;
use crate::model::common::Dtp;
use crate::review::{Case, Hcr, Kind, RefusedAt, ServicesReview};

/// Cases of one 278 that are told. The guides have one patient, and few events, in a transaction set.
pub const MAX_CASES: usize = 1_000;

/// What a 278 says of one case.
#[derive(Clone, Debug)]
pub struct ReviewAnswer {
    /// Place of the transaction set in its interchange.
    pub transaction: u32,
    /// Which use of the 278 it is.
    pub kind: Kind,
    /// The patient is a dependent.
    pub dependent: bool,
    /// The case, or a refusal with all its codes.
    pub outcome: Outcome<Authorization>,
    /// The carrier sent more than is told: more details of a kind ([`MAX_DETAILS`](crate::review::MAX_DETAILS)), or, in
    /// the last one, more cases ([`MAX_CASES`]).
    pub left_out: bool,
}

/// What a 278 says, case by case; `asked`: the request that it answers, where it is at hand. Empty for another
/// transaction set. A request or an inquiry has cases too: nothing is decided in them.
pub fn authorizations(transaction: &Transaction, asked: Option<&ServicesReview<'_>>) -> Vec<ReviewAnswer> {
    if transaction.id != ServicesReview::ID {
        return Vec::new();
    }
    let review = ServicesReview::read(&transaction.segments);
    let kind = review.kind();
    let from = Source { transaction, review: &review, kind };
    let mut cases = review.cases();
    let mut all: Vec<ReviewAnswer> = cases.by_ref().take(MAX_CASES).map(|case| from.answer(&case, asked)).collect();
    if let (Some(last), Some(_)) = (all.last_mut(), cases.next()) {
        last.left_out = true;
    }
    if all.is_empty() {
        // Refused before any case was looked at.
        let refusals: Vec<_> = review.refused_at().collect();
        if !refusals.is_empty() {
            let dependent = refusals.iter().any(|at| at.loop_id.ends_with('D'));
            let (transaction, outcome) = (transaction.number, refused(&refusals));
            all.push(ReviewAnswer { transaction, kind, dependent, outcome, left_out: false });
        }
    }
    all
}

/// What everything is derived from.
struct Source<'m, 'a> {
    transaction: &'m Transaction,
    review: &'m ServicesReview<'a>,
    kind: Kind,
}

impl Source<'_, '_> {
    fn answer(&self, case: &Case<'_, '_>, asked: Option<&ServicesReview<'_>>) -> ReviewAnswer {
        let refusals = case.refused_at();
        let decided = case.matter.decision.is_some() || case.services.iter().any(|one| one.matter.decision.is_some());
        let outcome = if refusals.is_empty() || decided {
            Outcome::Answered(self.authorization(case, &refusals, asked))
        } else {
            refused(&refusals)
        };
        let (transaction, kind) = (self.transaction.number, self.kind);
        ReviewAnswer { transaction, kind, dependent: case.dependent.is_some(), outcome, left_out: case.cut() }
    }

    fn place(&self, position: u32, id: &str, loop_id: &str, of: &[&str]) -> Provenance {
        provenance(self.transaction.number, position, id, loop_id, of)
    }

    fn authorization(
        &self,
        case: &Case<'_, '_>,
        refusals: &[RefusedAt<'_, '_>],
        asked: Option<&ServicesReview<'_>>,
    ) -> Authorization {
        let services = services::services(self, case, asked);
        let own = case.matter.decision.map(state);
        let state = whole(own, services.iter().map(|service| service.state));
        let told = self.review.beginning.as_ref().and_then(|beginning| beginning.date.get());
        let all_dates = case.matter.dates.iter().chain(case.services.iter().flat_map(|one| one.matter.dates));
        let issued = all_dates.clone().find(|date| date.qualifier == "102").and_then(Dtp::span);
        let messages = case.matter.messages.iter().filter_map(|message| phi(&message.text));
        let mut answer = Authorization {
            state,
            numbers: numbers::numbers(self, &case.matter, "2000E"),
            valid: valid(case, state),
            dates: case.matter.dates.iter().map(date).collect(),
            messages: messages.collect(),
            timeline: self.timeline(told, state),
            raw: RawRef {
                transaction: "278".to_owned(),
                segments: u32::try_from(self.transaction.segments.len()).unwrap_or(u32::MAX),
            },
            ..Authorization::default()
        };
        let first = case.matter.decision.or_else(|| case.services.iter().find_map(|one| one.matter.decision));
        if let Some(decision) = first {
            let by = case.organization.names.first();
            answer.decision = Some(Decision {
                action: coded(Table::Action, &decision.action),
                by: by.map(contact),
                at: issued.map(|(from, _)| from).or(told),
                reasons: steps::reasons(decision),
                next_steps: steps::steps(case, state, refusals),
            });
        }
        answer.services = services;
        self.provenance(case, refusals, &mut answer.provenance);
        answer
    }

    /// Where the case as a whole was read.
    fn provenance(&self, case: &Case<'_, '_>, refusals: &[RefusedAt<'_, '_>], all: &mut Vec<Provenance>) {
        if let Some(review) = case.matter.review {
            all.push(self.place(review.at.0, "UM", "2000E", &[]));
        }
        if let Some(decision) = case.matter.decision {
            all.push(self.place(decision.at.0, "HCR", "2000E", &["state", "decision"]));
        }
        all.extend(case.matter.dates.iter().map(|date| self.place(date.at.0, "DTP", "2000E", &["dates", "valid"])));
        all.extend(case.matter.messages.iter().map(|text| self.place(text.at.0, "MSG", "2000E", &["messages"])));
        all.extend(refusals.iter().map(|at| self.place(at.refusal.at.0, "AAA", at.loop_id, &["decision.next_steps"])));
    }

    fn timeline(&self, told: Option<Date>, state: State) -> Vec<TimelineEntry> {
        let Some(told) = told else { return Vec::new() };
        let what = match self.kind {
            Kind::Request => "Asked for.",
            Kind::Inquiry => "The carrier was asked where it stands.",
            Kind::Notice => "The carrier was told.",
            Kind::Acknowledgment => "The notice was received.",
            Kind::Response | Kind::InquiryResponse => steps::headline(state),
        };
        vec![TimelineEntry { at: told.to_string(), what: what.to_owned() }]
    }
}

/// What HCR01 means.
pub(crate) fn state(decision: &Hcr<'_>) -> State {
    match &*decision.action {
        "A1" => State::Approved,
        "A2" | "A6" => State::PartiallyApproved,
        "A3" => State::Denied,
        "A4" => State::Pended,
        "C" => State::Cancelled,
        "CT" => State::NeedsPerson,
        "NA" => State::NotRequired,
        _ => State::Unknown,
    }
}

/// A state in a few words.
pub(crate) fn state_words(state: State) -> &'static str {
    match state {
        State::Approved => "approved",
        State::PartiallyApproved => "approved in part, or with changes",
        State::Denied => "denied",
        State::Pended => "not decided yet",
        State::Cancelled => "cancelled",
        State::Expired => "expired",
        State::NotRequired => "no authorization is needed",
        State::NeedsPerson => "call the carrier",
        State::Draft | State::Queued | State::Submitted | State::Unknown => "not clear",
    }
}

/// The state of the whole from that of the event and those of the services.
fn whole(own: Option<State>, services: impl Iterator<Item = State>) -> State {
    let mut all: Vec<State> = own.into_iter().collect();
    for state in services {
        if !all.contains(&state) {
            all.push(state);
        }
    }
    let gives = |state: &State| matches!(state, State::Approved | State::PartiallyApproved);
    match all.as_slice() {
        [] => State::Unknown,
        [one] => *one,
        several if several.contains(&State::Pended) => State::Pended,
        several if several.contains(&State::NeedsPerson) => State::NeedsPerson,
        several if several.iter().any(gives) => {
            // An approval beside "no authorization needed" is no less than what was asked for.
            let full = several.iter().all(|state| matches!(state, State::Approved | State::NotRequired));
            if full { State::Approved } else { State::PartiallyApproved }
        }
        several => *several.iter().find(|state| **state == State::Denied).unwrap_or(&State::Unknown),
    }
}

/// From when to when it holds: what the carrier calls effective (`007`) and expiring (`036`); else, of something given,
/// the span of the event (`AAH`) or of its services (`472`).
fn valid(case: &Case<'_, '_>, state: State) -> Option<DateSpan> {
    let services = || case.services.iter().flat_map(|one| one.matter.dates);
    let spans = |qualifier: &'static str| {
        let all = case.matter.dates.iter().chain(services());
        all.filter(move |date| date.qualifier == qualifier).filter_map(Dtp::span)
    };
    let mut found = DateSpan::default();
    for (from, to) in spans("007") {
        found.from = found.from.or(Some(from));
        found.to = found.to.or((from != to).then_some(to));
    }
    found.to = found.to.or(spans("036").map(|(_, to)| to).next());
    if found == DateSpan::default() && matches!(state, State::Approved | State::PartiallyApproved) {
        let span = spans("AAH").chain(spans("472")).find(|(from, to)| from != to);
        if let Some((from, to)) = span {
            found = DateSpan { from: Some(from), to: Some(to) };
        }
    }
    (found != DateSpan::default()).then_some(found)
}

/// AAA as a refusal, as of a 271; the fields are those of an authorization's request.
fn refused(refusals: &[RefusedAt<'_, '_>]) -> Outcome<Authorization> {
    let all: Vec<Rejection<'_>> =
        refusals.iter().map(|at| Rejection { aaa: at.refusal, loop_id: at.loop_id.into() }).collect();
    let mut refusal = refusal::refusal(&all);
    for field in &mut refusal.look_at {
        *field = match field.as_str() {
            "service.date" => "services.from".to_owned(),
            "service.types" => "services.service_type".to_owned(),
            "service.procedures" => "services.procedure".to_owned(),
            other => other.strip_prefix("provider.").map_or(other.to_owned(), |rest| format!("requester.{rest}")),
        };
    }
    Outcome::Refused(refusal)
}
