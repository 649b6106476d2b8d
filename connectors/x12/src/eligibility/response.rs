//! The answer: a 271, 005010X279A1.

use super::segments::{Eb, Iii, Le, Ls, Mpi};
use crate::model::common::{Aaa, Bht, Dmg, Dtp, Hi, Hsd, Ins, Msg, N3, N4, Nm1, Per, Prv, Ref, Trn};
use crate::model::{Hl, loops, transactions};

transactions! {
    /// A 271: what carriers say of coverage and benefits, patient by patient.
    pub struct EligibilityResponse<'a> = "271", "005010X279A1" {
        /// BHT
        beginning: Option<Bht<'a>>,
        /// AAA before the first level: no guide has it, some carriers send it.
        rejections: Vec<Aaa<'a>>,
        /// Loop 2000A: the carriers.
        sources: Vec<ResponseSource<'a>>,
    }
}

loops! {
    /// Loop 2000A: the carrier.
    pub struct ResponseSource<'a> {
        /// HL*20
        level: Hl<'a> where 3 = "20",
        /// AAA of the whole question.
        rejections: Vec<Aaa<'a>>,
        /// Loop 2100A: NM1*PR, PER, AAA.
        parties: Vec<ResponseParty<'a>>,
        /// Loop 2000B
        receivers: Vec<ResponseReceiver<'a>>,
    }

    /// Loop 2000B: who asked.
    pub struct ResponseReceiver<'a> {
        /// HL*21
        level: Hl<'a> where 3 = "21",
        /// AAA before the name: no guide has it, some carriers send it.
        rejections: Vec<Aaa<'a>>,
        /// Loop 2100B: NM1*1P, REF, N3, N4, AAA, PRV.
        parties: Vec<ResponseParty<'a>>,
        /// Loop 2000C
        subscribers: Vec<ResponseSubscriber<'a>>,
    }

    /// Loop 2000C: the subscriber.
    pub struct ResponseSubscriber<'a> {
        /// HL*22
        level: Hl<'a> where 3 = "22",
        /// TRN: `2` the number of the question, `1` the carrier's own.
        traces: Vec<Trn<'a>>,
        /// AAA before the name: no guide has it, some carriers send it.
        rejections: Vec<Aaa<'a>>,
        /// Loop 2100C: NM1*IL and everything about the person.
        parties: Vec<ResponseParty<'a>>,
        /// Loop 2110C
        benefits: Vec<EligibilityBenefit<'a>>,
        /// Loop 2000D
        dependents: Vec<ResponseDependent<'a>>,
    }

    /// Loop 2000D: the patient, where it is not the subscriber.
    pub struct ResponseDependent<'a> {
        /// HL*23
        level: Hl<'a> where 3 = "23",
        /// TRN
        traces: Vec<Trn<'a>>,
        /// AAA before the name: no guide has it, some carriers send it.
        rejections: Vec<Aaa<'a>>,
        /// Loop 2100D: NM1*03 and everything about the person.
        parties: Vec<ResponseParty<'a>>,
        /// Loop 2110D
        benefits: Vec<EligibilityBenefit<'a>>,
    }

    /// Loops 2100A to 2100D: somebody by name. Which of the segments may stand there differs from loop to loop.
    pub struct ResponseParty<'a> {
        /// NM1
        name: Nm1<'a>,
        /// REF: `6P` group, `18` plan, `SY`, `EJ` …
        references: Vec<Ref<'a>>,
        /// N3
        street: Option<N3<'a>>,
        /// N4
        city: Option<N4<'a>>,
        /// PER: how to reach the carrier (2100A; 004010 everywhere).
        contacts: Vec<Per<'a>>,
        /// AAA: what could not be accepted.
        rejections: Vec<Aaa<'a>>,
        /// PRV
        provider: Option<Prv<'a>>,
        /// DMG
        demographics: Option<Dmg<'a>>,
        /// INS: how the person stands to the subscriber; `001` with `25` says that the carrier changed something.
        insured: Option<Ins<'a>>,
        /// HI: diagnoses that EB14 points to.
        health: Option<Hi<'a>>,
        /// DTP: dates of the plan and of the person in it.
        dates: Vec<Dtp<'a>>,
        /// MPI: military service.
        military: Option<Mpi<'a>>,
    }

    /// Loops 2110C and 2110D: one statement, with what belongs to it.
    pub struct EligibilityBenefit<'a> {
        /// EB
        benefit: Eb<'a>,
        /// HSD
        deliveries: Vec<Hsd<'a>>,
        /// REF
        references: Vec<Ref<'a>>,
        /// DTP
        dates: Vec<Dtp<'a>>,
        /// AAA
        rejections: Vec<Aaa<'a>>,
        /// MSG
        messages: Vec<Msg<'a>>,
        /// Loop 2115: III
        information: Vec<Iii<'a>>,
        /// LS*2120: stands where there are entities.
        entities_begin: Option<Ls<'a>>,
        /// Loop 2120: whom to turn to.
        entities: Vec<RelatedEntity<'a>>,
        /// LE*2120
        entities_end: Option<Le<'a>>,
    }

    /// Loops 2120C and 2120D: a primary care provider, another payer, a vendor …
    pub struct RelatedEntity<'a> {
        /// NM1
        name: Nm1<'a>,
        /// N3
        street: Option<N3<'a>>,
        /// N4
        city: Option<N4<'a>>,
        /// PER
        contacts: Vec<Per<'a>>,
        /// PRV
        provider: Option<Prv<'a>>,
    }
}

impl<'a> EligibilityBenefit<'a> {
    /// Puts entities into loop 2120, with the LS and LE around them.
    pub fn with_entities(mut self, entities: Vec<RelatedEntity<'a>>) -> Self {
        if !entities.is_empty() {
            self.entities_begin = Some(Ls { loop_id: "2120".into(), ..Ls::default() });
            self.entities_end = Some(Le { loop_id: "2120".into(), ..Le::default() });
        }
        self.entities = entities;
        self
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
        round_trips::<EligibilityResponse<'static>>(200);
    }

    #[test]
    fn an_answer_with_everything() {
        let text = "ST*271*0001*005010X279A1~BHT*0022*11*R1*20261123*1200~HL*1**20*1~NM1*PR*2*NORTHSTAR*****PI*60054~\
                    PER*IC*MEMBER SERVICES*TE*8005550100~HL*2*1*21*1~NM1*1P*2*BONE CLINIC*****XX*1234567893~HL*3*2*22*1~\
                    TRN*2*T0*9123456789~NM1*IL*1*ZANZIBAR*ADA****MI*W1~N3*1 ELM~N4*SALEM*OR*97301~AAA*N**73*C~\
                    DMG*D8*19800201*F~INS*Y*18*001*25~DTP*346*D8*20260101~MPI*C*AO*A**E1*D8*20200101~EB*1**30**GOLD~\
                    HL*4*3*23*0~TRN*2*T1*9123456789~NM1*03*1*ZANZIBAR*BEN~HI*ABK:S5210~\
                    EB*C*IND*30^98***23*1500**VS*2*U*Y*HC:99213*1:2~HSD*VS*12***23*1~REF*6P*G7~DTP*292*D8*20260101~\
                    AAA*N**70*C~MSG*READ THE BOOKLET~III*ZZ*11~LS*2120~NM1*VN*2*EYE VENDOR~N3*2 OAK~N4*SALEM*OR*97301~\
                    PER*IC**TE*8005550122~PRV*PE*PXC*207X00000X~LE*2120~EB*B**UC***27**0.5~SE*38*0001~";
        let document = Document::read(text.as_bytes()).unwrap();
        let response = EligibilityResponse::read(&document.transactions().next().unwrap().segments);
        let receiver = &response.sources[0].receivers[0];
        let subscriber = &receiver.subscribers[0];
        assert_eq!(subscriber.parties[0].military.as_ref().unwrap().rank, "E1");
        assert_eq!(subscriber.parties[0].rejections[0].reason, "73");
        assert_eq!((subscriber.benefits.len(), subscriber.dependents.len()), (1, 1));
        let [deductible, copay] = subscriber.dependents[0].benefits.as_slice() else { panic!("two benefits") };
        assert_eq!(deductible.benefit.amount.get().unwrap().to_string(), "1500");
        assert_eq!(deductible.benefit.diagnoses.second, "2");
        assert_eq!((deductible.entities.len(), &*deductible.entities[0].contacts[0].number_1), (1, "8005550122"));
        assert_eq!((copay.benefit.share.get().unwrap().to_string(), copay.benefit.at.0), ("0.5".into(), 37));
        assert!(!format!("{response:?} {deductible:?} {:?}", copay.benefit).contains("GOLD"));

        let tx = response.write(&Delimiters::default(), Charset::Extended).unwrap();
        let written = Envelope::new("HB", EligibilityResponse::GUIDE).wrap(&Delimiters::default(), vec![tx]).unwrap();
        assert!(String::from_utf8(written).unwrap().contains(text));
    }

    #[test]
    fn entities_stand_between_their_bounds() {
        let vendor = RelatedEntity { name: Nm1 { entity: "VN".into(), ..Nm1::default() }, ..RelatedEntity::default() };
        let benefit = EligibilityBenefit::default().with_entities(vec![vendor]);
        assert_eq!(benefit.entities_begin.unwrap().loop_id, benefit.entities_end.unwrap().loop_id);
        assert!(EligibilityBenefit::default().with_entities(Vec::new()).entities_begin.is_none());
    }
}
