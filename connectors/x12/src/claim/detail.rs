//! One claim and its service lines.

use super::levels::{OtherPayer, Party, Person};
use super::segments::{Clm, Cn1, Cr3, Cr7, Ctp, Dn1, Dn2, Frm, Hcp, K3, Lin, Mea, Oi, Ps1, Sbr, Sv5, Svd};
use crate::model::common::{Amt, Dmg, Dtp, Hi, Hsd, Lx, Qty, Ref};
use crate::model::health::{Cl1, Cr1, Cr2, Cr5, Cr6, Crc, Pwk, Sv1, Sv2, Sv3, Too};
use crate::model::loops;
use crate::remittance::{Cas, Lq, Mia, Moa, Nte};

loops! {
    /// Loop 2300: one claim.
    pub struct Claim<'a> {
        /// CLM
        claim: Clm<'a>,
        /// DTP: onset, accident, admission, discharge, statement period and others.
        dates: Vec<Dtp<'a>>,
        /// CL1: a stay in an institution.
        stay: Option<Box<Cl1<'a>>>,
        /// DN1: orthodontics.
        orthodontics: Option<Box<Dn1<'a>>>,
        /// DN2: teeth missing or to be extracted.
        teeth: Vec<Dn2<'a>>,
        /// PWK: paperwork.
        paperwork: Vec<Pwk<'a>>,
        /// CN1
        contract: Option<Box<Cn1<'a>>>,
        /// AMT: `F5` the patient paid, `F3` the patient should pay …
        amounts: Vec<Amt<'a>>,
        /// REF: authorization `G1`, referral `9F`, the payer's number of an earlier claim `F8`, medical record `EA` …
        references: Vec<Ref<'a>>,
        /// K3
        fixed: Vec<K3<'a>>,
        /// NTE
        notes: Vec<Nte<'a>>,
        /// CR1: transport by ambulance.
        ambulance: Option<Box<Cr1<'a>>>,
        /// CR2: treatment of the spine.
        spine: Option<Box<Cr2<'a>>>,
        /// CR3: durable medical equipment (004010).
        equipment: Option<Box<Cr3<'a>>>,
        /// CR5: oxygen at home (004010).
        oxygen: Option<Box<Cr5<'a>>>,
        /// CR6: care at home (004010).
        home_care: Option<Box<Cr6<'a>>>,
        /// CRC: conditions.
        conditions: Vec<Crc<'a>>,
        /// HI: diagnoses, procedures, occurrences, values, conditions, in the order they came.
        codes: Vec<Hi<'a>>,
        /// QTY: days (004010).
        quantities: Vec<Qty<'a>>,
        /// HCP
        pricing: Option<Box<Hcp<'a>>>,
        /// Loop 2305: plans of care at home (004010).
        home_plans: Vec<HomePlan<'a>>,
        /// Loops 2310: providers and places, told apart by NM101: `82` rendering, `DN` referring, `77` where,
        /// `71` attending, `72` operating, `DQ` supervising, `PW` picked up, `45` dropped off …
        providers: Vec<Party<'a>>,
        /// Loop 2320
        other_insurances: Vec<OtherInsurance<'a>>,
        /// Loop 2400
        lines: Vec<Line<'a>>,
    }

    /// Loop 2305: a plan of care at home (004010).
    pub struct HomePlan<'a> {
        /// CR7
        plan: Cr7<'a>,
        /// HSD
        visits: Vec<Hsd<'a>>,
    }

    /// Loop 2320: another insurance, and what it made of the claim.
    pub struct OtherInsurance<'a> {
        /// SBR
        insurance: Sbr<'a>,
        /// CAS: why it did not pay all, on the level of the claim.
        adjustments: Vec<Cas<'a>>,
        /// AMT: `D` it paid, `A8` it does not cover, `EAF` left to the patient …
        amounts: Vec<Amt<'a>>,
        /// DMG: its subscriber (004010).
        demographics: Option<Box<Dmg<'a>>>,
        /// OI
        agreement: Option<Oi<'a>>,
        /// MIA
        inpatient: Option<Box<Mia<'a>>>,
        /// MOA
        outpatient: Option<Box<Moa<'a>>>,
        /// Loop 2330A, NM1*IL: its subscriber.
        subscriber: Option<Person<'a>> where 1 = "IL",
        /// Loop 2330B, NM1*PR: the payer.
        payer: Option<OtherPayer<'a>> where 1 = "PR",
        /// Loops 2330C to 2330I: how that payer knows the providers; in 004010 also the patient `QC`.
        providers: Vec<Party<'a>>,
    }

    /// Loop 2400: a service line.
    pub struct Line<'a> {
        /// LX
        number: Lx<'a>,
        /// SV1: professional.
        professional: Option<Box<Sv1<'a>>>,
        /// SV2: institutional.
        institutional: Option<Box<Sv2<'a>>>,
        /// SV3: dental.
        dental: Option<Box<Sv3<'a>>>,
        /// TOO: teeth.
        teeth: Vec<Too<'a>>,
        /// SV5: durable medical equipment.
        equipment: Option<Box<Sv5<'a>>>,
        /// HI
        codes: Vec<Hi<'a>>,
        /// PWK: paperwork.
        paperwork: Vec<Pwk<'a>>,
        /// CR1: transport by ambulance.
        ambulance: Option<Box<Cr1<'a>>>,
        /// CR2: treatment of the spine (004010).
        spine: Option<Box<Cr2<'a>>>,
        /// CR3: certification of equipment.
        certification: Option<Box<Cr3<'a>>>,
        /// CR5: oxygen at home (004010).
        oxygen: Option<Box<Cr5<'a>>>,
        /// CRC: conditions.
        conditions: Vec<Crc<'a>>,
        /// DTP: the day of service `472` and others.
        dates: Vec<Dtp<'a>>,
        /// QTY: patients `PT`, units of anaesthesia `FL` …
        quantities: Vec<Qty<'a>>,
        /// MEA: test results.
        measurements: Vec<Mea<'a>>,
        /// CN1
        contract: Option<Box<Cn1<'a>>>,
        /// REF: our number for the line `6R`, authorization `G1`, referral `9F` …
        references: Vec<Ref<'a>>,
        /// AMT: `T` sales tax, `F4` postage, `GT` tax on goods and services …
        amounts: Vec<Amt<'a>>,
        /// K3
        fixed: Vec<K3<'a>>,
        /// NTE
        notes: Vec<Nte<'a>>,
        /// PS1: bought from another provider.
        purchased: Option<Box<Ps1<'a>>>,
        /// HSD: how often (004010).
        deliveries: Vec<Hsd<'a>>,
        /// HCP
        pricing: Option<Box<Hcp<'a>>>,
        /// Loop 2410
        drugs: Vec<Drug<'a>>,
        /// Loops 2420: providers and places of this line, told apart by NM101.
        providers: Vec<Party<'a>>,
        /// Loop 2430
        adjudications: Vec<Adjudication<'a>>,
        /// Loop 2440
        forms: Vec<Form<'a>>,
    }

    /// Loop 2410: a drug.
    pub struct Drug<'a> {
        /// LIN
        item: Lin<'a>,
        /// CTP: how much of it.
        quantity: Option<Ctp<'a>>,
        /// REF: prescription number `XZ`, or the number that links its parts `VY`.
        references: Vec<Ref<'a>>,
    }

    /// Loop 2430: what another payer made of the line.
    pub struct Adjudication<'a> {
        /// SVD
        payment: Svd<'a>,
        /// CAS: why it did not pay all.
        adjustments: Vec<Cas<'a>>,
        /// DTP*573: when it decided.
        dates: Vec<Dtp<'a>>,
        /// AMT*EAF: left to the patient.
        amounts: Vec<Amt<'a>>,
    }

    /// Loop 2440: a form that goes with the line.
    pub struct Form<'a> {
        /// LQ: which form.
        form: Lq<'a>,
        /// FRM
        answers: Vec<Frm<'a>>,
    }
}
