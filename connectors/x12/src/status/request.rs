//! The question about claims: a 276, 005010X212.

use crate::model::common::{Amt, Bht, Dmg, Dtp, Nm1, Ref, Svc, Trn};
use crate::model::{Hl, loops, transactions};

transactions! {
    /// A 276: questions about claims, by carrier, who asks, provider and patient.
    ///
    /// Typed whole it takes memory in proportion to its segments, of which the only limit is that of a block
    /// ([`MAX_BLOCK_SEGMENTS`](crate::read::MAX_BLOCK_SEGMENTS), [`MAX_BLOCK_BYTES`](crate::read::MAX_BLOCK_BYTES)). A large
    /// one is better read segment by segment with [`Walker::next_event`](crate::Walker::next_event), in flat memory.
    pub struct ClaimStatusRequest<'a> = "276", "005010X212" {
        /// BHT
        beginning: Option<Bht<'a>>,
        /// Loop 2000A: the carriers.
        sources: Vec<RequestSource<'a>>,
    }
}

loops! {
    /// Loops 2000A and 2100A: the carrier.
    pub struct RequestSource<'a> {
        /// HL*20
        level: Hl<'a> where 3 = "20",
        /// NM1*PR
        name: Option<Nm1<'a>>,
        /// Loop 2000B
        receivers: Vec<RequestReceiver<'a>>,
    }

    /// Loops 2000B and 2100B: who asks.
    pub struct RequestReceiver<'a> {
        /// HL*21
        level: Hl<'a> where 3 = "21",
        /// NM1*41
        name: Option<Nm1<'a>>,
        /// Loop 2000C
        providers: Vec<RequestProvider<'a>>,
    }

    /// Loops 2000C and 2100C: the provider.
    pub struct RequestProvider<'a> {
        /// HL*19
        level: Hl<'a> where 3 = "19",
        /// NM1*1P, and a second one where the guide allows it.
        names: Vec<Nm1<'a>>,
        /// Loop 2000D
        subscribers: Vec<RequestSubscriber<'a>>,
    }

    /// Loops 2000D and 2100D: the subscriber, with the claims where the subscriber is the patient.
    pub struct RequestSubscriber<'a> {
        /// HL*22
        level: Hl<'a> where 3 = "22",
        /// DMG
        demographics: Option<Dmg<'a>>,
        /// NM1*IL
        name: Option<Nm1<'a>>,
        /// Loop 2200D
        claims: Vec<RequestClaim<'a>>,
        /// Loop 2000E
        dependents: Vec<RequestDependent<'a>>,
    }

    /// Loops 2000E and 2100E: the patient, where it is not the subscriber.
    pub struct RequestDependent<'a> {
        /// HL*23
        level: Hl<'a> where 3 = "23",
        /// DMG
        demographics: Option<Dmg<'a>>,
        /// NM1*QC
        name: Option<Nm1<'a>>,
        /// Loop 2200E
        claims: Vec<RequestClaim<'a>>,
    }

    /// Loops 2200D and 2200E: one claim asked about.
    pub struct RequestClaim<'a> {
        /// TRN*1: our trace number for this question.
        trace: Trn<'a>,
        /// REF: the carrier's claim number, type of bill, patient control number and so on.
        references: Vec<Ref<'a>>,
        /// AMT*T3: charged in all.
        charged: Option<Amt<'a>>,
        /// DTP*472: when the services were given.
        dates: Vec<Dtp<'a>>,
        /// Loop 2210: service lines asked about.
        lines: Vec<RequestLine<'a>>,
    }

    /// Loop 2210: one service line asked about.
    pub struct RequestLine<'a> {
        /// SVC
        service: Svc<'a>,
        /// REF*FJ: our number for the line.
        references: Vec<Ref<'a>>,
        /// DTP*472
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
        round_trips::<ClaimStatusRequest<'static>>(200);
    }

    #[test]
    fn levels_are_numbered_and_strangers_are_kept() {
        let text = "ST*276*0001*005010X212~BHT*0010*13*R1*20261123*1200~HL*1**20*1~NM1*PR*2*NORTHSTAR*****PI*60054~\
                    HL*2*1*21*1~NM1*41*2*CLINIC*****46*S1~HL*3*2*19*1~NM1*1P*2*CLINIC*****XX*1234567893~HL*4*3*22*0~\
                    DMG*D8*19800201*F~NM1*IL*1*ZANZIBAR*ADA****MI*W1~ZZZ*1*A:B*C^D~TRN*1*T1~REF*1K*C9~AMT*T3*125.50~\
                    DTP*472*D8*20261101~SVC*HC:99213:25*125.50****~DTP*472*D8*20261101~SE*19*0001~";
        let document = Document::read(text.as_bytes()).unwrap();
        let transaction = document.transactions().next().unwrap();
        let request = ClaimStatusRequest::read(&transaction.segments);
        let subscriber = &request.sources[0].receivers[0].providers[0].subscribers[0];
        assert_eq!(subscriber.name.as_ref().unwrap().first_name, "ADA");
        assert_eq!((subscriber.extra[0].id(), subscriber.extra[0].at.0), ("ZZZ", 12));
        let claim = &subscriber.claims[0];
        assert_eq!(claim.charged.as_ref().unwrap().amount.get().unwrap().to_string(), "125.50");
        assert_eq!((&*claim.lines[0].service.procedure.code, claim.trace.at.0), ("99213", 13));
        assert!(!format!("{request:?} {claim:?} {:?}", claim.trace).contains("T1"));

        let tx = request.write(&Delimiters::default(), Charset::Extended).unwrap();
        let written = Envelope::new("HR", ClaimStatusRequest::GUIDE).wrap(&Delimiters::default(), vec![tx]).unwrap();
        let written = String::from_utf8(written).unwrap();
        let body = written.get(written.find("ST*").unwrap()..written.find("GE*").unwrap()).unwrap();
        assert_eq!(body, text.replace("125.50****", "125.50"));
    }
}
