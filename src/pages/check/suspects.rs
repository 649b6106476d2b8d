//! Where to look first when a carrier found nobody: the fields, ranked, with what may be wrong in each.

use connector_sdk::{Refusal, RefusalReason};
use jiff::civil::Date;
use regex_lite::Regex;

use super::ask::other_way_round;
use super::form::{is_dependent, name_of};
use super::messages;
use crate::pages::fields::Fields;
use crate::pages::parts::field::date_of;
use crate::pages::parts::stamp::day;
use crate::patients::fold;
use crate::stack::Envelope;

/// Fields that are put before the person at most.
const SUSPECTS_MAX: usize = 4;
/// Spellings that are tried for one that fits the carrier's rule.
const SPELLINGS_MAX: usize = 64;
/// Letters and digits that are taken for one another when a card is read.
const LOOKALIKES: [(char, char); 6] = [('O', '0'), ('I', '1'), ('L', '1'), ('S', '5'), ('B', '8'), ('Z', '2')];

/// A field to look at.
#[derive(Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The form's field.
    pub field: String,
    /// What may be wrong, in sentences.
    pub why: Vec<String>,
    /// Of a date: the same with day and month the other way round, where that is a date too.
    pub swapped: Option<Date>,
}

/// What the carrier answered to the last time that it found this person.
pub struct Good {
    member_id: Option<String>,
    date_of_birth: Option<Date>,
}

impl Good {
    /// Of a saved answer; `None` of something else.
    pub fn of(envelope: &Envelope) -> Option<Self> {
        let facts = &envelope.answer.as_ref()?.facts;
        let patient = facts.dependent.as_ref().unwrap_or(&facts.member);
        Some(Self {
            member_id: facts.member.member_id.as_ref().map(|id| id.text().trim().to_owned()),
            date_of_birth: patient.date_of_birth.as_ref().map(|date| *date.expose()),
        })
    }
}

/// The fields to look at, the likeliest first: what the carrier's codes name, then what its reason names. `good` is the
/// last good answer about the same person: what is another now than it was then is pointed at.
pub fn ranked(refusal: &Refusal, fields: &Fields, today: Date, good: Option<&Good>) -> Vec<Suspect> {
    let dependent = is_dependent(fields);
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: String| {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    };
    for code in &refusal.carrier_codes {
        let Some(said) = messages::of(&code.code).filter(|said| !said.look_at.is_empty()) else { continue };
        // A code in the patient's own loop (2100D) speaks of the dependent.
        let whose = if code.loop_id.as_deref() == Some("2100D") { "dependent" } else { "member" };
        let whose =
            if matches!(code.code.trim(), "64" | "65" | "67" | "77") && dependent { "dependent" } else { whose };
        add(match said.look_at {
            "service.date" | "provider.npi" | "types" => said.look_at.to_owned(),
            "member_id" | "group_number" => format!("member.{}", said.look_at),
            field => name_of(&format!("/{whose}/{field}"), dependent),
        });
    }
    for path in &refusal.look_at {
        add(name_of(path, dependent));
    }
    if dependent && refusal.reason == RefusalReason::DependentNotFound {
        add("relationship".to_owned());
    }
    names.truncate(SUSPECTS_MAX);
    names.into_iter().map(|field| suspect(field, fields, today, good)).collect()
}

fn suspect(field: String, fields: &Fields, today: Date, good: Option<&Good>) -> Suspect {
    let (mut why, mut swapped) = (Vec::new(), None);
    if field.ends_with("date_of_birth") {
        if let Ok(Some(date)) = date_of(fields, &field, today) {
            swapped = other_way_round(date).filter(|other| *other <= today);
            why.push(format!("We sent {}.", day(date)));
            let known = good.and_then(|good| good.date_of_birth).filter(|_| field.starts_with("patient."));
            if let Some(known) = known.filter(|known| *known != date) {
                why.push(format!("The last good answer had {}.", day(known)));
            }
            if let Some(other) = swapped {
                why.push(format!("With day and month the other way round it is {}.", day(other)));
            }
        } else {
            why.push("It was not sent. The carrier may need it to tell who is meant.".to_owned());
        }
    } else if matches!(field.as_str(), "types" | "relationship" | "provider.npi") {
        why.extend((field == "provider.npi").then(|| format!("We asked under NPI {}.", fields.get("provider.npi"))));
    } else if let Some(text) = fields.some(&field) {
        why.push(format!("We sent “{text}”."));
        if field == "member.member_id" {
            if let Some(known) = good.and_then(|good| good.member_id.as_deref()) {
                why.extend(differs(text, known));
            }
            id_hints(text, &mut why);
        } else if field.ends_with("last_name") {
            name_hints(text, &mut why);
        }
    } else {
        why.push("It was not sent. The carrier may need it to tell who is meant.".to_owned());
    }
    Suspect { field, why, swapped }
}

/// Where a member ID is another one than in the last good answer: the place, counted as on the card, and both characters.
/// Spaces, hyphens and small letters make no difference. `None` where it is the same.
fn differs(sent: &str, known: &str) -> Option<String> {
    let bare = |text: &str| fold::id(text).chars().collect::<Vec<char>>();
    let (one, other) = (bare(sent), bare(known));
    if one == other || other.is_empty() {
        return None;
    }
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let end = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let (at, rest) = (same + 1, one.len().min(other.len()) - same.min(one.len().min(other.len())));
    let end = end.min(rest);
    let gone: String = one.iter().skip(same).take(one.len() - same - end).collect();
    let come: String = other.iter().skip(same).take(other.len() - same - end).collect();
    let what = match (gone.chars().count(), come.chars().count()) {
        (0, _) => format!("“{come}” is missing before character {at}"),
        (_, 0) => format!("character {at}, “{gone}”, is too much"),
        (2, 2) if gone.chars().rev().eq(come.chars()) => {
            format!("characters {at} and {} are the other way round (“{come}”)", at + 1)
        }
        (1, 1) => format!("character {at} is “{gone}”, and was “{come}”"),
        (most, _) if most > one.len() / 2 => "it is another one altogether".to_owned(),
        _ => format!("from character {at} on it is “{gone}”, and was “{come}”"),
    };
    Some(format!("The last good answer had “{known}”: {what}."))
}

fn id_hints(text: &str, why: &mut Vec<String>) {
    let letters: Vec<char> = text.chars().collect();
    // Among digits a letter that looks like one, and the other way round, is the likeliest slip.
    let near_digit = |place: usize| {
        let around = [place.checked_sub(1), Some(place + 1)];
        around.into_iter().flatten().filter_map(|at| letters.get(at)).any(char::is_ascii_digit)
    };
    for (place, letter) in letters.iter().enumerate() {
        let upper = letter.to_ascii_uppercase();
        if let Some((_, digit)) = LOOKALIKES.iter().find(|(one, _)| *one == upper).filter(|_| near_digit(place)) {
            why.push(format!(
                "Character {} is the letter {letter}: on the card it may be the digit {digit}.",
                place + 1
            ));
            break;
        }
    }
    if letters.iter().any(|letter| letter.is_whitespace()) {
        why.push("There are spaces in it; this carrier may want it without.".to_owned());
    }
    let prefix = letters.iter().take_while(|letter| letter.is_ascii_alphabetic()).count();
    match prefix {
        0 => why.push("Letters in front of the number, if the card has any, belong to it.".to_owned()),
        3 => why.push(
            "The three letters in front belong to it on a Blue card; elsewhere they may be a plan’s code.".to_owned(),
        ),
        _ => {}
    }
    if text.ends_with("00") || text.ends_with("01") || text.ends_with("02") {
        why.push(
            "The last two digits may number the person in the family: some carriers want them left out.".to_owned(),
        );
    }
}

fn name_hints(text: &str, why: &mut Vec<String>) {
    if text.contains(['-', ' ', '\'', '’']) {
        why.push("Carriers write hyphens, spaces and apostrophes differently: try it as on the card.".to_owned());
    }
    let last = text.rsplit(' ').next().unwrap_or_default().trim_matches('.').to_ascii_uppercase();
    if text.contains(' ') && matches!(last.as_str(), "JR" | "SR" | "II" | "III" | "IV") {
        why.push(format!("“{last}” has a field of its own: the suffix."));
    }
    why.push("A maiden or a new married name is the usual reason.".to_owned());
}

/// A spelling near this one that fits the carrier's rule, and what is other in it; `None` where it fits as it is, or none
/// does. Nothing is put in by itself.
pub fn spelling(text: &str, pattern: &Regex) -> Option<(String, String)> {
    let text = text.trim();
    if text.is_empty() || pattern.is_match(text) {
        return None;
    }
    let bare: String = text.chars().filter(|letter| letter.is_alphanumeric()).collect();
    let spaceless: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let first = [
        (spaceless, "without spaces"),
        (bare.clone(), "without spaces and hyphens"),
        (text.to_uppercase(), "in capital letters"),
        (bare.to_uppercase(), "in capital letters, without spaces and hyphens"),
    ];
    for (better, why) in first {
        if better != text && pattern.is_match(&better) {
            return Some((better, format!("the same {why}.")));
        }
    }
    let (letters, mut tried) = (bare.to_uppercase().chars().collect::<Vec<char>>(), 0);
    for (place, letter) in letters.iter().enumerate() {
        for other in lookalikes(*letter) {
            tried += 1;
            if tried > SPELLINGS_MAX {
                return None;
            }
            let mut better = letters.clone();
            better[place] = other;
            let better: String = better.into_iter().collect();
            if pattern.is_match(&better) {
                return Some((better, format!("{} in place of {letter}, which look alike.", other)));
            }
        }
    }
    // All of them at once: a reader that takes every 0 for an O.
    let digits: String = letters.iter().map(|letter| lookalikes(*letter).next().unwrap_or(*letter)).collect();
    pattern.is_match(&digits).then(|| (digits, "digits in place of letters that look alike.".to_owned()))
}

fn lookalikes(letter: char) -> impl Iterator<Item = char> {
    LOOKALIKES.into_iter().filter_map(move |(one, other)| match letter {
        letter if letter == one => Some(other),
        letter if letter == other => Some(one),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use connector_sdk::outcome::CarrierCode;

    use super::*;

    const TODAY: Date = jiff::civil::date(2026, 11, 23);

    fn fields(born: (&str, &str, &str)) -> Fields {
        Fields::of([
            ("member.member_id", "52O417".into()),
            ("patient.last_name", "Ortiz".into()),
            ("patient.date_of_birth.month", born.0.into()),
            ("patient.date_of_birth.day", born.1.into()),
            ("patient.date_of_birth.year", born.2.into()),
        ])
    }

    fn refused(codes: &[&str]) -> Refusal {
        codes.iter().fold(Refusal::new(RefusalReason::MemberNotFound), |refusal, code| {
            refusal.code(CarrierCode {
                loop_id: Some("2100C".into()),
                code: (*code).into(),
                follow_up: None,
                meaning: None,
            })
        })
    }

    #[test]
    fn the_field_that_the_code_names_is_first() {
        for (code, field) in [("71", "patient.date_of_birth"), ("72", "member.member_id"), ("73", "patient.last_name")]
        {
            let found = ranked(&refused(&[code]), &fields(("03", "12", "1986")), TODAY, None);
            assert_eq!(found[0].field, field);
        }
        let found = ranked(&refused(&["71"]), &fields(("03", "12", "1986")), TODAY, None);
        assert_eq!(found[0].swapped, Some(jiff::civil::date(1986, 12, 3)));
        assert_eq!(ranked(&refused(&["71"]), &fields(("03", "22", "1986")), TODAY, None)[0].swapped, None);
        let id = ranked(&refused(&["72"]), &fields(("03", "12", "1986")), TODAY, None);
        assert!(id[0].why.iter().any(|why| why.contains("Character 3 is the letter O")), "{:?}", id[0].why);
    }

    #[test]
    fn the_character_that_differs_from_the_last_good_answer_is_pointed_at() {
        for (sent, known, said) in [
            ("NSH-00413", "NSH00418", Some("character 8 is “3”, and was “8”")),
            ("52041774471", "52041774417", Some("characters 10 and 11 are the other way round (“17”)")),
            ("NSH041", "NSH0041", Some("“0” is missing before character 5")),
            ("NSH00411", "NSH0041", Some("character 8, “1”, is too much")),
            ("ABC", "XYZ987654", Some("it is another one altogether")),
            ("nsh 0041", "NSH-0041", None),
        ] {
            let found = differs(sent, known);
            assert_eq!(found.is_some(), said.is_some(), "{sent} {known}: {found:?}");
            assert!(said.is_none_or(|said| found.as_deref().unwrap().contains(said)), "{sent} {known}: {found:?}");
        }
        let good = Good { member_id: Some("52C417".into()), date_of_birth: None };
        let why = &ranked(&refused(&["72"]), &fields(("03", "12", "1986")), TODAY, Some(&good))[0].why;
        assert!(why.iter().any(|why| why.contains("character 3 is “O”, and was “C”")), "{why:?}");
    }

    #[test]
    fn of_a_dependent_the_loop_says_who_is_meant() {
        let mut typed = fields(("03", "12", "2016"));
        typed.put("relationship", "child");
        let mut refusal = refused(&["71"]);
        assert_eq!(ranked(&refusal, &typed, TODAY, None)[0].field, "subscriber.date_of_birth");
        refusal.carrier_codes[0].loop_id = Some("2100D".into());
        assert_eq!(ranked(&refusal, &typed, TODAY, None)[0].field, "patient.date_of_birth");
    }

    #[test]
    fn a_spelling_is_offered_where_it_fits_the_rule() {
        let rule = Regex::new("^(?:[A-Z]{3}[0-9]{9})$").unwrap();
        let offered = |text| spelling(text, &rule).map(|(better, _)| better);
        assert_eq!(offered("NSH004188237"), None);
        assert_eq!(offered("nsh 0041-88237").as_deref(), Some("NSH004188237"));
        assert_eq!(offered("NSHO04188237").as_deref(), Some("NSH004188237"));
        // Every letter that looks like a digit is one of them; the three in front must stay letters.
        assert_eq!(offered("NSHO0418B237"), None);
        assert_eq!(offered(""), None);
        assert_eq!(offered(&"O".repeat(500)), None);
    }
}
