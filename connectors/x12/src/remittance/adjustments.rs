//! CAS and PLB: up to six adjustments in a row of elements.

use serde::{Serialize, Serializer};

use crate::model::{At, Day, Levels, Money, SegmentModel, Surplus, Text, Value, composites, segment_node};
use crate::read::Segment;
use crate::write::{TransactionWriter, WriteError};

/// Adjustments one CAS or PLB has room for.
pub const MAX_ADJUSTMENTS: usize = 6;
/// Elements of a CAS: a group, and six of reason, amount and quantity.
pub(super) const CAS_ELEMENTS: usize = 1 + 3 * MAX_ADJUSTMENTS;
/// Elements of a PLB: provider, fiscal period, and six of reason and amount.
pub(super) const PLB_ELEMENTS: usize = 2 + 2 * MAX_ADJUSTMENTS;

/// One adjustment of a [`Cas`].
#[derive(Clone, Default, PartialEq, Serialize)]
pub struct Adjustment<'a> {
    /// Why (CARC): `1` deductible, `45` above the fee schedule …
    pub reason: Text<'a>,
    /// How much is not paid; negative where it adds to the payment.
    pub amount: Money<'a>,
    /// How many units are not paid.
    #[serde(skip_serializing_if = "crate::model::not_given")]
    pub quantity: Money<'a>,
}

impl Adjustment<'_> {
    /// Whether it says anything.
    pub fn given(&self) -> bool {
        self.reason.given() || self.amount.given() || self.quantity.given()
    }
}

/// CAS: why less, or more, is paid than was charged. Most have one adjustment, so the first stands by itself.
#[derive(Clone, Default, PartialEq)]
pub struct Cas<'a> {
    /// Where it stood.
    pub at: At,
    /// CAS01: who bears it: `CO` the provider, `PR` the patient, `OA` other, `PI` the payer's initiative, `CR` correction
    /// (004010).
    pub group: Text<'a>,
    /// CAS02 to CAS04
    pub first: Adjustment<'a>,
    /// CAS05 to CAS19: at most five more, an empty one where elements were left out between two.
    pub more: Vec<Adjustment<'a>>,
    /// Elements after CAS19.
    pub surplus: Surplus<'a>,
}

impl<'a> Cas<'a> {
    /// A group with its adjustments, of which it takes six.
    pub fn new(group: impl Into<Text<'a>>, adjustments: impl IntoIterator<Item = Adjustment<'a>>) -> Self {
        let mut adjustments = adjustments.into_iter();
        Self {
            at: At::default(),
            group: group.into(),
            first: adjustments.next().unwrap_or_default(),
            more: adjustments.take(MAX_ADJUSTMENTS - 1).collect(),
            surplus: Surplus::default(),
        }
    }

    /// The adjustments that say anything.
    pub fn adjustments(&self) -> impl Iterator<Item = &Adjustment<'a>> {
        std::iter::once(&self.first).chain(&self.more).filter(|adjustment| adjustment.given())
    }

    /// The same with the element at which each stands: CAS02, CAS05 …
    pub fn numbered(&self) -> impl Iterator<Item = (u16, &Adjustment<'a>)> {
        (2u16..).step_by(3).zip(std::iter::once(&self.first).chain(&self.more)).filter(|(_, each)| each.given())
    }
}

impl Serialize for Cas<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'s, 'a> {
            #[serde(skip_serializing_if = "At::nowhere")]
            at: At,
            group: &'s Text<'a>,
            adjustments: Vec<&'s Adjustment<'a>>,
            #[serde(skip_serializing_if = "Surplus::is_empty")]
            surplus: &'s Surplus<'a>,
        }
        let adjustments = self.adjustments().collect();
        Shown { at: self.at, group: &self.group, adjustments, surplus: &self.surplus }.serialize(serializer)
    }
}

impl<'a> SegmentModel<'a> for Cas<'a> {
    type Static = Cas<'static>;

    const ID: &'static str = "CAS";

    fn read(segment: &Segment<'a>) -> Self {
        let delimiters = segment.delimiters();
        let adjustment = |reason: usize| Adjustment {
            reason: Value::read(segment.value(reason), delimiters),
            amount: Value::read(segment.value(reason + 1), delimiters),
            quantity: Value::read(segment.value(reason + 2), delimiters),
        };
        let last = segment.len().min(CAS_ELEMENTS);
        let mut more: Vec<_> = (5..=last).step_by(3).map(adjustment).collect();
        while more.last().is_some_and(|last| !last.given()) {
            more.pop();
        }
        Self {
            at: At(segment.position),
            group: segment.text(1),
            first: adjustment(2),
            more,
            surplus: Surplus::after(CAS_ELEMENTS, segment),
        }
    }

    fn write(&self, tx: &mut TransactionWriter, _: &Levels) -> Result<(), WriteError> {
        tx.build(Self::ID, CAS_ELEMENTS + self.surplus.len(), |element, out| {
            if element > CAS_ELEMENTS {
                return self.surplus.write(element - CAS_ELEMENTS, out);
            }
            let Some(after) = element.checked_sub(2) else { return self.group.write(out) };
            let adjustment = match after / 3 {
                0 => &self.first,
                at => match self.more.get(at - 1) {
                    Some(adjustment) => adjustment,
                    None => return Ok(()),
                },
            };
            match after % 3 {
                0 => adjustment.reason.write(out),
                1 => adjustment.amount.write(out),
                _ => adjustment.quantity.write(out),
            }
        })
    }

    fn into_static(self) -> Cas<'static> {
        let own = |adjustment: Adjustment<'a>| Adjustment {
            reason: Value::into_static(adjustment.reason),
            amount: Value::into_static(adjustment.amount),
            quantity: Value::into_static(adjustment.quantity),
        };
        Cas {
            at: self.at,
            group: Value::into_static(self.group),
            first: own(self.first),
            more: self.more.into_iter().map(own).collect(),
            surplus: self.surplus.into_static(),
        }
    }

    fn pin(&mut self, element: usize, code: &'static str) {
        if element == 1 {
            self.group = code.into();
        }
    }

    #[cfg(test)]
    fn sample(dice: &mut crate::model::sample::Dice) -> Self {
        let count = 1 + dice.below(6);
        let adjustments: Vec<_> = (0..count)
            .map(|_| Adjustment {
                reason: Value::sample(dice),
                amount: Value::sample(dice),
                quantity: if dice.often() { Money::Absent } else { Value::sample(dice) },
            })
            .collect();
        Cas::new("CO", adjustments)
    }
}

segment_node!(Cas);

composites! {
    /// C042: why the payment to a provider is adjusted, and by what it is known.
    pub struct ProviderReason<'a> {
        /// `WO` overpayment taken back, `L6` interest, `FB` balance forward, `CT` capitation …
        code: Text<'a> = 1,
        /// A claim or another number.
        reference: Text<'a> = 2,
    }
}

/// One adjustment of a [`Plb`].
#[derive(Clone, Default, PartialEq, Serialize)]
pub struct ProviderAdjustment<'a> {
    /// Why.
    pub reason: ProviderReason<'a>,
    /// How much is taken from the payment; negative where it adds to it.
    pub amount: Money<'a>,
}

impl ProviderAdjustment<'_> {
    /// Whether it says anything.
    pub fn given(&self) -> bool {
        self.reason.given() || self.amount.given()
    }
}

/// PLB: adjustments of the payment to a provider that belong to no claim of this remittance.
#[derive(Clone, Default, PartialEq, Serialize)]
pub struct Plb<'a> {
    /// Where it stood.
    #[serde(skip_serializing_if = "At::nowhere")]
    pub at: At,
    /// PLB01: the provider.
    pub provider: Text<'a>,
    /// PLB02: last day of its fiscal year.
    #[serde(skip_serializing_if = "crate::model::not_given")]
    pub fiscal_period: Day<'a>,
    /// PLB03 to PLB14: at most six, an empty one where elements were left out between two.
    pub adjustments: Vec<ProviderAdjustment<'a>>,
    /// Elements after PLB14.
    #[serde(skip_serializing_if = "Surplus::is_empty")]
    pub surplus: Surplus<'a>,
}

impl<'a> Plb<'a> {
    /// The adjustments that say anything, with the element at which each stands: PLB03, PLB05 …
    pub fn numbered(&self) -> impl Iterator<Item = (u16, &ProviderAdjustment<'a>)> {
        (3u16..).step_by(2).zip(&self.adjustments).filter(|(_, each)| each.given())
    }
}

impl<'a> SegmentModel<'a> for Plb<'a> {
    type Static = Plb<'static>;

    const ID: &'static str = "PLB";

    fn read(segment: &Segment<'a>) -> Self {
        let delimiters = segment.delimiters();
        let last = segment.len().min(PLB_ELEMENTS);
        let mut adjustments: Vec<_> = (3..=last)
            .step_by(2)
            .map(|reason| ProviderAdjustment {
                reason: Value::read(segment.value(reason), delimiters),
                amount: Value::read(segment.value(reason + 1), delimiters),
            })
            .collect();
        while adjustments.last().is_some_and(|last| !last.given()) {
            adjustments.pop();
        }
        Self {
            at: At(segment.position),
            provider: segment.text(1),
            fiscal_period: Value::read(segment.value(2), delimiters),
            adjustments,
            surplus: Surplus::after(PLB_ELEMENTS, segment),
        }
    }

    fn write(&self, tx: &mut TransactionWriter, _: &Levels) -> Result<(), WriteError> {
        tx.build(Self::ID, PLB_ELEMENTS + self.surplus.len(), |element, out| match element {
            1 => self.provider.write(out),
            2 => self.fiscal_period.write(out),
            _ if element > PLB_ELEMENTS => self.surplus.write(element - PLB_ELEMENTS, out),
            _ => match self.adjustments.get((element - 3) / 2) {
                Some(adjustment) if element % 2 == 1 => adjustment.reason.write(out),
                Some(adjustment) => adjustment.amount.write(out),
                None => Ok(()),
            },
        })
    }

    fn into_static(self) -> Plb<'static> {
        let own = |adjustment: ProviderAdjustment<'a>| ProviderAdjustment {
            reason: Value::into_static(adjustment.reason),
            amount: Value::into_static(adjustment.amount),
        };
        Plb {
            at: self.at,
            provider: Value::into_static(self.provider),
            fiscal_period: Value::into_static(self.fiscal_period),
            adjustments: self.adjustments.into_iter().map(own).collect(),
            surplus: self.surplus.into_static(),
        }
    }

    fn pin(&mut self, _: usize, _: &'static str) {}

    #[cfg(test)]
    fn sample(dice: &mut crate::model::sample::Dice) -> Self {
        let count = 1 + dice.below(6);
        Self {
            at: At::default(),
            provider: Value::sample(dice),
            fiscal_period: Value::sample(dice),
            adjustments: (0..count)
                .map(|_| ProviderAdjustment { reason: Value::sample(dice), amount: Value::sample(dice) })
                .collect(),
            surplus: Surplus::default(),
        }
    }
}

segment_node!(Plb);
