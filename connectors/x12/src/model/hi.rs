//! HI: a list of codes about someone's health, in as many elements as there are codes.

use serde::Serialize;

use super::common::HealthCode;
use super::{At, Levels, SegmentModel, Value, segment_node};
use crate::read::Segment;
use crate::write::{TransactionWriter, WriteError};

/// HI: diagnoses, procedures, occurrences, values and conditions.
#[derive(Clone, Default, PartialEq, Serialize)]
pub struct Hi<'a> {
    /// Where it stood.
    #[serde(skip_serializing_if = "At::nowhere")]
    pub at: At,
    /// HI01, HI02 and so on (the standard has twelve), in order: other segments point to them by their place.
    pub codes: Vec<HealthCode<'a>>,
}

impl<'a> SegmentModel<'a> for Hi<'a> {
    type Static = Hi<'static>;

    const ID: &'static str = "HI";

    fn read(segment: &Segment<'a>) -> Self {
        let delimiters = segment.delimiters();
        let read = |element| HealthCode::read(segment.value(element), delimiters);
        let mut codes: Vec<_> = (1..=segment.len()).map(read).collect();
        while codes.last().is_some_and(|code| !code.given()) {
            codes.pop();
        }
        Self { at: At(segment.position), codes }
    }

    fn write(&self, tx: &mut TransactionWriter, _: &Levels) -> Result<(), WriteError> {
        tx.build(Self::ID, self.codes.len(), |element, out| {
            element.checked_sub(1).and_then(|at| self.codes.get(at)).map_or(Ok(()), |code| code.write(out))
        })
    }

    fn into_static(self) -> Hi<'static> {
        Hi { at: self.at, codes: self.codes.into_iter().map(Value::into_static).collect() }
    }

    fn pin(&mut self, element: usize, code: &'static str) {
        if element > 0 && self.codes.len() < element {
            self.codes.resize(element, HealthCode::default());
        }
        if let Some(at) = element.checked_sub(1).and_then(|at| self.codes.get_mut(at)) {
            at.pin(code);
        }
    }

    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice) -> Self {
        Self { at: At(0), codes: (0..1 + dice.below(4)).map(|_| HealthCode::sample(dice)).collect() }
    }
}

segment_node!(Hi);
