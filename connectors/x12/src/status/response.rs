//! The word on claims: a 277 in each of its forms. The answer to a 276 (005010X212, 004010X093), the acknowledgment of
//! claims that were sent (277CA: 005010X214, and 005010X364 for encounter reporting), the carrier's own notice
//! (004010X070) and its request for more information (005010X213).
//!
//! All of them have the same levels and the same loop of TRN with what is said about it, so that one model holds them;
//! [`ClaimStatusResponse::form`] tells which one it is. Senders leave levels out: each level has room for all that may
//! stand below it, first what skips a level, so that it does not fall into the one before.

use crate::model::common::{Amt, Bht, Dmg, Dtp, N1, N3, N4, Nm1, Per, Qty, Ref, Svc, Trn};
use crate::model::health::Pwk;
use crate::model::{Day, Hl, Money, Text, composites, loops, segments, transactions};

composites! {
    /// C043: one status.
    pub struct StatusCode<'a> {
        /// Its category: `A1` received, `A7` rejected, `P1` in process, `F2` denied …
        category: Text<'a> = 1,
        /// The status itself, of the claim status list, or of the list that the fourth component names.
        code: Text<'a> = 2,
        /// Whom or what it speaks of: `85` billing provider, `QC` patient, `PR` payer …
        entity: Text<'a> = 3,
        /// `RX`: the status is a reject code of the pharmacies' standard (NCPDP).
        list: Text<'a> = 4,
    }
}

segments! {
    /// STC: where a claim, a line or a whole submission stands.
    pub struct Stc<'a> = "STC" {
        /// STC01
        status: StatusCode<'a> = 1,
        /// STC02: since when.
        effective: Day<'a> = 2,
        /// STC03: `WQ` accepted, `U` rejected; other codes before 005010.
        action: Text<'a> = 3,
        /// STC04: charged.
        charged: Money<'a> = 4,
        /// STC05: paid.
        paid: Money<'a> = 5,
        /// STC06: when the claim was decided, or paid.
        decided: Day<'a> = 6,
        /// STC07: how it is paid: `CHK`, `ACH`, `BOP`, `FWT`, `NON`.
        method: Text<'a> = 7,
        /// STC08: date of the check or transfer.
        payment_date: Day<'a> = 8,
        /// STC09: number of the check or transfer.
        payment_number: Text<'a> = 9,
        /// STC10
        status_2: StatusCode<'a> = 10,
        /// STC11
        status_3: StatusCode<'a> = 11,
        /// STC12: the sender's own words.
        text: Text<'a> = 12,
    }
}

/// The forms a 277 comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusForm {
    /// The answer to a question (276), or a notice without one.
    Answer,
    /// The acknowledgment of claims that were sent: 277CA, 277DRA.
    Acknowledgment,
    /// A request for more information.
    InformationRequest,
}

transactions! {
    /// A 277: the word on claims, by sender, receiver, provider and patient. To write a 277CA, set `implementation` to
    /// [`ClaimStatusResponse::ACKNOWLEDGMENT`] and BHT01 to `0085`.
    ///
    /// Typed whole it takes memory in proportion to its segments, of which the only limit is that of a block
    /// ([`MAX_BLOCK_SEGMENTS`](crate::read::MAX_BLOCK_SEGMENTS), [`MAX_BLOCK_BYTES`](crate::read::MAX_BLOCK_BYTES)). A large
    /// one is better read segment by segment with [`Walker::next_event`](crate::Walker::next_event), in flat memory.
    pub struct ClaimStatusResponse<'a> = "277", "005010X212" {
        /// BHT
        beginning: Option<Bht<'a>>,
        /// Loop 2000A: who says it.
        sources: Vec<ResponseSource<'a>>,
    }
}

loops! {
    /// Loops 2000A and 2100A: who says it: the carrier, or a clearing house.
    pub struct ResponseSource<'a> {
        /// HL*20
        level: Hl<'a> where 3 = "20",
        /// NM1*PR, NM1*AY
        names: Vec<Nm1<'a>>,
        /// PER: whom to ask.
        contacts: Vec<Per<'a>>,
        /// Loop 2200A: the submission that is answered (277CA).
        traces: Vec<StatusTrace<'a>>,
        /// Loop 2000D, where there is no 2000C.
        patients: Vec<ResponsePatient<'a>>,
        /// Loop 2000C, where there is no 2000B.
        providers: Vec<ResponseProvider<'a>>,
        /// Loop 2000B
        receivers: Vec<ResponseReceiver<'a>>,
    }

    /// Loops 2000B and 2100B: whom it is said to.
    pub struct ResponseReceiver<'a> {
        /// HL*21
        level: Hl<'a> where 3 = "21",
        /// NM1*41
        names: Vec<Nm1<'a>>,
        /// PER
        contacts: Vec<Per<'a>>,
        /// Loop 2200B: what is said of the whole.
        traces: Vec<StatusTrace<'a>>,
        /// Loop 2000D, where there is no 2000C.
        patients: Vec<ResponsePatient<'a>>,
        /// Loop 2000C
        providers: Vec<ResponseProvider<'a>>,
    }

    /// Loops 2000C and 2100C: the provider.
    pub struct ResponseProvider<'a> {
        /// HL*19
        level: Hl<'a> where 3 = "19",
        /// NM1*1P, NM1*85
        names: Vec<Nm1<'a>>,
        /// PER
        contacts: Vec<Per<'a>>,
        /// Loop 2200C: what is said of all claims of the provider.
        traces: Vec<StatusTrace<'a>>,
        /// Loop 2000E, where there is no 2000D.
        dependents: Vec<ResponseDependent<'a>>,
        /// Loop 2000D
        patients: Vec<ResponsePatient<'a>>,
    }

    /// Loops 2000D and 2100D: the subscriber (277), or the patient (277CA).
    pub struct ResponsePatient<'a> {
        /// HL*22, HL*PT
        level: Hl<'a> where 3 = "22" | "PT",
        /// DMG (004010)
        demographics: Option<Dmg<'a>>,
        /// NM1*IL, NM1*QC
        names: Vec<Nm1<'a>>,
        /// PER
        contacts: Vec<Per<'a>>,
        /// STC that stand without a TRN before them.
        statuses: Vec<Stc<'a>>,
        /// REF that stand without a TRN before them.
        references: Vec<Ref<'a>>,
        /// DTP that stand without a TRN before them.
        dates: Vec<Dtp<'a>>,
        /// Loop 2200D: claims.
        traces: Vec<StatusTrace<'a>>,
        /// Loop 2000E
        dependents: Vec<ResponseDependent<'a>>,
    }

    /// Loops 2000E and 2100E: the patient, where it is not the subscriber.
    pub struct ResponseDependent<'a> {
        /// HL*23
        level: Hl<'a> where 3 = "23",
        /// DMG (004010)
        demographics: Option<Dmg<'a>>,
        /// NM1*QC
        names: Vec<Nm1<'a>>,
        /// PER
        contacts: Vec<Per<'a>>,
        /// STC that stand without a TRN before them.
        statuses: Vec<Stc<'a>>,
        /// REF that stand without a TRN before them.
        references: Vec<Ref<'a>>,
        /// DTP that stand without a TRN before them.
        dates: Vec<Dtp<'a>>,
        /// Loop 2200E: claims.
        traces: Vec<StatusTrace<'a>>,
    }

    /// Loops 2200A to 2200E: what is traced, and what is said of it. At the patient's level it is one claim.
    pub struct StatusTrace<'a> {
        /// TRN*2: in an answer the asker's trace number, in a 277CA what the sender called the submission (receiver) or
        /// the claim (patient). TRN*1: the source's own.
        trace: Trn<'a>,
        /// STC
        statuses: Vec<Stc<'a>>,
        /// REF: `1K` the carrier's claim number, `BLT` type of bill, `EJ` patient account, `D9` clearing house …
        references: Vec<Ref<'a>>,
        /// QTY: `90`, `QA` how many were accepted, `AA`, `QC` how many were rejected.
        quantities: Vec<Qty<'a>>,
        /// AMT: `YU` charges accepted, `YY` charges rejected.
        amounts: Vec<Amt<'a>>,
        /// DTP: `472` service, `232` and `233` statement, `050` received, `009` processed, `106` due.
        dates: Vec<Dtp<'a>>,
        /// Loop 2210: documents that are asked for.
        paperwork: Vec<PaperworkRequest<'a>>,
        /// Loop 2220
        lines: Vec<StatusLine<'a>>,
    }

    /// Loops 2220D and 2220E: one service line.
    pub struct StatusLine<'a> {
        /// SVC
        service: Svc<'a>,
        /// STC
        statuses: Vec<Stc<'a>>,
        /// REF: `FJ` the line's number as it was sent, `XZ` pharmacy prescription.
        references: Vec<Ref<'a>>,
        /// DTP*472
        dates: Vec<Dtp<'a>>,
        /// Loop 2225: documents that are asked for.
        paperwork: Vec<PaperworkRequest<'a>>,
    }

    /// Loops 2210 and 2225: a document that is asked for, and where it shall go (005010X213).
    pub struct PaperworkRequest<'a> {
        /// PWK
        paperwork: Pwk<'a>,
        /// PER
        contacts: Vec<Per<'a>>,
        /// N1
        name: Option<N1<'a>>,
        /// N3
        street: Option<N3<'a>>,
        /// N4
        place: Option<N4<'a>>,
    }
}

impl ClaimStatusResponse<'_> {
    /// The guide of the 277CA: ST03 and GS08.
    pub const ACKNOWLEDGMENT: &'static str = "005010X214";

    /// Which form it is, by ST03; where that is not given or not known, by BHT01 and BHT06.
    pub fn form(&self) -> StatusForm {
        let guide = self.implementation.get(6..).unwrap_or_default();
        let begins = |guides: &[&str]| guides.iter().any(|known| guide.starts_with(known));
        let (structure, kind) = self.beginning.as_ref().map_or(("", ""), |bht| (&*bht.structure, &*bht.kind));
        if begins(&["X213", "X150"]) || (guide.is_empty() && kind == "RQ") {
            StatusForm::InformationRequest
        } else if begins(&["X214", "X364", "X167"]) || (!begins(&["X212", "X093", "X070"]) && structure == "0085") {
            StatusForm::Acknowledgment
        } else {
            StatusForm::Answer
        }
    }
}

impl<'a> Stc<'a> {
    /// All statuses it gives (STC01, STC10, STC11).
    pub fn statuses(&self) -> impl Iterator<Item = &StatusCode<'a>> {
        [&self.status, &self.status_2, &self.status_3].into_iter().filter(|status| **status != StatusCode::default())
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
        round_trips::<ClaimStatusResponse<'static>>(200);
    }

    fn same(text: &str, look: impl FnOnce(&ClaimStatusResponse<'_>)) {
        let document = Document::read(text.as_bytes()).unwrap();
        let transaction = document.transactions().next().unwrap();
        let response = ClaimStatusResponse::read(&transaction.segments);
        look(&response);
        let tx = response.write(&Delimiters::default(), Charset::Extended).unwrap();
        let written = Envelope::new("HN", "V").wrap(&Delimiters::default(), vec![tx]).unwrap();
        let written = String::from_utf8(written).unwrap();
        assert_eq!(written.get(written.find("ST*").unwrap()..written.find("GE*").unwrap()).unwrap(), text);
    }

    #[test]
    fn an_answer() {
        let text = "ST*277*0001*005010X212~BHT*0010*08*R1*20261123*1200*DG~HL*1**20*1~NM1*PR*2*NORTHSTAR*****PI*60054~\
                    PER*IC**TE*8005550100~HL*2*1*21*1~NM1*41*2*CLINIC*****46*S1~HL*3*2*19*1~\
                    NM1*1P*2*CLINIC*****XX*1234567893~HL*4*3*22*0~NM1*IL*1*ZANZIBAR*ADA****MI*W1~TRN*2*T1~\
                    STC*F2:80::RX*20261101**85*0*20261102*CHK*20261103*77*F2:88:QC~REF*1K*C9~DTP*472*D8*20261020~\
                    SVC*HC:99213:25*85*0****1~STC*F2:88:QC*20261101~REF*FJ*1~DTP*472*D8*20261020~SE*20*0001~";
        same(text, |response| {
            assert_eq!(response.form(), StatusForm::Answer);
            let claim = &response.sources[0].receivers[0].providers[0].patients[0].traces[0];
            let stc = &claim.statuses[0];
            assert_eq!((&*stc.status.list, &*stc.payment_number), ("RX", "77"));
            assert_eq!(stc.statuses().map(|status| &*status.code).collect::<Vec<_>>(), ["80", "88"]);
            assert_eq!((claim.lines.len(), claim.lines[0].statuses[0].at.0), (1, 17));
        });
    }

    #[test]
    fn a_277ca() {
        let text = "ST*277*0001*005010X214~BHT*0085*08*R1*20261123*1200*TH~HL*1**20*1~NM1*AY*2*HOUSE*****46*H1~TRN*1*X1~\
                    DTP*050*D8*20261122~DTP*009*D8*20261123~HL*2*1*21*1~NM1*41*2*CLINIC*****46*S1~TRN*2*B1~\
                    STC*A1:19:PR*20261123*WQ*300~QTY*90*1~QTY*AA*1~AMT*YU*200~AMT*YY*100~HL*3*2*19*1~\
                    NM1*85*2*CLINIC*****XX*1234567893~HL*4*3*PT~NM1*QC*1*ZANZIBAR*ADA****MI*W1~TRN*2*ACCT7~\
                    STC*A7:562:85*20261123*U*100********WORDS~DTP*472*D8*20261020~SE*23*0001~";
        same(text, |response| {
            assert_eq!(response.form(), StatusForm::Acknowledgment);
            let receiver = &response.sources[0].receivers[0];
            assert_eq!((receiver.traces[0].quantities.len(), receiver.traces[0].amounts.len()), (2, 2));
            let claim = &receiver.providers[0].patients[0].traces[0];
            assert_eq!((&*claim.trace.number, &*claim.statuses[0].text), ("ACCT7", "WORDS"));
        });
    }

    #[test]
    fn levels_that_senders_leave_out() {
        let text = "ST*277*0001*005010X213~BHT*0010*08*R1*20261123*1200~HL*1**20*1~NM1*PR*2*NORTHSTAR*****PI*60054~\
                    HL*2*1*22*1~NM1*IL*1*ZANZIBAR*ADA****MI*W1~HL*3*2*23~STC*R4:294*20261123~REF*1K*C9~TRN*2*T1~\
                    PWK*OZ*EL~PER*IC**TE*8005550100~N1*PR*NORTHSTAR~SE*14*0001~";
        same(text, |response| {
            assert_eq!(response.form(), StatusForm::InformationRequest);
            let patient = &response.sources[0].patients[0].dependents[0];
            assert_eq!((patient.statuses.len(), patient.references.len()), (1, 1));
            assert_eq!(patient.traces[0].paperwork[0].contacts.len(), 1);
        });
    }
}
