//! Whom a 271 speaks of, and the person as the carrier has it on file.

use connector_sdk::Phi;
use connector_sdk::answer::{
    Coded, Contact, Correction, DateFact, DateSpan, Identifier, MemberOnFile, MilitaryService,
};
use connector_sdk::ask::{EligibilityRequest, Sex};
use jiff::civil::Date;

use super::words::{Named, coded, coded_some, contact, identifier, phi, provenance};
use crate::codes::Table;
use crate::eligibility::{Level, Rejection, Response};
use crate::model::common::{Nm1, span};

/// What is repeated of the levels that patients share (refusals, contacts, numbers of the subscriber), all patients of a
/// 271 together: one that names thousands must not multiply what stands above them.
const MAX_REPEATED: usize = 20_000;
/// As much of each kind is repeated for a patient, however many there are.
const MIN_REPEATED: usize = 3;

/// One patient of a 271: the levels that speak of it.
#[derive(Clone, Copy)]
pub(super) struct Patient<'a> {
    pub(super) response: &'a Response,
    /// The carrier.
    pub(super) source: Option<Level<'a>>,
    /// Who asked.
    pub(super) receiver: Option<Level<'a>>,
    /// The subscriber.
    pub(super) subscriber: Option<Level<'a>>,
    /// The dependent, when it is the patient.
    pub(super) dependent: Option<Level<'a>>,
    /// How much of each kind is repeated of a level that it shares with other patients.
    pub(super) repeated: usize,
}

impl<'a> Patient<'a> {
    /// Everyone a 271 answers for. A subscriber with dependents counts when something was said of it too. A 271 that
    /// names nobody (turned away at the door) is one answer.
    pub(super) fn all(response: &'a Response) -> Vec<Self> {
        let mut found = Vec::new();
        let mut deepest =
            Self { response, source: None, receiver: None, subscriber: None, dependent: None, repeated: MAX_REPEATED };
        for source in &response.model.sources {
            let carrier = Self { source: Level::source(source), receiver: None, ..deepest };
            deepest = carrier;
            for receiver in &source.receivers {
                let asker = Self { receiver: Level::receiver(receiver), ..carrier };
                deepest = asker;
                for subscriber in &receiver.subscribers {
                    let insured = Self { subscriber: Level::subscriber(subscriber), ..asker };
                    if subscriber.dependents.is_empty() || !subscriber.benefits.is_empty() {
                        found.push(insured);
                    }
                    let dependents = subscriber.dependents.iter().map(Level::dependent);
                    found.extend(dependents.map(|level| Self { dependent: Some(level), ..insured }));
                }
            }
        }
        if found.is_empty() {
            found.push(deepest);
        }
        let repeated = MAX_REPEATED.checked_div(found.len()).unwrap_or_default().max(MIN_REPEATED);
        found.iter_mut().for_each(|patient| patient.repeated = repeated);
        found
    }

    /// The level the benefits stand in.
    pub(super) fn own(&self) -> Option<Level<'a>> {
        self.dependent.or(self.subscriber).or(self.receiver).or(self.source)
    }

    /// Every AAA that concerns this patient, in the order they came; those inside EB loops last.
    pub(super) fn rejections(&self) -> Vec<Rejection<'a>> {
        let header = self.response.model.rejections.iter();
        let header = header.map(|aaa| Rejection { aaa, loop_id: "header".to_owned() });
        let insured = self.subscriber.filter(|_| self.dependent.is_some());
        let shared = [self.source, self.receiver, insured].into_iter().flatten();
        let mut found: Vec<_> =
            header.chain(shared.flat_map(|level| level.own_rejections())).take(self.repeated).collect();
        let patient = self.dependent.or(self.subscriber);
        found.extend(patient.into_iter().flat_map(|level| level.own_rejections()));
        found.extend(self.own().into_iter().flat_map(|own| own.benefit_rejections()));
        found
    }

    /// The subscriber as the carrier has it.
    pub(super) fn member(&self, ask: Option<&EligibilityRequest>) -> MemberOnFile {
        let transaction = self.response.transaction;
        let mut member = self.subscriber.map(|level| person(&level, transaction)).unwrap_or_default();
        if self.dependent.is_some() {
            member.identifiers.truncate(self.repeated);
        }
        if let Some(ask) = ask {
            let asked = &ask.member;
            let mut compare = Compare { found: &mut member.corrections };
            compare.text("member.member_id", asked.member_id.as_ref(), member.member_id.as_ref());
            compare.text("member.first_name", asked.first_name.as_ref(), member.first_name.as_ref());
            compare.text("member.last_name", asked.last_name.as_ref(), member.last_name.as_ref());
            compare.text("member.group_number", asked.group_number.as_ref(), member.group_number.as_ref());
            compare.date("member.date_of_birth", asked.date_of_birth.as_ref(), member.date_of_birth.as_ref());
            compare.sex("member.sex", asked.sex, member.sex);
        }
        member
    }

    /// The dependent as the carrier has it.
    pub(super) fn dependent_on_file(&self, ask: Option<&EligibilityRequest>) -> Option<MemberOnFile> {
        let mut dependent = person(self.dependent.as_ref()?, self.response.transaction);
        if let Some(asked) = ask.and_then(|ask| ask.dependent.as_ref()) {
            let mut compare = Compare { found: &mut dependent.corrections };
            compare.text("dependent.first_name", Some(&asked.first_name), dependent.first_name.as_ref());
            compare.text("dependent.last_name", Some(&asked.last_name), dependent.last_name.as_ref());
            compare.date("dependent.date_of_birth", Some(&asked.date_of_birth), dependent.date_of_birth.as_ref());
            compare.sex("dependent.sex", asked.sex, dependent.sex);
        }
        Some(dependent)
    }

    /// The carrier's own contacts: loop 2100A, where it names a way to reach it.
    pub(super) fn source_contacts(&self) -> Vec<Contact> {
        let parties = self.source.into_iter().flat_map(|level| level.parties);
        let mut contacts: Vec<_> =
            parties.take(self.repeated).map(contact).filter(|contact| !contact.reach.is_empty()).collect();
        contacts.iter_mut().for_each(|contact| contact.reach.truncate(self.repeated));
        contacts
    }
}

/// A level's person.
fn person(level: &Level<'_>, transaction: u32) -> MemberOnFile {
    let Some(party) = level.party() else { return MemberOnFile::default() };
    let name = &party.name;
    let is_member_id = is_member_id(name);
    let mut identifiers: Vec<Identifier> = Vec::new();
    if !is_member_id && !name.id.is_empty() {
        let kind = coded(Table::IdKind, &name.qualifier);
        identifiers.push(Identifier { kind, value: Phi::new(name.id.to_string()), description: None });
    }
    identifiers.extend(level.references().map(identifier));
    let group = level.references().find(|reference| matches!(reference.qualifier.as_ref(), "6P" | "1L"));
    let sex = match level.demographics().map_or("", |dmg| &dmg.sex) {
        "F" => Some(Sex::Female),
        "M" => Some(Sex::Male),
        "U" => Some(Sex::Unknown),
        _ => None,
    };
    let relationship = level.insured().map_or("", |ins| &ins.relationship);
    MemberOnFile {
        member_id: phi(&name.id).filter(|_| is_member_id),
        first_name: phi(&name.first_name),
        middle_name: phi(&name.middle_name),
        last_name: phi(&name.last_name),
        suffix: phi(&name.suffix),
        date_of_birth: born(level).map(Phi::new),
        sex,
        group_number: group.and_then(|reference| phi(&reference.value)),
        relationship: coded_some(Table::Relationship, relationship),
        address: Named::from(party).address(),
        identifiers,
        military: military(level, transaction),
        corrections: Vec::new(),
    }
}

/// MPI of a level.
fn military(level: &Level<'_>, transaction: u32) -> Option<MilitaryService> {
    let mpi = level.parties.iter().find_map(|party| party.military.as_ref())?;
    let span = span(&mpi.date).map(|(from, to)| DateSpan { from: Some(from), to: Some(to) }).unwrap_or_default();
    let dates = (!mpi.date.is_empty()).then(|| DateFact {
        kind: Coded::new("MPI07", "Military service"),
        span,
        text: mpi.date.to_string(),
    });
    let fields = ["status", "employment", "branch", "description", "rank", "dates"];
    Some(MilitaryService {
        status: coded_some(Table::MilitaryStatus, &mpi.status),
        employment: coded_some(Table::MilitaryEmployment, &mpi.employment),
        branch: coded_some(Table::MilitaryBranch, &mpi.service),
        description: phi(&mpi.description),
        rank: (!mpi.rank.is_empty()).then(|| Coded::new(&*mpi.rank, &*mpi.rank)),
        dates,
        provenance: vec![provenance(transaction, mpi.at.0, "MPI", &level.kind.loop_id("2100"), &fields)],
    })
}

/// Whether NM109 is a member id.
pub(super) fn is_member_id(name: &Nm1<'_>) -> bool {
    matches!(name.qualifier.as_ref(), "MI" | "II" | "ZZ" | "")
}

/// The day of birth.
pub(super) fn born(level: &Level<'_>) -> Option<Date> {
    level.demographics()?.born.get()
}

/// Letters and digits only, as capitals: what is left when formatting is taken away.
pub(super) fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

struct Compare<'a> {
    found: &'a mut Vec<Correction>,
}

impl Compare<'_> {
    fn add(&mut self, field: &str, asked: &str, on_file: &str) {
        self.found.push(Correction {
            field: field.to_owned(),
            asked: Phi::new(asked.to_owned()),
            on_file: Phi::new(on_file.to_owned()),
        });
    }

    fn text(&mut self, field: &str, asked: Option<&Phi<String>>, on_file: Option<&Phi<String>>) {
        if let (Some(asked), Some(on_file)) = (asked, on_file)
            && bare(asked.text()) != bare(on_file.text())
        {
            self.add(field, asked.text(), on_file.text());
        }
    }

    fn date(&mut self, field: &str, asked: Option<&Phi<Date>>, on_file: Option<&Phi<Date>>) {
        if let (Some(asked), Some(on_file)) = (asked, on_file)
            && asked != on_file
        {
            self.add(field, &asked.expose().to_string(), &on_file.expose().to_string());
        }
    }

    fn sex(&mut self, field: &str, asked: Option<Sex>, on_file: Option<Sex>) {
        if let (Some(asked @ (Sex::Female | Sex::Male)), Some(on_file @ (Sex::Female | Sex::Male))) = (asked, on_file)
            && asked != on_file
        {
            let word = |sex| if sex == Sex::Female { "female" } else { "male" };
            self.add(field, word(asked), word(on_file));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many refusals and ways to reach the carrier all answers hold together.
    fn told(patients: usize) -> usize {
        let source = format!("HL*1**20*1~NM1*PR*2*X~{}", "AAA*N**42*R~PER*IC**TE*1~".repeat(100));
        let parties = format!("NM1*PR*2*X~{}", "AAA*N**42*R~".repeat(100)).repeat(90);
        let levels = "HL*3*2*22*0~NM1*IL*1*DOE~AAA*N**75*C~EB*1**30~".repeat(patients);
        let file = format!("ST*271*1~BHT*0022*11*R1*20261123~{source}{parties}HL*2*1*21*1~NM1*1P*2*Y~{levels}SE*1*1~");
        let document = crate::Document::read(file.as_bytes()).unwrap();
        let response = Response::read(document.transactions().next().unwrap()).unwrap();
        let all = Patient::all(&response);
        assert_eq!(all.len(), patients);
        assert!(all.iter().all(|patient| patient.rejections().last().is_some_and(|last| last.aaa.reason == "75")));
        let reach =
            |patient: &Patient<'_>| patient.source_contacts().iter().map(|contact| contact.reach.len()).sum::<usize>();
        all.iter()
            .map(|patient| patient.rejections().len() + Patient::member(patient, None).identifiers.len())
            .sum::<usize>()
            + all.iter().map(reach).sum::<usize>()
    }

    #[test]
    fn patients_do_not_multiply_what_stands_above_them() {
        // Everything that is said is told to the one patient there is.
        assert_eq!(told(1), 100 + 90 * 100 + 1 + 100);
        let (some, more) = (told(500), told(2_000));
        assert!(more < 2 * some, "{some} {more}");
    }
}
