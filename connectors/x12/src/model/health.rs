//! Segments about health care itself, shared by reviews (278), claims (837) and attachments (275): services, paperwork,
//! certifications. Element numbers and meanings are facts of the X12 standard, 005010.

use super::common::Procedure;
use super::{Count, Day, Money, Text, composites, segments};

composites! {
    /// C023: where services are given.
    pub struct ServiceLocation<'a> {
        /// Place of service, or the first digits of the type of bill.
        facility: Text<'a> = 1,
        /// `A` type of bill, `B` place of service.
        qualifier: Text<'a> = 2,
        /// How often a claim was sent: `1` original, `7` replacement, `8` void …
        frequency: Text<'a> = 3,
    }

    /// C024: what the condition is related to.
    pub struct RelatedCauses<'a> {
        /// `AA` car accident, `AP` another party, `EM` employment, `OA` other accident.
        cause_1: Text<'a> = 1,
        /// A second cause.
        cause_2: Text<'a> = 2,
        /// A third cause.
        cause_3: Text<'a> = 3,
        /// State of the accident.
        state: Text<'a> = 4,
        /// Country of the accident.
        country: Text<'a> = 5,
    }

    /// C002: what to do with paperwork.
    pub struct PaperworkAction<'a> {
        /// First code.
        code_1: Text<'a> = 1,
        /// Second code.
        code_2: Text<'a> = 2,
        /// Third code.
        code_3: Text<'a> = 3,
        /// Fourth code.
        code_4: Text<'a> = 4,
        /// Fifth code.
        code_5: Text<'a> = 5,
    }

    /// C004: which of the diagnoses a line is for, by their place.
    pub struct DiagnosisPointers<'a> {
        /// First.
        first: Text<'a> = 1,
        /// Second.
        second: Text<'a> = 2,
        /// Third.
        third: Text<'a> = 3,
        /// Fourth.
        fourth: Text<'a> = 4,
    }

    /// C006: which parts of the mouth.
    pub struct OralCavity<'a> {
        /// First.
        first: Text<'a> = 1,
        /// Second.
        second: Text<'a> = 2,
        /// Third.
        third: Text<'a> = 3,
        /// Fourth.
        fourth: Text<'a> = 4,
        /// Fifth.
        fifth: Text<'a> = 5,
    }

    /// C005: which surfaces of a tooth.
    pub struct ToothSurfaces<'a> {
        /// First.
        first: Text<'a> = 1,
        /// Second.
        second: Text<'a> = 2,
        /// Third.
        third: Text<'a> = 3,
        /// Fourth.
        fourth: Text<'a> = 4,
        /// Fifth.
        fifth: Text<'a> = 5,
    }
}

segments! {
    /// PWK: paperwork that goes with this, or will follow.
    pub struct Pwk<'a> = "PWK" {
        /// PWK01: which kind of report.
        report: Text<'a> = 1,
        /// PWK02: how it comes: `EL` electronically, `BM` by mail, `FX` by fax, `EM` e-mail, `AA` on request …
        transmission: Text<'a> = 2,
        /// PWK03
        copies: Text<'a> = 3,
        /// PWK04
        entity: Text<'a> = 4,
        /// PWK05: `AC` for an attachment control number.
        qualifier: Text<'a> = 5,
        /// PWK06: the attachment's control number.
        control_number: Text<'a> = 6,
        /// PWK07
        description: Text<'a> = 7,
        /// PWK08
        actions: PaperworkAction<'a> = 8,
        /// PWK09
        request_category: Text<'a> = 9,
    }

    /// CRC: conditions that hold, or do not.
    pub struct Crc<'a> = "CRC" {
        /// CRC01: about what: `07` ambulance, `08` chiropractic, `09` equipment, `11` oxygen, `75` functional limits …
        category: Text<'a> = 1,
        /// CRC02: `Y` the conditions hold, `N` they do not.
        applies: Text<'a> = 2,
        /// CRC03
        condition_1: Text<'a> = 3,
        /// CRC04
        condition_2: Text<'a> = 4,
        /// CRC05
        condition_3: Text<'a> = 5,
        /// CRC06
        condition_4: Text<'a> = 6,
        /// CRC07
        condition_5: Text<'a> = 7,
    }

    /// CL1: how a patient came into and left a hospital.
    pub struct Cl1<'a> = "CL1" {
        /// CL101: type of admission.
        admission_type: Text<'a> = 1,
        /// CL102: where the patient came from.
        admission_source: Text<'a> = 2,
        /// CL103: where the patient went.
        patient_status: Text<'a> = 3,
        /// CL104
        nursing_home_status: Text<'a> = 4,
    }

    /// CR1: ambulance transport.
    pub struct Cr1<'a> = "CR1" {
        /// CR101: `LB` pounds, `KG` kilograms.
        weight_unit: Text<'a> = 1,
        /// CR102
        weight: Money<'a> = 2,
        /// CR103: `I` first trip, `R` return, `T` transfer, `X` round trip.
        transport: Text<'a> = 3,
        /// CR104: why this destination.
        reason: Text<'a> = 4,
        /// CR105: `DH` miles.
        distance_unit: Text<'a> = 5,
        /// CR106
        distance: Money<'a> = 6,
        /// CR107
        address_1: Text<'a> = 7,
        /// CR108
        address_2: Text<'a> = 8,
        /// CR109: what a round trip is for.
        round_trip: Text<'a> = 9,
        /// CR110: what a stretcher is for.
        stretcher: Text<'a> = 10,
    }

    /// CR2: chiropractic treatment.
    pub struct Cr2<'a> = "CR2" {
        /// CR201: number in the series.
        number: Count<'a> = 1,
        /// CR202: treatments in the series.
        treatments: Money<'a> = 2,
        /// CR203: level of subluxation.
        level_from: Text<'a> = 3,
        /// CR204: the last level of a range.
        level_to: Text<'a> = 4,
        /// CR205
        period_unit: Text<'a> = 5,
        /// CR206
        period: Money<'a> = 6,
        /// CR207: treatments a month.
        monthly: Money<'a> = 7,
        /// CR208: nature of the condition.
        condition: Text<'a> = 8,
        /// CR209: `Y` with complications.
        complication: Text<'a> = 9,
        /// CR210
        description_1: Text<'a> = 10,
        /// CR211
        description_2: Text<'a> = 11,
        /// CR212: `Y` X-rays are there.
        x_rays: Text<'a> = 12,
    }

    /// SV1: a professional service.
    pub struct Sv1<'a> = "SV1" {
        /// SV101
        procedure: Procedure<'a> = 1,
        /// SV102
        charge: Money<'a> = 2,
        /// SV103: `UN` units, `MJ` minutes, `F2` international units.
        unit: Text<'a> = 3,
        /// SV104
        quantity: Money<'a> = 4,
        /// SV105: place of service.
        place: Text<'a> = 5,
        /// SV106
        service_type: Text<'a> = 6,
        /// SV107: which diagnoses it is for.
        pointers: DiagnosisPointers<'a> = 7,
        /// SV108
        amount: Money<'a> = 8,
        /// SV109: `Y` an emergency.
        emergency: Text<'a> = 9,
        /// SV110
        multiple_procedure: Text<'a> = 10,
        /// SV111: `Y` from a child's screening (EPSDT).
        screening: Text<'a> = 11,
        /// SV112: `Y` family planning.
        family_planning: Text<'a> = 12,
        /// SV113
        review: Text<'a> = 13,
        /// SV114
        local_value: Text<'a> = 14,
        /// SV115: `0` no copayment is due.
        copay_status: Text<'a> = 15,
        /// SV116
        shortage_area: Text<'a> = 16,
        /// SV117
        reference: Text<'a> = 17,
        /// SV118
        postal_code: Text<'a> = 18,
        /// SV119
        amount_2: Money<'a> = 19,
        /// SV120: nursing home level of care.
        level_of_care: Text<'a> = 20,
        /// SV121
        agreement: Text<'a> = 21,
    }

    /// SV2: an institution's service.
    pub struct Sv2<'a> = "SV2" {
        /// SV201: revenue code.
        revenue: Text<'a> = 1,
        /// SV202
        procedure: Procedure<'a> = 2,
        /// SV203
        charge: Money<'a> = 3,
        /// SV204: `UN` units, `DA` days.
        unit: Text<'a> = 4,
        /// SV205
        quantity: Money<'a> = 5,
        /// SV206: what a unit costs.
        rate: Money<'a> = 6,
        /// SV207: charged but not covered.
        not_covered: Money<'a> = 7,
        /// SV208
        condition: Text<'a> = 8,
        /// SV209
        nursing_home_status: Text<'a> = 9,
        /// SV210
        level_of_care: Text<'a> = 10,
    }

    /// SV3: a dental service.
    pub struct Sv3<'a> = "SV3" {
        /// SV301
        procedure: Procedure<'a> = 1,
        /// SV302
        charge: Money<'a> = 2,
        /// SV303: place of service.
        place: Text<'a> = 3,
        /// SV304
        areas: OralCavity<'a> = 4,
        /// SV305: `I` first placement, `R` replacement of a prosthesis, crown or inlay.
        prosthesis: Text<'a> = 5,
        /// SV306
        quantity: Money<'a> = 6,
        /// SV307
        description: Text<'a> = 7,
        /// SV308
        copay_status: Text<'a> = 8,
        /// SV309
        agreement: Text<'a> = 9,
        /// SV310
        period: Text<'a> = 10,
        /// SV311: which diagnoses it is for.
        pointers: DiagnosisPointers<'a> = 11,
    }

    /// TOO: a tooth.
    pub struct Too<'a> = "TOO" {
        /// TOO01: `JP` the national numbers of teeth.
        qualifier: Text<'a> = 1,
        /// TOO02: which tooth.
        tooth: Text<'a> = 2,
        /// TOO03
        surfaces: ToothSurfaces<'a> = 3,
    }

    /// CR5: oxygen at home.
    pub struct Cr5<'a> = "CR5" {
        /// CR501: `I` first, `R` renewal, `S` revised.
        certification: Text<'a> = 1,
        /// CR502: months.
        months: Money<'a> = 2,
        /// CR503: kind of equipment.
        equipment_1: Text<'a> = 3,
        /// CR504: more equipment.
        equipment_2: Text<'a> = 4,
        /// CR505: why.
        reason: Text<'a> = 5,
        /// CR506: litres a minute.
        flow: Money<'a> = 6,
        /// CR507: times a day.
        uses_per_day: Money<'a> = 7,
        /// CR508: hours each time.
        hours_per_use: Money<'a> = 8,
        /// CR509: orders to the respiratory therapist.
        orders: Text<'a> = 9,
        /// CR510: arterial blood gas.
        blood_gas: Money<'a> = 10,
        /// CR511: oxygen saturation.
        saturation: Money<'a> = 11,
        /// CR512: under what condition it was measured.
        test_condition: Text<'a> = 12,
        /// CR513
        finding_1: Text<'a> = 13,
        /// CR514
        finding_2: Text<'a> = 14,
        /// CR515
        finding_3: Text<'a> = 15,
        /// CR516: litres a minute, portable.
        portable_flow: Money<'a> = 16,
        /// CR517: how it is given.
        delivery: Text<'a> = 17,
        /// CR518: still more equipment.
        equipment_3: Text<'a> = 18,
    }

    /// CR6: care at home.
    pub struct Cr6<'a> = "CR6" {
        /// CR601: outlook.
        prognosis: Text<'a> = 1,
        /// CR602: it starts on this day.
        start: Day<'a> = 2,
        /// CR603: `RD8`.
        period_format: Text<'a> = 3,
        /// CR604: the time certified.
        period: Text<'a> = 4,
        /// CR605: when the condition was found.
        diagnosed: Day<'a> = 5,
        /// CR606
        skilled_nursing: Text<'a> = 6,
        /// CR607
        medicare: Text<'a> = 7,
        /// CR608: as UM02.
        certification: Text<'a> = 8,
        /// CR609
        surgery: Day<'a> = 9,
        /// CR610: code list of the operation.
        surgery_system: Text<'a> = 10,
        /// CR611: code of the operation.
        surgery_code: Text<'a> = 11,
        /// CR612: the physician's order.
        ordered: Day<'a> = 12,
        /// CR613: the last visit.
        last_visit: Day<'a> = 13,
        /// CR614: the physician was asked last.
        last_contact: Day<'a> = 14,
        /// CR615: `RD8`.
        stay_format: Text<'a> = 15,
        /// CR616: the last stay in a hospital.
        stay: Text<'a> = 16,
        /// CR617: from where the patient was sent home.
        discharged_from: Text<'a> = 17,
        /// CR618
        date_1: Day<'a> = 18,
        /// CR619
        date_2: Day<'a> = 19,
        /// CR620
        date_3: Day<'a> = 20,
        /// CR621
        date_4: Day<'a> = 21,
    }
}
