//! Questions and answers about eligibility as they go over the wire. They keep to what linuxforhealth-x12 0.57 can read:
//! it takes one EQ for each patient, only numbers for the unit of a quantity (EB09), no III without LS, no procedure
//! instead of a service type, no PER of the carrier, and of the
//! reasons in loop 2100C those that loop 2100B has.

use x12::eligibility::{EligibilityInquiry, EligibilityResponse};
use x12::write::{Charset, Envelope, TransactionWriter};
use x12::{Delimiters, Document};

const ASKS: &str = "BHT*0022*13*Q-2026-0001*20261123*1200~HL*1**20*1~NM1*PR*2*NORTHSTAR HEALTH*****PI*60054~HL*2*1*21*1~\
    NM1*1P*2*BONE CLINIC*****XX*1234567893~REF*TJ*123456789~N3*100 MAIN ST~N4*SALEM*OR*97301~PRV*PE*PXC*207X00000X~";
const ASKS_ABOUT: &str = "DTP*291*D8*20261123~EQ*30^98~";
const SAYS: &str = "BHT*0022*11*Q-2026-0001*20261123*1201~HL*1**20*1~NM1*PR*2*NORTHSTAR HEALTH*****PI*60054~\
    HL*2*1*21*1~NM1*1P*2*BONE CLINIC*****XX*1234567893~";
const MEMBER: &str = "REF*6P*G1001~N3*4100 FICTION AVE~N4*SAMPLETON*OR*97999~DMG*D8*19800201*F~";
const BENEFITS: &str = "EB*1**30*HM*GOLD HMO~EB*C*IND*30***23*1500*****Y~EB*C*IND*30***29*600*****Y~EB*B*IND*98***27*25*****Y~\
    EB*A*IND*UC*****0.2****N~EB*F*IND*PT***23*****N*Y~HSD*VS*30***23*1~MSG*COMBINED WITH OCCUPATIONAL THERAPY~\
    EB*R**30*MC~REF*IG*M77~DTP*290*D8*20200101~LS*2120~\
    NM1*PRP*2*OTHER HEALTH*****PI*777~N3*1 ELSEWHERE RD~N4*SALEM*OR*97301~PER*IC*CLAIMS*TE*8005550111~LE*2120~";

/// Name and whole interchange of each.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let subscriber =
        "HL*3*2*22*0~TRN*1*T-0001*9123456789~NM1*IL*1*ZANZIBAR*ADA****MI*W100~REF*6P*G1001~DMG*D8*19800201*F~";
    let dependent = "HL*3*2*22*1~NM1*IL*1*ZANZIBAR*ADA****MI*W100~HL*4*3*23*0~TRN*1*T-0002*9123456789~\
        NM1*03*1*ZANZIBAR*BEN~DMG*D8*20100304*M~INS*N*19~";
    let member = "HL*3*2*22*0~TRN*2*T-0001*9123456789~NM1*IL*1*ZANZIBAR*ADA****MI*W100~";
    let child = format!(
        "HL*3*2*22*1~NM1*IL*1*ZANZIBAR*ADA****MI*W100~{MEMBER}HL*4*3*23*0~TRN*2*T-0002*9123456789~NM1*03*1*ZANZIBAR*BEN~\
         DMG*D8*20100304*M~INS*N*19~DTP*346*D8*20260101~"
    );
    vec![
        ("270_subscriber.edi", inquiry(&format!("{ASKS}{subscriber}{ASKS_ABOUT}"))),
        ("270_dependent.edi", inquiry(&format!("{ASKS}{dependent}DTP*291*RD8*20261101-20261130~EQ*98^UC**FAM~"))),
        ("271_subscriber.edi", response(&format!("{SAYS}{member}{MEMBER}DTP*346*D8*20260101~{BENEFITS}"))),
        ("271_dependent.edi", response(&format!("{SAYS}{child}{BENEFITS}"))),
        ("271_more_needed.edi", response(&format!("{SAYS}{member}AAA*N**15*C~DMG*D8*19800201*F~"))),
        ("271_provider_unknown.edi", response(&format!("{SAYS}AAA*N**51*C~{member}"))),
    ]
}

/// The segments through their model, and what it writes.
fn inquiry(segments: &str) -> Vec<u8> {
    let document = Document::read(format!("ST*270*0001*{}~{segments}", EligibilityInquiry::GUIDE).as_bytes()).unwrap();
    let model = EligibilityInquiry::read(&document.transactions().next().unwrap().segments);
    wrap("HS", model.write(&Delimiters::default(), Charset::Extended).unwrap())
}

fn response(segments: &str) -> Vec<u8> {
    let document = Document::read(format!("ST*271*0001*{}~{segments}", EligibilityResponse::GUIDE).as_bytes()).unwrap();
    let model = EligibilityResponse::read(&document.transactions().next().unwrap().segments);
    wrap("HB", model.write(&Delimiters::default(), Charset::Extended).unwrap())
}

fn wrap(kind: &str, transaction: TransactionWriter) -> Vec<u8> {
    Envelope::new(kind, "005010X279A1").wrap(&Delimiters::default(), vec![transaction]).unwrap()
}
