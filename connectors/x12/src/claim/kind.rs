//! Which kind of claim, and what is asked of claims most often.

use rust_decimal::Decimal;
use serde::Serialize;

use super::{Claim, Claims, Line, OtherInsurance, Party};
use crate::model::common::{HealthCode, Procedure};
use crate::model::health::DiagnosisPointers;

/// The three kinds of claim, each with a guide of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Of a person or practice (837P).
    Professional,
    /// Of a hospital or another institution (837I).
    Institutional,
    /// Of a dentist (837D).
    Dental,
}

impl Kind {
    /// The kind that a guide (ST03 or GS08) is about: 005010 or 004010, claims, predeterminations and reports of claims
    /// that were decided. `None` where it names none of them.
    pub fn of_guide(guide: &str) -> Option<Self> {
        let about = |names: &[&str]| names.iter().any(|name| guide.contains(name));
        if about(&["X222", "X291", "X298", "X098"]) {
            Some(Self::Professional)
        } else if about(&["X223", "X292", "X299", "X096"]) {
            Some(Self::Institutional)
        } else if about(&["X224", "X300", "X097"]) {
            Some(Self::Dental)
        } else {
            None
        }
    }

    /// The guide that is written, for ST03 and GS08.
    pub fn guide(self) -> &'static str {
        match self {
            Self::Professional => "005010X222A1",
            Self::Institutional => "005010X223A2",
            Self::Dental => "005010X224A2",
        }
    }
}

impl<'a> Claims<'a> {
    /// All claims, of subscribers and patients.
    pub fn claims(&self) -> impl Iterator<Item = &Claim<'a>> {
        self.billing.iter().flat_map(|billing| &billing.subscribers).flat_map(|subscriber| {
            subscriber.claims.iter().chain(subscriber.patients.iter().flat_map(|patient| &patient.claims))
        })
    }

    /// Which kind they are: what the first line is tells it better than the guide, which senders name wrongly. `None`
    /// where neither tells.
    pub fn kind(&self) -> Option<Kind> {
        let of_line = self.claims().flat_map(|claim| &claim.lines).find_map(Line::kind);
        of_line.or_else(|| Kind::of_guide(&self.implementation))
    }
}

impl<'a> Claim<'a> {
    /// The first provider or place that plays a part (NM101): `82` rendering, `DN` referring, `71` attending …
    pub fn provider(&self, entity: &str) -> Option<&Party<'a>> {
        self.providers.iter().find(|party| party.name.entity == entity)
    }

    /// The first date of a kind (DTP01), as it stands.
    pub fn date(&self, qualifier: &str) -> Option<&str> {
        self.dates.iter().find(|date| date.qualifier == qualifier).map(|date| &*date.value)
    }

    /// The first number of a kind (REF01).
    pub fn reference(&self, qualifier: &str) -> Option<&str> {
        self.references.iter().find(|reference| reference.qualifier == qualifier).map(|reference| &*reference.value)
    }

    /// The first amount of a kind (AMT01).
    pub fn amount(&self, qualifier: &str) -> Option<Decimal> {
        self.amounts.iter().find(|amount| amount.qualifier == qualifier)?.amount.get()
    }

    /// All codes of all HI segments.
    pub fn all_codes(&self) -> impl Iterator<Item = &HealthCode<'a>> {
        self.codes.iter().flat_map(|hi| &hi.codes)
    }

    /// The diagnoses that lines point to, the principal one first.
    pub fn diagnoses(&self) -> impl Iterator<Item = &HealthCode<'a>> {
        self.all_codes().filter(|code| matches!(&*code.qualifier, "ABK" | "ABF" | "BK" | "BF" | "TQ"))
    }
}

impl OtherInsurance<'_> {
    /// The first amount of a kind (AMT01): `D` paid.
    pub fn amount(&self, qualifier: &str) -> Option<Decimal> {
        self.amounts.iter().find(|amount| amount.qualifier == qualifier)?.amount.get()
    }
}

/// What is charged for in a line, whichever kind it is.
#[derive(Clone, Copy)]
pub struct Charge<'l, 'a> {
    /// The procedure; `None` where only a revenue code is given.
    pub procedure: Option<&'l Procedure<'a>>,
    /// Revenue code of an institution; else empty.
    pub revenue: &'l str,
    /// The amount; `None` where it is none.
    pub amount: Option<Decimal>,
    /// Unit of the quantity.
    pub unit: &'l str,
    /// How many.
    pub quantity: Option<Decimal>,
    /// The diagnoses it is for.
    pub pointers: Option<&'l DiagnosisPointers<'a>>,
    /// Where it stands in the transaction set.
    pub at: u32,
}

impl std::fmt::Debug for Charge<'_, '_> {
    /// It is about a patient: only its place is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Charge(position {})", self.at)
    }
}

impl<'a> Line<'a> {
    /// Which kind of line.
    pub fn kind(&self) -> Option<Kind> {
        if self.professional.is_some() {
            Some(Kind::Professional)
        } else if self.institutional.is_some() {
            Some(Kind::Institutional)
        } else {
            self.dental.as_ref().map(|_| Kind::Dental)
        }
    }

    /// What is charged for; `None` where the line has no service.
    pub fn charge(&self) -> Option<Charge<'_, 'a>> {
        if let Some(sv1) = self.professional.as_deref() {
            return Some(Charge {
                procedure: Some(&sv1.procedure),
                revenue: "",
                amount: sv1.charge.get(),
                unit: &sv1.unit,
                quantity: sv1.quantity.get(),
                pointers: Some(&sv1.pointers),
                at: sv1.at.0,
            });
        }
        if let Some(sv2) = self.institutional.as_deref() {
            return Some(Charge {
                procedure: Some(&sv2.procedure).filter(|procedure| !procedure.code.is_empty()),
                revenue: &sv2.revenue,
                amount: sv2.charge.get(),
                unit: &sv2.unit,
                quantity: sv2.quantity.get(),
                pointers: None,
                at: sv2.at.0,
            });
        }
        let sv3 = self.dental.as_deref()?;
        Some(Charge {
            procedure: Some(&sv3.procedure),
            revenue: "",
            amount: sv3.charge.get(),
            unit: "UN",
            quantity: sv3.quantity.get(),
            pointers: Some(&sv3.pointers),
            at: sv3.at.0,
        })
    }

    /// The day or days of service (DTP*472), as they stand.
    pub fn service_date(&self) -> Option<&str> {
        self.dates.iter().find(|date| date.qualifier == "472").map(|date| &*date.value)
    }

    /// The first provider or place of this line that plays a part (NM101).
    pub fn provider(&self, entity: &str) -> Option<&Party<'a>> {
        self.providers.iter().find(|party| party.name.entity == entity)
    }
}
