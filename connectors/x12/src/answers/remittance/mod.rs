//! An 835 as Portico's normalised remittance: whole, or part by part in flat memory.

mod claims;
mod next_action;

use connector_sdk::Phi;
use connector_sdk::answer::remittance::{
    Balance, Payment, ProviderAdjustment, Remittance, RemittanceHead, RemittanceTail,
};
use connector_sdk::answer::{Contact, Identifier, Provenance, RawRef};
use rust_decimal::Decimal;
use serde::Serialize;

use super::words::{coded, coded_some, phi, provenance, some};
use crate::codes::Table;
use crate::envelope::{SetParts, Transaction};
use crate::model::common::{Per, Ref};
use crate::model::{Typed, Written};
use crate::remittance::{End, Part, Parts, Party, Plb};

pub use next_action::next_action;

/// Provider adjustments of one transaction set that are kept; later ones are counted in `balance` all the same.
const MAX_PROVIDER_ADJUSTMENTS: usize = 10_000;

/// What an 835 says; `None` for any other transaction set.
pub fn remittance(transaction: &Transaction) -> Option<Remittance> {
    if transaction.id != crate::remittance::Remittance::ID {
        return None;
    }
    let mut teller = Teller::new(transaction.number);
    let mut all = Remittance::default();
    Parts::each(&transaction.segments, |part| match part {
        Part::Begin(begin) => all.head = teller.head(&begin),
        Part::Claim(claim) => all.claims.push(teller.claim(&claim)),
        Part::Provider(plbs, _) => teller.provider(&plbs),
        Part::Group(_) => {}
        Part::End(end) => all.tail = teller.tail(&end, transaction.segments.len() as u64),
    });
    Some(all)
}

/// Writes the JSON of a remittance part by part: what comes out together is what the whole answer would be.
pub struct Pieces {
    teller: Teller,
    claims: bool,
    left_out: bool,
}

impl Pieces {
    /// For the transaction set with this place in its interchange.
    pub fn new(transaction: u32) -> Self {
        Self { teller: Teller::new(transaction), claims: false, left_out: false }
    }

    /// Whether a part was too long, and its end was left out. Known at the end.
    pub fn left_out(&self) -> bool {
        self.left_out
    }

    /// Adds a part to `into`; `segments`: how many the transaction set has, which is told at its end.
    pub fn part(&mut self, part: Part<'_>, segments: u64, into: &mut Vec<u8>) {
        match part {
            Part::Begin(begin) => {
                json(&self.teller.head(&begin), into);
                into.pop();
                into.extend_from_slice(b",\"claims\":[");
            }
            Part::Claim(claim) => {
                if std::mem::replace(&mut self.claims, true) {
                    into.push(b',');
                }
                json(&self.teller.claim(&claim), into);
            }
            Part::Provider(plbs, _) => self.teller.provider(&plbs),
            Part::Group(_) => {}
            Part::End(end) => {
                self.left_out = end.left_out > 0;
                into.extend_from_slice(b"],");
                let mut tail = Vec::new();
                json(&self.teller.tail(&end, segments), &mut tail);
                into.extend_from_slice(tail.get(1..).unwrap_or(&[]));
            }
        }
    }
}

/// Writing to memory cannot fail, and none of these has keys that are no text.
fn json(value: &impl Serialize, into: &mut Vec<u8>) {
    let _ = serde_json::to_writer(into, value);
}

/// Turns parts into answers.
pub(crate) struct Teller {
    transaction: u32,
    provider: Vec<ProviderAdjustment>,
}

impl Teller {
    pub(crate) fn new(transaction: u32) -> Self {
        Self { transaction, provider: Vec::new() }
    }

    fn place(&self, position: u32, id: &str, loop_id: &str, of: &[&str]) -> Provenance {
        provenance(self.transaction, position, id, loop_id, of)
    }

    pub(crate) fn head(&self, begin: &crate::remittance::Remittance<'_>) -> RemittanceHead {
        let mut head = RemittanceHead {
            payer: begin.payer.as_ref().map(party).unwrap_or_default(),
            payee: begin.payee.as_ref().map(party).unwrap_or_default(),
            ..RemittanceHead::default()
        };
        if let Some(bpr) = &begin.payment {
            let sign = if bpr.sign == "D" { Decimal::NEGATIVE_ONE } else { Decimal::ONE };
            head.payment = Payment {
                method: coded_some(Table::PaymentMethod, &bpr.method),
                amount: bpr.amount.get().and_then(|amount| amount.checked_mul(sign)),
                date: bpr.date.get(),
                ..Payment::default()
            };
            head.provenance.push(self.place(
                bpr.at.0,
                "BPR",
                "",
                &["payment.amount", "payment.method", "payment.date"],
            ));
        }
        if let Some(trn) = &begin.trace {
            (head.payment.trace, head.payment.originator) = (some(&trn.number), some(&trn.origin));
            head.provenance.push(self.place(trn.at.0, "TRN", "", &["payment.trace", "payment.originator"]));
        }
        if let Some(cur) = &begin.currency {
            head.payment.currency = some(&cur.currency);
            head.provenance.push(self.place(cur.at.0, "CUR", "", &["payment.currency"]));
        }
        for (found, loop_id, of) in [(&begin.payer, "1000A", "payer"), (&begin.payee, "1000B", "payee")] {
            head.provenance.extend(found.as_ref().map(|found| self.place(found.name.at.0, "N1", loop_id, &[of])));
        }
        head
    }

    pub(crate) fn provider(&mut self, plbs: &[Plb<'_>]) {
        for plb in plbs {
            for (element, adjustment) in plb.numbered() {
                if self.provider.len() >= MAX_PROVIDER_ADJUSTMENTS {
                    return;
                }
                let amount = format!("PLB{:02}", element.saturating_add(1));
                self.provider.push(ProviderAdjustment {
                    provider: some(&plb.provider),
                    fiscal_period: plb.fiscal_period.get(),
                    reason: coded(Table::ProviderAdjustment, &adjustment.reason.code),
                    reference: phi(&adjustment.reason.reference),
                    amount: adjustment.amount.get(),
                    provenance: vec![Provenance {
                        of: vec!["amount".to_owned(), amount],
                        ..self.place(plb.at.0, "PLB", "", &[])
                    }],
                });
            }
        }
    }

    pub(crate) fn tail(&mut self, end: &End, segments: u64) -> RemittanceTail {
        let balance = &end.balance;
        RemittanceTail {
            provider_adjustments: std::mem::take(&mut self.provider),
            balance: Balance {
                ok: balance.ok() && end.left_out == 0,
                off_by: balance.off_by,
                uneven: balance.uneven,
                unknown: balance.unknown,
            },
            raw: RawRef { transaction: "835".to_owned(), segments: u32::try_from(segments).unwrap_or(u32::MAX) },
        }
    }
}

/// Payer or payee.
fn party(party: &Party<'_>) -> Contact {
    let mut identifiers = Vec::new();
    if !party.name.id.is_empty() {
        identifiers.push(identified(Table::IdKind, &party.name.qualifier, &party.name.id));
    }
    identifiers.extend(party.references.iter().map(reference));
    let (street, city) = (party.street.iter(), party.city.iter());
    let town = |city: &crate::model::common::N4<'_>| {
        let parts = [&city.city, &city.state, &city.postal_code];
        parts.map(|part| &**part).join(" ").trim().to_owned()
    };
    let address =
        street.flat_map(|street| [street.line_1.to_string(), street.line_2.to_string()]).chain(city.map(town));
    Contact {
        role: coded_some(Table::Entity, &party.name.entity),
        name: phi(&party.name.name),
        identifiers,
        address: address.filter(|line| !line.is_empty()).map(Phi::new).collect(),
        reach: party.contacts.iter().flat_map(reach).collect(),
    }
}

/// The ways to reach someone that a PER names.
fn reach(per: &Per<'_>) -> Vec<Identifier> {
    let ways =
        [(&per.qualifier_1, &per.number_1), (&per.qualifier_2, &per.number_2), (&per.qualifier_3, &per.number_3)];
    let given = ways.into_iter().filter(|(_, number)| !number.is_empty());
    given
        .map(|(kind, number)| Identifier { description: phi(&per.name), ..identified(Table::Reach, kind, number) })
        .collect()
}

fn identified(table: Table, kind: &str, value: &str) -> Identifier {
    Identifier { kind: coded(table, kind), value: Phi::new(value.to_owned()), description: None }
}

fn reference(reference: &Ref<'_>) -> Identifier {
    Identifier {
        description: phi(&reference.description),
        ..identified(Table::Reference, &reference.qualifier, &reference.value)
    }
}

/// A value as it was written, where it is no number or date.
fn written<T: Written>(value: &Typed<'_, T>) -> String {
    match value {
        Typed::Absent => String::new(),
        Typed::Is(value) => value.show(),
        Typed::Other(text) => text.to_string(),
    }
}
