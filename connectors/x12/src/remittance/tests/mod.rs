//! An 835 by hand, read, looked into and written again.

mod balance;
mod stream;

use super::*;
use crate::model::sample::round_trips;
use crate::write::{Charset, Envelope};
use crate::{Delimiters, Document};

/// A claim with adjustments at both levels, one before any LX, and provider adjustments.
const ADVICE: &str = "ST*835*1001*005010X221A1~BPR*I*130.5*C*ACH*CCP*01*999999992*DA*123456*1512345678**01*999988880*DA*98765*20261120~\
     TRN*1*EFT1*1512345678~REF*EV*HUB~DTM*405*20261119~N1*PR*NORTHSTAR HEALTH*XV*88888~N3*100 MAIN ST~N4*BOISE*ID*83702~\
     PER*CX**TE*8005550100~N1*PE*CLINIC*XX*1234567893~REF*TJ*123456789~CLP*A0*1*10*10**12*P0*11*1~LX*1~\
     TS3*1234567893*11*20261231*1*250~CLP*A1*1*250*120.5*29.5*12*P1*11*1~CAS*OA*23*10*1*97*0**253*5.25*2~\
     NM1*QC*1*ZANZIBAR*ADA****MI*W1~NM1*82*1*LENS*KIM****XX*1234567893~MOA***MA01*MA18~REF*EA*MRN1~DTM*232*20261101~\
     AMT*AU*160~QTY*CA*2~SVC*HC:99213:25*250*120.5**1**2~DTM*472*20261101~CAS*CO*45*84.75~CAS*PR*1*20**2*9.5~REF*6R*1~\
     AMT*B6*150~LQ*HE*N130~ZZZ*1~PLB*1234567893*20261231*L6:X1*-3*WO*3~SE*33*1001~";

const ISA: &str =
    "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*1200*^*00501*000000001*0*P*:~";

#[test]
fn what_is_written_is_read_back() {
    round_trips::<Remittance<'static>>(200);
}

#[test]
fn every_segment_has_its_place() {
    let document = Document::read(ADVICE.as_bytes()).unwrap();
    let transaction = document.transactions().next().unwrap();
    let advice = Remittance::read(&transaction.segments);
    assert_eq!(advice.payment.as_ref().unwrap().amount.get().unwrap().to_string(), "130.5");
    assert_eq!(advice.payer.as_ref().unwrap().contacts[0].number_1, "8005550100");
    assert_eq!(advice.payee.as_ref().unwrap().references[0].value, "123456789");
    assert_eq!((advice.claims.len(), advice.groups[0].claims.len(), advice.all_claims().count()), (1, 1, 2));
    let claim = &advice.groups[0].claims[0];
    assert_eq!((&*claim.claim.patient_control, claim.claim.at.0), ("A1", 15));
    assert_eq!(claim.name("QC").unwrap().last_name, "ZANZIBAR");
    assert_eq!(claim.outpatient.as_ref().unwrap().remarks().collect::<Vec<_>>(), ["MA01", "MA18"]);
    let said: Vec<_> = claim.adjustments[0].numbered().map(|(at, each)| (at, each.reason.to_string())).collect();
    assert_eq!(said, [(2, "23".to_owned()), (5, "97".to_owned()), (8, "253".to_owned())]);
    let line = &claim.lines[0];
    assert_eq!((&*line.service.procedure.modifier_1, line.adjustments.len(), line.remarks.len()), ("25", 2, 1));
    assert_eq!(line.extra[0].id(), "ZZZ");
    let plb = &advice.provider_adjustments[0];
    let said: Vec<_> = plb.numbered().map(|(at, each)| (at, each.reason.code.to_string())).collect();
    assert_eq!(said, [(3, "L6".to_owned()), (5, "WO".to_owned())]);
    assert!(!format!("{advice:?} {claim:?} {:?} {plb:?}", claim.adjustments).contains("A1"));
}

#[test]
fn it_is_written_as_it_came() {
    let document = Document::read(ADVICE.as_bytes()).unwrap();
    let transaction = document.transactions().next().unwrap();
    let advice = Remittance::read(&transaction.segments);
    let tx = advice.write(&Delimiters::default(), Charset::Extended).unwrap();
    let written = Envelope::new("HP", Remittance::GUIDE).wrap(&Delimiters::default(), vec![tx]).unwrap();
    let written = String::from_utf8(written).unwrap();
    let body = written.get(written.find("ST*").unwrap()..written.find("GE*").unwrap()).unwrap();
    assert_eq!(body, ADVICE);
}

#[test]
fn elements_that_no_guide_knows_are_kept() {
    let text = "ST*835*1001~CLP*A1*1*9*9**12~CAS*CO*1*2*3*4*5*6*7*8*9*10*11*12*13*14*15*16*17*18*X:Y*Z~CAS*PR***1**3~\
                SVC*HC:1*9*9****1*S1:S2^S3~PLB*1*20261231*A*1*B*2*C*3*D*4*E*5*F*6*G*7~SE*7*1001~";
    let document = Document::read(format!("{ISA}{text}").as_bytes()).unwrap();
    let transaction = document.transactions().next().unwrap();
    let advice = Remittance::read(&transaction.segments);
    assert_eq!(advice.claims[0].adjustments[0].surplus.len(), 2);
    let tx = advice.into_static().write(&Delimiters::default(), Charset::Extended).unwrap();
    let written = Envelope::new("HP", Remittance::GUIDE).wrap(&Delimiters::default(), vec![tx]).unwrap();
    assert!(String::from_utf8(written).unwrap().contains(text));
}
