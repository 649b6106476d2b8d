//! Finding a member as carriers do: by fixed sets of fields, with a code for what did not match.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::people::{Dependent, Person};

/// An NPI that no simulated carrier knows (AAA 51). Its check digit is right.
pub const UNKNOWN_NPI: &str = "1999999992";
/// An NPI that carriers know and that is not enrolled (AAA 41). Its check digit is right.
pub const NOT_ENROLLED_NPI: &str = "1888888884";

/// What was asked, whatever the wire format. Empty text: not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) npi: String,
    pub(crate) member_id: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) date_of_birth: String,
    pub(crate) sex: String,
    pub(crate) group_number: String,
    pub(crate) dependent: Option<Patient>,
    /// First and last day of service, where given and readable.
    pub(crate) days: Option<(Date, Date)>,
    pub(crate) services: Vec<String>,
}

/// The dependent asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Patient {
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) date_of_birth: String,
}

/// How a carrier searches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Answer 75 to any mismatch, and let optional fields (sex, group) mismatch too.
    pub(crate) strict: bool,
    /// Whether name and date of birth without an id suffice.
    pub(crate) by_name: bool,
    /// Months back.
    pub(crate) back_months: i32,
    /// Months ahead; 0: not even tomorrow.
    pub(crate) forward_months: i32,
}

/// Where a refusal stands in a 271, which code it has, what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reject {
    pub(crate) at: Loop,
    pub(crate) code: &'static str,
    pub(crate) follow_up: &'static str,
}

/// Loops of a 271 in which an AAA may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loop {
    /// The payer: 2100A.
    Payer,
    /// The provider: 2100B.
    Provider,
    /// The subscriber: 2100C.
    Subscriber,
    /// The dependent: 2100D.
    Dependent,
}

impl Reject {
    pub(crate) fn subscriber(code: &'static str) -> Self {
        Self { at: Loop::Subscriber, code, follow_up: "C" }
    }
}

/// Who was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) person: Person,
    pub(crate) dependent: Option<Dependent>,
}

/// Finds the member, or says with the carrier's codes why not: all that apply.
pub(crate) fn find(people: &[Person], query: &Query, rules: Rules, today: Date) -> Result<Found, Vec<Reject>> {
    match query.npi.as_str() {
        UNKNOWN_NPI => return Err(vec![Reject { at: Loop::Provider, code: "51", follow_up: "C" }]),
        NOT_ENROLLED_NPI => return Err(vec![Reject { at: Loop::Provider, code: "41", follow_up: "C" }]),
        _ => {}
    }
    if let Some(reject) = outside_window(query, rules, today) {
        return Err(vec![reject]);
    }
    let person = subscriber(people, query, rules)?;
    let Some(patient) = &query.dependent else { return Ok(Found { person: person.clone(), dependent: None }) };
    let named = person.dependents.iter().find(|dependent| {
        same_name(dependent.first_name, &patient.first_name) && same_name(dependent.last_name, &patient.last_name)
    });
    match named {
        Some(dependent) if dependent.date_of_birth == patient.date_of_birth => {
            Ok(Found { person: person.clone(), dependent: Some(dependent.clone()) })
        }
        Some(_) => Err(vec![Reject { at: Loop::Dependent, code: "71", follow_up: "C" }]),
        None => Err(vec![Reject { at: Loop::Dependent, code: "67", follow_up: "C" }]),
    }
}

fn outside_window(query: &Query, rules: Rules, today: Date) -> Option<Reject> {
    let (from, to) = query.days?;
    let first = today.checked_sub(rules.back_months.months()).unwrap_or(today);
    let last = today.checked_add(rules.forward_months.months()).unwrap_or(today);
    if to > last {
        Some(Reject::subscriber("63"))
    } else if from < first {
        Some(Reject::subscriber("62"))
    } else {
        None
    }
}

fn subscriber<'a>(people: &'a [Person], query: &Query, rules: Rules) -> Result<&'a Person, Vec<Reject>> {
    let named = !query.last_name.is_empty();
    let born = !query.date_of_birth.is_empty();
    if query.member_id.is_empty() {
        if !(rules.by_name && named && !query.first_name.is_empty() && born) {
            return Err(vec![Reject::subscriber("15")]);
        }
        let mut hits = people.iter().filter(|person| wrong_fields(person, query).is_empty());
        return match (hits.next(), hits.next()) {
            (Some(person), None) => Ok(person),
            (Some(_), Some(_)) => Err(vec![Reject::subscriber("76")]),
            (None, _) => Err(vec![Reject::subscriber("75")]),
        };
    }
    // With a dependent, the subscriber's id alone is enough.
    if !named && !born && query.dependent.is_none() {
        return Err(vec![Reject::subscriber("15")]);
    }
    let known = people.iter().find(|person| person.member_id.eq_ignore_ascii_case(&query.member_id));
    let mut wrong = known.map_or_else(|| vec!["72"], |person| wrong_fields(person, query));
    if rules.strict {
        let optional_mismatch = known.is_some_and(|person| {
            (!query.sex.is_empty() && person.sex != "U" && query.sex != person.sex)
                || (!query.group_number.is_empty() && query.group_number != person.group_number)
        });
        if optional_mismatch || !wrong.is_empty() {
            wrong = vec!["75"];
        }
    }
    match known {
        Some(person) if wrong.is_empty() => Ok(person),
        _ => Err(wrong.into_iter().map(Reject::subscriber).collect()),
    }
}

fn wrong_fields(person: &Person, query: &Query) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    let name_differs = (!query.last_name.is_empty() && !same_name(person.last_name, &query.last_name))
        || (!query.first_name.is_empty() && !same_name(person.first_name, &query.first_name));
    if name_differs {
        wrong.push("73");
    }
    if !query.date_of_birth.is_empty() && query.date_of_birth != person.date_of_birth {
        wrong.push("71");
    }
    wrong
}

/// Names as CAQH CORE rule 258 compares them: letters and digits only, any case.
fn same_name(on_file: &str, asked: &str) -> bool {
    let letters =
        |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect() };
    letters(on_file) == letters(asked)
}

/// Reads `YYYYMMDD` or `YYYY-MM-DD`.
pub(crate) fn date(text: &str) -> Option<Date> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let (year, rest) = digits.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    if day.len() != 2 {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// `YYYY-MM-DD` of either form; empty where it is no date.
pub(crate) fn iso(text: &str) -> String {
    date(text).map(|day| day.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::insured_by;

    const NORTH: Rules = Rules { strict: false, by_name: true, back_months: 24, forward_months: 12 };
    const STATE: Rules = Rules { strict: true, by_name: true, back_months: 12, forward_months: 0 };

    fn query(id: &str, last: &str, first: &str, born: &str) -> Query {
        Query {
            npi: "1234567893".into(),
            member_id: id.into(),
            last_name: last.into(),
            first_name: first.into(),
            date_of_birth: born.into(),
            ..Query::default()
        }
    }

    fn codes(carrier: &str, query: &Query, rules: Rules) -> Vec<&'static str> {
        match find(&insured_by(carrier), query, rules, jiff::civil::date(2026, 11, 23)) {
            Ok(_) => vec![],
            Err(rejects) => rejects.iter().map(|reject| reject.code).collect(),
        }
    }

    #[test]
    fn each_wrong_field_has_its_code() {
        let id = "NSH-ACTIVE-COPAY40";
        for (query, want) in [
            (query(id, "", "", "1984-03-12"), vec![]),
            (query(id, "Okafor", "Amara", ""), vec![]),
            (query("", "Okafor", "Amara", "1984-03-12"), vec![]),
            (query(id, "", "", "1984-12-03"), vec!["71"]),
            (query("NSH-NOBODY", "", "", "1984-03-12"), vec!["72"]),
            (query(id, "Okafar", "Amara", "1984-03-13"), vec!["73", "71"]),
            (query("", "Okafor", "Amara", "1984-03-13"), vec!["75"]),
            (query(id, "", "", ""), vec!["15"]),
            (query("NSH-NAME-CORE258", "ODONNELLGRISWOLD", "SIOBHAN", ""), vec![]),
        ] {
            assert_eq!(codes("northstar", &query, NORTH), want, "{query:?}");
        }
    }

    #[test]
    fn strict_carriers_say_75_and_mind_optional_fields() {
        let mut asked = query("STM-MONTHS-MCO", "BARRAGAN", "LUCIA", "1999-04-21");
        assert!(codes("statemed", &asked, STATE).is_empty());
        asked.sex = "M".into();
        assert_eq!(codes("statemed", &asked, STATE), ["75"]);
        asked.sex = String::new();
        asked.days = Some((jiff::civil::date(2026, 11, 24), jiff::civil::date(2026, 11, 24)));
        assert_eq!(codes("statemed", &asked, STATE), ["63"]);
        asked.days = Some((jiff::civil::date(2025, 1, 1), jiff::civil::date(2025, 1, 1)));
        assert_eq!(codes("statemed", &asked, STATE), ["62"]);
    }

    #[test]
    fn dependents_and_providers() {
        let mut asked = query("NSH-FAMILY-DEPENDENT", "", "", "");
        asked.dependent = Some(Patient {
            first_name: "Milo".into(),
            last_name: "Lindqvist".into(),
            date_of_birth: "2015-09-30".into(),
        });
        assert!(codes("northstar", &asked, NORTH).is_empty());
        asked.dependent = Some(Patient { date_of_birth: "2015-09-03".into(), ..asked.dependent.unwrap() });
        assert_eq!(codes("northstar", &asked, NORTH), ["71"]);
        asked.npi = UNKNOWN_NPI.into();
        assert_eq!(codes("northstar", &asked, NORTH), ["51"]);
    }

    #[test]
    fn dates_that_are_none_are_empty() {
        assert_eq!(iso("20260229"), "");
        assert_eq!(iso("19800105"), "1980-01-05");
        assert_eq!(iso("１９８０0105"), "");
    }
}
