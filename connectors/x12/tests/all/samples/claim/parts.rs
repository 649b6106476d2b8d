//! The parts that claims are put together from.

use jiff::civil;
use rust_decimal::Decimal;
use x12::Delimiters;
use x12::claim::{Adjudication, Billing, Claim, Claims, Clm, Kind, Line, Party, Person, Sbr, Subscriber, Svd};
use x12::model::common::{Amt, Bht, Dmg, Dtp, HealthCode, Hi, Lx, N3, N4, Nm1, Per, Procedure, Prv, Ref};
use x12::model::health::{DiagnosisPointers, ServiceLocation, Sv1, Sv2};
use x12::model::{Hl, Money, Typed};
use x12::remittance::Cas;
use x12::write::{Charset, Envelope};

/// A whole interchange: one billing provider with its subscribers.
pub fn file(kind: Kind, subscribers: Vec<Subscriber<'static>>) -> Vec<u8> {
    let contact = Per {
        function: "IC".into(),
        name: "BILLING OFFICE".into(),
        qualifier_1: "TE".into(),
        number_1: "5035550100".into(),
        ..Per::default()
    };
    let billing = Billing {
        level: Hl { level: "20".into(), ..Hl::default() },
        specialty: Some(Prv {
            role: "BI".into(),
            qualifier: "PXC".into(),
            code: if kind == Kind::Institutional { "282N00000X" } else { "261QP2300X" }.into(),
            ..Prv::default()
        }),
        provider: Some(Party {
            references: vec![reference("EI", "931234567")],
            ..at(organisation("85", "NORTHSTAR CLINIC", "XX", "1234567893"), "1 ELM STREET", "973010001")
        }),
        subscribers,
        ..Billing::default()
    };
    let claims = Claims {
        control: "0001".into(),
        implementation: kind.guide().into(),
        beginning: Some(Bht {
            structure: "0019".into(),
            purpose: "00".into(),
            reference: "BATCH0001".into(),
            date: civil::date(2026, 11, 23).into(),
            time: "0905".into(),
            kind: "CH".into(),
            ..Bht::default()
        }),
        submitter: Some(Party { contacts: vec![contact], ..organisation("41", "NORTHSTAR CLINIC", "46", "S0001") }),
        receiver: Some(organisation("40", "SOUTHSTAR HEALTH", "46", "60054")),
        billing: vec![billing],
        ..Claims::default()
    };
    let tx = claims.write(&Delimiters::default(), Charset::Extended).unwrap();
    let at = civil::datetime(2026, 11, 23, 9, 5, 0, 0);
    Envelope { at, ..Envelope::new("HC", kind.guide()) }.wrap(&Delimiters::default(), vec![tx]).unwrap()
}

/// A subscriber who is the patient.
pub fn own(claims: Vec<Claim<'static>>) -> Subscriber<'static> {
    Subscriber {
        level: Hl { level: "22".into(), ..Hl::default() },
        insurance: Some(Sbr {
            order: "P".into(),
            relationship: "18".into(),
            group_number: "GRP777".into(),
            filing: "CI".into(),
            ..Sbr::default()
        }),
        name: Some(person("IL", "ZANZIBAR", "ADA", "W123456789")),
        payer: Some(organisation("PR", "SOUTHSTAR HEALTH", "PI", "60054")),
        claims,
        ..Subscriber::default()
    }
}

pub fn money(text: &str) -> Money<'static> {
    Typed::Is(text.parse::<Decimal>().unwrap())
}

pub fn nm1(
    entity: &'static str,
    kind: &'static str,
    last_name: &'static str,
    first_name: &'static str,
    qualifier: &'static str,
    id: &'static str,
) -> Nm1<'static> {
    Nm1 {
        entity: entity.into(),
        kind: kind.into(),
        last_name: last_name.into(),
        first_name: first_name.into(),
        qualifier: if id.is_empty() { "" } else { qualifier }.into(),
        id: id.into(),
        ..Nm1::default()
    }
}

pub fn party(name: Nm1<'static>) -> Party<'static> {
    Party { name, ..Party::default() }
}

pub fn organisation(
    entity: &'static str,
    name: &'static str,
    qualifier: &'static str,
    id: &'static str,
) -> Party<'static> {
    party(nm1(entity, "2", name, "", qualifier, id))
}

fn street(line: &'static str) -> Option<N3<'static>> {
    Some(N3 { line_1: line.into(), ..N3::default() })
}

fn city(postal_code: &'static str) -> Option<N4<'static>> {
    Some(N4 { city: "SALEM".into(), state: "OR".into(), postal_code: postal_code.into(), ..N4::default() })
}

fn at(party: Party<'static>, line: &'static str, postal_code: &'static str) -> Party<'static> {
    Party { street: street(line), city: city(postal_code), ..party }
}

/// A place without an identifier.
pub fn place(entity: &'static str, name: &'static str, line: &'static str) -> Party<'static> {
    at(party(nm1(entity, "2", name, "", "", "")), line, "97301")
}

/// A person who treated the patient.
pub fn provider(
    entity: &'static str,
    last_name: &'static str,
    first_name: &'static str,
    specialty: Option<&'static str>,
) -> Party<'static> {
    let specialty = specialty.map(|code| Prv {
        role: if entity == "71" { "AT" } else { "PE" }.into(),
        qualifier: "PXC".into(),
        code: code.into(),
        ..Prv::default()
    });
    Party { specialty, ..party(nm1(entity, "1", last_name, first_name, "XX", "1987654328")) }
}

/// A subscriber or patient with address and date of birth.
pub fn person(
    entity: &'static str,
    last_name: &'static str,
    first_name: &'static str,
    id: &'static str,
) -> Person<'static> {
    Person {
        name: nm1(entity, "1", last_name, first_name, "MI", id),
        street: street("2 OAK AVENUE"),
        city: city("97301"),
        demographics: Some(Dmg {
            format: "D8".into(),
            born: civil::date(1980, 2, 1).into(),
            sex: "F".into(),
            ..Dmg::default()
        }),
        ..Person::default()
    }
}

/// The CLM that all claims have; `qualifier` `A` type of bill, `B` place of service.
pub fn claim(control: &'static str, charge: &str, facility: &'static str, qualifier: &'static str) -> Claim<'static> {
    let mut clm = Clm {
        control_number: control.into(),
        charged: money(charge),
        location: ServiceLocation {
            facility: facility.into(),
            qualifier: qualifier.into(),
            frequency: "1".into(),
            ..ServiceLocation::default()
        },
        assignment: "A".into(),
        benefits_assigned: "Y".into(),
        release: "Y".into(),
        ..Clm::default()
    };
    if qualifier == "B" {
        clm.signature = "Y".into();
    }
    Claim { claim: clm, ..Claim::default() }
}

pub fn professional(
    control: &'static str,
    charge: &str,
    facility: &'static str,
    codes: &[&'static str],
) -> Claim<'static> {
    Claim { codes: vec![diagnoses(codes)], ..claim(control, charge, facility, "B") }
}

pub fn institutional(control: &'static str, charge: &str, facility: &'static str) -> Claim<'static> {
    claim(control, charge, facility, "A")
}

pub fn code(list: &'static str, code: &'static str) -> HealthCode<'static> {
    HealthCode { qualifier: list.into(), code: code.into(), ..HealthCode::default() }
}

pub fn hi(codes: Vec<HealthCode<'static>>) -> Hi<'static> {
    Hi { codes, ..Hi::default() }
}

/// The diagnoses that lines point to.
pub fn diagnoses(codes: &[&'static str]) -> Hi<'static> {
    let list = |at| if at == 0 { "ABK" } else { "ABF" };
    hi(codes.iter().enumerate().map(|(at, diagnosis)| code(list(at), diagnosis)).collect())
}

pub fn date(qualifier: &'static str, format: &'static str, value: &'static str) -> Dtp<'static> {
    Dtp { qualifier: qualifier.into(), format: format.into(), value: value.into(), ..Dtp::default() }
}

pub fn reference(qualifier: &'static str, value: &'static str) -> Ref<'static> {
    Ref { qualifier: qualifier.into(), value: value.into(), ..Ref::default() }
}

pub fn amt(qualifier: &'static str, amount: &str) -> Amt<'static> {
    Amt { qualifier: qualifier.into(), amount: money(amount), ..Amt::default() }
}

fn procedure(code: &'static str, modifiers: &[&'static str]) -> Procedure<'static> {
    let modifier = |at| modifiers.get(at).copied().unwrap_or_default();
    Procedure {
        system: if code.is_empty() { "" } else { "HC" }.into(),
        code: code.into(),
        modifier_1: modifier(0).into(),
        modifier_2: modifier(1).into(),
        ..Procedure::default()
    }
}

/// What a line is for.
pub enum Service {
    Professional(Box<Sv1<'static>>),
    Institutional(Box<Sv2<'static>>),
}

pub fn sv1(code: &'static str, modifiers: &[&'static str], charge: &str, units: &str, pointers: &[u8]) -> Service {
    let pointer = |at: usize| pointers.get(at).map(|pointer| pointer.to_string()).unwrap_or_default().into();
    Service::Professional(Box::new(Sv1 {
        procedure: procedure(code, modifiers),
        charge: money(charge),
        unit: "UN".into(),
        quantity: money(units),
        pointers: DiagnosisPointers { first: pointer(0), second: pointer(1), ..DiagnosisPointers::default() },
        ..Sv1::default()
    }))
}

pub fn sv2(revenue: &'static str, code: &'static str, charge: &str, unit: &'static str, units: &str) -> Service {
    Service::Institutional(Box::new(Sv2 {
        revenue: revenue.into(),
        procedure: procedure(code, &[]),
        charge: money(charge),
        unit: unit.into(),
        quantity: money(units),
        ..Sv2::default()
    }))
}

pub fn numbered(number: u64) -> Line<'static> {
    Line { number: Lx { number: Typed::Is(number), ..Lx::default() }, ..Line::default() }
}

pub fn line_without_date(number: u64, service: Service) -> Line<'static> {
    let mut line = numbered(number);
    match service {
        Service::Professional(service) => line.professional = Some(service),
        Service::Institutional(service) => line.institutional = Some(service),
    }
    line
}

pub fn line(number: u64, service: Service, day: &'static str) -> Line<'static> {
    let mut line = line_without_date(number, service);
    line.dates.push(date("472", "D8", day));
    line.references.push(Ref { qualifier: "6R".into(), value: format!("L{number}").into(), ..Ref::default() });
    line
}

/// A line that another payer has decided.
pub fn paid_line(
    mut line: Line<'static>,
    code: &'static str,
    paid: &str,
    adjustments: Vec<Cas<'static>>,
) -> Line<'static> {
    line.adjudications.push(Adjudication {
        payment: Svd {
            payer: "00101".into(),
            paid: money(paid),
            procedure: procedure(code, &[]),
            quantity: money("1"),
            ..Svd::default()
        },
        adjustments,
        dates: vec![date("573", "D8", "20261020")],
        ..Adjudication::default()
    });
    line
}
