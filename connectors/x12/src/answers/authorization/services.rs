//! Service by service: what was asked, what was given.

use connector_sdk::answer::authorization::{AuthorizationState as State, ReviewedService, ServiceAmount};
use connector_sdk::answer::{Coded, DateSpan};

use super::super::words::{coded, coded_some, contact, pattern, phi};
use super::{Source, numbers, state, steps};
use crate::codes::Table;
use crate::model::common::{Dtp, Procedure};
use crate::review::{Case, Matter, ReviewedService as Service, ServicesReview};

/// The services of a case; the event itself where it has none and says what it is about.
pub(super) fn services(
    from: &Source<'_, '_>,
    case: &Case<'_, '_>,
    asked: Option<&ServicesReview<'_>>,
) -> Vec<ReviewedService> {
    let mut questions = asked.map(questions).unwrap_or_default();
    let event = case.matter.decision.map(state);
    if case.services.is_empty() {
        return case.matter.review.map(|_| event_itself(from, case, event, &mut questions)).into_iter().collect();
    }
    let one = |service: &Service<'_, '_>| {
        let amount = of_service(service, &case.matter);
        let state = service.matter.decision.map(state).or(event).unwrap_or_default();
        let mut reviewed = reviewed(from, state, amount, &mut questions);
        reviewed.reason = service.matter.decision.and_then(|decision| steps::reasons(decision).into_iter().next());
        reviewed.numbers = numbers::numbers(from, &service.matter, "2000F");
        reviewed.messages = service.matter.messages.iter().filter_map(|message| phi(&message.text)).collect();
        provenance(from, service, &mut reviewed);
        reviewed
    };
    case.services.iter().map(one).collect()
}

fn event_itself(
    from: &Source<'_, '_>,
    case: &Case<'_, '_>,
    event: Option<State>,
    questions: &mut Vec<ServiceAmount>,
) -> ReviewedService {
    let mut reviewed = reviewed(from, event.unwrap_or_default(), of_matter(&case.matter), questions);
    reviewed.reason = case.matter.decision.and_then(|decision| steps::reasons(decision).into_iter().next());
    if let Some(review) = case.matter.review {
        reviewed.provenance.push(from.place(review.at.0, "UM", "2000E", &["service"]));
    }
    if let Some(delivery) = case.matter.delivery {
        reviewed.provenance.push(from.place(delivery.at.0, "HSD", "2000E", &["quantity", "unit", "pattern"]));
    }
    reviewed
}

/// What a service came to. A question (request, inquiry) says what is asked; a full approval or a full denial repeats
/// it; of a change only what was given is told, unless the request is at hand.
fn reviewed(
    from: &Source<'_, '_>,
    state: State,
    amount: ServiceAmount,
    questions: &mut Vec<ServiceAmount>,
) -> ReviewedService {
    let same = |question: &ServiceAmount| question.service == amount.service && question.modifiers == amount.modifiers;
    let known = questions.iter().position(same).map(|at| questions.remove(at));
    let mut reviewed = ReviewedService { state, ..ReviewedService::default() };
    if !from.kind.is_answer() {
        reviewed.asked = Some(amount);
        return reviewed;
    }
    match state {
        State::Approved => (reviewed.asked, reviewed.given) = (known.or_else(|| Some(amount.clone())), Some(amount)),
        State::PartiallyApproved => (reviewed.asked, reviewed.given) = (known, Some(amount)),
        _ => reviewed.asked = known.or(Some(amount)),
    }
    reviewed
}

/// The services of a request.
fn questions(asked: &ServicesReview<'_>) -> Vec<ServiceAmount> {
    let of_case = |case: Case<'_, '_>| -> Vec<ServiceAmount> {
        if case.services.is_empty() {
            return vec![of_matter(&case.matter)];
        }
        case.services.iter().map(|service| of_service(service, &case.matter)).collect()
    };
    asked.cases().flat_map(of_case).collect()
}

fn of_service(service: &Service<'_, '_>, event: &Matter<'_, '_>) -> ServiceAmount {
    let (procedure, quantity, unit) = match (service.professional, service.institutional, service.dental) {
        (Some(line), ..) => (Some(&line.procedure), line.quantity.get(), Some(&*line.unit)),
        (_, Some(line), _) => (Some(&line.procedure), line.quantity.get(), Some(&*line.unit)),
        (.., Some(line)) => (Some(&line.procedure), line.quantity.get(), None),
        _ => (None, None, None),
    };
    let mut amount = of_matter(&service.matter);
    if let Some(procedure) = procedure.filter(|procedure| !procedure.code.is_empty()) {
        amount.service = of_procedure(procedure);
        amount.modifiers = modifiers(procedure);
    } else if let Some(revenue) = service.institutional.map(|line| &line.revenue).filter(|code| !code.is_empty()) {
        amount.service = Coded::new(&**revenue, format!("Revenue code {revenue}"));
    } else if amount.service.code.is_empty() {
        amount.service = service_of(event);
    }
    if quantity.is_some() {
        (amount.quantity, amount.unit) = (quantity, unit.and_then(of_unit));
    }
    amount
}

/// The unit of a line (SV103, SV204).
fn of_unit(code: &str) -> Option<Coded> {
    let label = match code {
        "" => return None,
        "UN" => "Units",
        "DA" => "Days",
        "MJ" => "Minutes",
        "F2" => "International units",
        other => other,
    };
    Some(Coded::new(code, label))
}

/// What UM tells.
fn service_of(matter: &Matter<'_, '_>) -> Coded {
    let service = matter.review.map(|review| match &*review.service_type {
        "" => coded(Table::ReviewCategory, &review.category),
        service_type => coded(Table::ServiceType, service_type),
    });
    service.unwrap_or_default()
}

/// What UM, HSD and DTP tell.
fn of_matter(matter: &Matter<'_, '_>) -> ServiceAmount {
    let delivery = matter.delivery;
    let rate = delivery.filter(|hsd| !hsd.unit.is_empty() || !hsd.period.is_empty() || !hsd.days.is_empty());
    let span = ["472", "AAH", "435", "007"]
        .iter()
        .find_map(|qualifier| matter.dates.iter().find(|date| date.qualifier == *qualifier).and_then(Dtp::span));
    ServiceAmount {
        service: service_of(matter),
        modifiers: Vec::new(),
        quantity: delivery.and_then(|hsd| hsd.quantity.get()),
        unit: delivery.and_then(|hsd| coded_some(Table::Quantity, &hsd.quantity_qualifier)),
        pattern: rate.map(pattern),
        period: span.map(|(from, to)| DateSpan { from: Some(from), to: Some(to) }).unwrap_or_default(),
        performers: matter.parties.iter().map(contact).collect(),
    }
}

fn of_procedure(procedure: &Procedure<'_>) -> Coded {
    let words = if procedure.description.is_empty() { &*procedure.code } else { &*procedure.description };
    Coded::new(&*procedure.code, words)
}

fn modifiers(procedure: &Procedure<'_>) -> Vec<String> {
    let all = [&procedure.modifier_1, &procedure.modifier_2, &procedure.modifier_3, &procedure.modifier_4];
    all.into_iter().filter(|modifier| !modifier.is_empty()).map(|modifier| modifier.to_string()).collect()
}

fn provenance(from: &Source<'_, '_>, service: &Service<'_, '_>, reviewed: &mut ReviewedService) {
    let lines = [
        service.professional.map(|line| (line.at.0, "SV1")),
        service.institutional.map(|line| (line.at.0, "SV2")),
        service.dental.map(|line| (line.at.0, "SV3")),
    ];
    for (position, id) in lines.into_iter().flatten() {
        reviewed.provenance.push(from.place(position, id, "2000F", &["service", "quantity"]));
    }
    if let Some(decision) = service.matter.decision {
        reviewed.provenance.push(from.place(decision.at.0, "HCR", "2000F", &["state", "reason"]));
    }
    if let Some(delivery) = service.matter.delivery {
        reviewed.provenance.push(from.place(delivery.at.0, "HSD", "2000F", &["quantity", "unit", "pattern"]));
    }
    for date in service.matter.dates {
        reviewed.provenance.push(from.place(date.at.0, "DTP", "2000F", &["period"]));
    }
}
