//! Questions about claims (276) and the word on claims (277, 277CA) in plain words (feature `answers`): which claim,
//! where it stands, what to do.

use std::fmt::Write;

use connector_sdk::answer::claim_status::{ClaimStatus, ClaimStatusAnswer, ClaimStatusLine};
use connector_sdk::answer::{DateFact, MemberOnFile};

use crate::answers::{ClaimAnswered, ClaimLevel, claim_status};
use crate::codes::{Table, label};
use crate::envelope::Transaction;
use crate::model::common::{Dtp, Nm1};
use crate::status::{ClaimStatusRequest, ClaimStatusResponse, RequestClaim, StatusForm};

/// Tells a 276 or 277; `false`, and nothing told, where it is something else.
pub(super) fn tell(text: &mut String, transaction: &Transaction) -> bool {
    match transaction.id.as_str() {
        ClaimStatusRequest::ID => question(text, transaction),
        ClaimStatusResponse::ID => response(text, transaction),
        _ => return false,
    }
    true
}

fn question(text: &mut String, transaction: &Transaction) {
    let request = ClaimStatusRequest::read(&transaction.segments);
    let _ = writeln!(text, "Question about claims (276), control number {}", transaction.control);
    for source in &request.sources {
        for receiver in &source.receivers {
            let to = source.name.as_ref().map(name).unwrap_or_default();
            let from = receiver.name.as_ref().map(name).unwrap_or_default();
            let _ = writeln!(text, "  {from} asks {to}:");
            for subscriber in receiver.providers.iter().flat_map(|provider| &provider.subscribers) {
                for claim in &subscriber.claims {
                    asked(text, subscriber.name.as_ref(), claim);
                }
                for dependent in &subscriber.dependents {
                    for claim in &dependent.claims {
                        asked(text, dependent.name.as_ref().or(subscriber.name.as_ref()), claim);
                    }
                }
            }
        }
    }
}

fn asked(text: &mut String, patient: Option<&Nm1<'_>>, claim: &RequestClaim<'_>) {
    let patient = patient.map(name).unwrap_or_default();
    let _ = write!(text, "  - Where does the claim for {patient} stand{}", days(&claim.dates));
    if let Some(charged) = claim.charged.as_ref().and_then(|amt| amt.amount.get()) {
        let _ = write!(text, ", charged {charged}");
    }
    let _ = writeln!(text, "? Trace number {}", claim.trace.number);
    for reference in &claim.references {
        let kind = label(Table::Reference, &reference.qualifier).unwrap_or(&reference.qualifier);
        let _ = writeln!(text, "      {kind}: {}", reference.value);
    }
    for line in &claim.lines {
        let charged = line.service.charged.get().map(|amount| format!(", charged {amount}")).unwrap_or_default();
        let procedure = &line.service.procedure;
        let _ = writeln!(text, "      Line {} {}{}{charged}", procedure.system, procedure.code, days(&line.dates));
    }
}

fn days(dates: &[Dtp<'_>]) -> String {
    let values: Vec<&str> = dates.iter().map(|dtp| &*dtp.value).filter(|value| !value.is_empty()).collect();
    if values.is_empty() { String::new() } else { format!(", services of {}", values.join(", ")) }
}

fn name(nm1: &Nm1<'_>) -> String {
    let parts = [&nm1.first_name, &nm1.middle_name, &nm1.last_name, &nm1.suffix];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).map(|part| &**part).collect();
    if parts.is_empty() { "somebody without a name".to_owned() } else { parts.join(" ") }
}

fn response(text: &mut String, transaction: &Transaction) {
    let response = ClaimStatusResponse::read(&transaction.segments);
    let kind = match response.form() {
        StatusForm::Answer => "Answer about claims (277)",
        StatusForm::Acknowledgment => "Acknowledgment of claims (277CA)",
        StatusForm::InformationRequest => "Request for more information about claims (277)",
    };
    let from: Vec<String> = response.sources.iter().flat_map(|source| source.names.first()).map(name).collect();
    let from = if from.is_empty() { String::new() } else { format!(" from {}", from.join(", ")) };
    let _ = writeln!(text, "{kind}{from}, control number {}", transaction.control);
    let segments = u32::try_from(transaction.segments.len()).unwrap_or(u32::MAX);
    let answered = claim_status(&response, transaction.number, segments);
    if answered.is_empty() {
        let _ = writeln!(text, "  It says nothing about any claim.");
    }
    for each in &answered {
        said(text, each);
    }
}

fn said(text: &mut String, answered: &ClaimAnswered) {
    let answer = &answered.answer;
    let trace = answered.trace.as_ref().map(|trace| format!(" ({})", trace.text())).unwrap_or_default();
    let of = match answered.level {
        ClaimLevel::Source | ClaimLevel::Receiver => format!("All that was sent{trace}"),
        ClaimLevel::Provider => "All claims of the provider".to_owned(),
        ClaimLevel::Claim => format!("Claim for {}{trace}", person(&answer.patient)),
    };
    let _ = writeln!(text, "  {of}: {}.", answer.state.word().replace('_', " "));
    amounts(text, answer);
    for number in &answer.claim_numbers {
        let _ = writeln!(text, "    {}: {}", number.kind.label, number.value.text());
    }
    for fact in &answer.dates {
        let _ = writeln!(text, "    {}: {}", fact.kind.label, day(fact));
    }
    statuses(text, "    ", &answer.statuses);
    for each in &answer.lines {
        line(text, each);
    }
    for total in &answer.totals {
        let number = total.count.or(total.amount).map(|number| number.to_string()).unwrap_or_default();
        let _ = writeln!(text, "    {}: {number}", total.kind.label);
    }
    if let Some(next) = &answer.next_action {
        let _ = writeln!(text, "    To do: {}", next.text);
    }
}

fn amounts(text: &mut String, answer: &ClaimStatusAnswer) {
    let given = [("charged", answer.charged), ("paid", answer.paid)];
    let given: Vec<String> =
        given.iter().filter_map(|(word, amount)| amount.map(|amount| format!("{word} {amount}"))).collect();
    if !given.is_empty() {
        let _ = writeln!(text, "    Amounts: {}", given.join(", "));
    }
    for payment in &answer.payments {
        let how = payment.method.as_ref().map_or("Payment", |method| method.label.as_str());
        let number = payment.number.as_ref().map(|number| format!(" {}", number.text())).unwrap_or_default();
        let date = payment.date.map(|date| format!(" of {date}")).unwrap_or_default();
        let _ = writeln!(text, "    {how}{number}{date}");
    }
}

fn person(patient: &MemberOnFile) -> String {
    let parts = [&patient.first_name, &patient.middle_name, &patient.last_name, &patient.suffix];
    let parts: Vec<&str> = parts.into_iter().flatten().map(|part| part.text()).collect();
    if parts.is_empty() { "somebody without a name".to_owned() } else { parts.join(" ") }
}

fn day(fact: &DateFact) -> String {
    match (fact.span.from, fact.span.to) {
        (Some(from), Some(to)) if from == to => from.to_string(),
        (Some(from), Some(to)) => format!("{from} to {to}"),
        _ => fact.text.clone(),
    }
}

fn statuses(text: &mut String, indent: &str, statuses: &[ClaimStatus]) {
    let mut told = None;
    for status in statuses {
        let since = status.effective.map(|day| format!(" Since {day}.")).unwrap_or_default();
        let codes = format!("{}:{}", status.category.code, status.code.code);
        let _ = writeln!(text, "{indent}- {}{since} ({codes})", status.plain);
        // The words stand with each status of their segment; they are told once.
        if let Some(words) = status.text.as_ref().filter(|words| told != Some(*words)) {
            let _ = writeln!(text, "{indent}  \"{}\"", words.text());
            told = Some(words);
        }
    }
}

fn line(text: &mut String, line: &ClaimStatusLine) {
    let mut about = line.procedure.label.clone();
    if let Some(revenue) = &line.revenue_code {
        let _ = write!(about, " revenue {revenue}");
    }
    for (word, amount) in [("charged", line.charged), ("paid", line.paid)] {
        if let Some(amount) = amount {
            let _ = write!(about, ", {word} {amount}");
        }
    }
    let _ = writeln!(text, "    Line {about}: {}", line.state.word().replace('_', " "));
    statuses(text, "      ", &line.statuses);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;

    fn told(set: &str) -> String {
        let document = Document::read(set.as_bytes()).unwrap();
        let mut text = String::new();
        assert!(tell(&mut text, document.transactions().next().unwrap()));
        text
    }

    fn holds(text: &str, all: &[&str]) {
        for words in all {
            assert!(text.contains(words), "{words}\n--\n{text}");
        }
    }

    #[test]
    fn an_answer_says_where_the_claim_stands_and_what_to_do() {
        let text = told(
            "ST*277*0001*005010X212~BHT*0010*08*R1*20261123*1200*DG~HL*1**20*1~NM1*PR*2*NORTHSTAR*****PI*60054~\
             HL*2*1*21*1~NM1*41*2*CLINIC*****46*S1~HL*3*2*19*1~NM1*1P*2*CLINIC*****XX*1234567893~HL*4*3*22*0~\
             NM1*IL*1*ZANZIBAR*ADA****MI*W1~TRN*2*T1~STC*F1:65*20261101**85*60*20261102*CHK*20261103*77~REF*1K*C9~\
             DTP*472*D8*20261020~SVC*HC:99213:25*85*60****1~STC*F1:65*20261101~DTP*472*D8*20261020~SE*18*0001~",
        );
        holds(
            &text,
            &[
                "Answer about claims (277) from NORTHSTAR, control number 0001\n  Claim for ADA ZANZIBAR (T1): paid.\n",
                "    Amounts: charged 85, paid 60\n    Check 77 of 2026-11-03\n",
                "    Carrier's claim number: C9\n    Service: 2026-10-20\n",
                "    - Finished and paid. Claim or line has been paid. Since 2026-11-01. (F1:65)\n",
                "    Line HC:99213:25, charged 85, paid 60: paid\n",
                "    To do: Match the payment with its remittance (835).\n",
            ],
        );
    }

    #[test]
    fn a_277ca_says_what_was_turned_away() {
        let text = told(
            "ST*277*0001*005010X214~BHT*0085*08*R1*20261123*1200*TH~HL*1**20*1~NM1*AY*2*HOUSE*****46*H1~HL*2*1*21*1~\
             NM1*41*2*CLINIC*****46*S1~TRN*2*B1~STC*A1:19:PR*20261123*WQ*300~QTY*AA*1~AMT*YY*100~HL*3*2*19*1~\
             NM1*85*2*CLINIC*****XX*1234567893~HL*4*3*PT~NM1*QC*1*ZANZIBAR*ADA****MI*W1~TRN*2*ACCT7~\
             STC*A7:562:85*20261123*U*100********WORDS~DTP*472*D8*20261020~SE*18*0001~",
        );
        holds(
            &text,
            &[
                "Acknowledgment of claims (277CA) from HOUSE",
                "  All that was sent (B1): received.\n",
                "    Claims rejected: 1\n    Charges rejected: 100\n",
                "  Claim for ADA ZANZIBAR (ACCT7): rejected.\n",
                "Rejected because information is invalid. Billing provider's national provider identifier (NPI).",
                "      \"WORDS\"\n",
                "    To do: Correct what is named and send the claim again",
            ],
        );
    }

    #[test]
    fn a_question() {
        let text = told(
            "ST*276*0001*005010X212~BHT*0010*13*R1*20261123*1200~HL*1**20*1~NM1*PR*2*NORTHSTAR*****PI*60054~\
             HL*2*1*21*1~NM1*41*2*CLINIC*****46*S1~HL*3*2*19*1~NM1*1P*2*CLINIC*****XX*1234567893~HL*4*3*22*0~\
             NM1*IL*1*ZANZIBAR*ADA****MI*W1~TRN*1*T1~REF*1K*C9~AMT*T3*125.50~DTP*472*D8*20261101~SE*15*0001~",
        );
        holds(
            &text,
            &[
                "  CLINIC asks NORTHSTAR:\n  - Where does the claim for ADA ZANZIBAR stand, services of 20261101, charged \
                 125.50? Trace number T1\n",
                "      Carrier's claim number: C9\n",
            ],
        );
    }
}
