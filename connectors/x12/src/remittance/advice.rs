//! The 835 as a whole: 005010X221A1, and 004010X091A1 read tolerantly.

use super::adjustments::{Cas, Plb};
use super::segments::{Bpr, Clp, Cur, Lq, Mia, Moa, Nte, Rdm, Ts2, Ts3};
use crate::model::common::{Amt, Dtm, Lx, N1, N2, N3, N4, Nm1, Per, Qty, Ref, Svc, Trn};
use crate::model::{Few, loops, transactions};

transactions! {
    /// An 835: what a payer paid a payee, claim by claim and line by line, and why it is not what was charged.
    pub struct Remittance<'a> = "835", "005010X221A1" {
        /// BPR
        payment: Option<Bpr<'a>>,
        /// NTE
        notes: Vec<Nte<'a>>,
        /// TRN*1: the cheque or payment number.
        trace: Option<Trn<'a>>,
        /// CUR
        currency: Option<Cur<'a>>,
        /// REF*EV, REF*F2.
        references: Vec<Ref<'a>>,
        /// DTM*405: the day the payer closed its books.
        dates: Vec<Dtm<'a>>,
        /// Loop 1000A
        payer: Option<Party<'a>> where 1 = "PR",
        /// Loop 1000B
        payee: Option<Party<'a>> where 1 = "PE",
        /// Other N1 loops.
        others: Vec<Party<'a>>,
        /// Claims before any LX: some payers leave LX out.
        claims: Vec<ClaimPayment<'a>>,
        /// Loop 2000
        groups: Vec<ClaimGroup<'a>>,
        /// PLB
        provider_adjustments: Vec<Plb<'a>>,
    }
}

loops! {
    /// Loops 1000A and 1000B: payer or payee.
    pub struct Party<'a> {
        /// N1
        name: N1<'a>,
        /// N2
        more_names: Vec<N2<'a>>,
        /// N3
        street: Option<N3<'a>>,
        /// N4
        city: Option<N4<'a>>,
        /// REF
        references: Vec<Ref<'a>>,
        /// PER: `CX` for claims, `BL` technical, `IC` the payer's web site.
        contacts: Vec<Per<'a>>,
        /// RDM: how the remittance is delivered.
        delivery: Option<Rdm<'a>>,
        /// DTM
        dates: Vec<Dtm<'a>>,
    }

    /// Loop 2000: claims under one number, with their totals.
    pub struct ClaimGroup<'a> {
        /// LX
        number: Lx<'a>,
        /// TS3
        totals: Option<Box<Ts3<'a>>>,
        /// TS2
        inpatient_totals: Option<Box<Ts2<'a>>>,
        /// Loop 2100
        claims: Vec<ClaimPayment<'a>>,
    }

    /// Loop 2100: one claim.
    pub struct ClaimPayment<'a> {
        /// CLP
        claim: Clp<'a>,
        /// CAS: adjustments of the claim as a whole.
        adjustments: Vec<Cas<'a>>,
        /// NM1: patient `QC`, insured `IL`, corrected patient or insured `74`, rendering provider `82`, crossover carrier `TT`,
        /// corrected priority payer `PR`, other insured `GB`.
        names: Vec<Nm1<'a>>,
        /// MIA
        inpatient: Option<Box<Mia<'a>>>,
        /// MOA
        outpatient: Option<Box<Moa<'a>>>,
        /// REF: group number, medical record number, authorization … and further numbers of the rendering provider.
        references: Few<Ref<'a>>,
        /// DTM: `232` and `233` first and last day of service, `036` end of coverage, `050` received.
        dates: Vec<Dtm<'a>>,
        /// PER*CX: whom to ask about the claim.
        contacts: Vec<Per<'a>>,
        /// AMT: coverage amount `AU`, interest `I`, prompt payment discount `D8` …
        amounts: Vec<Amt<'a>>,
        /// QTY
        quantities: Vec<Qty<'a>>,
        /// Loop 2110
        lines: Vec<ServicePayment<'a>>,
    }

    /// Loop 2110: one service line.
    pub struct ServicePayment<'a> {
        /// SVC
        service: Svc<'a>,
        /// DTM: `472` the day, `150` and `151` first and last day.
        dates: Few<Dtm<'a>>,
        /// CAS
        adjustments: Vec<Cas<'a>>,
        /// REF: `6R` the provider's line number, `LU` location, `1S`, `APC` …
        references: Few<Ref<'a>>,
        /// AMT: `B6` allowed, `KH` late filing reduction …
        amounts: Few<Amt<'a>>,
        /// QTY
        quantities: Vec<Qty<'a>>,
        /// LQ: remarks.
        remarks: Vec<Lq<'a>>,
    }
}

impl<'a> Remittance<'a> {
    /// All claims, those before any LX first.
    pub fn all_claims(&self) -> impl Iterator<Item = &ClaimPayment<'a>> {
        self.claims.iter().chain(self.groups.iter().flat_map(|group| &group.claims))
    }
}

impl<'a> ClaimPayment<'a> {
    /// The first NM1 that plays this part: `QC` patient, `IL` insured, `74` corrected, `82` rendering provider.
    pub fn name(&self, entity: &str) -> Option<&Nm1<'a>> {
        self.names.iter().find(|name| name.entity == entity)
    }

    /// A payment that is taken back: its amounts are those of the claim before, turned round.
    pub fn reverses(&self) -> bool {
        self.claim.status == "22"
    }

    /// What would be paid: nothing is.
    pub fn predetermines(&self) -> bool {
        self.claim.status == "25"
    }
}
