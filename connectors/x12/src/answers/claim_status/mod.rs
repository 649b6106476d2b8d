//! What a 277 says of each claim, as answers with provenance.
//!
//! How the state of a claim is told: each status says one by its category ([`state_of`]). Of several, those of the latest
//! effective date count (and those without a date); of these the most telling one wins: paid or denied (both: finalized),
//! finalized, rejected, not on file, pended, in process, accepted, received. A claim without a status of its own has that
//! of its lines, and is not decided before all of them are. No code is guessed at: an unknown category says nothing.

mod statuses;

use connector_sdk::Phi;
use connector_sdk::answer::claim_status::{ClaimPayment, ClaimState, ClaimStatusAnswer, ClaimStatusLine, ClaimTotal};
use connector_sdk::answer::{Coded, DateFact, DateSpan, Identifier, MemberOnFile, Provenance, RawRef};
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::words::{date, identifier, phi, provenance, some};
use crate::model::At;
use crate::model::common::{Amt, Dmg, Dtp, Nm1, Procedure, Qty, Ref, Trn};
use crate::status::{
    ClaimStatusResponse, ResponseDependent, ResponsePatient, StatusForm, StatusLine, StatusTrace, Stc,
};

pub use statuses::state_of;

/// Whom a status is said of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimLevel {
    /// Everything the source has to say.
    Source,
    /// Everything the receiver sent or asked.
    Receiver,
    /// Everything of one provider.
    Provider,
    /// One claim.
    Claim,
}

impl ClaimLevel {
    /// A fixed word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Receiver => "receiver",
            Self::Provider => "provider",
            Self::Claim => "claim",
        }
    }
}

/// What a 277 says of one claim, or of all that was sent.
#[derive(Clone, Debug)]
pub struct ClaimAnswered {
    /// Of what.
    pub level: ClaimLevel,
    /// TRN02: in an answer to a 276, the number of the question; in a 277CA, what the sender called the claim.
    pub trace: Option<Phi<String>>,
    /// Where it stands.
    pub answer: ClaimStatusAnswer,
}

/// What a 277 says, claim by claim; what is said of a provider, of the receiver or by the source comes before the claims
/// below it. `transaction` is the place of the transaction set in its interchange, `segments` how many it has.
pub fn claim_status(response: &ClaimStatusResponse<'_>, transaction: u32, segments: u32) -> Vec<ClaimAnswered> {
    let acknowledges = response.form() == StatusForm::Acknowledgment;
    let mut gathered = Gathered { transaction, segments, acknowledges, found: Vec::new() };
    for source in &response.sources {
        gathered.traces(ClaimLevel::Source, "2200A", &source.traces);
        gathered.patients(&source.patients);
        for provider in &source.providers {
            gathered.provider(provider);
        }
        for receiver in &source.receivers {
            gathered.traces(ClaimLevel::Receiver, "2200B", &receiver.traces);
            gathered.patients(&receiver.patients);
            for provider in &receiver.providers {
                gathered.provider(provider);
            }
        }
    }
    gathered.found
}

/// A patient: whom the claims below are for.
#[derive(Clone, Copy, Default)]
struct Person<'m> {
    subscriber: Option<&'m Nm1<'m>>,
    dependent: Option<&'m Nm1<'m>>,
    demographics: Option<&'m Dmg<'m>>,
}

/// What is said of one claim or submission, with a TRN before it or without.
#[derive(Clone, Copy)]
struct Said<'m> {
    loop_id: &'static str,
    trace: Option<&'m Trn<'m>>,
    statuses: &'m [Stc<'m>],
    references: &'m [Ref<'m>],
    quantities: &'m [Qty<'m>],
    amounts: &'m [Amt<'m>],
    dates: &'m [Dtp<'m>],
    lines: &'m [StatusLine<'m>],
}

impl<'m> Said<'m> {
    fn of(loop_id: &'static str, trace: &'m StatusTrace<'m>) -> Self {
        Self {
            loop_id,
            trace: Some(&trace.trace),
            statuses: &trace.statuses,
            references: &trace.references,
            quantities: &trace.quantities,
            amounts: &trace.amounts,
            dates: &trace.dates,
            lines: &trace.lines,
        }
    }

    /// What stands before the first TRN of a patient.
    fn untraced(
        loop_id: &'static str,
        statuses: &'m [Stc<'m>],
        references: &'m [Ref<'m>],
        dates: &'m [Dtp<'m>],
    ) -> Self {
        Self { loop_id, trace: None, statuses, references, quantities: &[], amounts: &[], dates, lines: &[] }
    }

    fn line_loop(&self) -> &'static str {
        if self.loop_id == "2200E" { "2220E" } else { "2220D" }
    }
}

struct Gathered {
    transaction: u32,
    segments: u32,
    acknowledges: bool,
    found: Vec<ClaimAnswered>,
}

impl Gathered {
    fn provider(&mut self, provider: &crate::status::ResponseProvider<'_>) {
        self.traces(ClaimLevel::Provider, "2200C", &provider.traces);
        for dependent in &provider.dependents {
            self.dependent(dependent, None);
        }
        self.patients(&provider.patients);
    }

    fn patients(&mut self, patients: &[ResponsePatient<'_>]) {
        for patient in patients {
            let subscriber = patient.names.first();
            let person = Person { subscriber, dependent: None, demographics: patient.demographics.as_ref() };
            if !patient.statuses.is_empty() {
                let said = Said::untraced("2200D", &patient.statuses, &patient.references, &patient.dates);
                self.add(ClaimLevel::Claim, said, person);
            }
            for trace in &patient.traces {
                self.add(ClaimLevel::Claim, Said::of("2200D", trace), person);
            }
            for dependent in &patient.dependents {
                self.dependent(dependent, subscriber);
            }
        }
    }

    fn dependent<'m>(&mut self, dependent: &'m ResponseDependent<'m>, subscriber: Option<&'m Nm1<'m>>) {
        let person =
            Person { subscriber, dependent: dependent.names.first(), demographics: dependent.demographics.as_ref() };
        if !dependent.statuses.is_empty() {
            let said = Said::untraced("2200E", &dependent.statuses, &dependent.references, &dependent.dates);
            self.add(ClaimLevel::Claim, said, person);
        }
        for trace in &dependent.traces {
            self.add(ClaimLevel::Claim, Said::of("2200E", trace), person);
        }
    }

    /// What is said of more than one claim; a trace number alone says nothing.
    fn traces(&mut self, level: ClaimLevel, loop_id: &'static str, traces: &[StatusTrace<'_>]) {
        for trace in traces {
            let said = Said::of(loop_id, trace);
            if !(said.statuses.is_empty() && said.quantities.is_empty() && said.amounts.is_empty()) {
                self.add(level, said, Person::default());
            }
        }
    }

    fn add(&mut self, level: ClaimLevel, said: Said<'_>, person: Person<'_>) {
        let answer = Maker { gathered: self, said }.answer(level, person);
        let trace = said.trace.and_then(|trace| phi(&trace.number));
        self.found.push(ClaimAnswered { level, trace, answer });
    }
}

/// Makes one answer.
struct Maker<'m> {
    gathered: &'m Gathered,
    said: Said<'m>,
}

impl Maker<'_> {
    fn place(&self, at: At, id: &str, of: &[&str]) -> Provenance {
        provenance(self.gathered.transaction, at.0, id, self.said.loop_id, of)
    }

    fn answer(&self, level: ClaimLevel, person: Person<'_>) -> ClaimStatusAnswer {
        let said = self.said;
        let mut answer = ClaimStatusAnswer {
            statuses: statuses::all(said.statuses, self.gathered, said.loop_id),
            lines: said.lines.iter().map(|line| self.line(line)).collect(),
            raw: RawRef { transaction: "277".to_owned(), segments: self.gathered.segments },
            ..ClaimStatusAnswer::default()
        };
        answer.state = match statuses::state(&answer.statuses) {
            ClaimState::Unknown => statuses::state_of_lines(&answer.lines),
            state => state,
        };
        answer.next_action = statuses::next_action(level, &answer);
        self.person(&mut answer, person);
        self.numbers(&mut answer, level);
        self.money(&mut answer);
        self.dates(&mut answer);
        self.totals(&mut answer);
        answer
    }

    fn person(&self, answer: &mut ClaimStatusAnswer, person: Person<'_>) {
        let Some(name) = person.dependent.or(person.subscriber) else { return };
        let id = [person.dependent, person.subscriber].into_iter().flatten().find(|name| !name.id.is_empty());
        answer.patient = MemberOnFile {
            member_id: id.and_then(|name| phi(&name.id)),
            first_name: phi(&name.first_name),
            middle_name: phi(&name.middle_name),
            last_name: phi(&name.last_name),
            suffix: phi(&name.suffix),
            date_of_birth: person.demographics.and_then(|dmg| dmg.born.get()).map(Phi::new),
            ..MemberOnFile::default()
        };
        let loop_id = if person.dependent.is_some() { "2100E" } else { "2100D" };
        answer.provenance.push(provenance(self.gathered.transaction, name.at.0, "NM1", loop_id, &["patient"]));
    }

    fn numbers(&self, answer: &mut ClaimStatusAnswer, level: ClaimLevel) {
        let own = self.said.trace.filter(|_| level == ClaimLevel::Claim && self.gathered.acknowledges);
        if let Some((trace, value)) = own.and_then(|trace| Some((trace, phi(&trace.number)?))) {
            let kind = Coded::new("TRN", "Claim number of the provider");
            answer.claim_numbers.push(Identifier { kind, value, description: None });
            answer.provenance.push(self.place(trace.at, "TRN", &["claim_numbers"]));
        }
        for reference in self.said.references {
            if reference.qualifier == "BLT" {
                answer.type_of_bill = some(&reference.value);
                answer.provenance.push(self.place(reference.at, "REF", &["type_of_bill"]));
            } else {
                answer.claim_numbers.push(identifier(reference));
                answer.provenance.push(self.place(reference.at, "REF", &["claim_numbers"]));
            }
        }
    }

    /// Amounts as the statuses that count give them, else as any gives them.
    fn money(&self, answer: &mut ClaimStatusAnswer) {
        let latest = self.said.statuses.iter().filter_map(|stc| stc.effective.get()).max();
        let counts = |stc: &&Stc<'_>| stc.effective.get().is_none_or(|day| Some(day) == latest);
        let amount = |of: fn(&Stc<'_>) -> Option<Decimal>| {
            let all = self.said.statuses.iter();
            all.clone().filter(counts).chain(all).find_map(|stc| Some((of(stc)?, stc.at)))
        };
        if let Some((charged, at)) = amount(|stc| stc.charged.get()) {
            answer.charged = Some(charged);
            answer.provenance.push(self.place(at, "STC", &["charged"]));
        }
        if let Some((paid, at)) = amount(|stc| stc.paid.get()) {
            answer.paid = Some(paid);
            answer.provenance.push(self.place(at, "STC", &["paid"]));
        }
        for stc in self.said.statuses {
            let payment = ClaimPayment {
                amount: stc.paid.get(),
                method: some(&stc.method).map(|code| method(&code)),
                date: stc.payment_date.get(),
                number: phi(&stc.payment_number),
                provenance: vec![self.place(stc.at, "STC", &["payments"])],
            };
            let named = payment.date.is_some() || payment.number.is_some();
            let known =
                answer.payments.iter().any(|other| other.number == payment.number && other.date == payment.date);
            if named && stc.method != "NON" && !known {
                answer.payments.push(payment);
            }
        }
    }

    fn dates(&self, answer: &mut ClaimStatusAnswer) {
        for dtp in self.said.dates {
            answer.dates.push(date(dtp));
            answer.provenance.push(self.place(dtp.at, "DTP", &["dates"]));
        }
        let mut told: Option<Date> = None;
        for stc in self.said.statuses {
            let Some(day) = stc.decided.get().filter(|day| told != Some(*day)) else { continue };
            told = Some(day);
            let span = DateSpan { from: Some(day), to: Some(day) };
            let kind = Coded::new("STC06", "Decided or paid");
            answer.dates.push(DateFact { kind, span, text: day.strftime("%Y%m%d").to_string() });
            answer.provenance.push(self.place(stc.at, "STC", &["dates"]));
        }
    }

    fn totals(&self, answer: &mut ClaimStatusAnswer) {
        let kind = |code: &str| match code {
            "90" | "QA" => Coded::new(code, "Claims accepted"),
            "AA" | "QC" => Coded::new(code, "Claims rejected"),
            "YU" => Coded::new(code, "Charges accepted"),
            "YY" => Coded::new(code, "Charges rejected"),
            other => Coded::new(other, other),
        };
        for qty in self.said.quantities {
            answer.totals.push(ClaimTotal {
                kind: kind(&qty.qualifier),
                count: qty.quantity.get(),
                amount: None,
                provenance: vec![self.place(qty.at, "QTY", &["count"])],
            });
        }
        for amt in self.said.amounts {
            answer.totals.push(ClaimTotal {
                kind: kind(&amt.qualifier),
                count: None,
                amount: amt.amount.get(),
                provenance: vec![self.place(amt.at, "AMT", &["amount"])],
            });
        }
    }

    fn line(&self, line: &StatusLine<'_>) -> ClaimStatusLine {
        let loop_id = self.said.line_loop();
        let place = |at: At, id: &str, of: &[&str]| provenance(self.gathered.transaction, at.0, id, loop_id, of);
        let statuses = statuses::all(&line.statuses, self.gathered, loop_id);
        let (charged, paid, units) = (line.service.charged.get(), line.service.paid.get(), line.service.units.get());
        let given = [("charged", charged), ("paid", paid), ("units", units)];
        let mut of = vec!["procedure"];
        of.extend(given.iter().filter(|(_, number)| number.is_some()).map(|(name, _)| *name));
        let mut provenance = vec![place(line.service.at, "SVC", &of)];
        provenance.extend(line.references.iter().map(|reference| place(reference.at, "REF", &["numbers"])));
        provenance.extend(line.dates.iter().map(|dtp| place(dtp.at, "DTP", &["dates"])));
        ClaimStatusLine {
            procedure: procedure(&line.service.procedure),
            revenue_code: some(&line.service.revenue),
            numbers: line.references.iter().map(identifier).collect(),
            state: statuses::state(&statuses),
            charged,
            paid,
            units,
            dates: line.dates.iter().map(date).collect(),
            statuses,
            provenance,
        }
    }
}

/// `HC:99213:25`: code list, code and modifiers as sent.
fn procedure(sent: &Procedure<'_>) -> Coded {
    let parts = [&sent.system, &sent.code, &sent.modifier_1, &sent.modifier_2, &sent.modifier_3, &sent.modifier_4];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).map(|part| &**part).collect();
    let code = parts.join(":");
    let label = if sent.description.is_empty() { code.clone() } else { sent.description.to_string() };
    Coded::new(code, label)
}

fn method(code: &str) -> Coded {
    let label = match code {
        "CHK" => "Check",
        "ACH" => "Bank transfer (ACH)",
        "FWT" => "Wire transfer",
        "BOP" => "Transfer as the bank chooses",
        "NON" => "No payment",
        other => other,
    };
    Coded::new(code, label)
}
