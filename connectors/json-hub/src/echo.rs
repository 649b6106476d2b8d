//! Does the reply belong to the question? Decided before anything of it is shown.

use connector_sdk::answer::MemberOnFile;
use connector_sdk::{Context, EligibilityFacts, EligibilityRequest, Error, ErrorKind, Result};

use crate::dates;
use crate::settings::AnswerRules;
use crate::value::Item;

/// Compares what the reply echoes with the ask. Everything that is echoed must agree, and something must be.
///
/// # Errors
/// [`ErrorKind::AnswerMismatch`].
pub fn check(rules: &AnswerRules, ctx: &Context, ask: &EligibilityRequest, reply: &Item<'_>) -> Result<()> {
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
    Ok(())
}

/// Even where the echo agrees: a person on file with another last name *and* another date of birth is another person.
///
/// # Errors
/// [`ErrorKind::AnswerMismatch`].
pub fn same_person(facts: &EligibilityFacts, ask: &EligibilityRequest) -> Result<()> {
    let differs = |on_file: &MemberOnFile, name: Option<&str>, birth: Option<jiff::civil::Date>| {
        let names = on_file.last_name.as_ref().map(|name| bare(name.text())).zip(name.map(bare));
        let births = on_file.date_of_birth.as_ref().map(|date| *date.expose()).zip(birth);
        names.is_some_and(|(a, b)| a != b) && births.is_some_and(|(a, b)| a != b)
    };
    let member = &ask.member;
    let other_member = differs(
        &facts.member,
        member.last_name.as_ref().map(|name| name.text()),
        member.date_of_birth.as_ref().map(|date| *date.expose()),
    );
    let other_dependent = facts.dependent.as_ref().zip(ask.dependent.as_ref()).is_some_and(|(on_file, asked)| {
        differs(on_file, Some(asked.last_name.text()), Some(*asked.date_of_birth.expose()))
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
