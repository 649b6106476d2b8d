//! The four uses of the 278, written as a person would, and 004010.

use super::*;
use crate::model::sample::round_trips;
use crate::write::{Charset, Envelope};
use crate::{Delimiters, Document};

fn document(body: &str) -> Document {
    Document::read(format!("ST*278*0001*{body}SE*0*0001~").as_bytes()).unwrap()
}

fn with<T>(body: &str, use_it: impl FnOnce(&ServicesReview<'_>) -> T) -> T {
    let document = document(body);
    let transaction = document.transactions().next().unwrap();
    let review = ServicesReview::read(&transaction.segments);
    use_it(&review)
}

const TOP: &str = "HL*1**20*1~NM1*X3*2*NORTHSTAR*****PI*60054~HL*2*1*21*1~NM1*1P*2*CLINIC*****XX*1234567893~\
                   HL*3*2*22*1~NM1*IL*1*ZANZIBAR*ADA****MI*W1~";

fn kind(guide: &str, bht: &str, event: &str) -> Kind {
    with(&format!("{guide}~BHT*0007*{bht}*R1*20261123*1200~{TOP}HL*4*3*EV*0~{event}"), |review| review.kind())
}

#[test]
fn what_is_written_is_read_back() {
    round_trips::<ServicesReview<'static>>(200);
}

#[test]
fn guide_direction_and_content_tell_the_use() {
    assert_eq!(kind("005010X217", "13", "UM*HS*I~"), Kind::Request);
    assert_eq!(kind("005010X217", "01", "UM*HS*3~"), Kind::Request);
    assert_eq!(kind("005010X217", "11", "UM*HS*I~HCR*A1*N1~"), Kind::Response);
    assert_eq!(kind("005010X215", "28", "UM*HS*I~"), Kind::Inquiry);
    assert_eq!(kind("005010X215", "49", "UM*HS*I~HCR*A1*N1~"), Kind::InquiryResponse);
    assert_eq!(kind("005010X215", "13", "UM*HS*I~HCR*I1~"), Kind::Inquiry);
    assert_eq!(kind("005010X215", "13", "UM*HS*I~HCR*A3~"), Kind::InquiryResponse);
    assert_eq!(kind("005010X216", "CN", "UM*AR*I~"), Kind::Notice);
    assert_eq!(kind("005010X216", "53", "UM*AR*I~"), Kind::Acknowledgment);
    assert_eq!(kind("005010X216", "11", "UM*AR*I~HCR*A1*N1~"), Kind::Response);
    assert_eq!(kind("", "11", "UM*AR*I~HCR*A1*N1~"), Kind::Response);
    assert_eq!(kind("", "08", "TRN*2*T1*9012345678~"), Kind::Response);
    assert_eq!(kind("", "08", "TRN*1*T1*9012345678~"), Kind::Request);
    assert_eq!(kind("005010X217", "08", "AAA*N**33*C~"), Kind::Response);
}

#[test]
fn every_level_takes_what_is_its_own() {
    let body = format!(
        "005010X217~BHT*0007*11*R1*20261123*1200*18~{TOP}DMG*D8*19800201*F~HL*4*3*EV*1~TRN*1*T1*9012345678~\
         UM*AR*I*2*21:B**03~HCR*A6*AUTH2*0V^10~REF*NT*A7~DTP*435*D8*20261201~HI*ABK:I10*ABF:E119:D8:20260101~HSD*DY*5~\
         CRC*07*Y*01*05~CL1*2*4*01~CR1*LB*140*I*A*DH*12~PWK*OZ*EL***AC*D1~MSG*CALL US~NM1*FA*2*HOSPITAL*****XX*1~\
         N3*1 MAIN~N4*TOWN*PA*19087~HL*5*4*SS*0~TRN*1*T2*9012345678~HCR*A1*AUTH3~DTP*472*D8*20261202~\
         SV2*0300*HC:33510*73.42*UN*1~NM1*SJ*1*WATSON*SUSAN~PRV*PE*PXC*203BS0133X~"
    );
    with(&body, |review| {
        let case = review.cases().next().unwrap();
        assert_eq!(case.patient().unwrap().name.id, "W1");
        assert_eq!(case.matter.review.unwrap().location.facility, "21");
        assert_eq!(case.matter.decision.unwrap().reasons, ["0V", "10"]);
        assert_eq!(case.matter.health.unwrap().codes.len(), 2);
        assert_eq!(case.matter.delivery.unwrap().quantity.get().unwrap().to_string(), "5");
        let service = &case.services[0];
        assert_eq!(service.institutional.unwrap().procedure.code, "33510");
        assert_eq!(service.matter.parties[0].provider.as_ref().unwrap().code, "203BS0133X");
        assert_eq!((case.matter.traces[0].at.0, service.matter.decision.unwrap().at.0), (11, 28));
        assert_eq!(review.refused_at().count(), 0);
        assert!(!format!("{review:?} {:?}", case.matter.review).contains("ADA"));
        let json = serde_json::to_string(review).unwrap();
        assert!(!json.contains("extra"), "{json}");
    });
}

#[test]
fn refusals_are_found_wherever_they_stand() {
    let body = "005010X217~BHT*0007*11*R1*20261123*1200~HL*1**20*1~AAA*N**42*R~NM1*X3*2*NORTHSTAR*****PI*60054~\
                AAA*N**79*N~HL*2*1*21*1~NM1*1P*2*CLINIC*****XX*1234567893~AAA*N**51*C~HL*3*2*22*1~NM1*IL*1*Z*A****MI*W1~\
                AAA*N**72*C~HL*4*3*23*1~NM1*QC*1*Z*B~AAA*N**58*C~HL*5*4*EV*1~TRN*2*T1*9012345678~AAA*N**33*C~\
                NM1*SJ*1*W~AAA*N**44*C~HL*6*5*SS*0~AAA*N**AF*C~NM1*SJ*1*W~AAA*N**45*C~";
    with(body, |review| {
        let all: Vec<_> = review.refused_at().map(|at| (at.loop_id, at.refusal.reason.to_string())).collect();
        let told: Vec<_> = all.iter().map(|(at, code)| (*at, code.as_str())).collect();
        let wanted = [
            ("2000A", "42"),
            ("2010A", "79"),
            ("2010B", "51"),
            ("2010C", "72"),
            ("2010D", "58"),
            ("2000E", "33"),
            ("2010E", "44"),
            ("2000F", "AF"),
            ("2010F", "45"),
        ];
        assert_eq!(told, wanted);
        assert_eq!(review.cases().count(), 1);
    });
}

#[test]
fn version_4010_has_a_level_for_the_provider() {
    let body = format!(
        "~BHT*0078*11*R1*20261123*1200~{}HL*4*3*19*1~NM1*SJ*1*WATSON*SUSAN****24*1~HL*5*4*SS*0~TRN*2*T1*9012345678~\
         UM*SC*I*3~HCR*A1*AUTH1~HI*BO:99213~HSD*VS*3~CR1*LB*140*I*A*DH*12~MSG*OK~",
        TOP.replace("NM1*IL", "TRN*1*T0*9012345678~DTP*439*D8*20261101~HI*BF:4109~NM1*IL")
    );
    with(&body, |review| {
        assert_eq!(review.kind(), Kind::Response);
        let case = review.cases().next().unwrap();
        assert_eq!((&*case.matter.traces[0].number, case.matter.parties[0].name.entity.as_ref()), ("T0", "SJ"));
        assert_eq!(case.services[0].matter.decision.unwrap().number, "AUTH1");
        assert!(!serde_json::to_string(review).unwrap().contains("extra"));
        let tx = review.write(&Delimiters::default(), Charset::Extended).unwrap();
        let bytes = Envelope::new("HI", "004010X094A1").wrap(&Delimiters::default(), vec![tx]).unwrap();
        assert!(String::from_utf8(bytes).unwrap().contains("HL*5*4*SS*0~"));
    });
}

#[test]
fn an_event_belongs_to_the_level_that_hl02_names() {
    let event = |number: u32, parent: &str, trace: &str| format!("HL*{number}*{parent}*EV*0~TRN*1*{trace}*9012345678~");
    let body = format!(
        "005010X217~BHT*0007*13*R1*20261123*1200~{TOP}HL*4*3*23*1~NM1*QC*1*Z*B~{}{}{}{}",
        event(5, "4", "B1"),
        event(6, "3", "A1"),
        event(7, "4", "B2"),
        event(8, "99", "A2"),
    );
    with(&body, |review| {
        let subscriber = &review.organizations[0].requesters[0].subscribers[0];
        let traces = |events: &[ReviewEvent<'_>]| {
            events.iter().map(|event| event.traces[0].number.to_string()).collect::<Vec<_>>()
        };
        // B2 names a level that was closed by A1, and A2 one that never was: they go where they stand, and A1's words
        // are not the dependent's.
        assert_eq!(traces(&subscriber.dependents[0].events), ["B1"]);
        assert_eq!(traces(&subscriber.events), ["A1", "B2", "A2"]);
    });
}
