//! Claims (837), professional, institutional and dental, as practices and hospitals send them. People and numbers are
//! made up; the sums come out even.

mod parts;

use parts::{
    amt, claim, code, date, diagnoses, file, hi, institutional, line, nm1, own, paid_line, person, place, professional,
    provider, reference, sv1, sv2,
};
use x12::claim::{
    Claim, Ctp, Dn1, Dn2, Drug, Kind, Lin, Line, OtherInsurance, OtherPayer, Pat, Patient, Sbr, Subscriber,
};
use x12::model::Hl;
use x12::model::common::{Dmg, Procedure, Unit};
use x12::model::health::{Cl1, Cr1, Crc, OralCavity, Pwk, Sv3, Too, ToothSurfaces};
use x12::remittance::{Adjustment, Cas, Moa, Nte};

/// Every sample: file name and the whole interchange.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("837p-own.edi", file(Kind::Professional, vec![own(vec![office_visit()])])),
        ("837p-dependent.edi", file(Kind::Professional, vec![dependent()])),
        ("837p-second-payer.edi", file(Kind::Professional, vec![second_payer()])),
        ("837p-drug.edi", file(Kind::Professional, vec![own(vec![infusion()])])),
        ("837p-ambulance.edi", file(Kind::Professional, vec![own(vec![ambulance()])])),
        ("837p-replacement.edi", file(Kind::Professional, vec![own(vec![replacement(), office_visit()])])),
        ("837i-inpatient.edi", file(Kind::Institutional, vec![own(vec![inpatient()])])),
        (
            "837i-outpatient.edi",
            file(Kind::Institutional, vec![own(vec![outpatient(), inpatient()]), dependent_stay()]),
        ),
        ("837d-teeth.edi", file(Kind::Dental, vec![own(vec![filling()])])),
        ("837d-orthodontics.edi", file(Kind::Dental, vec![own(vec![orthodontics()])])),
        ("837d-predetermination.edi", file(Kind::Dental, vec![own(vec![predetermination()])])),
    ]
}

/// One visit, two services, the second with modifiers.
fn office_visit() -> Claim<'static> {
    let mut claim = professional("VISIT01", "234.50", "11", &["E119", "I10"]);
    claim.references.push(reference("G1", "AUTH4711"));
    claim.providers.push(provider("82", "LYON", "LEA", Some("207Q00000X")));
    claim.providers.push(provider("DN", "MARSH", "IVO", None));
    claim.lines = vec![
        line(1, sv1("99214", &["25"], "184.50", "1", &[1, 2]), "20261102"),
        line(2, sv1("83036", &["QW", "59"], "50", "1", &[1]), "20261102"),
    ];
    claim
}

/// A claim that takes the place of one the payer has decided.
fn replacement() -> Claim<'static> {
    let mut claim = professional("VISIT02", "90", "11", &["J020"]);
    claim.claim.location.frequency = "7".into();
    claim.references.push(reference("F8", "2026300123456"));
    claim.notes.push(Nte { reference: "ADD".into(), text: "UNITS CORRECTED".into(), ..Nte::default() });
    claim.lines = vec![line(1, sv1("87880", &[], "90", "2", &[1]), "20261012")];
    claim
}

/// A child, insured through the mother.
fn dependent() -> Subscriber<'static> {
    let mut mother = own(Vec::new());
    let insurance = Sbr { relationship: "".into(), ..mother.insurance.take().unwrap_or_default() };
    mother.insurance = Some(insurance);
    let mut visit = professional("CHILD01", "125", "11", &["S52501A"]);
    visit.claim.causes.cause_1 = "OA".into();
    visit.dates.push(date("439", "D8", "20261030"));
    visit.lines = vec![line(1, sv1("73110", &["LT"], "125", "1", &[1]), "20261031")];
    mother.patients.push(child(visit));
    mother
}

fn dependent_stay() -> Subscriber<'static> {
    let mut mother = dependent();
    let mut stay = outpatient();
    stay.claim.control_number = "STAY03".into();
    mother.patients = vec![child(stay)];
    mother
}

fn child(claim: Claim<'static>) -> Patient<'static> {
    let mut name = person("QC", "ZANZIBAR", "BO", "");
    name.demographics = Some(Dmg {
        format: "D8".into(),
        born: jiff::civil::date(2015, 3, 1).into(),
        sex: "M".into(),
        ..Dmg::default()
    });
    Patient {
        level: Hl { level: "23".into(), ..Hl::default() },
        patient: Some(Pat { relationship: "19".into(), ..Pat::default() }),
        name: Some(name),
        claims: vec![claim],
        ..Patient::default()
    }
}

/// Medicare has paid; what is left goes to the second payer, with what the first said line by line.
fn second_payer() -> Subscriber<'static> {
    let mut claim = professional("COB01", "300", "11", &["M545", "M5416"]);
    claim.amounts.push(amt("F5", "12.25"));
    let mut name = person("IL", "ZANZIBAR", "ADA", "1EG4TE5MK73");
    name.demographics = None;
    claim.other_insurances.push(OtherInsurance {
        insurance: Sbr { order: "P".into(), relationship: "18".into(), filing: "MB".into(), ..Sbr::default() },
        amounts: vec![amt("D", "180"), amt("EAF", "45")],
        agreement: Some(x12::claim::Oi {
            benefits_assigned: "Y".into(),
            patient_signature: "P".into(),
            release: "Y".into(),
            ..x12::claim::Oi::default()
        }),
        outpatient: Some(Box::new(Moa { remark_1: "MA01".into(), ..Moa::default() })),
        subscriber: Some(name),
        payer: Some(OtherPayer {
            name: nm1("PR", "2", "EASTSTAR MEDICARE", "", "PI", "00101"),
            references: vec![reference("F8", "9876543210")],
            ..OtherPayer::default()
        }),
        ..OtherInsurance::default()
    });
    let cas = |group: &'static str, reason: &'static str, amount| {
        let amount = parts::money(amount);
        Cas::new(group, [Adjustment { reason: reason.into(), amount, ..Adjustment::default() }])
    };
    let adjusted = |less, share| vec![cas("CO", "45", less), cas("PR", "2", share)];
    claim.lines = vec![
        paid_line(
            line(1, sv1("97110", &["GP"], "200", "2", &[1, 2]), "20261005"),
            "97110",
            "120",
            adjusted("50", "30"),
        ),
        paid_line(line(2, sv1("97140", &["GP"], "100", "1", &[1]), "20261005"), "97140", "60", adjusted("25", "15")),
    ];
    let mut subscriber = own(vec![claim]);
    if let Some(insurance) = &mut subscriber.insurance {
        insurance.order = "S".into();
        insurance.insurance_type = "12".into();
    }
    subscriber
}

/// A drug given in the practice, by its national code.
fn infusion() -> Claim<'static> {
    let mut claim = professional("DRUG01", "640.75", "11", &["M0579"]);
    claim.providers.push(provider("82", "LYON", "LEA", Some("207RR0500X")));
    let mut drug = line(1, sv1("J1745", &["JZ"], "540.75", "10", &[1]), "20261104");
    drug.drugs.push(Drug {
        item: Lin { qualifier: "N4".into(), id: "57894003001".into(), ..Lin::default() },
        quantity: Some(Ctp {
            quantity: parts::money("1"),
            unit: Unit { unit: "UN".into(), ..Unit::default() },
            ..Ctp::default()
        }),
        references: vec![reference("XZ", "RX778899")],
        ..Drug::default()
    });
    claim.lines = vec![drug, line(2, sv1("96365", &[], "100", "1", &[1]), "20261104")];
    claim
}

/// A trip to hospital after a car accident.
fn ambulance() -> Claim<'static> {
    let mut claim = professional("TRIP01", "766.50", "41", &["S7200XA", "R55"]);
    claim.claim.causes.cause_1 = "AA".into();
    claim.claim.causes.state = "OR".into();
    claim.dates.push(date("439", "D8", "20261108"));
    claim.ambulance = Some(Box::new(Cr1 {
        weight_unit: "LB".into(),
        weight: parts::money("155"),
        reason: "A".into(),
        distance_unit: "DH".into(),
        distance: parts::money("21"),
        stretcher: "PATIENT COULD NOT BE MOVED".into(),
        ..Cr1::default()
    }));
    claim.conditions.push(Crc {
        category: "07".into(),
        applies: "Y".into(),
        condition_1: "01".into(),
        condition_2: "06".into(),
        ..Crc::default()
    });
    claim.providers.push(place("PW", "", "1129 REINDEER ROAD"));
    claim.providers.push(place("45", "SALEM HOSPITAL", "890 OAK STREET"));
    let emergency = |mut line: Line<'static>| {
        if let Some(service) = &mut line.professional {
            service.emergency = "Y".into();
        }
        line
    };
    claim.lines = vec![
        emergency(line(1, sv1("A0427", &["RH"], "700", "1", &[1, 2]), "20261108")),
        emergency(line(2, sv1("A0425", &["RH"], "66.50", "21", &[1, 2]), "20261108")),
    ];
    claim
}

/// Three days in hospital, with operation, occurrences, values and conditions.
fn inpatient() -> Claim<'static> {
    let mut stay = institutional("STAY01", "18250.40", "11");
    stay.dates =
        vec![date("096", "TM", "1130"), date("434", "RD8", "20261019-20261022"), date("435", "DT", "202610190415")];
    stay.stay = Some(Box::new(Cl1 {
        admission_type: "1".into(),
        admission_source: "7".into(),
        patient_status: "01".into(),
        ..Cl1::default()
    }));
    stay.references.push(reference("EA", "MRN0042"));
    let present = |mut code: x12::model::common::HealthCode<'static>| {
        code.present_on_admission = "Y".into();
        code
    };
    let on = |mut code: x12::model::common::HealthCode<'static>, format: &'static str, day: &'static str| {
        (code.date_format, code.date) = (format.into(), day.into());
        code
    };
    let worth = |mut code: x12::model::common::HealthCode<'static>, amount| {
        code.amount = parts::money(amount);
        code
    };
    stay.codes = vec![
        hi(vec![present(code("ABK", "K3580"))]),
        hi(vec![code("ABJ", "R1031")]),
        hi(vec![code("DR", "343")]),
        hi(vec![present(code("ABF", "E119")), present(code("ABF", "I10"))]),
        hi(vec![on(code("BBR", "0DTJ4ZZ"), "D8", "20261019")]),
        hi(vec![on(code("BI", "71"), "RD8", "20261001-20261003")]),
        hi(vec![on(code("BH", "11"), "D8", "20261018"), on(code("BH", "05"), "D8", "20261018")]),
        hi(vec![worth(code("BE", "80"), "3"), worth(code("BE", "A2"), "150")]),
        hi(vec![code("BG", "09")]),
    ];
    stay.providers = vec![provider("71", "LYON", "LEA", Some("207R00000X")), provider("72", "MARSH", "IVO", None)];
    stay.lines = vec![
        parts::line_without_date(1, sv2("0120", "", "6000", "DA", "3")),
        line(2, sv2("0360", "", "9500.40", "UN", "1"), "20261019"),
        line(3, sv2("0300", "80053", "2750", "UN", "11"), "20261019"),
    ];
    stay
}

/// An outpatient visit to a hospital.
fn outpatient() -> Claim<'static> {
    let mut visit = institutional("STAY02", "410", "13");
    visit.dates = vec![date("434", "RD8", "20261103-20261103")];
    visit.stay = Some(Box::new(Cl1 {
        admission_type: "3".into(),
        admission_source: "1".into(),
        patient_status: "01".into(),
        ..Cl1::default()
    }));
    visit.codes = vec![hi(vec![code("ABK", "R079")])];
    visit.codes.push(hi(vec![code("APR", "R0789")]));
    visit.providers = vec![provider("71", "LYON", "LEA", Some("207R00000X"))];
    visit.lines = vec![
        line(1, sv2("0730", "93005", "110", "UN", "1"), "20261103"),
        line(2, sv2("0320", "71046", "300", "UN", "1"), "20261103"),
    ];
    visit
}

fn sv3(procedure: &'static str, charge: &str) -> Sv3<'static> {
    Sv3 {
        procedure: Procedure { system: "AD".into(), code: procedure.into(), ..Procedure::default() },
        charge: parts::money(charge),
        quantity: parts::money("1"),
        ..Sv3::default()
    }
}

fn dental(control: &'static str, charge: &str) -> Claim<'static> {
    let mut claim = claim(control, charge, "11", "B");
    claim.providers.push(provider("82", "LYON", "LEA", Some("1223G0001X")));
    claim
}

fn dental_line(number: u64, service: Sv3<'static>, day: Option<&'static str>) -> Line<'static> {
    let mut line = parts::numbered(number);
    line.dental = Some(Box::new(service));
    line.dates.extend(day.map(|day| date("472", "D8", day)));
    line
}

/// A filling on two surfaces, and a crown that replaces an older one.
fn filling() -> Claim<'static> {
    let mut claim = dental("TOOTH01", "1145");
    claim.codes.push(diagnoses(&["K0262"]));
    let mut filled = dental_line(1, sv3("D2392", "195"), Some("20261109"));
    filled.teeth.push(Too {
        qualifier: "JP".into(),
        tooth: "14".into(),
        surfaces: ToothSurfaces { first: "M".into(), second: "O".into(), ..ToothSurfaces::default() },
        ..Too::default()
    });
    let mut crown = dental_line(2, Sv3 { prosthesis: "R".into(), ..sv3("D2740", "950") }, Some("20261109"));
    crown.dates.push(date("441", "D8", "20160504"));
    crown.teeth.push(Too { qualifier: "JP".into(), tooth: "19".into(), ..Too::default() });
    claim.lines = vec![filled, crown];
    claim
}

/// Braces: months in all and left, teeth that are missing.
fn orthodontics() -> Claim<'static> {
    let mut claim = dental("BRACES01", "3500");
    claim.dates.push(date("452", "D8", "20261109"));
    claim.orthodontics =
        Some(Box::new(Dn1 { months: parts::money("36"), months_left: parts::money("36"), ..Dn1::default() }));
    for tooth in ["1", "16"] {
        let status = "M".into();
        claim.teeth.push(Dn2 { tooth: tooth.into(), status, list: "JP".into(), ..Dn2::default() });
    }
    let braces = Sv3 {
        areas: OralCavity { first: "01".into(), second: "02".into(), ..OralCavity::default() },
        ..sv3("D8080", "3500")
    };
    claim.lines = vec![dental_line(1, braces, Some("20261109"))];
    claim
}

/// What would be paid is asked, with an X-ray to follow.
fn predetermination() -> Claim<'static> {
    let mut claim = dental("ASK01", "2200");
    claim.claim.submission_reason = "PB".into();
    claim.paperwork.push(Pwk {
        report: "RB".into(),
        transmission: "EL".into(),
        qualifier: "AC".into(),
        control_number: "XRAY0001".into(),
        ..Pwk::default()
    });
    let mut implant = dental_line(1, sv3("D6010", "2200"), None);
    implant.teeth.push(Too { qualifier: "JP".into(), tooth: "30".into(), ..Too::default() });
    claim.lines = vec![implant];
    claim
}

#[test]
fn our_own_check_finds_nothing() {
    for (name, file) in all() {
        let mut checker = x12::check::Checker::new(file.as_slice());
        while let Some(report) = checker.next_report().unwrap() {
            if let x12::check::Report::Set(set) = report {
                assert!(set.findings.is_empty(), "{name}: {:?}", set.findings);
            }
        }
        assert!(checker.summary().valid, "{name}");
    }
}
