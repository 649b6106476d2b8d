//! Segments that only claims have. Element numbers and meanings are facts of the X12 standard,
//! 005010.

use crate::model::common::{Procedure, Unit};
use crate::model::health::{RelatedCauses, ServiceLocation};
use crate::model::{Count, Day, Money, Text, segments};

segments! {
    /// SBR: an insurance of the subscriber.
    pub struct Sbr<'a> = "SBR" {
        /// SBR01: which one pays when: `P` first, `S` second, `T` third, `A` to `H` later, `U` not known.
        order: Text<'a> = 1,
        /// SBR02: how the patient (2000B) or the subscriber (2320) stands to the other: `18` self, `01` spouse, `19` child …
        relationship: Text<'a> = 2,
        /// SBR03: group or policy number.
        group_number: Text<'a> = 3,
        /// SBR04: name of the group.
        group_name: Text<'a> = 4,
        /// SBR05: why Medicare pays second.
        insurance_type: Text<'a> = 5,
        /// SBR06
        coordination: Text<'a> = 6,
        /// SBR07
        yes_no: Text<'a> = 7,
        /// SBR08
        employment: Text<'a> = 8,
        /// SBR09: kind of plan: `MB` Medicare part B, `MC` Medicaid, `CI` commercial, `BL` Blue Cross and Blue Shield …
        filing: Text<'a> = 9,
    }

    /// PAT: more about the patient.
    pub struct Pat<'a> = "PAT" {
        /// PAT01: how the patient stands to the subscriber: `01` spouse, `19` child …
        relationship: Text<'a> = 1,
        /// PAT02
        location: Text<'a> = 2,
        /// PAT03
        employment: Text<'a> = 3,
        /// PAT04
        student: Text<'a> = 4,
        /// PAT05: `D8`.
        death_format: Text<'a> = 5,
        /// PAT06: the day of death.
        died: Day<'a> = 6,
        /// PAT07: `01` pounds, `GR` grams.
        weight_unit: Text<'a> = 7,
        /// PAT08
        weight: Money<'a> = 8,
        /// PAT09: `Y` pregnant.
        pregnant: Text<'a> = 9,
    }

    /// CLM: a claim.
    pub struct Clm<'a> = "CLM" {
        /// CLM01: the provider's own number for it; the payer sends it back.
        control_number: Text<'a> = 1,
        /// CLM02: charged in all.
        charged: Money<'a> = 2,
        /// CLM03
        filing: Text<'a> = 3,
        /// CLM04
        kind: Text<'a> = 4,
        /// CLM05: place of service, or type of bill; and how often the claim was sent.
        location: ServiceLocation<'a> = 5,
        /// CLM06: `Y` the provider's signature is on file.
        signature: Text<'a> = 6,
        /// CLM07: `A` the provider takes the payer's price, `B` for laboratory services only, `C` not.
        assignment: Text<'a> = 7,
        /// CLM08: `Y` the payer may pay the provider, `N` it pays the patient, `W` does not apply.
        benefits_assigned: Text<'a> = 8,
        /// CLM09: `Y`, `I`: the patient lets information be given on.
        release: Text<'a> = 9,
        /// CLM10: `P` the provider signed for the patient.
        patient_signature: Text<'a> = 10,
        /// CLM11: what it is related to.
        causes: RelatedCauses<'a> = 11,
        /// CLM12: a special programme: `02` for handicapped children, `03` federal, `05` disability, `09` second opinion …
        programme: Text<'a> = 12,
        /// CLM13
        yes_no_1: Text<'a> = 13,
        /// CLM14
        level_of_service: Text<'a> = 14,
        /// CLM15
        yes_no_2: Text<'a> = 15,
        /// CLM16
        agreement: Text<'a> = 16,
        /// CLM17
        status: Text<'a> = 17,
        /// CLM18: `Y` an explanation of benefits on paper is asked for (004010).
        explanation: Text<'a> = 18,
        /// CLM19: `PB` asks what would be paid (dental).
        submission_reason: Text<'a> = 19,
        /// CLM20: why it comes late.
        delay_reason: Text<'a> = 20,
    }

    /// DN1: orthodontic treatment.
    pub struct Dn1<'a> = "DN1" {
        /// DN101: months in all.
        months: Money<'a> = 1,
        /// DN102: months left.
        months_left: Money<'a> = 2,
        /// DN103
        yes_no: Text<'a> = 3,
        /// DN104: `Y` this claim is for orthodontics.
        orthodontics: Text<'a> = 4,
    }

    /// DN2: the state of a tooth.
    pub struct Dn2<'a> = "DN2" {
        /// DN201: its number.
        tooth: Text<'a> = 1,
        /// DN202: `M` missing, `E` to be extracted, `I` impacted …
        status: Text<'a> = 2,
        /// DN203
        quantity: Money<'a> = 3,
        /// DN204: `D8`.
        format: Text<'a> = 4,
        /// DN205: when.
        date: Text<'a> = 5,
        /// DN206: `JP` universal numbering.
        list: Text<'a> = 6,
    }

    /// CN1: the contract it is priced by.
    pub struct Cn1<'a> = "CN1" {
        /// CN101: `01` diagnosis related group, `02` per day, `03` variable per day, `04` flat, `05` capitated, `06` percent, `09` other.
        kind: Text<'a> = 1,
        /// CN102: what the contract says is paid.
        amount: Money<'a> = 2,
        /// CN103
        percent: Money<'a> = 3,
        /// CN104
        code: Text<'a> = 4,
        /// CN105: discount for early payment.
        discount: Money<'a> = 5,
        /// CN106
        version: Text<'a> = 6,
    }

    /// K3: what a law asks for and no other segment has room for.
    pub struct K3<'a> = "K3" {
        /// K301
        text: Text<'a> = 1,
        /// K302
        format: Text<'a> = 2,
        /// K303
        unit: Unit<'a> = 3,
    }

    /// CR3: certification of durable medical equipment.
    pub struct Cr3<'a> = "CR3" {
        /// CR301: `I` first, `R` renewal, `S` revised.
        certification: Text<'a> = 1,
        /// CR302: `MO` months.
        unit: Text<'a> = 2,
        /// CR303: for how long.
        duration: Money<'a> = 3,
        /// CR304
        insulin: Text<'a> = 4,
        /// CR305
        description: Text<'a> = 5,
    }

    /// CR7: a plan of care at home (004010).
    pub struct Cr7<'a> = "CR7" {
        /// CR701: who comes: `SN` nurse, `PT` physical therapist, `AI` aide …
        discipline: Text<'a> = 1,
        /// CR702: visits in all.
        visits: Count<'a> = 2,
        /// CR703: visits planned.
        planned: Count<'a> = 3,
    }

    /// HCP: what somebody between provider and payer made of the price.
    pub struct Hcp<'a> = "HCP" {
        /// HCP01: how it was priced.
        method: Text<'a> = 1,
        /// HCP02: allowed.
        allowed: Money<'a> = 2,
        /// HCP03: saved.
        saved: Money<'a> = 3,
        /// HCP04: who priced it.
        organisation: Text<'a> = 4,
        /// HCP05: per day, or flat.
        rate: Money<'a> = 5,
        /// HCP06: approved diagnosis or ambulatory patient group.
        group: Text<'a> = 6,
        /// HCP07: the amount for it.
        group_amount: Money<'a> = 7,
        /// HCP08: approved revenue code.
        revenue: Text<'a> = 8,
        /// HCP09: code list of the approved procedure.
        procedure_list: Text<'a> = 9,
        /// HCP10: approved procedure.
        procedure: Text<'a> = 10,
        /// HCP11: `UN` units, `DA` days, `MJ` minutes.
        unit: Text<'a> = 11,
        /// HCP12: approved units.
        quantity: Money<'a> = 12,
        /// HCP13: why it was refused.
        reject_reason: Text<'a> = 13,
        /// HCP14: whether the patient kept to the plan's rules.
        compliance: Text<'a> = 14,
        /// HCP15: why an exception was made.
        exception: Text<'a> = 15,
    }

    /// OI: what the subscriber of another insurance agreed to.
    pub struct Oi<'a> = "OI" {
        /// OI01
        filing: Text<'a> = 1,
        /// OI02
        submission_reason: Text<'a> = 2,
        /// OI03: `Y` that payer may pay the provider.
        benefits_assigned: Text<'a> = 3,
        /// OI04: `P` the provider signed for the patient.
        patient_signature: Text<'a> = 4,
        /// OI05
        agreement: Text<'a> = 5,
        /// OI06: `Y`, `I`: information may be given on.
        release: Text<'a> = 6,
    }

    /// MEA: something measured.
    pub struct Mea<'a> = "MEA" {
        /// MEA01: `TR` a test result, `OG` at the start.
        reference: Text<'a> = 1,
        /// MEA02: `HT` height, `R1` haemoglobin, `R2` haematocrit, `R3` epoetin dose, `R4` creatinine …
        qualifier: Text<'a> = 2,
        /// MEA03
        value: Money<'a> = 3,
        /// MEA04
        unit: Unit<'a> = 4,
        /// MEA05
        least: Money<'a> = 5,
        /// MEA06
        most: Money<'a> = 6,
        /// MEA07
        significance: Text<'a> = 7,
        /// MEA08
        attribute: Text<'a> = 8,
        /// MEA09
        layer: Text<'a> = 9,
        /// MEA10
        method: Text<'a> = 10,
        /// MEA11
        list: Text<'a> = 11,
        /// MEA12
        code: Text<'a> = 12,
    }

    /// PS1: a service bought from another provider.
    pub struct Ps1<'a> = "PS1" {
        /// PS101: that provider.
        provider: Text<'a> = 1,
        /// PS102: what it cost.
        amount: Money<'a> = 2,
        /// PS103
        state: Text<'a> = 3,
    }

    /// SV5: durable medical equipment.
    pub struct Sv5<'a> = "SV5" {
        /// SV501
        procedure: Procedure<'a> = 1,
        /// SV502: `DA` days.
        unit: Text<'a> = 2,
        /// SV503: for how long.
        quantity: Money<'a> = 3,
        /// SV504: price of renting it.
        rental: Money<'a> = 4,
        /// SV505: price of buying it.
        purchase: Money<'a> = 5,
        /// SV506: the rent is for a `1` week, `4` month, `6` day.
        frequency: Text<'a> = 6,
        /// SV507
        prognosis: Text<'a> = 7,
    }

    /// LIN: a drug or another thing by its number.
    pub struct Lin<'a> = "LIN" {
        /// LIN01
        number: Text<'a> = 1,
        /// LIN02: `N4` national drug code, `UP`, `EN`, `EO`, `HI`, `ON`, `UK` numbers of supplies.
        qualifier: Text<'a> = 2,
        /// LIN03
        id: Text<'a> = 3,
        /// LIN04
        qualifier_2: Text<'a> = 4,
        /// LIN05
        id_2: Text<'a> = 5,
        /// LIN06
        qualifier_3: Text<'a> = 6,
        /// LIN07
        id_3: Text<'a> = 7,
    }

    /// CTP: how much of it, and its price.
    pub struct Ctp<'a> = "CTP" {
        /// CTP01
        class: Text<'a> = 1,
        /// CTP02
        price_kind: Text<'a> = 2,
        /// CTP03: price of one unit (004010).
        price: Money<'a> = 3,
        /// CTP04
        quantity: Money<'a> = 4,
        /// CTP05
        unit: Unit<'a> = 5,
        /// CTP06
        multiplier_kind: Text<'a> = 6,
        /// CTP07
        multiplier: Money<'a> = 7,
        /// CTP08
        amount: Money<'a> = 8,
        /// CTP09
        basis: Text<'a> = 9,
        /// CTP10
        condition: Text<'a> = 10,
        /// CTP11
        multiple: Count<'a> = 11,
    }

    /// SVD: what another payer paid for a line.
    pub struct Svd<'a> = "SVD" {
        /// SVD01: that payer, as NM109 of loop 2330B names it.
        payer: Text<'a> = 1,
        /// SVD02
        paid: Money<'a> = 2,
        /// SVD03: the service it paid.
        procedure: Procedure<'a> = 3,
        /// SVD04: revenue code.
        revenue: Text<'a> = 4,
        /// SVD05: units it paid for.
        quantity: Money<'a> = 5,
        /// SVD06: the line this one was bundled into.
        bundled_into: Count<'a> = 6,
    }

    /// FRM: an answer on a form.
    pub struct Frm<'a> = "FRM" {
        /// FRM01: number of the question.
        question: Text<'a> = 1,
        /// FRM02: `Y`, `N`, `W` does not apply.
        yes_no: Text<'a> = 2,
        /// FRM03
        text: Text<'a> = 3,
        /// FRM04
        date: Day<'a> = 4,
        /// FRM05
        percent: Money<'a> = 5,
    }
}
