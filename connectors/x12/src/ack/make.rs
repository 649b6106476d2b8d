//! Making acknowledgments: from what was received and what was wrong with it.

use super::{
    Ak1, Ak2, Ak9, Context, Ctx, ElementAt, ElementError, Ik3, Ik4, Ik5, ImplementationAcknowledgment, SegmentError,
    SetAcknowledgment, Verdict,
};
use crate::envelope::{Group, SetHeader};
use crate::model::{Count, Text};

/// Reasons an IK5 or AK9 has room for.
const REASONS: usize = 5;

impl<'a> ImplementationAcknowledgment<'a> {
    /// Begins the word on a functional group; `control` becomes its own ST02.
    pub fn on(control: impl Into<Text<'a>>, group: &'a Group) -> Self {
        let Group { functional_id, control: number, version, .. } = group;
        let group = Ak1 {
            functional_id: functional_id.as_str().into(),
            control: number.as_str().into(),
            version: version.as_str().into(),
            ..Ak1::default()
        };
        Self { control: control.into(), implementation: Self::GUIDE.into(), group: Some(group), ..Self::default() }
    }

    /// Ends it with the AK9 that follows from its transaction sets: accepted where all were, with errors where some had
    /// any, partly where some were rejected, rejected where none was accepted. A set that no loop speaks of was accepted.
    ///
    /// `included` is what GE01 says (`None`: nothing; then as many as came), `received` how many came. `reasons` (AK905
    /// to AK909, the first five) are those against the group itself; they reject it `whole` where the caller says so.
    pub fn close(&mut self, included: Option<u64>, received: u64, whole: bool, reasons: &[&'a str]) {
        let verdicts = self.sets.iter().map(|set| set.verdict.as_ref().map_or(Verdict::Accepted, Ik5::word));
        let (mut rejected, mut flawed) = (0u64, !reasons.is_empty());
        for verdict in verdicts {
            rejected += u64::from(verdict.rejects());
            flawed |= verdict != Verdict::Accepted;
        }
        let accepted = if whole { 0 } else { received.saturating_sub(rejected) };
        let verdict = match (accepted, rejected, flawed) {
            _ if whole => "R",
            (0, 1.., _) => "R",
            (_, 1.., _) => "P",
            (_, 0, true) => "E",
            (_, 0, false) => "A",
        };
        let [code_1, code_2, code_3, code_4, code_5] = spread(reasons);
        self.verdict = Some(Ak9 {
            verdict: verdict.into(),
            included: Count::Is(included.unwrap_or(received)),
            received: Count::Is(received),
            accepted: Count::Is(accepted),
            code_1,
            code_2,
            code_3,
            code_4,
            code_5,
            ..Ak9::default()
        });
    }
}

fn spread<'a>(reasons: &[&'a str]) -> [Text<'a>; REASONS] {
    std::array::from_fn(|at| reasons.get(at).copied().unwrap_or_default().into())
}

impl<'a> SetAcknowledgment<'a> {
    /// Begins the word on a transaction set.
    pub fn on(header: &'a SetHeader) -> Self {
        // ST03 as the set itself gives it is not known here: what was taken from GS08 is as good.
        Self::of(&header.id, &header.control, &header.implementation)
    }

    /// Begins the word on a transaction set by its ST01, ST02 and ST03 (empty: none).
    pub fn of(id: impl Into<Text<'a>>, control: impl Into<Text<'a>>, implementation: impl Into<Text<'a>>) -> Self {
        let set =
            Ak2 { id: id.into(), control: control.into(), implementation: implementation.into(), ..Ak2::default() };
        Self { set, ..Self::default() }
    }

    /// Ends it: IK501 (`A`, `E`, `R`) and the reasons, of which the first five have room.
    pub fn close(&mut self, verdict: &'a str, reasons: &[&'a str]) {
        let [code_1, code_2, code_3, code_4, code_5] = spread(reasons);
        self.verdict = Some(Ik5 { verdict: verdict.into(), code_1, code_2, code_3, code_4, code_5, ..Ik5::default() });
    }
}

impl<'a> SegmentError<'a> {
    /// A segment in error: IK301 to IK304. `position` counts from ST, which is 1.
    pub fn of(id: impl Into<Text<'a>>, position: u64, loop_id: impl Into<Text<'a>>, code: impl Into<Text<'a>>) -> Self {
        let segment = Ik3 {
            id: id.into(),
            position: Count::Is(position),
            loop_id: loop_id.into(),
            code: code.into(),
            ..Ik3::default()
        };
        Self { segment, ..Self::default() }
    }
}

impl<'a> ElementError<'a> {
    /// An element in error: IK401 and IK403. Component and repeat are written where they are given.
    pub fn of(element: u64, component: Option<u64>, repeat: Option<u64>, code: impl Into<Text<'a>>) -> Self {
        let place = ElementAt {
            element: Count::Is(element),
            component: component.into(),
            repeat: repeat.into(),
            ..ElementAt::default()
        };
        Self { element: Ik4 { place, code: code.into(), ..Ik4::default() }, ..Self::default() }
    }

    /// The same with the element's number in the dictionary of X12 (IK402).
    #[must_use]
    pub fn reference(mut self, number: impl Into<Text<'a>>) -> Self {
        self.element.reference = number.into();
        self
    }

    /// The same with what stood there (IK404). It must not hold a separator of the answer, and may be a patient's.
    #[must_use]
    pub fn value(mut self, value: impl Into<Text<'a>>) -> Self {
        self.element.value = value.into();
        self
    }
}

impl<'a> Ctx<'a> {
    /// The business unit the error stands in: the element that names it (`CLM01`), and what stood there.
    pub fn unit(name: impl Into<Text<'a>>, value: impl Into<Text<'a>>) -> Self {
        Self {
            contexts: vec![Context { name: name.into(), value: value.into(), ..Context::default() }],
            ..Self::default()
        }
    }

    /// The segment that brought a situational rule about.
    pub fn trigger(segment: impl Into<Text<'a>>, position: u64, loop_id: impl Into<Text<'a>>) -> Self {
        Self {
            contexts: vec![Context { name: "SITUATIONAL TRIGGER".into(), ..Context::default() }],
            segment: segment.into(),
            position: Count::Is(position),
            loop_id: loop_id.into(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(sets: &[&'static str], received: u64, whole: bool) -> (String, u64) {
        let group = Group { functional_id: "HC".into(), control: "7".into(), ..Group::default() };
        let mut ack = ImplementationAcknowledgment::on("0001", &group);
        for verdict in sets {
            let mut set = SetAcknowledgment::of("837", "0001", "");
            set.close(verdict, &[]);
            ack.sets.push(set);
        }
        ack.close(None, received, whole, &[]);
        let verdict = ack.verdict.unwrap();
        (verdict.verdict.into_owned(), verdict.accepted.get().unwrap())
    }

    #[test]
    fn the_groups_verdict_follows_from_its_sets() {
        assert_eq!(verdict(&["A", "A"], 2, false), ("A".into(), 2));
        assert_eq!(verdict(&["A", "E"], 2, false), ("E".into(), 2));
        assert_eq!(verdict(&["A", "R"], 2, false), ("P".into(), 1));
        assert_eq!(verdict(&["R"], 3, false), ("P".into(), 2));
        assert_eq!(verdict(&["R", "R"], 2, false), ("R".into(), 0));
        assert_eq!(verdict(&["A"], 1, true), ("R".into(), 0));
        assert_eq!(verdict(&[], 0, false), ("A".into(), 0));
    }
}
