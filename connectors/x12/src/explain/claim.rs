//! Claims (837) in plain words: whose, what was done when, charged, and who gets paid.

use std::fmt::Write;

use rust_decimal::Decimal;

use crate::claim::{Billing, Claim, Claims, Kind, Line, OtherInsurance, Party, Patient, Person, Sbr, Subscriber};
use crate::codes::{Table, label};
use crate::envelope::Transaction;
use crate::model::common::{Dtp, Nm1};

/// Claims of one transaction set that are told; more are counted.
const MAX_TOLD: usize = 1_000;

/// Tells an 837; `false` where it is something else.
pub(super) fn tell(text: &mut String, transaction: &Transaction) -> bool {
    if transaction.id != Claims::ID {
        return false;
    }
    let claims = Claims::read(&transaction.segments);
    head(text, &claims, &transaction.control);
    let mut teller = Teller { text, told: 0, left_out: 0 };
    for billing in &claims.billing {
        for subscriber in &billing.subscribers {
            for claim in &subscriber.claims {
                teller.claim(&Told { billing, subscriber, patient: None, claim });
            }
            for patient in &subscriber.patients {
                for claim in &patient.claims {
                    teller.claim(&Told { billing, subscriber, patient: Some(patient), claim });
                }
            }
        }
    }
    if teller.left_out > 0 {
        let _ = writeln!(teller.text, "  And {} more.", teller.left_out);
    }
    true
}

fn head(text: &mut String, claims: &Claims<'_>, control: &str) {
    let kind = match claims.kind() {
        Some(Kind::Professional) => "Professional claims (837P)",
        Some(Kind::Institutional) => "Institutional claims (837I)",
        Some(Kind::Dental) => "Dental claims (837D)",
        None => "Claims (837)",
    };
    let count = claims.claims().count();
    let charged =
        claims.claims().filter_map(|claim| claim.claim.charged.get()).try_fold(Decimal::ZERO, Decimal::checked_add);
    let _ = write!(text, "{kind}, control number {control}: {count} {}", if count == 1 { "claim" } else { "claims" });
    if let Some(charged) = charged {
        let _ = write!(text, ", {charged} charged");
    }
    let name = |party: &Option<Party<'_>>| party.as_ref().map(|party| name(&party.name)).unwrap_or_default();
    let (from, to) = (name(&claims.submitter), name(&claims.receiver));
    if !from.is_empty() {
        let _ = write!(text, ", sent by {from}");
    }
    if !to.is_empty() {
        let _ = write!(text, " to {to}");
    }
    let _ = writeln!(text, ".");
}

/// A claim with those it is of.
struct Told<'t, 'a> {
    billing: &'t Billing<'a>,
    subscriber: &'t Subscriber<'a>,
    patient: Option<&'t Patient<'a>>,
    claim: &'t Claim<'a>,
}

struct Teller<'t> {
    text: &'t mut String,
    told: usize,
    left_out: usize,
}

impl Teller<'_> {
    fn claim(&mut self, told: &Told<'_, '_>) {
        if self.told >= MAX_TOLD {
            self.left_out += 1;
            return;
        }
        self.told += 1;
        let (claim, clm) = (told.claim, &told.claim.claim);
        let mut head = format!("Claim {} for {}", clm.control_number, patient(told));
        if let Some(charged) = clm.charged.get() {
            let _ = write!(head, ": {charged} charged");
        }
        let _ = writeln!(self.text, "  {head}.");
        self.line(&what(claim));
        self.line(&to_whom(told));
        for party in &claim.providers {
            let role = label(Table::Entity, &party.name.entity).unwrap_or("Other party");
            let who = who(party);
            if !who.is_empty() {
                self.line(&format!("{role}: {who}"));
            }
        }
        for line in &claim.lines {
            self.line(&format!("- {}", service(line)));
        }
        for insurance in &claim.other_insurances {
            self.line(&other(insurance));
        }
        if let Some(paid) = claim.amount("F5").filter(|paid| !paid.is_zero()) {
            self.line(&format!("The patient paid {paid}."));
        }
    }

    fn line(&mut self, line: &str) {
        if !line.is_empty() {
            let _ = writeln!(self.text, "    {line}");
        }
    }
}

/// Who was treated, and through whom insured.
fn patient(told: &Told<'_, '_>) -> String {
    let person = |person: Option<&Person<'_>>| person.map(|person| name(&person.name)).unwrap_or_default();
    let subscriber = person(told.subscriber.name.as_ref());
    let member = told.subscriber.name.as_ref().map_or("", |person| &*person.name.id);
    let member = if member.is_empty() { String::new() } else { format!(" (member {member})") };
    let Some(patient) = told.patient else { return format!("{subscriber}{member}") };
    let relation = patient.patient.as_ref().and_then(|pat| label(Table::Relationship, &pat.relationship));
    let relation = relation.map(|relation| format!(", {}", relation.to_lowercase())).unwrap_or_default();
    format!("{}{relation} of {subscriber}{member}", person(patient.name.as_ref()))
}

/// What kind of claim: first or again, where, for what illness, in which days.
fn what(claim: &Claim<'_>) -> String {
    let location = &claim.claim.location;
    let mut parts = Vec::new();
    match &*location.frequency {
        "" | "1" => {}
        frequency => parts.push(label(Table::ClaimFrequency, frequency).unwrap_or("Sent again").to_owned()),
    }
    if !claim.claim.submission_reason.is_empty() {
        parts.push("Asks what would be paid".to_owned());
    }
    match (&*location.qualifier, &*location.facility) {
        (_, "") => {}
        ("A", facility) => parts.push(format!("Type of bill {facility}{}", location.frequency)),
        (_, facility) => {
            parts.push(label(Table::Place, facility).map_or_else(|| format!("Place {facility}"), str::to_owned))
        }
    }
    if let Some(days) = claim.dates.iter().find(|date| matches!(&*date.qualifier, "434" | "472")).map(when) {
        parts.push(days);
    }
    let diagnoses: Vec<&str> = claim.diagnoses().map(|code| &*code.code).collect();
    if !diagnoses.is_empty() {
        parts.push(format!("diagnoses {}", diagnoses.join(", ")));
    }
    if let Some(accident) = claim.dates.iter().find(|date| date.qualifier == "439").map(when) {
        parts.push(format!("accident on {accident}"));
    }
    if let Some(number) = claim.reference("G1") {
        parts.push(format!("authorization {number}"));
    }
    if let Some(number) = claim.reference("F8") {
        parts.push(format!("the payer's earlier claim {number}"));
    }
    sentence(&parts)
}

/// The payer, its turn, and who is to be paid.
fn to_whom(told: &Told<'_, '_>) -> String {
    let mut parts = Vec::new();
    let payer = told.subscriber.payer.as_ref().map(|payer| name(&payer.name)).unwrap_or_default();
    let turn = told.subscriber.insurance.as_ref().map_or("", turn);
    if !payer.is_empty() {
        parts.push(format!("To {payer}{turn}"));
    }
    let payee = if told.claim.claim.benefits_assigned == "N" {
        "the patient".to_owned()
    } else {
        let plan = told.billing.pay_to_plan.as_ref().or(told.billing.provider.as_ref());
        plan.map(|party| name(&party.name)).unwrap_or_default()
    };
    if !payee.is_empty() {
        parts.push(format!("payment goes to {payee}"));
    }
    sentence(&parts)
}

fn turn(insurance: &Sbr<'_>) -> &'static str {
    match &*insurance.order {
        "P" => ", which pays first",
        "S" => ", which pays second",
        "T" => ", which pays third",
        _ => "",
    }
}

/// One line: when, what, how many, how much.
fn service(line: &Line<'_>) -> String {
    let Some(charge) = line.charge() else { return "A line without a service".to_owned() };
    let mut words = Vec::new();
    words.extend(line.dates.iter().find(|date| date.qualifier == "472").map(when));
    if !charge.revenue.is_empty() {
        words.push(format!("revenue code {}", charge.revenue));
    }
    if let Some(procedure) = charge.procedure {
        let modifiers = [&procedure.modifier_1, &procedure.modifier_2, &procedure.modifier_3, &procedure.modifier_4];
        let codes = std::iter::once(&procedure.code).chain(modifiers).filter(|code| !code.is_empty());
        words.push(codes.map(AsRef::as_ref).collect::<Vec<_>>().join(" "));
    }
    words.extend(line.teeth.iter().map(|tooth| format!("tooth {}", tooth.tooth)));
    words.extend(line.drugs.iter().map(|drug| format!("drug {}", drug.item.id)));
    if let Some(quantity) = charge.quantity.filter(|quantity| *quantity != Decimal::ONE) {
        let unit = match charge.unit {
            "MJ" => "minutes",
            "DA" => "days",
            _ => "units",
        };
        words.push(format!("{quantity} {unit}"));
    }
    let amount = charge.amount.map(|amount| format!(": {amount}")).unwrap_or_default();
    format!("{}{amount}", words.join(", "))
}

fn other(insurance: &OtherInsurance<'_>) -> String {
    let name = insurance.payer.as_ref().map(|payer| name(&payer.name)).unwrap_or_default();
    let name = if name.is_empty() { "Another insurance" } else { &name };
    let mut said = format!("{name}{}", turn(&insurance.insurance));
    if let Some(paid) = insurance.amount("D") {
        let _ = write!(said, ", paid {paid}");
    }
    if let Some(left) = insurance.amount("EAF") {
        let _ = write!(said, " and left {left} to the patient");
    }
    format!("Also insured: {said}.")
}

fn sentence(parts: &[String]) -> String {
    if parts.is_empty() { String::new() } else { format!("{}.", parts.join("; ")) }
}

/// The name; of a place without one, the address.
fn who(party: &Party<'_>) -> String {
    let name = name(&party.name);
    if !name.is_empty() {
        return name;
    }
    let street = party.street.as_ref().map_or("", |street| &*street.line_1);
    let city = party.city.as_ref().map_or("", |city| &*city.city);
    [street, city].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn name(name: &Nm1<'_>) -> String {
    let parts = [&name.first_name, &name.middle_name, &name.last_name, &name.suffix];
    let given = parts.into_iter().filter(|part| !part.is_empty()).map(AsRef::as_ref);
    given.collect::<Vec<&str>>().join(" ")
}

/// A day or a span, as people write it; anything else as it stands.
fn when(date: &Dtp<'_>) -> String {
    match date.value.split_once('-') {
        Some((first, last)) if first == last => day(first),
        Some((first, last)) => format!("{} to {}", day(first), day(last)),
        None => day(&date.value),
    }
}

fn day(digits: &str) -> String {
    match (digits.get(..4), digits.get(4..6), digits.get(6..8)) {
        (Some(year), Some(month), Some(day)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{year}-{month}-{day}")
        }
        _ => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::explain::Texts;

    #[test]
    fn a_claim_is_told_in_few_words() {
        let file = "ST*837*0001*005010X222A1~BHT*0019*00*B1*20261123*1200*CH~NM1*41*2*NORTHSTAR CLINIC*****46*S1~\
            NM1*40*2*SOUTHSTAR*****46*6~HL*1**20*1~NM1*85*2*NORTHSTAR CLINIC*****XX*1234567893~HL*2*1*22*1~\
            SBR*S**G1******CI~NM1*IL*1*ZANZIBAR*ADA****MI*W1~NM1*PR*2*SOUTHSTAR*****PI*6~HL*3*2*23*0~PAT*19~\
            NM1*QC*1*ZANZIBAR*BO~CLM*C1*150.5***11:B:7*Y*A*Y*Y~DTP*439*D8*20261101~REF*F8*ICN1~HI*ABK:S060X0A*ABF:R51~\
            NM1*82*1*LYON*LEA~NM1*PW*2~N3*9 FIR~N4*SALEM*OR~SBR*P*18*******MB~AMT*D*100~AMT*EAF*12~NM1*PR*2*EASTSTAR*****PI*1~\
            LX*1~SV1*HC:99213:25*100.5*UN*1***1~DTP*472*D8*20261102~LX*2~SV1*HC:J1100*50*UN*2***1~\
            DTP*472*RD8*20261102-20261104~LIN**N4*00002751001~SE*31*0001~";
        let text = Texts::new(file.as_bytes(), jiff::civil::date(2026, 11, 23)).next_text().unwrap().unwrap();
        let told = text.lines().take_while(|line| !line.contains("Odd")).collect::<Vec<_>>().join("\n");
        assert_eq!(
            told,
            "Professional claims (837P), control number 0001: 1 claim, 150.5 charged, sent by NORTHSTAR CLINIC to SOUTHSTAR.\n  \
             Claim C1 for BO ZANZIBAR, child of ADA ZANZIBAR (member W1): 150.5 charged.\n    \
             Replacement of an earlier claim; Office; diagnoses S060X0A, R51; accident on 2026-11-01; the payer's earlier claim ICN1.\n    \
             To SOUTHSTAR, which pays second; payment goes to NORTHSTAR CLINIC.\n    \
             Rendering provider: LEA LYON\n    \
             Pickup address: 9 FIR, SALEM\n    \
             - 2026-11-02, 99213 25: 100.5\n    \
             - 2026-11-02 to 2026-11-04, J1100, drug 00002751001, 2 units: 50\n    \
             Also insured: EASTSTAR, which pays first, paid 100 and left 12 to the patient."
        );
    }

    #[test]
    fn whatever_stands_there_something_is_told() {
        for file in ["ST*837*1~SE*2*1~", "ST*837*1~HL*1**20*1~HL*2*1*22*0~CLM*~LX~SV1~LX*2~DTP*472*RD8*-~SE*8*1~"] {
            let mut texts = Texts::new(file.as_bytes(), jiff::civil::date(2026, 11, 23));
            let text = texts.next_text().unwrap().unwrap();
            let line = text.lines().next().unwrap();
            assert!(line.contains("laims (837") && line.contains("control number 1: "), "{text}");
        }
    }
}
