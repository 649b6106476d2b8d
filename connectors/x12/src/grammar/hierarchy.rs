//! HL numbers: counted from 1, each under the parent it names.

use super::watch::{Spot, Watch};
use crate::finding::Oddity;
use crate::read::Segment;

/// What is known of an open HL loop.
#[derive(Clone, Debug)]
pub(super) struct Hierarchy {
    /// HL01
    pub(super) number: u64,
    /// HL04 said that levels follow under it; `None`: it said nothing.
    announced: Option<bool>,
    /// There are some.
    pub(super) children: bool,
}

impl Hierarchy {
    /// Reads and checks an HL segment. `last`: the HL01 before it; `above`: the HL01 of the loop around it.
    pub(super) fn read(
        segment: &Segment<'_>,
        last: u64,
        above: Option<u64>,
        spot: Spot,
        watch: &mut Watch<'_>,
    ) -> Self {
        let next = last.saturating_add(1);
        let own = Self::number_of(segment);
        if own != Some(next) {
            watch.push(spot.finding(Oddity::HlNumber).element(1).counts(Some(next), own));
        }
        let number_here = own.unwrap_or(next);
        let stated = segment.raw(2);
        if !stated.is_empty() {
            let parent = number(stated);
            if parent.is_some_and(|parent| parent >= number_here) {
                watch.push(spot.finding(Oddity::HlCycle).element(2).counts(above, None));
            } else if above.is_some() && parent != above {
                watch.push(spot.finding(Oddity::HlOrder).element(2).counts(above, parent));
            }
        }
        let announced = match segment.raw(4) {
            b"1" => Some(true),
            b"0" => Some(false),
            _ => None,
        };
        Self { number: number_here, announced, children: false }
    }

    /// HL01, where it is a number.
    pub(super) fn number_of(segment: &Segment<'_>) -> Option<u64> {
        number(segment.raw(1))
    }

    /// Judges HL04 when the loop ends.
    pub(super) fn close(&self, start: Spot, watch: &mut Watch<'_>) {
        if self.announced.is_some_and(|announced| announced != self.children) {
            watch.push(start.finding(Oddity::HlChild).element(4));
        }
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    std::str::from_utf8(bytes.trim_ascii()).ok().filter(|text| text.len() <= 12).and_then(|text| text.parse().ok())
}
