//! Fields of the form to a question, and back. Nothing that was typed is changed on the way.

use connector_sdk::EligibilityRequest;
use connector_sdk::ask::{Dependent, FieldProblem, Member, Relationship, Service, Sex};
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::api::{Problem, eligibility, intake};
use crate::gateway::NotAsked;
use crate::pages::fields::Fields;
use crate::pages::parts::field::{date_fields, date_of};
use crate::pages::parts::problems::Problems;
use crate::pages::visit::Visit;
use crate::patients::PatientView;

/// Every field of the form, as it is kept beside the question.
pub const NAMES: [&str; 23] = [
    "carrier",
    "patient_id",
    "member.member_id",
    "member.group_number",
    "patient.first_name",
    "patient.last_name",
    "patient.suffix",
    "patient.sex",
    "patient.date_of_birth.month",
    "patient.date_of_birth.day",
    "patient.date_of_birth.year",
    "relationship",
    "subscriber.first_name",
    "subscriber.last_name",
    "subscriber.suffix",
    "subscriber.sex",
    "subscriber.date_of_birth.month",
    "subscriber.date_of_birth.day",
    "subscriber.date_of_birth.year",
    "service.date",
    "types",
    "types.more",
    "provider.npi",
];
/// Service types with a box of their own: code, and what people call it.
pub const PRESETS: [(&str, &str); 7] = [
    ("30", "The plan as a whole"),
    ("98", "Office visit"),
    ("5", "Lab"),
    ("4", "Imaging"),
    ("PT", "Physical therapy"),
    ("MH", "Mental health"),
    ("86", "Emergency"),
];

/// Whether the patient is not the subscriber.
pub fn is_dependent(fields: &Fields) -> bool {
    !matches!(fields.get("relationship"), "" | "self")
}

/// The question that the fields make.
///
/// # Errors
/// Everything that is wrong with them.
pub fn question(visit: &Visit, fields: &Fields) -> Result<EligibilityRequest, Problems> {
    let today = visit.app.gateway.today();
    let dependent = is_dependent(fields);
    let mut wrong = Vec::new();
    let read = intake::of_value(value(fields, today, &mut wrong), today);
    let more = match &read {
        Ok(_) if wrong.is_empty() => Vec::new(),
        // A date that cannot be read is no reason to hide what else is wrong.
        Ok(request) => match visit.app.gateway.check(request) {
            Err(NotAsked::Problems(more)) => more,
            Ok(()) | Err(NotAsked::Error(_)) => Vec::new(),
        },
        Err(more) => more.clone(),
    };
    if let (Ok(request), true) = (read, wrong.is_empty()) {
        return Ok(request);
    }
    let born_unread = !wrong.is_empty();
    let mut problems = Problems::none();
    for (field, message) in wrong {
        problems = problems.and(field, message);
    }
    let missing = ["/member", "/dependent/date_of_birth"];
    let more = more.iter().filter(|problem| !(born_unread && missing.contains(&problem.path.as_str())));
    Err(named(problems, more, dependent))
}

/// What the API said of a question, beside the form's fields.
pub fn problems(problem: &Problem, dependent: bool) -> Problems {
    match problem.errors().is_empty() {
        true => Problems::said(problem.detail()),
        false => named(Problems::none(), problem.errors().iter(), dependent),
    }
}

fn named<'a>(mut problems: Problems, found: impl Iterator<Item = &'a FieldProblem>, dependent: bool) -> Problems {
    for problem in found {
        problems = problems.and(name_of(&problem.path, dependent), said(problem));
    }
    problems
}

/// The API speaks to programs in two places.
fn said(problem: &FieldProblem) -> String {
    match problem.path.as_str() {
        "/carrier" if problem.message.contains("/v1/") => "Choose the carrier.".to_owned(),
        "/member" if problem.message.contains("member_id") => {
            "Fill in the member ID, or the name and the date of birth.".to_owned()
        }
        "/provider" | "/provider/npi" if problem.message.contains("missing") => {
            "Choose who asks: the provider’s NPI.".to_owned()
        }
        _ => problem.message.clone(),
    }
}

/// The form's field that a place in the question is filled in by.
pub fn name_of(path: &str, dependent: bool) -> String {
    let parts: Vec<&str> = path.trim_start_matches('/').split(['/', '.']).collect();
    match parts.as_slice() {
        ["member"] => "member.member_id".to_owned(),
        ["member", own @ ("member_id" | "group_number")] => format!("member.{own}"),
        ["member", field] if dependent => format!("subscriber.{field}"),
        ["member" | "dependent", "relationship"] => "relationship".to_owned(),
        ["member" | "dependent", field] => format!("patient.{field}"),
        ["dependent"] => "relationship".to_owned(),
        ["provider", ..] => "provider.npi".to_owned(),
        ["service", "date" | "from" | "to"] => "service.date".to_owned(),
        ["service", ..] => "types".to_owned(),
        _ => parts.join("."),
    }
}

fn value(fields: &Fields, today: Date, wrong: &mut Vec<(String, String)>) -> Value {
    let mut put = |object: &mut Map<String, Value>, name: &str, field: &str| {
        if name == "date_of_birth" {
            match date_of(fields, field, today) {
                Ok(Some(date)) => drop(object.insert(name.to_owned(), date.to_string().into())),
                Ok(None) => {}
                Err(message) => wrong.push((field.to_owned(), message)),
            }
        } else if let Some(text) = fields.some(field) {
            object.insert(name.to_owned(), text.into());
        }
    };
    let (mut member, mut dependent) = (Map::new(), Map::new());
    for own in ["member_id", "group_number"] {
        put(&mut member, own, &format!("member.{own}"));
    }
    let apart = is_dependent(fields);
    for field in ["first_name", "last_name", "suffix", "date_of_birth", "sex"] {
        if apart {
            put(&mut member, field, &format!("subscriber.{field}"));
            if field != "suffix" {
                put(&mut dependent, field, &format!("patient.{field}"));
            }
        } else {
            put(&mut member, field, &format!("patient.{field}"));
        }
    }
    let mut service = Map::new();
    put(&mut service, "date", "service.date");
    service.insert("types".to_owned(), types(fields).into());
    let mut provider = Map::new();
    put(&mut provider, "npi", "provider.npi");
    let mut question =
        json!({ "carrier": fields.get("carrier"), "provider": provider, "member": member, "service": service });
    if apart && let Value::Object(whole) = &mut question {
        dependent.insert("relationship".to_owned(), fields.get("relationship").into());
        whole.insert("dependent".to_owned(), dependent.into());
    }
    question
}

/// The service types that are asked about: ticked, and typed beside.
pub fn types(fields: &Fields) -> Vec<String> {
    let more = fields.raw("types.more").split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | ';'));
    let mut all: Vec<String> = Vec::new();
    for code in fields.all("types").chain(more).map(str::trim).filter(|code| !code.is_empty()) {
        if !all.iter().any(|known| known == code) {
            all.push(code.to_owned());
        }
    }
    all
}

/// Puts the question, for the patient whom the form names; the answer is waited for elsewhere.
///
/// # Errors
/// Everything that is wrong with it, beside the form's fields.
pub async fn begin(
    visit: &Visit,
    fields: &Fields,
    request: &EligibilityRequest,
) -> Result<crate::gateway::Asked, Problems> {
    let begun = eligibility::begin(&visit.app, &visit.api(), request, fields.some("patient_id")).await;
    begun.map_err(|problem| problems(&problem, is_dependent(fields)))
}

/// A form for a known patient: nothing is typed twice.
pub fn of_patient(view: &PatientView, carrier: Option<&str>) -> Fields {
    let mut fields = Fields::of([("patient_id", view.id.clone())]);
    let coverage = view.patient.coverage(carrier).cloned().unwrap_or_default();
    if let Some(carrier) = carrier.or(coverage.carrier.as_deref()) {
        fields.put("carrier", carrier);
    }
    let (member, dependent) = view.patient.asked_as(&coverage);
    people(&mut fields, &member, dependent.as_ref());
    fields
}

/// Fills in who is asked about.
pub fn people(fields: &mut Fields, member: &Member, dependent: Option<&Dependent>) {
    let mut put = |name: String, value: Option<&str>| {
        if let Some(value) = value {
            fields.put(&name, value);
        }
    };
    put("member.member_id".to_owned(), member.member_id.as_ref().map(connector_sdk::Phi::text));
    put("member.group_number".to_owned(), member.group_number.as_ref().map(connector_sdk::Phi::text));
    let whose = if dependent.is_some() { "subscriber" } else { "patient" };
    put(format!("{whose}.first_name"), member.first_name.as_ref().map(connector_sdk::Phi::text));
    put(format!("{whose}.last_name"), member.last_name.as_ref().map(connector_sdk::Phi::text));
    put(format!("{whose}.suffix"), member.suffix.as_ref().map(connector_sdk::Phi::text));
    put(format!("{whose}.sex"), member.sex.map(sex_word));
    let mut born = vec![(whose, member.date_of_birth.as_ref().map(|date| *date.expose()))];
    if let Some(dependent) = dependent {
        put("patient.first_name".to_owned(), Some(dependent.first_name.text()));
        put("patient.last_name".to_owned(), Some(dependent.last_name.text()));
        put("patient.sex".to_owned(), dependent.sex.map(sex_word));
        put("relationship".to_owned(), Some(relationship_word(dependent.relationship)));
        born.push(("patient", Some(*dependent.date_of_birth.expose())));
    }
    for (whose, date) in born {
        for (name, text) in date.into_iter().flat_map(|date| date_fields(&format!("{whose}.date_of_birth"), date)) {
            fields.put(&name, text);
        }
    }
}

/// Fills in when and what is asked about.
pub fn service(fields: &mut Fields, service: &Service) {
    if let Some(date) = service.date {
        fields.put("service.date", date.to_string());
    }
    let (boxed, more): (Vec<_>, Vec<_>) =
        service.types.iter().partition(|code| PRESETS.iter().any(|(preset, _)| preset == &code.as_str()));
    for code in boxed {
        fields.add("types", code.clone());
    }
    if !more.is_empty() {
        fields.put("types.more", more.into_iter().cloned().collect::<Vec<_>>().join(", "));
    }
}

fn sex_word(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "female",
        Sex::Male => "male",
        Sex::Unknown => "unknown",
    }
}

fn relationship_word(relationship: Relationship) -> &'static str {
    match relationship {
        Relationship::Spouse => "spouse",
        Relationship::Child => "child",
        Relationship::OtherAdult => "other_adult",
        Relationship::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = jiff::civil::date(2026, 11, 23);

    fn typed(relationship: &str) -> Fields {
        let mut fields = Fields::of([
            ("carrier", "northstar".into()),
            ("member.member_id", " NSH 1 ".into()),
            ("patient.first_name", "jo ann".into()),
            ("patient.last_name", "O'Neil-Smith".into()),
            ("patient.date_of_birth.month", "mar".into()),
            ("patient.date_of_birth.day", "2".into()),
            ("patient.date_of_birth.year", "2015".into()),
            ("subscriber.last_name", "Smith".into()),
            ("types", "98".into()),
            ("types.more", "UC, 98 AL".into()),
            ("provider.npi", "1234567893".into()),
        ]);
        fields.put("relationship", relationship);
        fields
    }

    #[test]
    fn what_was_typed_is_what_is_asked() {
        let mut wrong = Vec::new();
        let asked = value(&typed("self"), TODAY, &mut wrong);
        assert_eq!(
            asked,
            json!({ "carrier": "northstar", "provider": { "npi": "1234567893" }, "service": { "types": ["98", "UC", "AL"] },
                "member": { "member_id": "NSH 1", "first_name": "jo ann", "last_name": "O'Neil-Smith",
                    "date_of_birth": "2015-03-02" } })
        );
        let asked = value(&typed("child"), TODAY, &mut wrong);
        assert_eq!(asked["member"], json!({ "member_id": "NSH 1", "last_name": "Smith" }));
        assert_eq!(asked["dependent"]["relationship"], "child");
        assert_eq!(asked["dependent"]["date_of_birth"], "2015-03-02");
        assert!(wrong.is_empty());
        assert!(intake::of_value(asked, TODAY).is_ok());
    }

    #[test]
    fn a_question_fills_the_form_it_came_from() {
        for relationship in ["self", "child"] {
            let asked = value(&typed(relationship), TODAY, &mut Vec::new());
            let request = intake::of_value(asked.clone(), TODAY).unwrap();
            let mut fields =
                Fields::of([("carrier", request.carrier.clone()), ("provider.npi", request.provider.npi.clone())]);
            people(&mut fields, &request.member, request.dependent.as_ref());
            service(&mut fields, &request.service);
            assert_eq!(value(&fields, TODAY, &mut Vec::new()), asked);
        }
    }

    #[test]
    fn each_place_of_a_question_has_its_field() {
        for (path, dependent, name) in [
            ("/member", false, "member.member_id"),
            ("/member/member_id", true, "member.member_id"),
            ("/member/date_of_birth", true, "subscriber.date_of_birth"),
            ("member.date_of_birth", false, "patient.date_of_birth"),
            ("/dependent/first_name", true, "patient.first_name"),
            ("/service/types/1", false, "types"),
            ("/provider", false, "provider.npi"),
            ("/carrier", false, "carrier"),
        ] {
            assert_eq!(name_of(path, dependent), name);
        }
    }
}
