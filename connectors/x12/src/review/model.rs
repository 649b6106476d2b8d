//! The loops of the 278.

use super::segments::{Hcr, Um};
use crate::model::common::{Aaa, Bht, Dmg, Dtp, Hi, Hsd, Ins, Msg, N2, N3, N4, Nm1, Per, Prv, Ref, Trn};
use crate::model::health::{Cl1, Cr1, Cr2, Cr5, Cr6, Crc, Pwk, Sv1, Sv2, Sv3, Too};
use crate::model::{Hl, loops, transactions};

transactions! {
    /// A 278: services to be reviewed, or what was decided about them.
    pub struct ServicesReview<'a> = "278", "005010X217" {
        /// BHT
        beginning: Option<Bht<'a>>,
        /// Loop 2000A: who reviews; in a notice, who tells.
        organizations: Vec<ReviewOrganization<'a>>,
    }
}

loops! {
    /// Loop 2000A: the organization that reviews (a carrier, or someone who works for it). In a notice (X216) this
    /// level is the sender's, whoever that is.
    pub struct ReviewOrganization<'a> {
        /// HL*20
        level: Hl<'a> where 3 = "20",
        /// AAA: the whole request was refused.
        refusals: Vec<Aaa<'a>>,
        /// Loop 2010A
        names: Vec<ReviewParty<'a>>,
        /// Loop 2000B
        requesters: Vec<ReviewRequester<'a>>,
    }

    /// Loop 2000B: who asks; in a notice, who is told.
    pub struct ReviewRequester<'a> {
        /// HL*21
        level: Hl<'a> where 3 = "21",
        /// Loop 2010B
        names: Vec<ReviewParty<'a>>,
        /// Loop 2000C
        subscribers: Vec<ReviewSubscriber<'a>>,
    }

    /// Loop 2000C: the subscriber, with what is reviewed where the subscriber is the patient. What stands before the
    /// name belongs there in 004010 only (and some carriers of today put a decision there).
    pub struct ReviewSubscriber<'a> {
        /// HL*22
        level: Hl<'a> where 3 = "22",
        /// TRN, 004010.
        traces: Vec<Trn<'a>>,
        /// AAA, 004010.
        refusals: Vec<Aaa<'a>>,
        /// UM, by some carriers.
        review: Option<Um<'a>>,
        /// HCR, by some carriers.
        decision: Option<Hcr<'a>>,
        /// REF, by some carriers.
        references: Vec<Ref<'a>>,
        /// DTP, 004010.
        dates: Vec<Dtp<'a>>,
        /// HI, 004010.
        health: Option<Hi<'a>>,
        /// HSD, by some carriers.
        delivery: Option<Hsd<'a>>,
        /// PWK, 004010.
        paperwork: Vec<Pwk<'a>>,
        /// MSG, by some carriers.
        messages: Vec<Msg<'a>>,
        /// Loop 2010C
        names: Vec<ReviewParty<'a>>,
        /// Loop 2000E
        events: Vec<ReviewEvent<'a>>,
        /// Loop 2000E of 004010.
        providers: Vec<ReviewProvider<'a>>,
        /// Loop 2000D
        dependents: Vec<ReviewDependent<'a>>,
    }

    /// Loop 2000D: the patient, where it is not the subscriber.
    pub struct ReviewDependent<'a> {
        /// HL*23
        level: Hl<'a> where 3 = "23",
        /// TRN, 004010.
        traces: Vec<Trn<'a>>,
        /// AAA, 004010.
        refusals: Vec<Aaa<'a>>,
        /// UM, by some carriers.
        review: Option<Um<'a>>,
        /// HCR, by some carriers.
        decision: Option<Hcr<'a>>,
        /// REF, by some carriers.
        references: Vec<Ref<'a>>,
        /// DTP, 004010.
        dates: Vec<Dtp<'a>>,
        /// HI, 004010.
        health: Option<Hi<'a>>,
        /// HSD, by some carriers.
        delivery: Option<Hsd<'a>>,
        /// PWK, 004010.
        paperwork: Vec<Pwk<'a>>,
        /// MSG, by some carriers.
        messages: Vec<Msg<'a>>,
        /// Loop 2010D
        names: Vec<ReviewParty<'a>>,
        /// Loop 2000E
        events: Vec<ReviewEvent<'a>>,
        /// Loop 2000E of 004010.
        providers: Vec<ReviewProvider<'a>>,
    }

    /// Loop 2000E: a patient event: an admission, an episode, a referral.
    pub struct ReviewEvent<'a> {
        /// HL*EV
        level: Hl<'a> where 3 = "EV",
        /// TRN: `1` the asking side's number, `2` the same sent back, or the reviewing side's own.
        traces: Vec<Trn<'a>>,
        /// AAA: why it was not reviewed.
        refusals: Vec<Aaa<'a>>,
        /// UM
        review: Option<Um<'a>>,
        /// HCR
        decision: Option<Hcr<'a>>,
        /// REF: numbers of earlier reviews.
        references: Vec<Ref<'a>>,
        /// DTP: the event, admission, discharge, accident; until when it is certified …
        dates: Vec<Dtp<'a>>,
        /// HI: diagnoses.
        health: Option<Hi<'a>>,
        /// HSD: how much, how often.
        delivery: Option<Hsd<'a>>,
        /// CRC: conditions that hold.
        conditions: Vec<Crc<'a>>,
        /// CL1: the stay in a hospital.
        stay: Option<Cl1<'a>>,
        /// CR1
        ambulance: Option<Cr1<'a>>,
        /// CR2
        chiropractic: Option<Cr2<'a>>,
        /// CR5
        oxygen: Option<Cr5<'a>>,
        /// CR6
        home_health: Option<Cr6<'a>>,
        /// PWK: documents that go with it, or are asked for.
        paperwork: Vec<Pwk<'a>>,
        /// MSG
        messages: Vec<Msg<'a>>,
        /// Loops 2010EA to 2010ED: providers, places of transport, other reviewers.
        names: Vec<ReviewParty<'a>>,
        /// Loop 2000F
        services: Vec<ReviewService<'a>>,
    }

    /// Loop 2000E of 004010: the provider of the services.
    pub struct ReviewProvider<'a> {
        /// HL*19
        level: Hl<'a> where 3 = "19",
        /// MSG
        messages: Vec<Msg<'a>>,
        /// Loop 2010E
        names: Vec<ReviewParty<'a>>,
        /// Loop 2000F
        services: Vec<ReviewService<'a>>,
    }

    /// Loop 2000F: one service. Certifications (CRC to CR6) stand here in 004010 only.
    pub struct ReviewService<'a> {
        /// HL*SS
        level: Hl<'a> where 3 = "SS",
        /// TRN
        traces: Vec<Trn<'a>>,
        /// AAA
        refusals: Vec<Aaa<'a>>,
        /// UM
        review: Option<Um<'a>>,
        /// HCR
        decision: Option<Hcr<'a>>,
        /// REF
        references: Vec<Ref<'a>>,
        /// DTP
        dates: Vec<Dtp<'a>>,
        /// HI, 004010: procedures.
        health: Option<Hi<'a>>,
        /// SV1
        professional: Option<Sv1<'a>>,
        /// SV2
        institutional: Option<Sv2<'a>>,
        /// SV3
        dental: Option<Sv3<'a>>,
        /// TOO
        teeth: Vec<Too<'a>>,
        /// HSD
        delivery: Option<Hsd<'a>>,
        /// CRC, 004010.
        conditions: Vec<Crc<'a>>,
        /// CL1, 004010.
        stay: Option<Cl1<'a>>,
        /// CR1, 004010.
        ambulance: Option<Cr1<'a>>,
        /// CR2, 004010.
        chiropractic: Option<Cr2<'a>>,
        /// CR5, 004010.
        oxygen: Option<Cr5<'a>>,
        /// CR6, 004010.
        home_health: Option<Cr6<'a>>,
        /// PWK
        paperwork: Vec<Pwk<'a>>,
        /// MSG
        messages: Vec<Msg<'a>>,
        /// Loop 2010F: who gives it.
        names: Vec<ReviewParty<'a>>,
    }

    /// Loops 2010A to 2010F: someone, or a place. Which of its segments stand depends on who it is.
    pub struct ReviewParty<'a> {
        /// NM1: `X3` reviewer, `1P` and `FA` who asks, `IL` subscriber, `QC` patient, `SJ` who gives the services, `71`
        /// attending …
        name: Nm1<'a>,
        /// REF
        references: Vec<Ref<'a>>,
        /// N2
        more_name: Option<N2<'a>>,
        /// N3
        street: Option<N3<'a>>,
        /// N4
        city: Option<N4<'a>>,
        /// PER
        contacts: Vec<Per<'a>>,
        /// AAA: what was wrong with it.
        refusals: Vec<Aaa<'a>>,
        /// PRV
        provider: Option<Prv<'a>>,
        /// DMG
        demographics: Option<Dmg<'a>>,
        /// INS
        insured: Option<Ins<'a>>,
        /// DTP: when another reviewer said no.
        dates: Vec<Dtp<'a>>,
    }
}
