//! Claims and their lines.

use connector_sdk::answer::remittance::{Adjustment, PaidClaim, PaidLine, Quantified, SumRule, Uneven};
use connector_sdk::answer::{Coded, Contact, DateFact, DateSpan, Identifier};

use super::super::words::{coded, coded_some, phi, some};
use super::{Teller, identified, next_action, reference, written};
use crate::codes::{Table, label};
use crate::model::Money;
use crate::model::common::{Amt, Dtm, Nm1, Procedure};
use crate::remittance::{Cas, Claim, ClaimPayment, Mismatch, Rule, ServicePayment};

impl Teller {
    /// One claim.
    pub(crate) fn claim(&self, claim: &Claim<'_>) -> PaidClaim {
        let read = claim.read();
        let clp = &read.claim;
        let mut told = PaidClaim {
            numbers: numbers(&read),
            people: read.names.iter().map(person).collect(),
            status: coded(Table::ClaimPaymentStatus, &clp.status),
            reversal: read.reverses(),
            plan_kind: coded_some(Table::ClaimFiling, &clp.filing),
            charged: clp.charged.get(),
            paid: clp.paid.get(),
            patient_owes: clp.patient_owes.get(),
            remarks: remarks(&read),
            dates: read.dates.iter().map(date).collect(),
            amounts: read.amounts.iter().filter_map(amount).collect(),
            quantities: read
                .quantities
                .iter()
                .filter_map(|qty| quantified(Table::PaymentQuantity, &qty.qualifier, &qty.quantity))
                .collect(),
            lines: read.lines.iter().map(|line| self.line(line, read.reverses())).collect(),
            uneven: claim.mismatches().iter().map(|mismatch| self.uneven(mismatch)).collect(),
            ..PaidClaim::default()
        };
        told.provenance.push(self.place(clp.at.0, "CLP", "2100", &["charged", "paid", "patient_owes", "status"]));
        for cas in &read.adjustments {
            self.adjust(cas, "2100", read.reverses(), &mut told.adjustments, &mut told.provenance);
        }
        for (number, amt) in read.amounts.iter().filter(|amt| amt.amount.get().is_some()).enumerate() {
            told.provenance.push(self.place(amt.at.0, "AMT", "2100", &[&format!("amounts[{number}]")]));
        }
        for (number, qty) in read.quantities.iter().filter(|qty| qty.quantity.get().is_some()).enumerate() {
            told.provenance.push(self.place(qty.at.0, "QTY", "2100", &[&format!("quantities[{number}]")]));
        }
        told
    }

    fn line(&self, line: &ServicePayment<'_>, reversal: bool) -> PaidLine {
        let svc = &line.service;
        let mut told = PaidLine {
            procedure: procedure(&svc.procedure),
            submitted: svc
                .submitted
                .as_ref()
                .filter(|submitted| !submitted.code.is_empty())
                .map(|submitted| procedure(submitted)),
            revenue: some(&svc.revenue),
            dates: span(&line.dates),
            charged: svc.charged.get(),
            paid: svc.paid.get(),
            units: svc.paid_units.get(),
            allowed: line.amounts.iter().find(|amt| amt.qualifier == "B6").and_then(|amt| amt.amount.get()),
            remarks: line.remarks.iter().map(|lq| coded(Table::Remark, &lq.code)).collect(),
            numbers: line.references.iter().map(reference).collect(),
            amounts: line.amounts.iter().filter_map(amount).collect(),
            ..PaidLine::default()
        };
        told.provenance.push(self.place(svc.at.0, "SVC", "2110", &["charged", "paid", "units"]));
        for cas in &line.adjustments {
            self.adjust(cas, "2110", reversal, &mut told.adjustments, &mut told.provenance);
        }
        for (number, amt) in line.amounts.iter().filter(|amt| amt.amount.get().is_some()).enumerate() {
            let field = format!("amounts[{number}]");
            let of: &[&str] = if amt.qualifier == "B6" { &[&field, "allowed"] } else { &[&field] };
            told.provenance.push(self.place(amt.at.0, "AMT", "2110", of));
        }
        told
    }

    /// The adjustments of a CAS, and where they stand.
    fn adjust(
        &self,
        cas: &Cas<'_>,
        loop_id: &str,
        reversal: bool,
        into: &mut Vec<Adjustment>,
        provenance: &mut Vec<connector_sdk::answer::Provenance>,
    ) {
        let fields: Vec<String> =
            (into.len()..).zip(cas.adjustments()).map(|(at, _)| format!("adjustments[{at}]")).collect();
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        provenance.push(self.place(cas.at.0, "CAS", loop_id, &fields));
        into.extend(cas.adjustments().map(|adjustment| {
            Adjustment {
                group: coded(Table::AdjustmentGroup, &cas.group),
                code: adjustment.reason.to_string(),
                amount: adjustment.amount.get(),
                quantity: adjustment.quantity.get(),
                plain: label(Table::AdjustmentReason, &adjustment.reason)
                    .map_or_else(|| format!("Reason {}, which nobody here knows", adjustment.reason), str::to_owned),
                next_action: match adjustment.amount.get() {
                    Some(amount) if reversal || amount <= rust_decimal::Decimal::ZERO => None,
                    _ => next_action(&cas.group, &adjustment.reason),
                },
            }
        }));
    }

    fn uneven(&self, mismatch: &Mismatch) -> Uneven {
        let (rule, id, loop_id, field) = match mismatch.rule {
            Rule::Line => (SumRule::Line, "SVC", "2110", "paid"),
            Rule::Claim => (SumRule::Claim, "CLP", "2100", "paid"),
            Rule::LineCharges => (SumRule::LineCharges, "CLP", "2100", "charged"),
            Rule::Predetermination => (SumRule::Predetermination, "CLP", "2100", "paid"),
            Rule::Payment => (SumRule::Payment, "BPR", "", "payment.amount"),
        };
        Uneven { rule, off_by: mismatch.off_by, provenance: self.place(mismatch.at.0, id, loop_id, &[field]) }
    }
}

fn numbers(claim: &ClaimPayment<'_>) -> Vec<Identifier> {
    let own = [
        ("CLP01", "The practice's number", &claim.claim.patient_control),
        ("CLP07", "The carrier's number", &claim.claim.payer_control),
    ];
    let own = own.into_iter().filter(|(_, _, value)| !value.is_empty()).map(|(code, words, value)| Identifier {
        kind: Coded::new(code, words),
        value: connector_sdk::Phi::new(value.to_string()),
        description: None,
    });
    own.chain(claim.references.iter().map(reference)).collect()
}

fn remarks(claim: &ClaimPayment<'_>) -> Vec<Coded> {
    let inpatient = claim.inpatient.iter().flat_map(|mia| mia.remarks());
    let outpatient = claim.outpatient.iter().flat_map(|moa| moa.remarks());
    inpatient.chain(outpatient).map(|code| coded(Table::Remark, code)).collect()
}

/// A person or an organisation that a claim names.
fn person(nm1: &Nm1<'_>) -> Contact {
    let name = [&nm1.first_name, &nm1.middle_name, &nm1.last_name, &nm1.suffix];
    let name: Vec<&str> = name.iter().filter(|part| !part.is_empty()).map(|part| &***part).collect();
    let id = (!nm1.id.is_empty()).then(|| identified(Table::IdKind, &nm1.qualifier, &nm1.id));
    Contact {
        role: coded_some(Table::Entity, &nm1.entity),
        name: phi(&name.join(" ")),
        identifiers: id.into_iter().collect(),
        ..Contact::default()
    }
}

fn procedure(procedure: &Procedure<'_>) -> Coded {
    let modifiers = [&procedure.modifier_1, &procedure.modifier_2, &procedure.modifier_3, &procedure.modifier_4];
    let parts = [&procedure.system, &procedure.code].into_iter().chain(modifiers);
    let code = parts.filter(|part| !part.is_empty()).map(|part| &**part).collect::<Vec<_>>().join(":");
    let words = if procedure.description.is_empty() { code.clone() } else { procedure.description.to_string() };
    Coded::new(code, words)
}

fn date(dtm: &Dtm<'_>) -> DateFact {
    let span = DateSpan { from: dtm.date.get(), to: dtm.date.get() };
    DateFact { kind: coded(Table::Date, &dtm.qualifier), span, text: written(&dtm.date) }
}

/// The day or days of service of a line.
fn span(dates: &[Dtm<'_>]) -> DateSpan {
    let day =
        |kinds: [&str; 2]| dates.iter().find(|dtm| kinds.contains(&&*dtm.qualifier)).and_then(|dtm| dtm.date.get());
    DateSpan { from: day(["472", "150"]), to: day(["472", "151"]) }
}

fn amount(amt: &Amt<'_>) -> Option<Quantified> {
    quantified(Table::Amount, &amt.qualifier, &amt.amount)
}

fn quantified(table: Table, kind: &str, value: &Money<'_>) -> Option<Quantified> {
    value.get().map(|value| Quantified { kind: coded(table, kind), value })
}
