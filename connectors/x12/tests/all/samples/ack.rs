//! Acknowledgments as a carrier would send them: TA1, 999 and 997.

use x12::Delimiters;
use x12::ack::{
    Ak1, Ak9, Ctx, ElementError, FunctionalAcknowledgment, ImplementationAcknowledgment, SegmentError,
    SetAcknowledgment, Ta1,
};
use x12::envelope::{Group, Interchange};
use x12::write::{Charset, Envelope};

/// Every sample: file name and the whole interchange.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("999-accepted.edi", of_group(&accepted())),
        ("999-partly.edi", of_group(&partly())),
        ("999-group-rejected.edi", of_group(&group_rejected())),
        ("997-rejected.edi", functional()),
        ("ta1-accepted.edi", interchange("A", "000")),
        ("ta1-rejected.edi", interchange("R", "009")),
    ]
}

fn envelope(version: &str) -> Envelope {
    let at = jiff::civil::datetime(2026, 11, 23, 9, 5, 0, 0);
    Envelope { at, sender_id: "60054".into(), receiver_id: "CLINIC01".into(), ..Envelope::new("FA", version) }
}

fn group() -> Group {
    Group { functional_id: "HC".into(), control: "17456".into(), version: "005010X222A1".into(), ..Group::default() }
}

fn of_group(ack: &ImplementationAcknowledgment<'_>) -> Vec<u8> {
    let tx = ack.write(&Delimiters::default(), Charset::Extended).unwrap();
    envelope(ImplementationAcknowledgment::GUIDE).wrap(&Delimiters::default(), vec![tx]).unwrap()
}

fn set(control: &'static str) -> SetAcknowledgment<'static> {
    SetAcknowledgment::of("837", control, "005010X222A1")
}

fn accepted() -> ImplementationAcknowledgment<'static> {
    let mut ack = ImplementationAcknowledgment::on("0001", &group()).into_static();
    let mut set = set("0001");
    set.close("A", &[]);
    ack.sets.push(set);
    ack.close(Some(1), 1, false, &[]);
    ack
}

/// One set accepted, one with an element in error, one that lacks a segment by a rule of the guide.
fn partly() -> ImplementationAcknowledgment<'static> {
    let mut ack = ImplementationAcknowledgment::on("0001", &group()).into_static();
    let mut good = set("0001");
    good.close("A", &[]);

    let mut code = set("0002");
    let mut segment = SegmentError::of("CLM", 22, "2300", "8");
    segment.contexts.push(Ctx::unit("CLM01", "ACCT7"));
    segment.elements.push(ElementError::of(5, Some(3), None, "7").reference("1325").value("Q"));
    segment.elements.push(ElementError::of(2, None, None, "1").reference("782"));
    code.segments.push(segment);
    code.close("R", &["5"]);

    let mut missing = set("0003");
    let mut segment = SegmentError::of("REF", 57, "2300", "I6");
    segment.contexts.push(Ctx::trigger("CLM", 43, "2300"));
    missing.segments.push(segment);
    missing.close("R", &["I5"]);

    ack.sets = vec![good, code, missing];
    ack.close(Some(3), 3, false, &[]);
    ack
}

fn group_rejected() -> ImplementationAcknowledgment<'static> {
    let mut ack = ImplementationAcknowledgment::on("0001", &group()).into_static();
    ack.close(Some(2), 1, true, &["2", "5"]);
    ack
}

fn functional() -> Vec<u8> {
    let mut set = SetAcknowledgment::of("837", "0001", "");
    let mut segment = SegmentError::of("NM1", 8, "", "8");
    let mut element = ElementError::of(8, None, None, "7").reference("66").value("MI");
    (segment.segment.other_id, element.element.other_id) = (true, true);
    segment.elements.push(element);
    set.segments.push(segment);
    set.close("R", &["5"]);
    set.verdict.as_mut().unwrap().other_id = true;
    let ack = FunctionalAcknowledgment {
        control: "0001".into(),
        group: Some(Ak1 { functional_id: "HC".into(), control: "17".into(), ..Ak1::default() }),
        sets: vec![set],
        verdict: Some(Ak9 {
            verdict: "R".into(),
            included: 1.into(),
            received: 1.into(),
            accepted: 0.into(),
            ..Ak9::default()
        }),
        ..FunctionalAcknowledgment::default()
    };
    let delimiters = Delimiters { repetition: None, ..Delimiters::default() };
    let tx = ack.write(&delimiters, Charset::Basic).unwrap();
    Envelope { version: "00401".into(), ..envelope("004010") }.wrap(&delimiters, vec![tx]).unwrap()
}

fn interchange(verdict: &str, code: &str) -> Vec<u8> {
    let answered = Interchange {
        control: "000000041".into(),
        date: "261123".into(),
        time: "0900".into(),
        ..Interchange::default()
    };
    Ta1::on(&answered, verdict, code).write_alone(&envelope(""), &Delimiters::default()).unwrap()
}
