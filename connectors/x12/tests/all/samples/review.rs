//! The 278 in its four uses, as it goes over the wire. No validator outside this project knows these guides in 005010
//! (pyx12 has the 278 of 004010 only, linuxforhealth-x12 none): our own guide tables judge them.

use x12::review::{Kind, ServicesReview};
use x12::write::{Charset, Envelope};
use x12::{Delimiters, Document};

const PARTIES: &str = "HL*1**20*1~NM1*X3*2*NORTHSTAR HEALTH*****PI*60054~HL*2*1*21*1~\
    NM1*1P*2*BONE CLINIC*****XX*1234567893~REF*ZH*55512~N3*100 MAIN ST~N4*SALEM*OR*973010001~\
    PER*IC*FRONT DESK*TE*5035550100*FX*5035550101~PRV*RF*PXC*207X00000X~";
const ANSWERERS: &str = "HL*1**20*1~NM1*X3*2*NORTHSTAR HEALTH*****PI*60054~PER*IC*REVIEW*TE*8005550111~HL*2*1*21*1~\
    NM1*1P*2*BONE CLINIC*****XX*1234567893~";
const SUBSCRIBER: &str = "HL*3*2*22*1~NM1*IL*1*ZANZIBAR*ADA****MI*W100~";
const BORN: &str = "DMG*D8*19800201*F~";
const DEPENDENT: &str = "HL*4*3*23*1~NM1*QC*1*ZANZIBAR*BEN~DMG*D8*20100304*M~INS*N*19~";

/// Name and whole interchange of each.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let asks = "BHT*0007*13*R-2026-0001*20261123*1200~";
    let says = "BHT*0007*11*R-2026-0001*20261124*0915*18~";
    let therapy = "TRN*1*T-0001*9123456789~UM*HS*I*PT*11:B*****Y~DTP*AAH*RD8*20261201-20270228~HI*ABK:M1711*ABF:I10~\
        HSD*VS*2*WK**34*3~";
    let therapist = "NM1*SJ*1*MEYER*LENA****XX*1999999984~N3*7 SIDE ST~N4*SALEM*OR*97301~PER*IC**TE*5035550199~\
        PRV*PE*PXC*225100000X~";
    let asked_lines = "HL*5*4*SS*0~TRN*1*T-0001-1*9123456789~DTP*472*RD8*20261201-20270228~SV1*HC:97110:GP*150*UN*24*11**1~\
        HL*6*4*SS*0~TRN*1*T-0001-2*9123456789~DTP*472*RD8*20261201-20270228~SV1*HC:97140**UN*24~";
    let admission = "TRN*1*T-0002*9123456789~UM*AR*I*2*21:A**03***Y~DTP*435*D8*20261130~HI*ABK:I214~HSD*DY*5~CL1*1*7~\
        PWK*OZ*EL***AC*D-0001~MSG*Chest pain since noon~NM1*FA*2*CITY HOSPITAL*****XX*1888888884~\
        NM1*71*1*JONES*MARC****XX*1777777776~";
    let approved = "TRN*2*T-0001*9123456789~UM*HS*I*PT*11:B~HCR*A6*N-778899~REF*NT*C-4711~DTP*007*D8*20261201~\
        DTP*036*D8*20270228~DTP*102*D8*20261124~HI*ABK:M1711~HSD*VS*1*WK**34*3~MSG*Fewer visits than asked for~";
    let decided_lines = "HL*5*4*SS*0~TRN*2*T-0001-1*9123456789~HCR*A2*N-778899-1*4~SV1*HC:97110:GP**UN*12~\
        HL*6*4*SS*0~TRN*2*T-0001-2*9123456789~HCR*A3**0M~SV1*HC:97140**UN*24~";
    let pended = "TRN*2*T-0002*9123456789~UM*AR*I*2*21:A~HCR*A4*P-1234*0U~DTP*435*D8*20261130~HI*ABK:I214~PWK*OZ*EL***AC*D-0002~\
        MSG*Send the emergency room record~NM1*FA*2*CITY HOSPITAL*****XX*1888888884~";
    let event = |number: u32, parent: u32, last: bool| format!("HL*{number}*{parent}*EV*{}~", u8::from(!last));
    let unknown = format!("{ANSWERERS}HL*3*2*22*0~NM1*IL*1*ZANZIBAR*ADA****MI*W100~AAA*N**72*C~{BORN}");
    let told = "HL*1**20*1~NM1*FA*2*CITY HOSPITAL*****XX*1888888884~PER*IC*ADMISSIONS*TE*5035550170~HL*2*1*21*1~\
        NM1*PR*2*NORTHSTAR HEALTH*****PI*60054~";
    let notice = "TRN*1*T-0003*9123456789~UM*AR*I*2*21:A**03~DTP*435*D8*20261122~HI*ABK:I214~CL1*1*7*30~\
        NM1*FA*2*CITY HOSPITAL*****XX*1888888884~NM1*71*1*JONES*MARC****XX*1777777776~";
    let was_asked = "UM*HS*I*PT*11:B~REF*BB*N-778899~DTP*AAH*RD8*20261201-20270228~";
    vec![
        (
            "278_request_therapy.edi",
            review(
                "005010X217",
                Kind::Request,
                &[asks, PARTIES, SUBSCRIBER, BORN, &event(4, 3, false), therapy, therapist, asked_lines],
            ),
        ),
        (
            "278_request_admission_of_dependent.edi",
            review("005010X217", Kind::Request, &[asks, PARTIES, SUBSCRIBER, DEPENDENT, &event(5, 4, true), admission]),
        ),
        (
            "278_response_changed.edi",
            review(
                "005010X217",
                Kind::Response,
                &[says, ANSWERERS, SUBSCRIBER, BORN, &event(4, 3, false), approved, decided_lines],
            ),
        ),
        (
            "278_response_pended.edi",
            review(
                "005010X217",
                Kind::Response,
                &[
                    "BHT*0007*11*R-2026-0002*20261124*0915*19~",
                    ANSWERERS,
                    SUBSCRIBER,
                    DEPENDENT,
                    &event(5, 4, true),
                    pended,
                ],
            ),
        ),
        ("278_response_refused.edi", review("005010X217", Kind::Response, &[says, &unknown])),
        (
            "278_inquiry.edi",
            review(
                "005010X215",
                Kind::Inquiry,
                &[
                    "BHT*0007*28*Q-2026-0001*20261125*1000~",
                    PARTIES,
                    SUBSCRIBER,
                    BORN,
                    &event(4, 3, true),
                    "TRN*1*T-0004*9123456789~",
                    was_asked,
                ],
            ),
        ),
        (
            "278_inquiry_response.edi",
            review(
                "005010X215",
                Kind::InquiryResponse,
                &[
                    "BHT*0007*49*Q-2026-0001*20261125*1001~",
                    ANSWERERS,
                    SUBSCRIBER,
                    BORN,
                    &event(4, 3, false),
                    approved,
                    decided_lines,
                ],
            ),
        ),
        (
            "278_notice.edi",
            review(
                "005010X216",
                Kind::Notice,
                &["BHT*0007*CN*N-2026-0001*20261123*0800*RD~", told, SUBSCRIBER, BORN, &event(4, 3, true), notice],
            ),
        ),
        (
            "278_acknowledgment.edi",
            review(
                "005010X216",
                Kind::Acknowledgment,
                &[
                    "BHT*0007*53*N-2026-0001*20261123*0801~",
                    told,
                    SUBSCRIBER,
                    BORN,
                    &event(4, 3, true),
                    "TRN*2*T-0003*9123456789~UM*AR*I*2*21:A**03~REF*NT*C-4712~DTP*435*D8*20261122~",
                ],
            ),
        ),
    ]
}

/// The segments through their model, and what it writes; every one of them has its place.
fn review(guide: &str, kind: Kind, parts: &[&str]) -> Vec<u8> {
    let document = Document::read(format!("ST*278*0001*{guide}~{}", parts.concat()).as_bytes()).unwrap();
    let model = ServicesReview::read(&document.transactions().next().unwrap().segments);
    assert_eq!(model.kind(), kind);
    assert!(!serde_json::to_string(&model).unwrap().contains("\"extra\""), "{}", parts.concat());
    let tx = model.write(&Delimiters::default(), Charset::Extended).unwrap();
    let bytes = Envelope::new("HI", guide).wrap(&Delimiters::default(), vec![tx]).unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains(&parts.concat()), "{text}");
    bytes
}
