//! Whom a 271 speaks of, and the person as the carrier has it on file.

use connector_sdk::Phi;
use connector_sdk::answer::{Contact, Correction, Identifier, MemberOnFile};
use connector_sdk::ask::{EligibilityRequest, Sex};

use super::words::{coded, coded_some, contact, identifier, phi};
use crate::codes::Table;
use crate::response::{Level, LevelKind, Rejection, Response};

/// One patient of a 271: the levels that speak of it.
#[derive(Clone, Copy)]
pub(super) struct Patient<'a> {
    pub(super) response: &'a Response,
    /// The carrier.
    pub(super) source: Option<&'a Level>,
    /// Who asked.
    pub(super) receiver: Option<&'a Level>,
    /// The subscriber.
    pub(super) subscriber: Option<&'a Level>,
    /// The dependent, when it is the patient.
    pub(super) dependent: Option<&'a Level>,
}

impl<'a> Patient<'a> {
    /// Everyone a 271 answers for. A subscriber with dependents counts when something was said of it too. A 271 that
    /// names nobody (turned away at the door) is one answer.
    pub(super) fn all(response: &'a Response) -> Vec<Self> {
        let has_child: Vec<bool> = {
            let mut parents = vec![false; response.levels.len()];
            for level in &response.levels {
                if let Some(flag) = level.parent.and_then(|parent| parents.get_mut(parent)) {
                    *flag = true;
                }
            }
            parents
        };
        let mut found = Vec::new();
        for (at, level) in response.levels.iter().enumerate() {
            let parent = has_child.get(at).copied().unwrap_or_default();
            let said = !level.benefits.is_empty();
            let counts = match level.kind {
                LevelKind::Dependent => true,
                LevelKind::Subscriber => !parent || said,
                LevelKind::Source | LevelKind::Receiver => !level.benefits.is_empty(),
            };
            if counts {
                found.push(Self::at(response, at));
            }
        }
        if found.is_empty() {
            found.push(Self::at(response, response.levels.len().saturating_sub(1)));
        }
        found
    }

    fn at(response: &'a Response, level: usize) -> Self {
        let lineage = response.lineage(level);
        let of = |kind| lineage.iter().find(|level| level.kind == kind).copied();
        Self {
            response,
            source: of(LevelKind::Source),
            receiver: of(LevelKind::Receiver),
            subscriber: of(LevelKind::Subscriber),
            dependent: of(LevelKind::Dependent),
        }
    }

    /// The level the benefits stand in.
    pub(super) fn own(&self) -> Option<&'a Level> {
        self.dependent.or(self.subscriber).or(self.receiver).or(self.source)
    }

    /// Every AAA that concerns this patient, in the order they came; those inside EB loops last.
    pub(super) fn rejections(&self) -> Vec<&'a Rejection> {
        let mut found: Vec<_> = self.response.rejections.iter().collect();
        for level in [self.source, self.receiver, self.subscriber, self.dependent].into_iter().flatten() {
            found.extend(&level.rejections);
        }
        found.extend(self.own().into_iter().flat_map(|own| &own.benefits).flat_map(|line| &line.rejections));
        found
    }

    /// The subscriber as the carrier has it.
    pub(super) fn member(&self, ask: Option<&EligibilityRequest>) -> MemberOnFile {
        let mut member = self.subscriber.map(person).unwrap_or_default();
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
        let mut dependent = person(self.dependent?);
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
        let parties = self.source.into_iter().flat_map(|level| level.party.iter().chain(&level.other_parties));
        parties.filter(|party| !party.reach.is_empty()).map(contact).collect()
    }
}

/// A level's person.
fn person(level: &Level) -> MemberOnFile {
    let Some(party) = &level.party else { return MemberOnFile::default() };
    let is_member_id = matches!(party.id_kind.as_str(), "MI" | "II" | "ZZ" | "");
    let mut identifiers: Vec<Identifier> = Vec::new();
    if !is_member_id && !party.id.is_empty() {
        let kind = coded(Table::IdKind, &party.id_kind);
        identifiers.push(Identifier { kind, value: Phi::new(party.id.clone()), description: None });
    }
    identifiers.extend(level.references.iter().map(identifier));
    let group = level.references.iter().find(|reference| matches!(reference.kind.as_str(), "6P" | "1L"));
    let sex = match level.sex.as_str() {
        "F" => Some(Sex::Female),
        "M" => Some(Sex::Male),
        "U" => Some(Sex::Unknown),
        _ => None,
    };
    let relationship = level.insured.as_ref().map(|insured| insured.relationship.as_str()).unwrap_or_default();
    MemberOnFile {
        member_id: phi(&party.id).filter(|_| is_member_id),
        first_name: phi(&party.first),
        middle_name: phi(&party.middle),
        last_name: phi(&party.name),
        suffix: phi(&party.suffix),
        date_of_birth: level.birth.as_ref().and_then(|birth| birth.span()).map(|(day, _)| Phi::new(day)),
        sex,
        group_number: group.and_then(|reference| phi(&reference.value)),
        relationship: coded_some(Table::Relationship, relationship),
        address: party.address.iter().map(|line| Phi::new(line.clone())).collect(),
        identifiers,
        corrections: Vec::new(),
    }
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

    fn date(&mut self, field: &str, asked: Option<&Phi<jiff::civil::Date>>, on_file: Option<&Phi<jiff::civil::Date>>) {
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
