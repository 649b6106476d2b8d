//! Does the reply belong to the question? Decided before anything of it is shown.

use connector_sdk::answer::MemberOnFile;
use connector_sdk::{Context, EligibilityFacts, EligibilityRequest, Error, ErrorKind, Phi, Result};
use jiff::civil::Date;

use crate::dates;
use crate::settings::AnswerRules;
use crate::value::Item;

/// Compares what the reply echoes with the ask. Everything that is echoed must agree, and something must be, where the
/// ask has anything the carrier file names. Returns whether something did.
///
/// # Errors
/// [`ErrorKind::AnswerMismatch`].
pub fn check(rules: &AnswerRules, ctx: &Context, ask: &EligibilityRequest, reply: &Item<'_>) -> Result<bool> {
    let echo = &rules.echo;
    // The subscriber's: a dependent is compared with what is on file, in `same_person`.
    let (birth, name) = (ask.member.date_of_birth.as_ref(), ask.member.last_name.as_ref());
    let mut agreed = 0_u8;
    let mut could = 0_u8;
    let mut compare = |what: &'static str, given: Option<bool>, askable: bool| {
        could += u8::from(askable);
        match given {
            Some(true) if askable => agreed += 1,
            Some(false) if askable => return Err(mismatch().fact("differs", what)),
            _ => {}
        }
        Ok(())
    };
    let trace = reply.text(echo.trace.as_ref()).map(|given| given.eq_ignore_ascii_case(ctx.trace()));
    compare("trace", trace, echo.trace.is_some())?;
    let asked = ask.member.member_id.as_ref().map(|id| bare(id.text()));
    let given = reply.text(echo.member_id.as_ref()).map(|id| Some(bare(&id)) == asked);
    compare("member_id", given, echo.member_id.is_some() && asked.is_some())?;
    let given = reply
        .text(echo.date_of_birth.as_ref())
        .map(|text| dates::read(&rules.date_formats, &text) == birth.map(|date| *date.expose()));
    compare("date_of_birth", given, echo.date_of_birth.is_some() && birth.is_some())?;
    let asked = name.map(|name| bare(name.text()));
    let given = reply.text(echo.last_name.as_ref()).map(|name| Some(bare(&name)) == asked);
    compare("last_name", given, echo.last_name.is_some() && asked.is_some())?;
    if agreed == 0 && could > 0 {
        return Err(mismatch().fact("differs", "nothing_echoed"));
    }
    Ok(agreed > 0)
}

/// Even where the echo agrees: a person on file with another last name *and* another date of birth is another person.
/// Where the ask has no member id that could tie the two together, one of them is enough. Brothers and sisters share a
/// last name and the id, so a dependent is told by the first name, and by the date of birth where there is none.
/// Where the echo tied nothing (`tied` is false: the ask has none of the fields it names), the person on file must.
///
/// # Errors
/// [`ErrorKind::AnswerMismatch`].
pub fn same_person(facts: &EligibilityFacts, ask: &EligibilityRequest, tied: bool) -> Result<()> {
    let born = |on_file: &MemberOnFile, asked: Option<&Phi<Date>>| {
        on_file.date_of_birth.as_ref().zip(asked).is_some_and(|(on_file, asked)| on_file != asked)
    };
    let name = |on_file: Option<&Phi<String>>, asked: Option<&Phi<String>>| {
        on_file.map(|name| bare(name.text())).zip(asked.map(|name| bare(name.text())))
    };
    let member = &ask.member;
    let same = |on_file: Option<&MemberOnFile>, asked: Option<&Phi<Date>>| {
        let on_file = on_file.and_then(|person| person.date_of_birth.as_ref());
        on_file.zip(asked).is_some_and(|(on_file, asked)| on_file == asked)
    };
    let same_birth = same(Some(&facts.member), member.date_of_birth.as_ref())
        || same(facts.dependent.as_ref(), ask.dependent.as_ref().map(|person| &person.date_of_birth));
    if !tied && !same_birth {
        return Err(mismatch().fact("differs", "nothing_echoed"));
    }
    let other_birth = born(&facts.member, member.date_of_birth.as_ref());
    let other_name = name(facts.member.last_name.as_ref(), member.last_name.as_ref()).is_some_and(|(a, b)| a != b);
    let other_member = if member.member_id.is_some() { other_birth && other_name } else { other_birth || other_name };
    let other_dependent = facts.dependent.as_ref().zip(ask.dependent.as_ref()).is_some_and(|(on_file, asked)| {
        match name(on_file.first_name.as_ref(), Some(&asked.first_name)) {
            // `Ben` and `Benjamin` may be one child; another date of birth is told as a correction.
            Some((a, b)) => !a.starts_with(&b) && !b.starts_with(&a),
            None => born(on_file, Some(&asked.date_of_birth)),
        }
    });
    if other_member || other_dependent { Err(mismatch().fact("differs", "person")) } else { Ok(()) }
}

fn mismatch() -> Error {
    Error::new(ErrorKind::AnswerMismatch, "The carrier's reply belongs to another question or another person.")
}

/// Letters and digits only, in capitals: how ids and names are compared.
pub fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(asked: serde_json::Value, member: serde_json::Value, dependent: serde_json::Value) -> bool {
        let mut facts = EligibilityFacts { member: serde_json::from_value(member).unwrap(), ..Default::default() };
        facts.dependent = serde_json::from_value(dependent).unwrap();
        let mut ask = json!({ "carrier": "acme", "provider": { "npi": "1234567893" }, "member": {} });
        ask.as_object_mut().unwrap().extend(asked.as_object().unwrap().clone());
        same_person(&facts, &serde_json::from_value(ask).unwrap(), true).is_ok()
    }

    #[test]
    fn a_sister_is_not_her_brother() {
        let ask = json!({
            "member": { "member_id": "W1" },
            "dependent": { "first_name": "Ben", "last_name": "Zanzibar", "date_of_birth": "2010-03-04", "relationship": "child" }
        });
        let found = |first: Option<&str>, born: &str| {
            let on_file = json!({ "first_name": first, "last_name": "ZANZIBAR", "date_of_birth": born });
            judged(ask.clone(), json!({}), on_file)
        };
        assert!(found(Some("BEN"), "2010-03-04") && found(Some("Benjamin"), "2010-03-05") && found(None, "2010-03-04"));
        assert!(!found(Some("Mia"), "2010-03-04"), "a twin");
        assert!(!found(Some("Mia"), "2012-03-04"), "a sister");
        assert!(!found(None, "2012-03-04"), "another day of birth");
    }

    #[test]
    fn without_a_member_id_one_difference_is_enough() {
        let asked = json!({ "last_name": "Zanzibar", "date_of_birth": "1980-02-01" });
        let married = json!({ "last_name": "Quux", "date_of_birth": "1980-02-01" });
        assert!(!judged(json!({ "member": asked.clone() }), married.clone(), json!(null)));
        let mut with_id = asked;
        with_id["member_id"] = json!("W1");
        assert!(judged(json!({ "member": with_id.clone() }), married, json!(null)));
        let other = json!({ "last_name": "Quux", "date_of_birth": "1981-02-01" });
        assert!(!judged(json!({ "member": with_id }), other, json!(null)));
    }
}
