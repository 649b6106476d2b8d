//! The question: a 270, 005010X279A1.

use super::segments::{AskedService, Iii};
use crate::model::common::{Amt, Bht, Dmg, Dtp, Hi, Ins, N3, N4, Nm1, Per, Prv, Ref, Trn};
use crate::model::{Hl, loops, transactions};

transactions! {
    /// A 270: questions about coverage, by carrier, who asks and patient.
    pub struct EligibilityInquiry<'a> = "270", "005010X279A1" {
        /// BHT
        beginning: Option<Bht<'a>>,
        /// Loop 2000A: the carriers.
        sources: Vec<InquirySource<'a>>,
    }
}

loops! {
    /// Loops 2000A and 2100A: the carrier.
    pub struct InquirySource<'a> {
        /// HL*20
        level: Hl<'a> where 3 = "20",
        /// NM1*PR
        name: Option<Nm1<'a>>,
        /// Loop 2000B
        receivers: Vec<InquiryReceiver<'a>>,
    }

    /// Loops 2000B and 2100B: who asks.
    pub struct InquiryReceiver<'a> {
        /// HL*21
        level: Hl<'a> where 3 = "21",
        /// NM1*1P and the like
        name: Option<Nm1<'a>>,
        /// REF: `TJ` tax id, `EO` submitter id …
        references: Vec<Ref<'a>>,
        /// N3
        street: Option<N3<'a>>,
        /// N4
        city: Option<N4<'a>>,
        /// PER (004010)
        contacts: Vec<Per<'a>>,
        /// PRV
        provider: Option<Prv<'a>>,
        /// Loop 2000C
        subscribers: Vec<InquirySubscriber<'a>>,
    }

    /// Loops 2000C and 2100C: the subscriber, with the questions where the subscriber is the patient.
    pub struct InquirySubscriber<'a> {
        /// HL*22
        level: Hl<'a> where 3 = "22",
        /// TRN*1: trace numbers of the question; they come back in the 271.
        traces: Vec<Trn<'a>>,
        /// NM1*IL
        name: Option<Nm1<'a>>,
        /// REF: `6P` group number, `SY` …
        references: Vec<Ref<'a>>,
        /// N3
        street: Option<N3<'a>>,
        /// N4
        city: Option<N4<'a>>,
        /// PER (004010)
        contacts: Vec<Per<'a>>,
        /// PRV
        provider: Option<Prv<'a>>,
        /// DMG
        demographics: Option<Dmg<'a>>,
        /// INS
        insured: Option<Ins<'a>>,
        /// HI: diagnoses that EQ05 points to.
        health: Option<Hi<'a>>,
        /// DTP: `291` days asked about, `102` card issued.
        dates: Vec<Dtp<'a>>,
        /// Loop 2110C
        questions: Vec<EligibilityQuestion<'a>>,
        /// Loop 2000D
        dependents: Vec<InquiryDependent<'a>>,
    }

    /// Loops 2000D and 2100D: the patient, where it is not the subscriber.
    pub struct InquiryDependent<'a> {
        /// HL*23
        level: Hl<'a> where 3 = "23",
        /// TRN*1
        traces: Vec<Trn<'a>>,
        /// NM1*03
        name: Option<Nm1<'a>>,
        /// REF
        references: Vec<Ref<'a>>,
        /// N3
        street: Option<N3<'a>>,
        /// N4
        city: Option<N4<'a>>,
        /// PER (004010)
        contacts: Vec<Per<'a>>,
        /// PRV
        provider: Option<Prv<'a>>,
        /// DMG
        demographics: Option<Dmg<'a>>,
        /// INS: how the patient stands to the subscriber.
        insured: Option<Ins<'a>>,
        /// HI
        health: Option<Hi<'a>>,
        /// DTP
        dates: Vec<Dtp<'a>>,
        /// Loop 2110D
        questions: Vec<EligibilityQuestion<'a>>,
    }

    /// Loops 2110C and 2110D: one thing asked about.
    pub struct EligibilityQuestion<'a> {
        /// EQ
        service: AskedService<'a>,
        /// AMT: `R` spend-down, `PB` billed.
        amounts: Vec<Amt<'a>>,
        /// III: `ZZ` place of service.
        information: Vec<Iii<'a>>,
        /// REF: `9F` referral, `G1` authorization.
        references: Vec<Ref<'a>>,
        /// DTP: days of this question, where it has its own.
        dates: Vec<Dtp<'a>>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sample::round_trips;
    use crate::write::{Charset, Envelope};
    use crate::{Delimiters, Document};

    #[test]
    fn what_is_written_is_read_back() {
        round_trips::<EligibilityInquiry<'static>>(200);
    }

    #[test]
    fn a_question_about_a_dependent() {
        let text = "ST*270*0001*005010X279A1~BHT*0022*13*R1*20261123*1200~HL*1**20*1~NM1*PR*2*NORTHSTAR*****PI*60054~\
                    HL*2*1*21*1~NM1*1P*2*BONE CLINIC*****XX*1234567893~REF*TJ*123456789~N3*1 ELM~N4*SALEM*OR*97301~\
                    PRV*PE*PXC*207X00000X~HL*3*2*22*1~NM1*IL*1*ZANZIBAR*ADA****MI*W1~REF*6P*G7~DMG*D8*19800201*F~\
                    HL*4*3*23*0~TRN*1*T1*9123456789~NM1*03*1*ZANZIBAR*BEN~DMG*D8*20100304*M~INS*N*19~\
                    HI*ABK:S5210~DTP*291*RD8*20261101-20261130~EQ*30^98~III*ZZ*11~EQ**HC:99213:25***1~AMT*PB*120.50~\
                    REF*G1*A77~DTP*472*D8*20261124~SE*28*0001~";
        let document = Document::read(text.as_bytes()).unwrap();
        let inquiry = EligibilityInquiry::read(&document.transactions().next().unwrap().segments);
        let receiver = &inquiry.sources[0].receivers[0];
        assert_eq!(receiver.provider.as_ref().unwrap().code, "207X00000X");
        let subscriber = &receiver.subscribers[0];
        assert_eq!(subscriber.references[0].value, "G7");
        let dependent = &subscriber.dependents[0];
        assert_eq!((&*dependent.traces[0].number, &*dependent.health.as_ref().unwrap().codes[0].code), ("T1", "S5210"));
        assert_eq!(dependent.insured.as_ref().unwrap().relationship, "19");
        let [plan, visit] = dependent.questions.as_slice() else { panic!("two questions") };
        assert_eq!(
            (plan.service.service_types.as_slice(), &*plan.information[0].code),
            (&["30".into(), "98".into()][..], "11")
        );
        assert_eq!((&*visit.service.procedure.modifier_1, &*visit.service.diagnoses.first), ("25", "1"));
        assert_eq!((visit.service.at.0, visit.dates.len()), (24, 1));

        let tx = inquiry.write(&Delimiters::default(), Charset::Extended).unwrap();
        let written = Envelope::new("HS", EligibilityInquiry::GUIDE).wrap(&Delimiters::default(), vec![tx]).unwrap();
        assert!(String::from_utf8(written).unwrap().contains(text));
    }
}
