//! A 278 told as a person would tell it (feature `answers`): what was asked, what was decided, the numbers, until when it
//! holds, what to do next.

use std::fmt::Write;

use connector_sdk::Outcome;
use connector_sdk::answer::authorization::{AuthorizationNumber, NumberKind, ReviewedService, ServiceAmount};
use connector_sdk::answer::{Authorization, AuthorizationState as State, DateSpan};

use crate::answers::authorization::{authorizations, state_words};
use crate::codes::{Table, label};
use crate::envelope::Transaction;
use crate::model::common::Nm1;
use crate::review::{Case, Kind, ReviewParty, ServicesReview};

/// Tells a 278; `false`, and nothing told, where it is something else.
pub(super) fn tell(text: &mut String, transaction: &Transaction) -> bool {
    if transaction.id != ServicesReview::ID {
        return false;
    }
    let review = ServicesReview::read(&transaction.segments);
    let kind = review.kind();
    let _ = writeln!(text, "{} (278), control number {}", title(kind), transaction.control);
    let mut cases = review.cases();
    for answer in authorizations(transaction, None) {
        match cases.next() {
            Some(case) => about(text, &case, kind),
            None => parties(text, &review, kind),
        }
        match &answer.outcome {
            Outcome::Answered(authorization) => tell_one(text, authorization, kind),
            Outcome::Refused(refusal) => super::eligibility::refusal(text, refusal),
        }
    }
    true
}

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Request => "Request for authorization",
        Kind::Response => "Answer to a request for authorization",
        Kind::Inquiry => "Question about an authorization",
        Kind::InquiryResponse => "Answer to a question about an authorization",
        Kind::Notice => "Notice",
        Kind::Acknowledgment => "Acknowledgment of a notice",
    }
}

/// A name as one says it.
fn named(name: &Nm1<'_>) -> String {
    let parts = [&name.first_name, &name.middle_name, &name.last_name, &name.suffix];
    let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).map(|part| &**part).collect();
    if said.is_empty() { format!("{} {}", name.qualifier, name.id).trim().to_owned() } else { said.join(" ") }
}

fn first(parties: &[ReviewParty<'_>]) -> String {
    parties.first().map_or_else(|| "someone not named".to_owned(), |party| named(&party.name))
}

/// Who asks whom. A notice goes the other way round: its sender stands first.
fn who(text: &mut String, top: &[ReviewParty<'_>], next: &[ReviewParty<'_>], kind: Kind) {
    let (from, to) = match kind {
        Kind::Request | Kind::Inquiry => (next, top),
        Kind::Response | Kind::InquiryResponse | Kind::Notice => (top, next),
        // An acknowledgment repeats the levels of the notice that it answers.
        Kind::Acknowledgment => (next, top),
    };
    let _ = writeln!(text, "  From {} to {}", first(from), first(to));
}

fn parties(text: &mut String, review: &ServicesReview<'_>, kind: Kind) {
    for organization in &review.organizations {
        let next = organization.requesters.first().map(|requester| requester.names.as_slice()).unwrap_or_default();
        who(text, &organization.names, next, kind);
        for subscriber in organization.requesters.iter().flat_map(|requester| &requester.subscribers) {
            let dependents = subscriber.dependents.iter().map(|dependent| &dependent.names);
            for names in std::iter::once(&subscriber.names).chain(dependents).filter(|names| !names.is_empty()) {
                let _ = writeln!(text, "  About {}", first(names));
            }
        }
    }
}

/// Who, for whom, and what it is about.
fn about(text: &mut String, case: &Case<'_, '_>, kind: Kind) {
    who(text, &case.organization.names, &case.requester.names, kind);
    let member = case.subscriber.names.first().map(|party| &*party.name.id).filter(|id| !id.is_empty());
    let patient = case.patient().map_or_else(|| "a patient not named".to_owned(), |party| named(&party.name));
    let member = member.map(|id| format!(" (member {id})")).unwrap_or_default();
    let _ = writeln!(text, "  About {patient}{member}");
    if let Some(review) = case.matter.review {
        let mut words = Vec::new();
        for (table, code) in [
            (Table::ReviewCategory, &review.category),
            (Table::CertificationType, &review.certification),
            (Table::ServiceType, &review.service_type),
        ] {
            if !code.is_empty() {
                words.push(label(table, code).unwrap_or(code).to_owned());
            }
        }
        match &*review.level_of_service {
            "U" => words.push("urgent".to_owned()),
            "03" => words.push("emergency".to_owned()),
            _ => {}
        }
        let _ = writeln!(text, "  Kind: {}", words.join(", "));
    }
    for code in case.matter.health.iter().flat_map(|health| &health.codes) {
        let meaning = label(Table::HealthCode, &code.qualifier).unwrap_or(&code.qualifier);
        let _ = writeln!(text, "  {meaning}: {}", code.code);
    }
}

fn tell_one(text: &mut String, authorization: &Authorization, kind: Kind) {
    if let Some(decision) = &authorization.decision {
        let on = decision.at.map(|day| format!(" ({day})")).unwrap_or_default();
        let _ = writeln!(text, "  Decision: {}{on}", state_words(authorization.state));
        if authorization.state == State::Unknown {
            let _ = writeln!(text, "    The carrier's code is {}.", decision.action.label);
        }
    }
    for service in &authorization.services {
        service_line(text, service, kind);
    }
    if !authorization.numbers.is_empty() {
        let _ = writeln!(text, "  Numbers: {}", numbers(&authorization.numbers));
    }
    if let Some(valid) = &authorization.valid {
        let _ = writeln!(text, "  Valid: {}", span(valid));
    } else {
        for date in &authorization.dates {
            let when = if date.span == DateSpan::default() { date.text.clone() } else { span(&date.span) };
            let _ = writeln!(text, "  {}: {when}", date.kind.label);
        }
    }
    for message in &authorization.messages {
        let _ = writeln!(text, "  In the sender's words: {}", message.text());
    }
    if let Some(decision) = &authorization.decision {
        for reason in &decision.reasons {
            let _ = writeln!(text, "  Why: {} ({})", reason.plain, reason.code);
        }
        for (at, step) in decision.next_steps.iter().enumerate() {
            let phone = step.phone.as_ref().map(|phone| format!(" Telephone {phone}.")).unwrap_or_default();
            let _ = writeln!(text, "  {} {}. {}{phone}", if at == 0 { "Next:" } else { "     " }, at + 1, step.what);
        }
    }
}

fn service_line(text: &mut String, service: &ReviewedService, kind: Kind) {
    let shown = service.given.as_ref().or(service.asked.as_ref());
    let what = shown.map(amount).unwrap_or_default();
    if !kind.is_answer() {
        let _ = writeln!(text, "  Asked for: {what}");
        return;
    }
    let _ = writeln!(text, "  - {what}: {}", state_words(service.state));
    if let (Some(asked), Some(_)) = (&service.asked, &service.given)
        && service.asked != service.given
    {
        let _ = writeln!(text, "    Asked for: {}", amount(asked));
    }
    if let Some(reason) = &service.reason {
        let _ = writeln!(text, "    Why: {} ({})", reason.plain, reason.code);
    }
    if !service.numbers.is_empty() {
        let _ = writeln!(text, "    Numbers: {}", numbers(&service.numbers));
    }
    for message in &service.messages {
        let _ = writeln!(text, "    In the carrier's words: {}", message.text());
    }
}

/// `97110 with modifier GP, 12 UN, 1 visit per week`.
fn amount(amount: &ServiceAmount) -> String {
    let service = &amount.service;
    let mut words =
        vec![if service.label.is_empty() { "a service not named".to_owned() } else { service.label.clone() }];
    if !amount.modifiers.is_empty() {
        words.push(format!("modifier {}", amount.modifiers.join(" ")));
    }
    match (&amount.pattern, amount.quantity) {
        (Some(pattern), _) => words.push(pattern.clone()),
        (None, Some(quantity)) => {
            let unit = amount.unit.as_ref().map(|unit| unit.label.to_lowercase()).unwrap_or_default();
            words.push(format!("{quantity} {unit}").trim().to_owned());
        }
        (None, None) => {}
    }
    if amount.period != DateSpan::default() {
        words.push(span(&amount.period));
    }
    words.join(", ")
}

fn numbers(all: &[AuthorizationNumber]) -> String {
    all.iter().map(number).collect::<Vec<_>>().join("; ")
}

fn number(number: &AuthorizationNumber) -> String {
    let kind = match number.kind {
        NumberKind::Decision => "decision",
        NumberKind::Tracking => "tracking",
        NumberKind::Authorization => "authorization",
        NumberKind::Case => "case",
        NumberKind::Trace => "trace",
    };
    format!("{kind} {}", number.value.text())
}

fn span(span: &DateSpan) -> String {
    match (span.from, span.to) {
        (Some(from), Some(to)) if from == to => from.to_string(),
        (Some(from), Some(to)) => format!("{from} to {to}"),
        (Some(from), None) => format!("from {from}"),
        (None, Some(to)) => format!("until {to}"),
        (None, None) => "not stated".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> String {
        let document = crate::Document::read(format!("ST*278*0001*005010X217~{body}SE*0*0001~").as_bytes()).unwrap();
        let mut text = String::new();
        assert!(tell(&mut text, document.transactions().next().unwrap()));
        text
    }

    const TOP: &str = "HL*1**20*1~NM1*X3*2*NORTHSTAR*****PI*60054~PER*IC**TE*8005550111~HL*2*1*21*1~\
        NM1*1P*2*CLINIC*****XX*1234567893~HL*3*2*22*1~NM1*IL*1*ZANZIBAR*ADA****MI*W1~";

    #[test]
    fn a_decision_with_changes() {
        let text = told(&format!(
            "BHT*0007*11*R1*20261124*0915*18~{TOP}HL*4*3*EV*1~TRN*2*T1*9123456789~UM*HS*I*PT*11:B~HCR*A6*N7~\
             DTP*007*D8*20261201~DTP*036*D8*20270228~HI*ABK:M1711~MSG*Fewer than asked~HL*5*4*SS*0~HCR*A2*N7-1*4~\
             SV1*HC:97110:GP**UN*12~HL*6*4*SS*0~HCR*A3**0M~SV1*HC:97140**UN*24~"
        ));
        assert_eq!(
            text,
            "Answer to a request for authorization (278), control number 0001\n\
             \x20 From NORTHSTAR to CLINIC\n  About ADA ZANZIBAR (member W1)\n\
             \x20 Kind: Health services review, Initial, Physical therapy\n  Principal diagnosis: M1711\n\
             \x20 Decision: approved in part, or with changes (2026-11-24)\n\
             \x20 - 97110, modifier GP, 12 units: approved in part, or with changes\n\
             \x20   Why: More was asked for than the carrier allows. (4)\n    Numbers: authorization N7-1\n\
             \x20 - 97140, 24 units: denied\n    Why: The plan does not cover this service. (0M)\n\
             \x20 Numbers: authorization N7; trace T1\n  Valid: 2026-12-01 to 2027-02-28\n\
             \x20 In the sender's words: Fewer than asked\n\
             \x20 Next: 1. Plan with the number that was approved, or ask for more before it is used up.\n\
             \x20       2. Put the authorization number on the claim.\n\
             \x20       3. Compare what was approved with what was asked for before the service is given.\n"
        );
    }

    #[test]
    fn a_question_and_a_refusal() {
        let asks = told(&format!(
            "BHT*0007*13*R1*20261123*1200~{TOP}HL*4*3*EV*0~TRN*1*T1*9123456789~UM*AR*I*2***03~DTP*435*D8*20261130~HSD*DY*5~"
        ));
        assert!(asks.contains("From CLINIC to NORTHSTAR\n"), "{asks}");
        assert!(
            asks.contains("Admission review, Initial, Surgery, emergency\n  Asked for: Surgery, 5 days, 2026-11-30"),
            "{asks}"
        );
        let refused = told(&format!("BHT*0007*11*R1*20261123*1200~{TOP}AAA*N**72*C~"));
        assert!(refused.contains("About ADA ZANZIBAR") && refused.contains("AAA 72 in 2010C"), "{refused}");
    }
}
