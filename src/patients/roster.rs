//! The patients of one practice as they are searched: in memory, folded, without what a search does not need.

use std::collections::HashMap;

use jiff::civil::Date;

use super::person::Patient;
use super::query::{Day, Piece, Query};
use super::{Matched, fold};

/// Patients of one practice at most: what is searched is held in memory.
pub const PATIENTS_MAX: usize = 50_000;

/// Fewest characters at an identifier's end that say something.
const ENDING_MIN: usize = 3;
/// Fewest characters that are looked for as a whole identifier.
const WHOLE_MIN: usize = 5;

/// All of one practice.
#[derive(Default)]
pub(super) struct Roster {
    entries: Vec<Entry>,
    place: HashMap<Box<str>, usize>,
    /// Who stands under an identity; see [`Patient::identities`].
    known: HashMap<Box<str>, usize>,
}

/// One patient, folded.
struct Entry {
    id: Box<str>,
    first: Box<str>,
    last: Box<str>,
    born: Date,
    phone: Box<str>,
    mrn: Box<str>,
    members: Box<[Box<str>]>,
    /// Under which of the roster's identities it stands.
    identities: Vec<Box<str>>,
}

/// A patient that fits, and how well.
pub(super) struct Fit {
    pub id: String,
    pub score: u32,
    pub matched: Vec<Matched>,
}

impl Roster {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Enters a patient, or puts them in the place of what was known before. `also`: the patient as another system has
    /// them, by which they are met again too.
    pub(super) fn put(&mut self, id: &str, patient: &Patient, also: Option<&Patient>) {
        let entry = Entry::new(id, patient);
        let place = match self.place.get(id) {
            Some(place) => *place,
            None => {
                self.place.insert(id.into(), self.entries.len());
                self.entries.len()
            }
        };
        match self.entries.get_mut(place) {
            Some(old) => {
                for identity in std::mem::replace(old, entry).identities {
                    self.known.remove(&identity);
                }
            }
            None => self.entries.push(entry),
        }
        let mut own: Vec<Box<str>> = Vec::new();
        for identity in patient.identities().into_iter().chain(also.into_iter().flat_map(Patient::identities)) {
            // Whoever stood there first keeps it: two who look the same stay two.
            if let std::collections::hash_map::Entry::Vacant(free) = self.known.entry(identity.as_str().into()) {
                free.insert(place);
                own.push(identity.into());
            }
        }
        if let Some(entry) = self.entries.get_mut(place) {
            entry.identities = own;
        }
    }

    /// The patient that this is, if they are known: by the practice's own number, by carrier and member id with birth and
    /// first name, or by names and birth.
    pub(super) fn same(&self, patient: &Patient) -> Option<&str> {
        let place = patient.identities().iter().find_map(|identity| self.known.get(identity.as_str()))?;
        self.entries.get(*place).map(|entry| &*entry.id)
    }

    /// Those that fit, best first, at most `most`.
    pub(super) fn find(&self, query: &Query, most: usize) -> Vec<Fit> {
        let mut fits: Vec<(u32, &Entry)> =
            self.entries.iter().filter_map(|entry| Some((entry.score(query, &mut |_| {})?, entry))).collect();
        fits.sort_by(|(a, one), (b, other)| {
            b.cmp(a).then_with(|| (&one.last, &one.first, &one.id).cmp(&(&other.last, &other.first, &other.id)))
        });
        fits.truncate(most);
        let told = |(score, entry): (u32, &Entry)| {
            let mut matched = Vec::new();
            entry.score(query, &mut |what| {
                if !matched.contains(&what) {
                    matched.push(what);
                }
            });
            Fit { id: entry.id.to_string(), score, matched }
        };
        fits.into_iter().map(told).collect()
    }
}

impl Entry {
    fn new(id: &str, patient: &Patient) -> Self {
        let member = |coverage: &super::PatientCoverage| Some(fold::id(coverage.member_id.as_ref()?.text()).into());
        Self {
            id: id.into(),
            first: fold::name(patient.first_name.text()).into(),
            last: fold::name(patient.last_name.text()).into(),
            born: *patient.date_of_birth.expose(),
            phone: patient.phone.as_ref().map(|phone| fold::phone(phone.text())).unwrap_or_default().into(),
            mrn: patient.mrn.as_ref().map(|mrn| fold::id(mrn.text())).unwrap_or_default().into(),
            members: patient.coverages.iter().filter_map(member).collect(),
            identities: Vec::new(),
        }
    }

    /// How well it fits; `None` where a piece of the query fits nothing. `told` hears what fitted.
    fn score(&self, query: &Query, told: &mut dyn FnMut(Matched)) -> Option<u32> {
        if let Some((score, what)) = self.whole(&query.whole) {
            told(what);
            return Some(score);
        }
        let mut sum = 0;
        for piece in &query.pieces {
            let (score, what) = match piece {
                Piece::Day(day) => self.day(*day)?,
                Piece::Number { id, days } => self.number(id, days)?,
                Piece::Word { name, id, after_comma } => {
                    let (score, what) = self.word(name, id)?;
                    // With a comma the last name was said to come first.
                    let other_way = query.comma
                        && ((*after_comma && what == Matched::LastName)
                            || (!after_comma && what == Matched::FirstName));
                    if other_way {
                        told(Matched::NamesSwapped);
                    }
                    (if other_way { score / 2 } else { score }, what)
                }
            };
            told(what);
            sum += score;
        }
        Some(sum)
    }

    /// A whole identifier and nothing else, however it is grouped.
    fn whole(&self, whole: &str) -> Option<(u32, Matched)> {
        if whole.len() < WHOLE_MIN {
            return None;
        }
        if *self.mrn == *whole {
            return Some((100, Matched::Mrn));
        }
        if self.members.iter().any(|member| **member == *whole) {
            return Some((100, Matched::MemberId));
        }
        (whole.len() >= 7 && *self.phone == *fold::national(whole)).then_some((95, Matched::Phone))
    }

    fn word(&self, name: &str, id: &str) -> Option<(u32, Matched)> {
        let best = |text: &str| -> u32 {
            let parts = text.split(' ').map(|part| match () {
                () if part == name => 30,
                () if part.starts_with(name) => 12 + u32::try_from(name.len().min(8)).unwrap_or(0),
                () if name.len() >= 4 && fold::one_step(part, name) => 10,
                () => 0,
            });
            parts.max().unwrap_or(0)
        };
        // `delacruz` is `de la cruz`, too.
        let joined = |text: &str| name.len() >= 4 && text.contains(' ') && text.replace(' ', "").starts_with(name);
        let (last, first) = (best(&self.last), best(&self.first));
        if last >= 12 || first >= 12 {
            return Some(if last >= first { (last, Matched::LastName) } else { (first, Matched::FirstName) });
        }
        if joined(&self.last) {
            return Some((20, Matched::LastName));
        }
        if joined(&self.first) {
            return Some((20, Matched::FirstName));
        }
        if last.max(first) > 0 {
            return Some((last.max(first), Matched::SimilarName));
        }
        // A member id may have no digit at all.
        let begins = id.len() >= 5 && self.members.iter().any(|member| member.starts_with(id));
        begins.then_some((20, Matched::MemberId))
    }

    fn number(&self, id: &str, days: &[Day]) -> Option<(u32, Matched)> {
        let mut best: Option<(u32, Matched)> = None;
        let mut better = |score: u32, what: Matched| {
            if best.is_none_or(|(known, _)| known < score) {
                best = Some((score, what));
            }
        };
        if !self.mrn.is_empty() {
            match () {
                () if *self.mrn == *id => better(60, Matched::Mrn),
                () if id.len() >= ENDING_MIN && self.mrn.starts_with(id) => better(15, Matched::Mrn),
                () => {}
            }
        }
        for member in &self.members {
            match () {
                () if **member == *id => better(60, Matched::MemberId),
                () if id.len() >= ENDING_MIN && member.ends_with(id) => better(30, Matched::MemberIdEnding),
                () if id.len() > ENDING_MIN && member.contains(id) => better(20, Matched::MemberId),
                () if id.len() >= 6 && fold::one_step(member, id) => better(35, Matched::MemberIdNearly),
                () => {}
            }
        }
        if !self.phone.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) {
            match () {
                () if *self.phone == *fold::national(id) => better(50, Matched::Phone),
                () if id.len() > ENDING_MIN && self.phone.ends_with(id) => better(25, Matched::Phone),
                () => {}
            }
        }
        for day in days {
            if let Some((score, what)) = self.day(*day) {
                better(score, what);
            }
        }
        best
    }

    fn day(&self, day: Day) -> Option<(u32, Matched)> {
        let known = u32::from(day.year.is_some()) + u32::from(day.month.is_some()) + u32::from(day.day.is_some());
        if day.fits(self.born) {
            return Some((15 * known + 4, Matched::DateOfBirth));
        }
        if day.swapped().is_some_and(|swapped| swapped.fits(self.born)) {
            return Some((7 * known, Matched::DayAndMonthSwapped));
        }
        day.nearly(self.born).then_some((18, Matched::DateOfBirthNearly))
    }
}

#[cfg(test)]
mod tests {
    use super::super::person::tests::patient;
    use super::*;

    const TODAY: Date = jiff::civil::date(2026, 11, 23);

    fn roster() -> Roster {
        let mut roster = Roster::default();
        let people = [
            ("pat_1", "Maria", "Ortiz", "1986-03-12", "statemed", "52 0417 744 71", "M-1001"),
            ("pat_2", "Mario", "Ortiz", "1968-12-03", "northstar", "NSH0312", "M-1002"),
            ("pat_3", "Siobhán", "O'Donnell-Griswold", "1969-12-08", "northstar", "NSH-NAME-CORE258", ""),
            ("pat_4", "Jean", "de la Cruz", "2001-01-01", "northstar", "W100000003", ""),
        ];
        for (id, first, last, born, carrier, member, mrn) in people {
            let mut one = patient(first, last, born, carrier, member);
            one.phone = Some(format!("(503) 555-01{}", &id[4..]).as_str().into()).filter(|_| id == "pat_1");
            one.mrn = Some(mrn.into()).filter(|_| !mrn.is_empty());
            roster.put(id, &one, None);
        }
        roster
    }

    fn found(query: &str) -> Vec<(String, Vec<Matched>)> {
        let fits = roster().find(&Query::read(query, TODAY), 10);
        fits.into_iter().map(|fit| (fit.id, fit.matched)).collect()
    }

    fn first(query: &str) -> String {
        found(query).into_iter().next().map(|(id, _)| id).unwrap_or_default()
    }

    #[test]
    fn people_are_found_by_whatever_is_at_hand() {
        for (query, wanted) in [
            ("ortiz 0312", "pat_1"),
            ("ortiz maria", "pat_1"),
            ("Ortiz, Maria", "pat_1"),
            ("maria otriz", "pat_1"),
            ("52041774471", "pat_1"),
            ("520417 74471", "pat_1"),
            ("52041774417", "pat_1"),
            ("4471", "pat_1"),
            ("M-1002", "pat_2"),
            ("03/12/1986", "pat_1"),
            ("12 mar 1986", "pat_1"),
            ("12/03/1986", "pat_1"),
            ("03/21/1986", "pat_1"),
            ("ort 1968", "pat_2"),
            ("odonnell", "pat_3"),
            ("siobhan griswold", "pat_3"),
            ("NSH-NAME-CORE258", "pat_3"),
            ("dela cruz", "pat_4"),
            ("delacruz jean", "pat_4"),
        ] {
            assert_eq!(first(query), wanted, "{query}");
        }
    }

    #[test]
    fn what_fitted_is_told() {
        assert_eq!(
            found("ortiz 0312"),
            [
                ("pat_1".to_owned(), vec![Matched::LastName, Matched::DateOfBirth]),
                ("pat_2".to_owned(), vec![Matched::LastName, Matched::MemberIdEnding]),
            ]
        );
        assert!(found("Maria, Ortiz")[0].1.contains(&Matched::NamesSwapped));
        assert_eq!(found("12/03/1986")[0].1, [Matched::DayAndMonthSwapped]);
        assert_eq!(found("52041774417")[0].1, [Matched::MemberIdNearly]);
        assert!(found("zanzibar").is_empty() && found("ortiz 1999").is_empty());
    }

    #[test]
    fn the_same_patient_is_met_again_and_twins_stay_two() {
        let mut roster = roster();
        let twin = patient("Marta", "Ortiz", "1986-03-12", "statemed", "52 0417 744 71");
        assert_eq!(roster.same(&twin), None);
        let again = patient("MARIA", "Ortiz", "1986-03-12", "statemed", "52041774471");
        assert_eq!(roster.same(&again), Some("pat_1"));
        // Corrected here, and still met as the other system has them.
        let corrected = patient("Maria", "Ortiz", "1986-12-03", "statemed", "52041774471");
        roster.put("pat_1", &corrected, Some(&again));
        assert_eq!((roster.same(&again), roster.same(&corrected)), (Some("pat_1"), Some("pat_1")));
        assert_eq!(roster.len(), 4);
    }
}
