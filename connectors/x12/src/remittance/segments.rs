//! The segments that only an 835 has, and CUR. Element numbers and meanings are facts of the X12 standard, 005010.

use crate::model::common::ReferencePart;
use crate::model::{Day, Money, Rare, Text, segments};

segments! {
    /// BPR: what is paid, how, when, and from which account to which.
    pub struct Bpr<'a> = "BPR" {
        /// BPR01: `I` payment and details together, `D` payment alone, `H` notification only, `C` payment with details …
        handling: Text<'a> = 1,
        /// BPR02: paid in all.
        amount: Money<'a> = 2,
        /// BPR03: `C` the payee gets it, `D` the payee owes it.
        sign: Text<'a> = 3,
        /// BPR04: `ACH`, `CHK`, `FWT`, `BOP`, `NON` nothing is paid.
        method: Text<'a> = 4,
        /// BPR05: `CCP`, `CTX`: the form of an ACH payment.
        format: Text<'a> = 5,
        /// BPR06: `01` ABA routing number, `04` Canadian bank.
        sender_bank_qualifier: Text<'a> = 6,
        /// BPR07
        sender_bank: Text<'a> = 7,
        /// BPR08: `DA` demand deposit, `SG` savings.
        sender_account_qualifier: Text<'a> = 8,
        /// BPR09
        sender_account: Text<'a> = 9,
        /// BPR10: who pays; the same as TRN03.
        originator: Text<'a> = 10,
        /// BPR11
        originator_supplement: Text<'a> = 11,
        /// BPR12
        receiver_bank_qualifier: Text<'a> = 12,
        /// BPR13
        receiver_bank: Text<'a> = 13,
        /// BPR14
        receiver_account_qualifier: Text<'a> = 14,
        /// BPR15
        receiver_account: Text<'a> = 15,
        /// BPR16: the day the money moves, or the cheque's date.
        date: Day<'a> = 16,
        /// BPR17
        function: Text<'a> = 17,
        /// BPR18
        third_bank_qualifier: Text<'a> = 18,
        /// BPR19
        third_bank: Text<'a> = 19,
        /// BPR20
        third_account_qualifier: Text<'a> = 20,
        /// BPR21
        third_account: Text<'a> = 21,
    }

    /// NTE: a note.
    pub struct Nte<'a> = "NTE" {
        /// NTE01: what it is about.
        reference: Text<'a> = 1,
        /// NTE02
        text: Text<'a> = 2,
    }

    /// CUR: the currency, where it is not US dollars.
    pub struct Cur<'a> = "CUR" {
        /// CUR01: whose currency: `PR`.
        entity: Text<'a> = 1,
        /// CUR02: `USD`, `CAD` …
        currency: Text<'a> = 2,
        /// CUR03: rate of exchange.
        rate: Money<'a> = 3,
        /// CUR04
        other_entity: Text<'a> = 4,
        /// CUR05
        other_currency: Text<'a> = 5,
        /// CUR06
        market: Text<'a> = 6,
        /// CUR07
        date_qualifier_1: Text<'a> = 7,
        /// CUR08
        date_1: Day<'a> = 8,
        /// CUR09
        time_1: Text<'a> = 9,
        /// CUR10
        date_qualifier_2: Text<'a> = 10,
        /// CUR11
        date_2: Day<'a> = 11,
        /// CUR12
        time_2: Text<'a> = 12,
        /// CUR13
        date_qualifier_3: Text<'a> = 13,
        /// CUR14
        date_3: Day<'a> = 14,
        /// CUR15
        time_3: Text<'a> = 15,
        /// CUR16
        date_qualifier_4: Text<'a> = 16,
        /// CUR17
        date_4: Day<'a> = 17,
        /// CUR18
        time_4: Text<'a> = 18,
        /// CUR19
        date_qualifier_5: Text<'a> = 19,
        /// CUR20
        date_5: Day<'a> = 20,
        /// CUR21
        time_5: Text<'a> = 21,
    }

    /// RDM: how the remittance reaches the payee.
    pub struct Rdm<'a> = "RDM" {
        /// RDM01: `BM` mail, `EM` e-mail, `FT` file transfer, `OL` online.
        way: Text<'a> = 1,
        /// RDM02
        name: Text<'a> = 2,
        /// RDM03: the address.
        number: Text<'a> = 3,
        /// RDM04
        reference_1: ReferencePart<'a> = 4,
        /// RDM05
        reference_2: ReferencePart<'a> = 5,
    }

    /// TS3: totals of the claims under one LX, by provider and kind of facility.
    pub struct Ts3<'a> = "TS3" {
        /// TS301: the provider.
        provider: Text<'a> = 1,
        /// TS302: facility code.
        facility: Text<'a> = 2,
        /// TS303: last day of the provider's fiscal year.
        fiscal_period: Day<'a> = 3,
        /// TS304: how many claims.
        claims: Money<'a> = 4,
        /// TS305: charged in all.
        charged: Money<'a> = 5,
        /// TS306: covered charge (004010).
        covered: Money<'a> = 6,
        /// TS307: charge that is not covered (004010).
        not_covered: Money<'a> = 7,
        /// TS308: denied charge (004010).
        denied: Money<'a> = 8,
        /// TS309: paid to the provider (004010).
        paid: Money<'a> = 9,
        /// TS310: interest (004010).
        interest: Money<'a> = 10,
        /// TS311: contractual adjustment (004010).
        contractual: Money<'a> = 11,
        /// TS312: Gramm-Rudman reduction (004010).
        gramm_rudman: Money<'a> = 12,
        /// TS313: paid by the payer before Medicare.
        primary_payer: Money<'a> = 13,
        /// TS314: blood deductible (004010).
        blood_deductible: Money<'a> = 14,
        /// TS315: charges that are not for the laboratory.
        non_lab: Money<'a> = 15,
        /// TS316: coinsurance (004010).
        coinsurance: Money<'a> = 16,
        /// TS317: HCPCS charge that is reported.
        hcpcs_reported: Money<'a> = 17,
        /// TS318: HCPCS amount that is payable.
        hcpcs_payable: Money<'a> = 18,
        /// TS319: deductible (004010).
        deductible: Money<'a> = 19,
        /// TS320: professional component.
        professional: Money<'a> = 20,
        /// TS321: what the patient owed and the payer before Medicare met.
        patient_liability_met: Money<'a> = 21,
        /// TS322: paid to the patient.
        patient_reimbursed: Money<'a> = 22,
        /// TS323: how many periodic interim payment claims.
        interim_claims: Money<'a> = 23,
        /// TS324: periodic interim payment adjustment.
        interim_adjustment: Money<'a> = 24,
    }

    /// TS2: further totals of inpatient claims under one LX.
    pub struct Ts2<'a> = "TS2" {
        /// TS201: DRG amount.
        drg: Money<'a> = 1,
        /// TS202: its federal part.
        federal: Money<'a> = 2,
        /// TS203: its hospital part.
        hospital: Money<'a> = 3,
        /// TS204: disproportionate share.
        disproportionate_share: Money<'a> = 4,
        /// TS205: capital.
        capital: Money<'a> = 5,
        /// TS206: indirect medical education.
        medical_education: Money<'a> = 6,
        /// TS207: outlier days.
        outlier_days: Money<'a> = 7,
        /// TS208: day outliers.
        day_outlier: Money<'a> = 8,
        /// TS209: cost outliers.
        cost_outlier: Money<'a> = 9,
        /// TS210: average length of stay, days.
        average_stay: Money<'a> = 10,
        /// TS211: discharges.
        discharges: Money<'a> = 11,
        /// TS212: cost report days.
        cost_report_days: Money<'a> = 12,
        /// TS213: covered days.
        covered_days: Money<'a> = 13,
        /// TS214: days that are not covered.
        not_covered_days: Money<'a> = 14,
        /// TS215: pass-through of the payer before Medicare.
        pass_through: Money<'a> = 15,
        /// TS216: average DRG weight.
        average_weight: Money<'a> = 16,
        /// TS217: capital, federal specific DRG amount.
        capital_federal: Money<'a> = 17,
        /// TS218: capital, hospital specific DRG amount.
        capital_hospital: Money<'a> = 18,
        /// TS219: disproportionate share DRG amount.
        disproportionate_share_drg: Money<'a> = 19,
    }

    /// CLP: one claim: charged, paid, what the patient owes.
    pub struct Clp<'a> = "CLP" {
        /// CLP01: the provider's own number for the claim.
        patient_control: Text<'a> = 1,
        /// CLP02: `1` primary, `2` secondary, `3` tertiary, `4` denied, `19` to `21` and forwarded, `22` reversal,
        /// `23` not ours and forwarded, `25` predetermination.
        status: Text<'a> = 2,
        /// CLP03: charged.
        charged: Money<'a> = 3,
        /// CLP04: paid.
        paid: Money<'a> = 4,
        /// CLP05: what the patient owes.
        patient_owes: Money<'a> = 5,
        /// CLP06: what kind of plan: `12` PPO, `MB` Medicare part B …
        filing: Text<'a> = 6,
        /// CLP07: the payer's number for the claim.
        payer_control: Text<'a> = 7,
        /// CLP08: facility code, or place of service.
        facility: Text<'a> = 8,
        /// CLP09: claim frequency.
        frequency: Text<'a> = 9,
        /// CLP10: patient status (004010).
        patient_status: Rare<'a> = 10,
        /// CLP11: diagnosis related group.
        drg: Rare<'a> = 11,
        /// CLP12: its weight.
        drg_weight: Money<'a> = 12,
        /// CLP13: discharge fraction.
        discharge_fraction: Money<'a> = 13,
        /// CLP14
        condition: Rare<'a> = 14,
    }

    /// MIA: inpatient adjudication.
    pub struct Mia<'a> = "MIA" {
        /// MIA01: covered days or visits.
        covered_days: Money<'a> = 1,
        /// MIA02: operating outlier.
        outlier: Money<'a> = 2,
        /// MIA03: lifetime psychiatric days.
        psychiatric_days: Money<'a> = 3,
        /// MIA04: DRG amount of the claim.
        drg: Money<'a> = 4,
        /// MIA05: first remark (RARC).
        remark_1: Text<'a> = 5,
        /// MIA06: disproportionate share.
        disproportionate_share: Money<'a> = 6,
        /// MIA07: pass-through of the payer before Medicare.
        pass_through: Money<'a> = 7,
        /// MIA08: capital.
        capital: Money<'a> = 8,
        /// MIA09: capital, federal specific DRG amount.
        capital_federal: Money<'a> = 9,
        /// MIA10: capital, hospital specific DRG amount.
        capital_hospital: Money<'a> = 10,
        /// MIA11: capital, disproportionate share DRG amount.
        capital_disproportionate_share: Money<'a> = 11,
        /// MIA12: old capital amount.
        old_capital: Money<'a> = 12,
        /// MIA13: capital, indirect medical education.
        capital_medical_education: Money<'a> = 13,
        /// MIA14: operating, hospital specific DRG amount.
        hospital: Money<'a> = 14,
        /// MIA15: cost report days.
        cost_report_days: Money<'a> = 15,
        /// MIA16: operating, federal specific DRG amount.
        federal: Money<'a> = 16,
        /// MIA17: capital outlier.
        capital_outlier: Money<'a> = 17,
        /// MIA18: indirect teaching.
        teaching: Money<'a> = 18,
        /// MIA19: professional component that is not payable.
        professional: Money<'a> = 19,
        /// MIA20: second remark.
        remark_2: Text<'a> = 20,
        /// MIA21: third remark.
        remark_3: Text<'a> = 21,
        /// MIA22: fourth remark.
        remark_4: Text<'a> = 22,
        /// MIA23: fifth remark.
        remark_5: Text<'a> = 23,
        /// MIA24: capital exception.
        capital_exception: Money<'a> = 24,
    }

    /// MOA: outpatient adjudication.
    pub struct Moa<'a> = "MOA" {
        /// MOA01: share that is paid, as a decimal.
        rate: Money<'a> = 1,
        /// MOA02: HCPCS amount that is payable.
        hcpcs_payable: Money<'a> = 2,
        /// MOA03: first remark (RARC).
        remark_1: Text<'a> = 3,
        /// MOA04: second remark.
        remark_2: Text<'a> = 4,
        /// MOA05: third remark.
        remark_3: Text<'a> = 5,
        /// MOA06: fourth remark.
        remark_4: Text<'a> = 6,
        /// MOA07: fifth remark.
        remark_5: Text<'a> = 7,
        /// MOA08: end stage renal disease payment.
        renal: Money<'a> = 8,
        /// MOA09: professional component that is not payable.
        professional: Money<'a> = 9,
    }

    /// LQ: a remark on a service line.
    pub struct Lq<'a> = "LQ" {
        /// LQ01: which list: `HE` remark codes (RARC), `RX` pharmacy reject codes.
        list: Text<'a> = 1,
        /// LQ02
        code: Text<'a> = 2,
    }
}

impl<'a> Mia<'a> {
    /// The remarks that are given.
    pub fn remarks(&self) -> impl Iterator<Item = &Text<'a>> {
        [&self.remark_1, &self.remark_2, &self.remark_3, &self.remark_4, &self.remark_5]
            .into_iter()
            .filter(|remark| !remark.is_empty())
    }
}

impl<'a> Moa<'a> {
    /// The remarks that are given.
    pub fn remarks(&self) -> impl Iterator<Item = &Text<'a>> {
        [&self.remark_1, &self.remark_2, &self.remark_3, &self.remark_4, &self.remark_5]
            .into_iter()
            .filter(|remark| !remark.is_empty())
    }
}
