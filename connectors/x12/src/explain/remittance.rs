//! An 835 as a person would tell it: what was paid, why less than charged, what the patient owes, what to do.

use std::fmt::Write;

use connector_sdk::answer::remittance::{Adjustment, PaidClaim, PaidLine, RemittanceHead, RemittanceTail, SumRule};
use connector_sdk::answer::{Contact, DateSpan};
use rust_decimal::Decimal;

use crate::answers::remittance::Teller;
use crate::envelope::{SetHeader, SetParts, Transaction};
use crate::remittance::{Part, Parts, Remittance};

/// Tells an 835 part by part.
pub(super) struct Told {
    parts: Parts,
    teller: Teller,
    control: String,
}

/// Tells a whole one; `false` where it is another transaction set.
pub(super) fn tell(text: &mut String, transaction: &Transaction) -> bool {
    if !Told::knows(transaction) {
        return false;
    }
    let mut told = Told::new(transaction);
    for segment in transaction.segments.iter().filter(|segment| !segment.is("SE")) {
        told.segment(text, &segment);
    }
    told.end(text, transaction.segments.len() as u64);
    true
}

impl Told {
    /// Whether this is a transaction set that is told here.
    pub(super) fn knows(header: &SetHeader) -> bool {
        header.id == Remittance::ID
    }

    pub(super) fn new(header: &SetHeader) -> Self {
        Self { parts: Parts::default(), teller: Teller::new(header.number), control: header.control.clone() }
    }

    /// The next segment; what it ends is told.
    pub(super) fn segment(&mut self, text: &mut String, segment: &crate::Segment<'_>) {
        if let Some(part) = self.parts.push(segment) {
            part_told(&mut self.teller, &self.control, part, 0, text);
        }
    }

    /// The transaction set is over.
    pub(super) fn end(&mut self, text: &mut String, segments: u64) {
        while let Some(part) = self.parts.finish() {
            part_told(&mut self.teller, &self.control, part, segments, text);
        }
    }
}

fn part_told(teller: &mut Teller, control: &str, part: Part<'_>, segments: u64, text: &mut String) {
    match part {
        Part::Begin(begin) => head(text, control, &teller.head(&begin)),
        Part::Claim(found) => claim(text, &teller.claim(&found)),
        Part::Provider(plbs, _) => teller.provider(&plbs),
        Part::Group(_) => {}
        Part::End(end) => tail(text, end.claims, &teller.tail(&end, segments)),
    }
}

fn head(text: &mut String, control: &str, head: &RemittanceHead) {
    let name =
        |contact: &Contact, other: &str| contact.name.as_ref().map_or(other.to_owned(), |name| name.text().to_owned());
    let (payer, payee) = (name(&head.payer, "A payer without a name"), name(&head.payee, "a payee without a name"));
    let amount = head.payment.amount.map_or("an amount that is not said".to_owned(), |amount| money(amount.abs()));
    let verb = if head.payment.amount.is_some_and(|amount| amount.is_sign_negative() && !amount.is_zero()) {
        "takes back from"
    } else {
        "pays"
    };
    let _ = write!(text, "Remittance (835), control number {control}: {payer} {verb} {payee} {amount}");
    if let Some(method) = &head.payment.method {
        let _ = write!(text, "; {}", method.label);
    }
    if let Some(date) = head.payment.date {
        let _ = write!(text, ", {date}");
    }
    if let Some(trace) = &head.payment.trace {
        let _ = write!(text, ", number {trace}");
    }
    text.push_str(".\n");
}

fn claim(text: &mut String, claim: &PaidClaim) {
    let number =
        |code: &str| claim.numbers.iter().find(|number| number.kind.code == code).map(|number| number.value.text());
    let _ = write!(text, "  Claim {}", number("CLP01").unwrap_or("without a number"));
    if let Some(theirs) = number("CLP07") {
        let _ = write!(text, " (the carrier's {theirs})");
    }
    let patient = claim.people.iter().find(|person| person.role.as_ref().is_some_and(|role| role.code == "QC"));
    if let Some(name) = patient.and_then(|patient| patient.name.as_ref()) {
        let _ = write!(text, ", {}", name.text());
    }
    let _ = writeln!(text, ": {}.", claim.status.label);
    let owes =
        claim.patient_owes.filter(|owes| !owes.is_zero()).map(|owes| format!("; the patient owes {}", money(owes)));
    let _ = writeln!(text, "    {}{}.", sums(claim.charged, claim.paid), owes.unwrap_or_default());
    adjustments(text, "    ", &claim.adjustments);
    for each in &claim.lines {
        line(text, each);
    }
    for remark in &claim.remarks {
        let _ = writeln!(text, "    Remark {}: {}", remark.code, remark.label);
    }
    let all = claim.adjustments.iter().chain(claim.lines.iter().flat_map(|line| &line.adjustments));
    let mut to_do: Vec<&str> = Vec::new();
    for action in all.filter_map(|adjustment| adjustment.next_action.as_ref()) {
        if !to_do.contains(&action.text.as_str()) {
            to_do.push(&action.text);
        }
    }
    for action in to_do {
        let _ = writeln!(text, "    To do: {action}");
    }
    for uneven in &claim.uneven {
        let what = match uneven.rule {
            SumRule::Line => "paid for a line is not charged less adjustments",
            SumRule::Claim => "paid is not charged less adjustments",
            SumRule::LineCharges => "charged is not what the lines charge together",
            SumRule::Predetermination => "a predetermination says that something is paid",
            SumRule::Payment => "the payment is not what the claims add up to",
        };
        let _ = writeln!(text, "    ! Does not add up: {what}; off by {}.", money(uneven.off_by));
    }
}

fn line(text: &mut String, line: &PaidLine) {
    let _ = writeln!(text, "    {}{}: {}.", line.procedure.label, days(&line.dates), sums(line.charged, line.paid));
    adjustments(text, "      ", &line.adjustments);
    for remark in &line.remarks {
        let _ = writeln!(text, "      Remark {}: {}", remark.code, remark.label);
    }
}

fn adjustments(text: &mut String, indent: &str, adjustments: &[Adjustment]) {
    for each in adjustments {
        let who = match each.group.code.as_str() {
            "CO" => "the practice bears it",
            "PR" => "the patient owes it",
            "PI" => "the carrier's own reduction",
            "CR" => "a correction",
            _ => "nobody here owes it",
        };
        let amount = each.amount.map_or("an amount that is not said".to_owned(), money);
        let _ = writeln!(text, "{indent}- {amount} {}: {} ({who}).", each.group.code, reason(each));
    }
}

fn reason(adjustment: &Adjustment) -> String {
    format!("{}, {}", adjustment.code, adjustment.plain)
}

fn tail(text: &mut String, claims: u64, tail: &RemittanceTail) {
    for each in &tail.provider_adjustments {
        let reference = each.reference.as_ref().map(|reference| format!(" {}", reference.text())).unwrap_or_default();
        let does = match each.amount {
            Some(amount) if amount.is_sign_negative() => format!("adds {}", money(amount.abs())),
            Some(amount) => format!("takes {}", money(amount)),
            None => "changes the payment by an amount that is not said".to_owned(),
        };
        let _ = writeln!(text, "  Not for a claim: {}{reference} {does}.", each.reason.label);
    }
    let balance = &tail.balance;
    let claims = if claims == 1 { "1 claim".to_owned() } else { format!("{claims} claims") };
    let words = match (balance.ok, balance.off_by) {
        (true, _) => "all amounts add up".to_owned(),
        (false, Some(off_by)) if !off_by.is_zero() => {
            format!("the payment is {} {} than what the claims add up to", money(off_by.abs()), more(off_by))
        }
        (false, _) => format!("{} sums do not add up, {} could not be made", balance.uneven, balance.unknown),
    };
    let _ = writeln!(text, "  {claims}; {words}.");
}

fn more(off_by: Decimal) -> &'static str {
    if off_by.is_sign_negative() { "less" } else { "more" }
}

fn sums(charged: Option<Decimal>, paid: Option<Decimal>) -> String {
    let said = |amount: Option<Decimal>| amount.map_or("not said".to_owned(), money);
    format!("Charged {}, paid {}", said(charged), said(paid))
}

fn days(span: &DateSpan) -> String {
    match (span.from, span.to) {
        (Some(from), Some(to)) if from != to => format!(", {from} to {to}"),
        (Some(day), _) | (None, Some(day)) => format!(", {day}"),
        (None, None) => String::new(),
    }
}

/// With two decimal places, or as many more as it has.
fn money(amount: Decimal) -> String {
    let mut amount = amount;
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    amount.to_string()
}

#[cfg(test)]
mod tests {
    use super::super::Texts;

    #[test]
    fn a_remittance_is_told_claim_by_claim() {
        let file = "ST*835*0001~BPR*I*78.5*C*CHK************20261120~TRN*1*EFT1*1512345678~N1*PR*NORTHSTAR~N1*PE*BONE CLINIC~LX*1~\
                    CLP*A-1*1*125*80*20*12*NS-1~NM1*QC*1*ZANZIBAR*ADA~SVC*HC:99213*125*80~DTM*472*20261103~CAS*CO*45*25~\
                    CAS*PR*3*20~LQ*HE*N130~CLP*A-2*4*50*0**12*NS-2~CAS*CO*197*40~PLB*1*20261231*WO:NS-0*3*L6*-1.5~SE*16*0001~";
        let mut texts = Texts::new(file.as_bytes(), jiff::civil::Date::constant(2026, 11, 23));
        let mut all = Vec::new();
        while let Some(text) = texts.next_text().unwrap() {
            all.push(text);
        }
        let whole = all.concat();
        for said in [
            "control number 0001: NORTHSTAR pays BONE CLINIC 78.50; Cheque, 2026-11-20, number EFT1.",
            "Claim A-1 (the carrier's NS-1), ADA ZANZIBAR: Processed as primary.\n    Charged 125.00, paid 80.00; the patient owes 20.00.",
            "HC:99213, 2026-11-03: Charged 125.00, paid 80.00.",
            "- 25.00 CO: 45, Charge is above the fee schedule or contracted amount (the practice bears it).",
            "- 20.00 PR: 3, Copayment (the patient owes it).",
            "To do: Bill the patient",
            "Claim A-2 (the carrier's NS-2): Denied.",
            "To do: Look for the authorization number",
            "! Does not add up: paid is not charged less adjustments; off by -10.00.",
            "Not for a claim: Overpayment recovery NS-0 takes 3.00.",
            "Not for a claim: Interest owed adds 1.50.",
            "  2 claims; 1 sums do not add up, 0 could not be made.",
            "SE01 does not give",
        ] {
            assert!(whole.contains(said), "{said}\n---\n{whole}");
        }
        // Each claim is a text of its own: nothing grows with the file.
        assert!(all.len() >= 3, "{}", all.len());
    }
}
