//! A carrier's form rules: which details find a member, how they are written, for which days it answers.

use connector_sdk::EligibilityRequest;
use connector_sdk::ask::{FieldProblem, Member};
use jiff::ToSpan;
use jiff::civil::Date;

use super::FormRules;
use super::file::MemberField;

/// Which of the member's fields go to the carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowed {
    /// The accepted set that the ask fulfils, as names of the member's fields; empty where the carrier names no sets.
    pub used: Vec<String>,
}

impl Narrowed {
    /// The ask with only the fields of the set: a carrier gets what it needs and no more, and some find nothing when
    /// an optional detail differs. The dependent stays as it is.
    pub fn narrow(&self, ask: &EligibilityRequest) -> EligibilityRequest {
        let mut narrowed = ask.clone();
        if self.used.is_empty() {
            return narrowed;
        }
        for field in MemberField::ALL {
            if !self.used.iter().any(|name| name == field.name()) {
                clear(&mut narrowed.member, field);
            }
        }
        narrowed
    }
}

impl FormRules {
    /// Checks an ask against the carrier's rules and picks the first set of fields that is wholly there. `today` is the
    /// practice's day.
    ///
    /// Where a dependent is asked about, names, birth date and sex are the dependent's to give: a set that holds
    /// `member_id` is fulfilled without the subscriber's.
    ///
    /// # Errors
    /// Everything that is wrong, with JSON pointers; no message repeats a value.
    pub fn check(&self, ask: &EligibilityRequest, today: Date) -> Result<Narrowed, Vec<FieldProblem>> {
        let mut problems = Vec::new();
        let used = self.accepts.iter().find(|set| is_there(set, ask));
        if used.is_none() && !self.accepts.is_empty() {
            problems.push(FieldProblem::new("/member", self.needs()));
        }
        self.check_patterns(ask, used, &mut problems);
        self.check_service_date(ask, today, &mut problems);
        match problems.is_empty() {
            true => Ok(Narrowed { used: used.cloned().unwrap_or_default() }),
            false => Err(problems),
        }
    }

    /// The sets of fields the carrier can search by, but for the one that was used.
    pub fn other_searches(&self, used: &[String]) -> Vec<Vec<String>> {
        self.accepts.iter().filter(|set| set.as_slice() != used).cloned().collect()
    }

    fn check_patterns(&self, ask: &EligibilityRequest, used: Option<&Vec<String>>, problems: &mut Vec<FieldProblem>) {
        for rule in &self.fields {
            // What is not sent need not be well written.
            if used.is_some_and(|set| !set.contains(&rule.field)) {
                continue;
            }
            let (Some(pattern), Some(field)) = (&rule.pattern, MemberField::from_name(&rule.field)) else { continue };
            if text(&ask.member, field).is_some_and(|value| !pattern.is_match(value)) {
                let message = match &rule.help {
                    Some(help) => format!("This carrier writes the {} differently: {help}", field.label()),
                    None => format!("This is not how this carrier writes the {}.", field.label()),
                };
                problems.push(FieldProblem::new(format!("/member/{}", rule.field), message));
            }
        }
    }

    fn check_service_date(&self, ask: &EligibilityRequest, today: Date, problems: &mut Vec<FieldProblem>) {
        let one_day = ask.service.date.is_some();
        let window = self.service_date;
        if let Some(months) = window.back_months
            && let Ok(earliest) = today.checked_sub(i32::from(months).months())
            && ask.first_day(today) < earliest
        {
            let path = if one_day { "/service/date" } else { "/service/from" };
            problems.push(FieldProblem::new(path, format!("This carrier answers for {months} months back at most.")));
        }
        if let Some(months) = window.forward_months
            && let Ok(latest) = today.checked_add(i32::from(months).months())
            && ask.last_day(today) > latest
        {
            let path = match () {
                () if one_day => "/service/date",
                () if ask.service.to.is_some() => "/service/to",
                () => "/service/from",
            };
            let message = match months {
                0 => "This carrier does not answer for days to come.".to_owned(),
                _ => format!("This carrier answers for {months} months ahead at most."),
            };
            problems.push(FieldProblem::new(path, message));
        }
    }

    /// What the carrier needs, in words.
    fn needs(&self) -> String {
        let sets: Vec<String> = self.accepts.iter().map(|set| in_words(set)).collect();
        match sets.as_slice() {
            [only] => format!("This carrier needs {only}."),
            _ => format!("This carrier needs one of these: {}.", sets.join("; or ")),
        }
    }
}

/// `member id, last name and first name`.
pub fn in_words(set: &[String]) -> String {
    let labels: Vec<&str> =
        set.iter().map(|name| MemberField::from_name(name).map_or(name.as_str(), |field| field.label())).collect();
    match labels.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => (*last).to_owned(),
        None => String::new(),
    }
}

fn is_there(set: &[String], ask: &EligibilityRequest) -> bool {
    let by_dependent = ask.dependent.is_some() && set.iter().any(|name| name == MemberField::MemberId.name());
    set.iter().filter_map(|name| MemberField::from_name(name)).all(|field| {
        let personal = matches!(
            field,
            MemberField::FirstName | MemberField::LastName | MemberField::DateOfBirth | MemberField::Sex
        );
        given(&ask.member, field) || (by_dependent && personal)
    })
}

fn given(member: &Member, field: MemberField) -> bool {
    match field {
        MemberField::DateOfBirth => member.date_of_birth.is_some(),
        MemberField::Sex => member.sex.is_some(),
        _ => text(member, field).is_some_and(|value| !value.trim().is_empty()),
    }
}

fn text(member: &Member, field: MemberField) -> Option<&str> {
    let value = match field {
        MemberField::MemberId => &member.member_id,
        MemberField::FirstName => &member.first_name,
        MemberField::LastName => &member.last_name,
        MemberField::Suffix => &member.suffix,
        MemberField::GroupNumber => &member.group_number,
        MemberField::DateOfBirth | MemberField::Sex => return None,
    };
    value.as_ref().map(connector_sdk::Phi::text)
}

fn clear(member: &mut Member, field: MemberField) {
    match field {
        MemberField::MemberId => member.member_id = None,
        MemberField::FirstName => member.first_name = None,
        MemberField::LastName => member.last_name = None,
        MemberField::Suffix => member.suffix = None,
        MemberField::DateOfBirth => member.date_of_birth = None,
        MemberField::Sex => member.sex = None,
        MemberField::GroupNumber => member.group_number = None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carriers::{DateWindow, FieldRule};
    use jiff::civil::date;
    use serde_json::json;

    fn rules() -> FormRules {
        let sets = [
            vec!["member_id", "date_of_birth"],
            vec!["member_id", "last_name", "first_name"],
            vec!["last_name", "first_name", "date_of_birth"],
        ];
        FormRules {
            accepts: sets.map(|set| set.into_iter().map(str::to_owned).collect()).to_vec(),
            fields: vec![FieldRule {
                field: "member_id".into(),
                pattern: Some(regex_lite::Regex::new("^(?:[A-Z]{3}[0-9]{9})$").unwrap()),
                pattern_text: Some("[A-Z]{3}[0-9]{9}".into()),
                help: Some("Three letters and nine digits, as on the card".into()),
            }],
            service_date: DateWindow { back_months: Some(24), forward_months: Some(0) },
        }
    }

    fn ask(member: serde_json::Value) -> EligibilityRequest {
        serde_json::from_value(json!({"carrier": "c", "provider": {"npi": "1234567893"}, "member": member})).unwrap()
    }

    const TODAY: Date = date(2026, 11, 23);

    #[test]
    fn the_first_complete_set_is_sent_and_nothing_else() {
        let ask = ask(json!({"member_id": "ABC123456789", "last_name": "Zanzibar", "first_name": "Zoe",
            "date_of_birth": "1980-01-01", "sex": "female", "suffix": "JR", "group_number": "G1"}));
        let narrowed = rules().check(&ask, TODAY).unwrap();
        assert_eq!(narrowed.used, ["member_id", "date_of_birth"]);
        let sent = narrowed.narrow(&ask).member;
        assert!(sent.member_id.is_some() && sent.date_of_birth.is_some());
        assert!(sent.last_name.is_none() && sent.first_name.is_none() && sent.sex.is_none());
        assert!(sent.suffix.is_none() && sent.group_number.is_none());
        assert_eq!(
            rules().other_searches(&narrowed.used),
            [vec!["member_id", "last_name", "first_name"], vec!["last_name", "first_name", "date_of_birth"]]
        );
    }

    #[test]
    fn no_complete_set_names_the_sets_in_words() {
        let problems = rules().check(&ask(json!({"member_id": "ABC123456789"})), TODAY).unwrap_err();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].path, "/member");
        assert!(problems[0].message.contains("member id and date of birth; or member id, last name and first name;"));
    }

    #[test]
    fn pattern_and_date_problems_at_once_and_no_value_repeated() {
        let mut ask = ask(json!({"member_id": "xABC123456789", "date_of_birth": "1980-01-01"}));
        ask.service.date = Some(date(2026, 11, 24));
        let problems = rules().check(&ask, TODAY).unwrap_err();
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["/member/member_id", "/service/date"]);
        assert!(problems[0].message.contains("Three letters and nine digits"));
        assert!(!format!("{problems:?}").contains("ABC123456789"));
        ask.service.date = None;
        ask.service.from = Some(date(2024, 11, 22));
        ask.service.to = Some(date(2027, 1, 1));
        let paths: Vec<String> = rules().check(&ask, TODAY).unwrap_err().into_iter().map(|p| p.path).collect();
        assert_eq!(paths, ["/member/member_id", "/service/from", "/service/to"]);
    }

    #[test]
    fn a_field_that_is_not_sent_need_not_match() {
        let member = json!({"member_id": "odd", "last_name": "A", "first_name": "B", "date_of_birth": "1980-01-01"});
        let mut rules = rules();
        rules.accepts.drain(..2);
        assert!(rules.check(&ask(member), TODAY).is_ok());
    }

    #[test]
    fn a_dependent_gives_its_own_details() {
        let mut ask = ask(json!({"member_id": "ABC123456789"}));
        ask.dependent =
            serde_json::from_value(json!({"first_name": "Z", "last_name": "Z", "date_of_birth": "2015-01-01",
            "relationship": "child"}))
            .unwrap();
        let narrowed = rules().check(&ask, TODAY).unwrap();
        assert_eq!(narrowed.used, ["member_id", "date_of_birth"]);
        assert!(narrowed.narrow(&ask).dependent.is_some());
    }

    #[test]
    fn without_sets_everything_goes() {
        let ask = ask(json!({"last_name": "Zanzibar"}));
        let narrowed = FormRules::default().check(&ask, TODAY).unwrap();
        assert_eq!(narrowed.narrow(&ask), ask);
    }
}
