//! Whether an answer belongs to the question, and what it says.

use connector_sdk::{EligibilityFacts, EligibilityRequest, Error, ErrorKind, Outcome, Result};

use super::patient::{Patient, bare, born, is_member_id};
use crate::ack::Acknowledgment;
use crate::eligibility::{Level, LevelKind, MAX_RESPONSE_SEGMENTS, Response, core_258};
use crate::envelope::{Document, Item};
use crate::model::common::Ins;
use crate::read::ReadError;

/// How exactly the member id of an answer must be the one asked with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemberIdMatch {
    /// The same letters and digits; case, spaces and dashes do not count.
    #[default]
    Formatting,
    /// One may be the beginning or the end of the other: carriers that add a prefix or a person's number.
    Part,
    /// Not compared; name and date of birth decide.
    Ignore,
}

/// What was asked, to check an answer against.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The ask, as it was sent.
    pub ask: &'a EligibilityRequest,
    /// TRN02 of our 270; empty where none was sent.
    pub trace: &'a str,
    /// ST02 of our 270, which a 999 speaks of.
    pub control: &'a str,
    /// How member ids are compared.
    pub member_id: MemberIdMatch,
}

/// Reads a reply and gives the answer to this question. TA1 and 999 that reject are told apart from an answer.
///
/// # Errors
/// [`ErrorKind::ProtocolBroken`]: not X12, no 271 in it, one that is longer than the limit, or the envelope was rejected
/// (the facts hold the codes).
/// [`ErrorKind::AnswerMismatch`]: it speaks of another question or of another member. Nothing of it is shown.
pub fn answer(bytes: &[u8], expected: &Expected<'_>) -> Result<Outcome<EligibilityFacts>> {
    let document = Document::read(bytes).map_err(|error| unreadable(&error))?;
    let responses: Vec<Response> = document.transactions().filter_map(Response::read).collect();
    if responses.is_empty() {
        return Err(no_answer(&document, expected.control));
    }
    if responses.iter().any(Response::cut) {
        // Half an answer would look like a whole one.
        return Err(Error::new(ErrorKind::ProtocolBroken, "The carrier's reply is longer than any answer can be.")
            .fact("most_segments", MAX_RESPONSE_SEGMENTS as u64));
    }
    let patients: Vec<Patient<'_>> = responses.iter().flat_map(Patient::all).collect();
    let ours = belonging(&patients, expected.trace)?;
    let patient = choose(&ours, expected).ok_or_else(|| mismatch("patient"))?;
    contradiction(&patient, expected)?;
    if !turned_away(&patient) && !tied(&patient, expected) {
        return Err(mismatch("nothing_in_common"));
    }
    Ok(super::answered(&patient, Some(expected.ask)).outcome)
}

fn unreadable(error: &ReadError) -> Error {
    let word = match error {
        ReadError::Io(_) => "io",
        ReadError::Empty => "empty",
        ReadError::NotX12 => "not_x12",
        ReadError::NoSeparators => "separators",
    };
    Error::new(ErrorKind::ProtocolBroken, "The carrier's reply is not X12 that can be read.").fact("reply", word)
}

fn mismatch(of: &'static str) -> Error {
    Error::new(ErrorKind::AnswerMismatch, "The carrier's reply belongs to another question or another member.")
        .fact("differs", of)
}

/// There is no 271: say what came instead.
fn no_answer(document: &Document, control: &str) -> Error {
    let mut other = "none";
    let mut accepted = None;
    for item in &document.items {
        let ack = match item {
            Item::InterchangeAck(ack) => Some(Acknowledgment::from_ta1(ack)),
            Item::Transaction(transaction) => Acknowledgment::from_transaction(transaction),
        };
        match ack {
            Some(ack) if ack.rejects(control) => return rejected(&ack),
            Some(ack) => accepted = Some(ack.kind),
            None => other = "other",
        }
    }
    if let Some(kind) = accepted {
        return Error::new(ErrorKind::ProtocolBroken, "The carrier acknowledged the question, but sent no answer.")
            .fact("acknowledgment", kind);
    }
    Error::new(ErrorKind::ProtocolBroken, "The carrier's reply holds no eligibility answer (271).")
        .fact("transactions", other)
}

fn rejected(ack: &Acknowledgment) -> Error {
    let mut error = Error::new(
        ErrorKind::ProtocolBroken,
        "The carrier rejected the envelope of the question: identifiers or format do not fit its expectations.",
    )
    .fact("acknowledgment", ack.kind)
    .fact("verdict", ack.verdict.word());
    for note in ack.notes.iter().take(5) {
        let known = crate::codes::acknowledgment(note.element, &note.code);
        error = error.fact(note.element, known.map_or("unknown", |row| row.0));
        if let Some(meaning) = note.meaning {
            error = error.fact("meaning", meaning);
        }
        if let Some(name) = note.segment.as_deref().and_then(crate::codes::segment_name) {
            error = error.fact("segment", name);
        }
        if let Some(position) = note.position {
            error = error.fact("position", position);
        }
        if let Some(place) = note.place {
            error = error.fact("element", place);
        }
    }
    error
}

/// The patients whose levels echo our trace number. Where a reply echoes none at all (turned away before it got that
/// far, or a carrier that does not echo), every patient stands; where it echoes only others', none does.
fn belonging<'a>(patients: &[Patient<'a>], trace: &str) -> Result<Vec<Patient<'a>>> {
    let traces = |patient: &Patient<'a>| -> Vec<&'a str> {
        let levels = [patient.subscriber, patient.dependent].into_iter().flatten();
        let echoed = levels.flat_map(|level| level.traces).filter(|trace| trace.kind != "1");
        echoed.map(|trace| &*trace.number).collect()
    };
    if trace.is_empty() {
        return Ok(patients.to_vec());
    }
    let own: Vec<_> = patients
        .iter()
        .filter(|patient| traces(patient).iter().any(|number| bare(number) == bare(trace)))
        .copied()
        .collect();
    if !own.is_empty() {
        return Ok(own);
    }
    let silent: Vec<_> = patients.iter().filter(|patient| traces(patient).is_empty()).copied().collect();
    if silent.is_empty() { Err(mismatch("trace")) } else { Ok(silent) }
}

/// The patient asked about, among those that may be.
fn choose<'a>(patients: &[Patient<'a>], expected: &Expected<'_>) -> Option<Patient<'a>> {
    if patients.len() == 1 {
        return patients.first().copied();
    }
    let fitting: Vec<_> = patients.iter().filter(|patient| contradiction(patient, expected).is_ok()).copied().collect();
    let dependent = expected.ask.dependent.is_some();
    fitting
        .iter()
        .find(|patient| patient.dependent.is_some() == dependent)
        .or(fitting.first())
        .or_else(|| patients.iter().find(|patient| patient.dependent.is_some() == dependent))
        .or(patients.first())
        .copied()
}

/// What an answer says of a person against what was asked: `None` where either is silent.
struct Against {
    id: Option<bool>,
    last: Option<bool>,
    first: Option<bool>,
    born: Option<bool>,
}

impl Against {
    fn new(level: &Level<'_>, asked: &Asked<'_>, rule: MemberIdMatch) -> Self {
        let party = level.party().map(|party| &party.name);
        let same = |asked: Option<&str>, sent: Option<&str>| {
            let (asked, sent) = (bare(asked?), bare(sent?));
            (!asked.is_empty() && !sent.is_empty()).then(|| asked == sent)
        };
        let sent_id = party.filter(|name| is_member_id(name));
        let id = match rule {
            MemberIdMatch::Ignore => None,
            MemberIdMatch::Formatting => same(asked.id, sent_id.map(|name| &*name.id)),
            MemberIdMatch::Part => asked.id.zip(sent_id).and_then(|(asked, name)| {
                let (asked, sent) = (bare(asked), bare(&name.id));
                let part = |a: &str, b: &str| a.starts_with(b) || a.ends_with(b);
                (!asked.is_empty() && !sent.is_empty()).then(|| part(&asked, &sent) || part(&sent, &asked))
            }),
        };
        // A last name may carry a suffix on one side only.
        let last = asked.last.zip(party).and_then(|(asked, party)| {
            let (asked, _) = core_258(asked);
            let (sent, _) = core_258(&party.last_name);
            same(Some(asked.as_str()), Some(sent.as_str()))
        });
        // `Ben` and `Benjamin` may be one person; the difference is told as a correction.
        let first = asked.first.zip(party).and_then(|(asked, party)| {
            let (asked, sent) = (bare(asked), bare(&party.first_name));
            (!asked.is_empty() && !sent.is_empty()).then(|| asked.starts_with(&sent) || sent.starts_with(&asked))
        });
        Self { id, last, first, born: asked.born.zip(born(level)).map(|(asked, sent)| asked == sent) }
    }

    /// Whether two people are meant. The id decides where both have one; without it, a date of birth or a last name
    /// that differs does; with it, only both together.
    fn two_people(&self) -> Option<&'static str> {
        let differs = |value: Option<bool>| value == Some(false);
        match self.id {
            Some(false) => Some("member_id"),
            Some(true) if differs(self.born) && (differs(self.last) || differs(self.first)) => Some("name_and_birth"),
            Some(true) => None,
            None if differs(self.born) => Some("date_of_birth"),
            None if differs(self.last) => Some("last_name"),
            None => None,
        }
    }
}

/// A person of the ask.
struct Asked<'a> {
    id: Option<&'a str>,
    first: Option<&'a str>,
    last: Option<&'a str>,
    born: Option<jiff::civil::Date>,
}

impl<'a> Asked<'a> {
    fn member(ask: &'a EligibilityRequest) -> Self {
        let member = &ask.member;
        Self {
            id: member.member_id.as_ref().map(|id| id.text()),
            first: member.first_name.as_ref().map(|name| name.text()),
            last: member.last_name.as_ref().map(|name| name.text()),
            born: member.date_of_birth.as_ref().map(|date| *date.expose()),
        }
    }

    fn dependent(ask: &'a EligibilityRequest) -> Option<Self> {
        ask.dependent.as_ref().map(|dependent| Self {
            id: None,
            first: Some(dependent.first_name.text()),
            last: Some(dependent.last_name.text()),
            born: Some(*dependent.date_of_birth.expose()),
        })
    }
}

/// The carrier gives no benefits, only reasons: nobody's data can be shown.
fn turned_away(patient: &Patient<'_>) -> bool {
    patient.own().is_none_or(|own| own.benefits.is_empty()) && !patient.rejections().is_empty()
}

/// Whether anything at all ties an answer to the question: our trace number, the member id, or a name with its date of
/// birth. That nothing contradicts is not enough.
fn tied(patient: &Patient<'_>, expected: &Expected<'_>) -> bool {
    let levels = || [patient.subscriber, patient.dependent].into_iter().flatten();
    let mut traces = levels().flat_map(|level| level.traces);
    if !expected.trace.is_empty() && traces.any(|trace| bare(&trace.number) == bare(expected.trace)) {
        return true;
    }
    let member = Asked::member(expected.ask);
    let people = [Some(member), Asked::dependent(expected.ask)];
    people.iter().flatten().any(|asked| {
        levels().any(|level| {
            let against = Against::new(&level, asked, expected.member_id);
            against.id == Some(true) || (against.last == Some(true) && against.born == Some(true))
        })
    })
}

/// Refuses an answer that speaks of another person than the ask, unless the carrier says outright that its file
/// differs (INS03 `001` with INS04 `25`) or turns the question away (an AAA shows nobody's benefits).
fn contradiction(patient: &Patient<'_>, expected: &Expected<'_>) -> Result<()> {
    if turned_away(patient) {
        return Ok(());
    }
    // INS03 and INS04: a change, of an identifying value.
    let says_changed = |ins: &Ins<'_>| ins.maintenance == "001" && ins.maintenance_reason == "25";
    let changed = |level: &Level<'_>| level.insured().is_some_and(says_changed);
    let asked_member = Asked::member(expected.ask);
    let Some(subscriber) = &patient.subscriber else { return Err(mismatch("no_subscriber")) };
    let asked_dependent = Asked::dependent(expected.ask);
    match (asked_dependent, &patient.dependent) {
        (None, None) => same_person(subscriber, &asked_member, expected.member_id, changed(subscriber)),
        // Asked as a subscriber and answered as a dependent: that is where the carrier has the patient.
        (None, Some(dependent)) => {
            let by_id = Asked { first: None, last: None, born: None, ..asked_member };
            same_person(subscriber, &by_id, expected.member_id, changed(subscriber))?;
            let by_name = Asked { id: None, ..asked_member };
            same_person(dependent, &by_name, expected.member_id, changed(dependent))
        }
        (Some(asked), Some(dependent)) => {
            same_person(subscriber, &asked_member, expected.member_id, changed(subscriber))?;
            same_dependent(dependent, &asked, changed(dependent))
        }
        // Asked as a dependent and answered as a subscriber: carriers that give everyone a number of his own.
        (Some(asked), None) => {
            let by_id = Asked { first: None, last: None, born: None, ..asked_member };
            same_person(subscriber, &by_id, MemberIdMatch::Part, changed(subscriber))?;
            same_dependent(subscriber, &asked, changed(subscriber))
        }
    }
}

fn same_person(level: &Level<'_>, asked: &Asked<'_>, rule: MemberIdMatch, changed: bool) -> Result<()> {
    debug_assert!(matches!(level.kind, LevelKind::Subscriber | LevelKind::Dependent));
    match Against::new(level, asked, rule).two_people() {
        Some(what) if !changed => Err(mismatch(what)),
        _ => Ok(()),
    }
}

/// A dependent is told by date of birth and first name: a twin differs in the second.
fn same_dependent(level: &Level<'_>, asked: &Asked<'_>, changed: bool) -> Result<()> {
    let against = Against::new(level, asked, MemberIdMatch::Ignore);
    let born = against.born == Some(false);
    let named = against.first == Some(false);
    match (changed, born, named) {
        (true, ..) | (false, false, false) => Ok(()),
        (false, true, _) => Err(mismatch("dependent_date_of_birth")),
        (false, false, true) => Err(mismatch("dependent_first_name")),
    }
}
