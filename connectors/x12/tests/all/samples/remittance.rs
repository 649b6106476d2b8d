//! Remittances as carriers send them. They keep to what pyx12 4.0 and linuxforhealth-x12 0.57 can read.

use x12::remittance::Remittance;
use x12::write::{Charset, Envelope};
use x12::{Delimiters, Document};

const PARTIES: &str = "REF*EV*PORTICO~DTM*405*20261119~N1*PR*NORTHSTAR HEALTH*XV*60054~N3*100 MAIN ST~N4*SALEM*OR*97301~\
    REF*2U*60054~PER*CX*CLAIMS*TE*8005550100~PER*BL*EDI SUPPORT*TE*8005550101*EM*EDI@NORTHSTAR.EXAMPLE~\
    N1*PE*BONE CLINIC*XX*1234567893~N3*4100 FICTION AVE~N4*SAMPLETON*OR*97999~REF*TJ*123456789~";
const ADA: &str = "NM1*QC*1*ZANZIBAR*ADA****MI*W100~NM1*82*1*LENS*KIM****XX*1234567893~";
const BEN: &str = "NM1*QC*1*ZANZIBAR*BEN****MI*W101~NM1*IL*1*ZANZIBAR*ADA****MI*W100~";

/// Name and whole interchange of each.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let simple = format!(
        "CLP*A-1001*1*125*80*20*12*NS-9001*11*1~{ADA}REF*EA*MRN1~DTM*232*20261103~DTM*233*20261103~DTM*050*20261105~\
         AMT*AU*100~SVC*HC:99213:25*125*80**1~DTM*472*20261103~CAS*CO*45*25~CAS*PR*3*20~REF*6R*1~AMT*B6*100~"
    );
    let several = format!(
        "CLP*A-1002*1*300*150*50*12*NS-9002*11*1~{ADA}MOA***MA01~DTM*232*20261104~DTM*233*20261104~PER*CX*CLAIMS*TE*8005550100~AMT*AU*200~\
         SVC*HC:99214*200*100**1~DTM*472*20261104~CAS*CO*45*50~CAS*PR*1*30**2*20~AMT*B6*150~\
         SVC*HC:80053*100*50**1~DTM*472*20261104~CAS*CO*45*50~AMT*B6*50~\
         CLP*A-1003*2*200*40*0*12*NS-9003*11*1~{BEN}DTM*232*20261104~SVC*HC:97110:GP*200*40**2**4~DTM*150*20261104~\
         DTM*151*20261105~CAS*CO*45*60~CAS*OA*23*100~REF*6R*7~"
    );
    let denial = format!(
        "CLP*A-1004*4*250*0**12*NS-9004*11*1~{ADA}MOA***MA130~DTM*232*20261105~DTM*233*20261105~\
         SVC*HC:72148*250*0**1~DTM*472*20261105~CAS*CO*197*250~REF*6R*1~LQ*HE*N54~LQ*HE*M62~"
    );
    let reversal = format!(
        "CLP*A-1001*22*-125*-80**12*NS-9001*11*7~{ADA}DTM*232*20261103~SVC*HC:99213:25*-125*-80**-1~DTM*472*20261103~\
         CAS*CO*45*-25~CAS*PR*3*-20~\
         CLP*A-1001*1*125*90*10*12*NS-9005*11*7~{ADA}REF*F8*NS-9001~DTM*232*20261103~SVC*HC:99213:25*125*90**1~\
         DTM*472*20261103~CAS*CO*45*25~CAS*PR*3*10~"
    );
    let inpatient = "TS3*1234567893*11*20261231*1*12000~TS2*7000~\
        CLP*H-2001*1*12000*6400*600*MA*NS-9101*11*1**470*2.05~CAS*CO*45*5000~CAS*PR*1*600~\
        NM1*QC*1*ZANZIBAR*ADA****MI*W100~MIA*0***7000*MA07*120~DTM*232*20261010~DTM*233*20261013~QTY*CA*3~";
    vec![
        ("835_simple.edi", advice("I*80*C*ACH", &format!("LX*1~{simple}"))),
        ("835_several.edi", advice("I*270*C*CHK", &format!("LX*1~{simple}{several}"))),
        ("835_denial.edi", advice("H*0*C*NON", &format!("LX*1~{denial}"))),
        ("835_reversal.edi", advice("I*10*C*ACH", &format!("LX*1~{reversal}"))),
        (
            "835_provider_adjustments.edi",
            advice(
                "I*1031.5*C*ACH",
                &format!("LX*1~{simple}PLB*1234567893*20261231*L6:A-1001*-1.5*WO:NS-8000*50*CT:202611*-1000~"),
            ),
        ),
        (
            "835_zero_paid.edi",
            advice("H*0*C*NON", &format!("LX*1~{simple}PLB*1234567893*20261231*FB:NEXT*100*WO:NS-8000*-20~")),
        ),
        ("835_inpatient.edi", advice("I*6400*C*ACH", &format!("LX*1~{inpatient}"))),
        (
            "835_predetermination.edi",
            advice(
                "H*0*C*NON",
                &format!(
                    "LX*1~CLP*A-1005*25*900*0**12*NS-9006*11*1~CAS*OA*101*600~CAS*CO*45*300~{ADA}DTM*232*20261120~"
                ),
            ),
        ),
    ]
}

/// A whole interchange: the payment and what follows the parties, through the model and what it writes.
fn advice(payment: &str, detail: &str) -> Vec<u8> {
    let account = if payment.ends_with("ACH") {
        "CCP*01*999999992*DA*123456*1512345678**01*999988880*DA*98765*20261120"
    } else {
        "***********20261120"
    };
    let segments = format!("BPR*{payment}*{account}~TRN*1*EFT0001*1512345678~{PARTIES}{detail}");
    let document = Document::read(format!("ST*835*0001~{segments}").as_bytes()).unwrap();
    let model = Remittance::read(&document.transactions().next().unwrap().segments);
    assert!(model.balance().0.ok(), "{segments}");
    let transaction = model.write(&Delimiters::default(), Charset::Extended).unwrap();
    Envelope::new("HP", Remittance::GUIDE).wrap(&Delimiters::default(), vec![transaction]).unwrap()
}
