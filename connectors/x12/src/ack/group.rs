//! The word on a functional group: 999 (005010X231A1) and 997 (005010X230, 004010).
//!
//! Both have the same loops. A 997 says AK3, AK4 and AK5 where a 999 says IK3, IK4 and IK5; either is read in either,
//! since senders mix them, and written again under the identifier it came with.

use super::Verdict;
use crate::model::{Count, Text, composites, loops, segments, transactions};

composites! {
    /// C030: an element by its place in the segment.
    pub struct ElementAt<'a> {
        /// The element, from 1; 0 for the segment as a whole.
        element: Count<'a> = 1,
        /// The component in a composite, from 1.
        component: Count<'a> = 2,
        /// The repeat, from 1.
        repeat: Count<'a> = 3,
    }

    /// C998: what the error stands in, or what brought the rule about.
    pub struct Context<'a> {
        /// `SITUATIONAL TRIGGER`, or the element that names the business unit: `CLM01`, `TRN02`, `NM109` …
        name: Text<'a> = 1,
        /// What stood in that element.
        value: Text<'a> = 2,
    }

    /// C999: an element by its numbers in the dictionary of X12.
    pub struct ElementName<'a> {
        /// The element, or the composite.
        number: Text<'a> = 1,
        /// The component's element, where the first is a composite.
        component: Text<'a> = 2,
    }
}

segments! {
    /// AK1: the functional group that is spoken of.
    pub struct Ak1<'a> = "AK1" {
        /// AK101: its GS01.
        functional_id: Text<'a> = 1,
        /// AK102: its GS06.
        control: Text<'a> = 2,
        /// AK103: its GS08.
        version: Text<'a> = 3,
    }

    /// AK2: the transaction set that is spoken of.
    pub struct Ak2<'a> = "AK2" {
        /// AK201: its ST01.
        id: Text<'a> = 1,
        /// AK202: its ST02.
        control: Text<'a> = 2,
        /// AK203: its ST03.
        implementation: Text<'a> = 3,
    }

    /// IK3 (AK3): a segment in error.
    pub struct Ik3<'a> = "IK3" | "AK3" {
        /// IK301: its identifier.
        id: Text<'a> = 1,
        /// IK302: its place in the transaction set, ST being 1.
        position: Count<'a> = 2,
        /// IK303: the loop, where it is bounded by LS and LE or where the guide names it.
        loop_id: Text<'a> = 3,
        /// IK304: what is wrong: `3` missing, `8` element errors, `I6` missing by a rule of the guide …
        code: Text<'a> = 4,
    }

    /// CTX: where the error stands, in the terms of the business, or which situation brought the rule about.
    pub struct Ctx<'a> = "CTX" {
        /// CTX01
        contexts: Vec<Context<'a>> = 1,
        /// CTX02: the segment that brought it about.
        segment: Text<'a> = 2,
        /// CTX03: its place in the transaction set.
        position: Count<'a> = 3,
        /// CTX04: its loop.
        loop_id: Text<'a> = 4,
        /// CTX05: its element.
        element: ElementAt<'a> = 5,
        /// CTX06: that element's number in the dictionary.
        name: ElementName<'a> = 6,
    }

    /// IK4 (AK4): an element in error.
    pub struct Ik4<'a> = "IK4" | "AK4" {
        /// IK401
        place: ElementAt<'a> = 1,
        /// IK402: its number in the dictionary of X12.
        reference: Text<'a> = 2,
        /// IK403: what is wrong: `1` missing, `7` code not valid, `I10` not used in the guide …
        code: Text<'a> = 3,
        /// IK404: what stood there.
        value: Text<'a> = 4,
    }

    /// IK5 (AK5): the verdict on the transaction set.
    pub struct Ik5<'a> = "IK5" | "AK5" {
        /// IK501: `A` accepted, `E` accepted with errors, `R` rejected, `M`, `W`, `X` rejected for security.
        verdict: Text<'a> = 1,
        /// IK502: why.
        code_1: Text<'a> = 2,
        /// IK503
        code_2: Text<'a> = 3,
        /// IK504
        code_3: Text<'a> = 4,
        /// IK505
        code_4: Text<'a> = 5,
        /// IK506
        code_5: Text<'a> = 6,
    }

    /// AK9: the verdict on the group.
    pub struct Ak9<'a> = "AK9" {
        /// AK901: `A` accepted, `E` accepted with errors, `P` partly, `R` rejected, `M`, `W`, `X` rejected for security.
        verdict: Text<'a> = 1,
        /// AK902: how many transaction sets its GE01 speaks of.
        included: Count<'a> = 2,
        /// AK903: how many came.
        received: Count<'a> = 3,
        /// AK904: how many were accepted.
        accepted: Count<'a> = 4,
        /// AK905: why.
        code_1: Text<'a> = 5,
        /// AK906
        code_2: Text<'a> = 6,
        /// AK907
        code_3: Text<'a> = 7,
        /// AK908
        code_4: Text<'a> = 8,
        /// AK909
        code_5: Text<'a> = 9,
    }
}

transactions! {
    /// A 999: the word on one functional group, by the standard and by the guide.
    pub struct ImplementationAcknowledgment<'a> = "999", "005010X231A1" {
        /// AK1
        group: Option<Ak1<'a>>,
        /// Loop 2000: the transaction sets.
        sets: Vec<SetAcknowledgment<'a>>,
        /// AK9
        verdict: Option<Ak9<'a>>,
    }

    /// A 997: the word on one functional group, by the standard alone.
    pub struct FunctionalAcknowledgment<'a> = "997", "005010X230" {
        /// AK1
        group: Option<Ak1<'a>>,
        /// Loop AK2: the transaction sets.
        sets: Vec<SetAcknowledgment<'a>>,
        /// AK9
        verdict: Option<Ak9<'a>>,
    }
}

loops! {
    /// Loop 2000: one transaction set.
    pub struct SetAcknowledgment<'a> {
        /// AK2
        set: Ak2<'a>,
        /// Loop 2100: its segments in error.
        segments: Vec<SegmentError<'a>>,
        /// IK5 (AK5)
        verdict: Option<Ik5<'a>>,
    }

    /// Loop 2100: one segment in error.
    pub struct SegmentError<'a> {
        /// IK3 (AK3)
        segment: Ik3<'a>,
        /// CTX: what brought a rule about, and the claim or person it stands in.
        contexts: Vec<Ctx<'a>>,
        /// Loop 2110: its elements in error.
        elements: Vec<ElementError<'a>>,
    }

    /// Loop 2110: one element in error.
    pub struct ElementError<'a> {
        /// IK4 (AK4)
        element: Ik4<'a>,
        /// CTX: what brought a rule about.
        contexts: Vec<Ctx<'a>>,
    }
}

impl Ik5<'_> {
    /// IK501 as a word.
    pub fn word(&self) -> Verdict {
        Verdict::of(&self.verdict)
    }

    /// The reasons that are given (IK502 to IK506).
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        given([&self.code_1, &self.code_2, &self.code_3, &self.code_4, &self.code_5])
    }
}

impl Ak9<'_> {
    /// AK901 as a word.
    pub fn word(&self) -> Verdict {
        Verdict::of(&self.verdict)
    }

    /// The reasons that are given (AK905 to AK909).
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        given([&self.code_1, &self.code_2, &self.code_3, &self.code_4, &self.code_5])
    }
}

fn given(codes: [&str; 5]) -> impl Iterator<Item = &str> {
    codes.into_iter().filter(|code| !code.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sample::round_trips;
    use crate::write::{Charset, Envelope};
    use crate::{Delimiters, Document};

    #[test]
    fn what_is_written_is_read_back() {
        round_trips::<ImplementationAcknowledgment<'static>>(200);
        round_trips::<FunctionalAcknowledgment<'static>>(200);
    }

    #[test]
    fn errors_stand_in_their_segment_and_element() {
        let text = "ST*999*0001*005010X231A1~AK1*HC*17*005010X222A1~AK2*837*0003*005010X222A1~IK3*REF*57*2300*I6~\
                    CTX*SITUATIONAL TRIGGER*CLM*43**5:3*C023:1325~CTX*CLM01:ACCT7~IK4*2:1:3*127*7*BAD~\
                    CTX*SITUATIONAL TRIGGER*CLM*43~IK5*R*5*I5~AK9*P*2*2*1*5~SE*11*0001~";
        let document = Document::read(text.as_bytes()).unwrap();
        let transaction = document.transactions().next().unwrap();
        let ack = ImplementationAcknowledgment::read(&transaction.segments);
        let segment = &ack.sets[0].segments[0];
        assert_eq!((segment.segment.position.get(), &*segment.segment.loop_id), (Some(57), "2300"));
        assert_eq!((&*segment.contexts[0].name.number, segment.contexts[0].element.component.get()), ("C023", Some(3)));
        assert_eq!(
            (&*segment.contexts[1].contexts[0].name, &*segment.contexts[1].contexts[0].value),
            ("CLM01", "ACCT7")
        );
        let element = &segment.elements[0];
        assert_eq!((element.element.place.repeat.get(), element.contexts.len()), (Some(3), 1));
        assert_eq!(ack.sets[0].verdict.as_ref().unwrap().codes().collect::<Vec<_>>(), ["5", "I5"]);
        assert_eq!(ack.verdict.as_ref().unwrap().accepted.get(), Some(1));
        let tx = ack.write(&Delimiters::default(), Charset::Extended).unwrap();
        let written = Envelope::new("FA", "005010X231A1").wrap(&Delimiters::default(), vec![tx]).unwrap();
        assert!(String::from_utf8(written).unwrap().contains(text));
    }

    #[test]
    fn identifiers_of_the_997_in_a_999_are_kept() {
        let text = "ST*999*0001~AK1*HC*1~AK2*837*0001~AK3*CLM*7*2000B*8~AK4*1**1~IK5*R*5~AK9*R*1*1*0~SE*8*0001~";
        let document = Document::read(text.as_bytes()).unwrap();
        let ack = ImplementationAcknowledgment::read(&document.transactions().next().unwrap().segments);
        let set = &ack.sets[0];
        assert!(set.segments[0].segment.other_id && !set.verdict.as_ref().unwrap().other_id);
        assert!(set.extra.is_empty());
        let tx = ack.write(&Delimiters::default(), Charset::Extended).unwrap();
        let written = Envelope::new("FA", "005010X231A1").wrap(&Delimiters::default(), vec![tx]).unwrap();
        assert!(String::from_utf8(written).unwrap().contains(text));
    }
}
