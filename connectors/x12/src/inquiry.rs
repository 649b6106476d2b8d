//! The eligibility question on the wire: a 270, version 005010X279A1.

use std::fmt;

use jiff::civil::{Date, DateTime};

use crate::delimiters::Delimiters;
use crate::write::{Charset, Element, TransactionWriter, WriteError};

/// The implementation guide these transactions follow.
pub const IMPLEMENTATION: &str = "005010X279A1";

/// A 270 with one patient. Every text is written as it stands here: upper-casing and clean-up happen before.
#[derive(Clone, Default)]
pub struct Inquiry {
    /// ST02, 4 to 9 characters.
    pub control: String,
    /// BHT03: our reference, at most 50 characters; carriers echo it.
    pub reference: String,
    /// BHT04, BHT05.
    pub at: DateTime,
    /// Loop 2100A: the carrier.
    pub source: Source,
    /// Loop 2100B: who asks.
    pub receiver: Receiver,
    /// Loop 2100C.
    pub subscriber: Person,
    /// Loop 2100D, when the patient is not the subscriber.
    pub dependent: Option<Person>,
    /// TRN02: our trace number, at most 50 characters; it comes back in the 271.
    pub trace: String,
    /// TRN03: who gave the trace number, exactly 10 characters (`9` or `1` and a nine-digit number, by custom).
    pub trace_origin: String,
    /// DTP*291: first and last day; nothing is sent where it is `None`.
    pub dates: Option<(Date, Date)>,
    /// EQ01: service types.
    pub service_types: Vec<String>,
    /// All service types in one EQ (needs a repetition separator), or one EQ for each.
    pub repeat_service_types: bool,
    /// EQ02: procedures, one EQ for each.
    pub procedures: Vec<Procedure>,
    /// III*ZZ: place of service.
    pub place: Option<String>,
}

/// The carrier, as the 270 names it.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// NM101, usually `PR`.
    pub entity: String,
    /// NM103
    pub name: String,
    /// NM108: `PI`, `XV`, `FI`, `NI` …
    pub qualifier: String,
    /// NM109
    pub id: String,
}

/// Who asks.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    /// NM101: `1P` provider, `FA` facility, `80` hospital …
    pub entity: String,
    /// A person (NM102 `1`) rather than an organisation (`2`).
    pub person: bool,
    /// NM103: organisation, or last name.
    pub name: String,
    /// NM108, usually `XX`.
    pub qualifier: String,
    /// NM109, usually the NPI.
    pub id: String,
    /// REF segments: qualifier and value.
    pub references: Vec<(String, String)>,
    /// PRV03 with `PXC`: provider taxonomy.
    pub taxonomy: Option<String>,
}

/// The subscriber or a dependent.
#[derive(Clone, Default)]
pub struct Person {
    /// NM103
    pub last_name: String,
    /// NM104
    pub first_name: String,
    /// NM105
    pub middle_name: String,
    /// NM107
    pub suffix: String,
    /// NM109 with `MI`.
    pub member_id: String,
    /// REF segments: qualifier (`6P` group number …) and value.
    pub references: Vec<(String, String)>,
    /// DMG02
    pub date_of_birth: Option<Date>,
    /// DMG03: `F`, `M`; empty where unknown.
    pub sex: String,
    /// INS02 of a dependent: `01` spouse, `19` child, `34` other adult.
    pub relationship: String,
}

/// A procedure asked about (EQ02).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Procedure {
    /// `HC`, `AD`, `N4` …
    pub system: String,
    /// The code.
    pub code: String,
    /// Modifiers, at most four.
    pub modifiers: Vec<String>,
}

// They hold a patient: nothing of it is shown.
impl fmt::Debug for Inquiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inquiry(dependent: {}, service types: {})", self.dependent.is_some(), self.service_types.len())
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(‹phi›)")
    }
}

impl Inquiry {
    /// Writes the transaction set. Wrap it in an [`Envelope`](crate::write::Envelope) with `HS` and
    /// [`IMPLEMENTATION`].
    ///
    /// # Errors
    /// A value that X12 cannot carry: segment and element are named, the value is not.
    pub fn write(&self, delimiters: &Delimiters, charset: Charset) -> Result<TransactionWriter, WriteError> {
        let mut tx = TransactionWriter::with_charset(delimiters, charset, "270", &self.control, Some(IMPLEMENTATION))?;
        let (date, time) = (self.at.strftime("%Y%m%d").to_string(), self.at.strftime("%H%M").to_string());
        tx.segment("BHT", &["0022", "13", &self.reference, &date, &time])?;
        tx.segment("HL", &["1", "", "20", "1"])?;
        let source = &self.source;
        tx.segment("NM1", &[&source.entity, "2", &source.name, "", "", "", "", &source.qualifier, &source.id])?;
        self.write_receiver(&mut tx)?;
        tx.segment("HL", &["3", "2", "22", if self.dependent.is_some() { "1" } else { "0" }])?;
        if self.dependent.is_none() {
            self.write_trace(&mut tx)?;
        }
        write_person(&mut tx, "IL", &self.subscriber)?;
        if let Some(dependent) = &self.dependent {
            tx.segment("HL", &["4", "3", "23", "0"])?;
            self.write_trace(&mut tx)?;
            write_person(&mut tx, "03", dependent)?;
            if !dependent.relationship.is_empty() {
                tx.segment("INS", &["N", &dependent.relationship])?;
            }
        }
        self.write_question(&mut tx)?;
        Ok(tx)
    }

    fn write_receiver(&self, tx: &mut TransactionWriter) -> Result<(), WriteError> {
        let receiver = &self.receiver;
        tx.segment("HL", &["2", "1", "21", "1"])?;
        let kind = if receiver.person { "1" } else { "2" };
        tx.segment(
            "NM1",
            &[&receiver.entity, kind, &receiver.name, "", "", "", "", &receiver.qualifier, &receiver.id],
        )?;
        for (qualifier, value) in &receiver.references {
            tx.segment("REF", &[qualifier, value])?;
        }
        if let Some(taxonomy) = &receiver.taxonomy {
            tx.segment("PRV", &["PE", "PXC", taxonomy])?;
        }
        Ok(())
    }

    fn write_trace(&self, tx: &mut TransactionWriter) -> Result<(), WriteError> {
        if !self.trace.is_empty() {
            tx.segment("TRN", &["1", &self.trace, &self.trace_origin])?;
        }
        Ok(())
    }

    fn write_question(&self, tx: &mut TransactionWriter) -> Result<(), WriteError> {
        if let Some((from, to)) = self.dates {
            let (from_text, to_text) = (from.strftime("%Y%m%d").to_string(), to.strftime("%Y%m%d").to_string());
            if from == to {
                tx.segment("DTP", &["291", "D8", &from_text])?;
            } else {
                tx.segment("DTP", &["291", "RD8", &format!("{from_text}-{to_text}")])?;
            }
        }
        let types: Vec<&str> = self.service_types.iter().map(String::as_str).collect();
        if self.repeat_service_types && types.len() > 1 && tx.delimiters().repetition.is_some() {
            tx.elements("EQ", &[Element::Repeats(&types)])?;
            self.write_place(tx)?;
        } else {
            for service in types {
                tx.segment("EQ", &[service])?;
                self.write_place(tx)?;
            }
        }
        for procedure in &self.procedures {
            let mut parts = vec![procedure.system.as_str(), procedure.code.as_str()];
            parts.extend(procedure.modifiers.iter().map(String::as_str));
            tx.elements("EQ", &["".into(), Element::Composite(&parts)])?;
            self.write_place(tx)?;
        }
        Ok(())
    }

    fn write_place(&self, tx: &mut TransactionWriter) -> Result<(), WriteError> {
        if let Some(place) = &self.place {
            tx.segment("III", &["ZZ", place])?;
        }
        Ok(())
    }
}

fn write_person(tx: &mut TransactionWriter, entity: &str, person: &Person) -> Result<(), WriteError> {
    let (qualifier, id) = if person.member_id.is_empty() { ("", "") } else { ("MI", person.member_id.as_str()) };
    tx.segment(
        "NM1",
        &[entity, "1", &person.last_name, &person.first_name, &person.middle_name, "", &person.suffix, qualifier, id],
    )?;
    for (qualifier, value) in &person.references {
        tx.segment("REF", &[qualifier, value])?;
    }
    let born = person.date_of_birth.map(|date| date.strftime("%Y%m%d").to_string()).unwrap_or_default();
    if !born.is_empty() || !person.sex.is_empty() {
        tx.segment("DMG", &[if born.is_empty() { "" } else { "D8" }, &born, &person.sex])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::Envelope;

    fn inquiry() -> Inquiry {
        Inquiry {
            control: "0001".into(),
            reference: "REF-1".into(),
            at: jiff::civil::datetime(2026, 11, 23, 12, 30, 0, 0),
            source: Source {
                entity: "PR".into(),
                name: "NORTHSTAR".into(),
                qualifier: "PI".into(),
                id: "60054".into(),
            },
            receiver: Receiver {
                entity: "1P".into(),
                name: "BONE CLINIC".into(),
                qualifier: "XX".into(),
                id: "1234567893".into(),
                references: vec![("TJ".into(), "123456789".into())],
                taxonomy: Some("207X00000X".into()),
                ..Receiver::default()
            },
            subscriber: Person {
                last_name: "ZANZIBAR".into(),
                first_name: "ADA".into(),
                member_id: "W1".into(),
                references: vec![("6P".into(), "G7".into())],
                date_of_birth: Some(jiff::civil::date(1980, 2, 1)),
                sex: "F".into(),
                ..Person::default()
            },
            trace: "T1".into(),
            trace_origin: "9123456789".into(),
            dates: Some((jiff::civil::date(2026, 11, 23), jiff::civil::date(2026, 11, 23))),
            service_types: vec!["30".into(), "98".into()],
            repeat_service_types: true,
            ..Inquiry::default()
        }
    }

    fn body(inquiry: &Inquiry, delimiters: &Delimiters) -> String {
        let tx = inquiry.write(delimiters, Charset::Extended).unwrap();
        let text = String::from_utf8(Envelope::new("HS", IMPLEMENTATION).wrap(delimiters, vec![tx]).unwrap()).unwrap();
        text[text.find("BHT").unwrap()..text.find("SE*").unwrap()].to_owned()
    }

    #[test]
    fn a_subscriber() {
        assert_eq!(
            body(&inquiry(), &Delimiters::default()),
            "BHT*0022*13*REF-1*20261123*1230~HL*1**20*1~NM1*PR*2*NORTHSTAR*****PI*60054~HL*2*1*21*1~\
             NM1*1P*2*BONE CLINIC*****XX*1234567893~REF*TJ*123456789~PRV*PE*PXC*207X00000X~HL*3*2*22*0~\
             TRN*1*T1*9123456789~NM1*IL*1*ZANZIBAR*ADA****MI*W1~REF*6P*G7~DMG*D8*19800201*F~DTP*291*D8*20261123~EQ*30^98~"
        );
    }

    #[test]
    fn a_dependent_with_procedures_and_a_span() {
        let mut inquiry = inquiry();
        inquiry.dependent = Some(Person {
            last_name: "ZANZIBAR".into(),
            first_name: "BEN".into(),
            relationship: "19".into(),
            ..Person::default()
        });
        inquiry.dates = Some((jiff::civil::date(2026, 11, 1), jiff::civil::date(2026, 11, 30)));
        inquiry.service_types = vec!["30".into()];
        inquiry.procedures =
            vec![Procedure { system: "HC".into(), code: "99213".into(), modifiers: vec!["25".into()] }];
        inquiry.place = Some("11".into());
        let text = body(&inquiry, &Delimiters::default());
        assert!(text.ends_with(
            "HL*3*2*22*1~NM1*IL*1*ZANZIBAR*ADA****MI*W1~REF*6P*G7~DMG*D8*19800201*F~HL*4*3*23*0~TRN*1*T1*9123456789~\
             NM1*03*1*ZANZIBAR*BEN~INS*N*19~DTP*291*RD8*20261101-20261130~EQ*30~III*ZZ*11~EQ**HC:99213:25~III*ZZ*11~"
        ));
    }

    #[test]
    fn without_a_repetition_separator_each_type_has_its_eq() {
        let plain = Delimiters { repetition: None, ..Delimiters::default() };
        assert!(body(&inquiry(), &plain).ends_with("EQ*30~EQ*98~"));
    }

    #[test]
    fn a_refusal_names_the_place_only() {
        let mut bad = inquiry();
        bad.subscriber.last_name = "ZAN*ZIBAR".into();
        let error = bad.write(&Delimiters::default(), Charset::Extended).map(|_| ()).unwrap_err();
        assert_eq!((error.segment.as_str(), error.element), ("NM1", 3));
        assert!(!format!("{bad:?} {error}").contains("ZIB"));
    }
}
