//! What the settings' types cannot say: every fault, with its path and how to mend it.

use std::collections::BTreeMap;

use connector_sdk::SettingsProblem;
use http::HeaderName;
use serde_json::Value;

use crate::codes::level_named;
use crate::path::Path;
use crate::settings::{Auth, BenefitRules, Encoding, HubSettings, PersonRules};
use crate::template::Template;

/// Fields that `look_at` may name.
const LOOK_AT: [&str; 4] = ["member.", "dependent.", "provider.", "service."];

/// Checks everything but addresses and the body.
pub fn whole(settings: &HubSettings, problems: &mut Vec<SettingsProblem>) {
    paths(settings, problems);
    let poll = &settings.poll;
    let mut bound = |path: &str, fits: bool, message: &str| {
        if !fits {
            problems.push(SettingsProblem::new(path, message));
        }
    };
    bound("poll.interval_ms", (100..=60_000).contains(&poll.interval_ms), "Write 100 to 60000 milliseconds.");
    bound("poll.interval_max_ms", poll.interval_max_ms <= 60_000, "Write at most 60000 milliseconds.");
    bound("poll.polls_max", (1..=100).contains(&poll.polls_max), "Write 1 to 100.");
    bound(
        "poll.url",
        poll.url.as_ref().is_none_or(|url| url.contains("{id}")),
        "Put {id} where the number of the question belongs.",
    );
    bound("poll.id", poll.url.is_some() == poll.id.is_some(), "poll.id and poll.url are needed together.");
    bound(
        "poll.state",
        poll.state.is_some() != poll.not_ready.is_empty(),
        "poll.state and poll.not_ready are needed together.",
    );
    let echo = &settings.answer.echo;
    let proves = [&echo.trace, &echo.member_id, &echo.date_of_birth, &echo.last_name].iter().any(|path| path.is_some());
    if !proves {
        problems.push(
            SettingsProblem::new("answer.echo", "Nothing proves that a reply belongs to the question.").help(
                "Name at least one place where the reply repeats what was asked: member_id = \"subscriber.memberId\"",
            ),
        );
    }
    for status in settings.statuses.keys() {
        if !status.parse::<u16>().is_ok_and(|number| (200..=599).contains(&number)) {
            problems.push(SettingsProblem::new(&format!("statuses.{status}"), "This is not an HTTP status."));
        }
    }
    for (n, rules) in settings.errors.iter().enumerate() {
        for (code, fields) in &rules.look_at {
            if !fields.iter().all(|field| LOOK_AT.iter().any(|start| field.starts_with(start))) {
                problems.push(
                    SettingsProblem::new(&format!("errors.{n}.look_at.{code}"), "This is not a field of an ask.")
                        .help("Write paths such as member.member_id or provider.npi."),
                );
            }
        }
    }
    names(&settings.request.sex_codes, "request.sex_codes", &["female", "male", "unknown"], problems);
    let relationships = ["spouse", "child", "other_adult", "unknown"];
    names(&settings.request.relationship_codes, "request.relationship_codes", &relationships, problems);
    for name in settings.answer.codes.level.keys() {
        level(name, &format!("answer.codes.level.{name}"), problems);
    }
    for (n, rules) in settings.answer.benefits.iter().enumerate() {
        benefits(rules, n, problems);
    }
}

fn names(map: &BTreeMap<String, String>, path: &str, known: &[&str], problems: &mut Vec<SettingsProblem>) {
    for name in map.keys().filter(|name| !known.contains(&name.as_str())) {
        problems.push(
            SettingsProblem::new(&format!("{path}.{name}"), "This name is not known here.")
                .help(format!("Known are: {}.", known.join(", "))),
        );
    }
}

fn level(name: &str, path: &str, problems: &mut Vec<SettingsProblem>) {
    if level_named(name).is_none() {
        problems.push(
            SettingsProblem::new(path, "This level is not known.").help("Write individual, family, employee_only …"),
        );
    }
}

fn benefits(rules: &BenefitRules, n: usize, problems: &mut Vec<SettingsProblem>) {
    let at = format!("answer.benefits.{n}");
    if rules.service.is_none() && rules.service_is.is_none() {
        problems.push(
            SettingsProblem::new(&at, "Nothing says which service these benefits are for.")
                .help("Write service = \"…\" (a path) or service_is = \"30\" (the plan as a whole)."),
        );
    }
    if rules.kind.is_none() && rules.amount.as_ref().or(rules.share.as_ref()).or(rules.quantity.as_ref()).is_some() {
        problems.push(SettingsProblem::new(&at, "amount, share and quantity mean nothing without kind.").help(
            "Name the field that says what an item is (kind = \"code\"), or use copay, coinsurance, deductible …",
        ));
    }
    if let Some(name) = &rules.level_is {
        level(name, &format!("{at}.level_is"), problems);
    }
}

/// Checks the body against the rest.
pub fn body(settings: &HubSettings, body: &Template, problems: &mut Vec<SettingsProblem>) {
    let uses = |wanted: &str| body.uses(&|name: &str| name == wanted);
    if settings.answer.echo.trace.is_some()
        && !uses("trace")
        && !settings.request.headers.values().any(|v| v.contains("{trace}"))
    {
        problems.push(
            SettingsProblem::new("answer.echo.trace", "The question does not send {trace}, so no reply can repeat it.")
                .help("Put \"{trace}\" into request.body or a header."),
        );
    }
    if !body.uses(&|name: &str| name.starts_with("member.") || name.starts_with("patient.")) {
        problems.push(
            SettingsProblem::new("request.body", "The question does not say who the patient is.")
                .help("Use placeholders such as \"{member.member_id}\"."),
        );
    }
    if settings.request.encoding == Encoding::Form && settings.request.body.values().any(|value| value.is_object()) {
        problems.push(SettingsProblem::new("request.body", "A form is flat: it cannot hold a table."));
    }
    let listed = |name: &str| match &settings.auth {
        Auth::InBody { fields } => fields.iter().any(|field| name.strip_prefix("secret.") == Some(field)),
        _ => false,
    };
    if body.uses(&|name: &str| name.starts_with("secret.") && !listed(name)) {
        problems.push(
            SettingsProblem::new("request.body", "The body uses a secret that auth does not list.")
                .help("Write auth = { kind = \"in_body\", fields = [\"username\", \"password\"] }."),
        );
    }
}

/// Secrets and patient data where they must not be: in the body's fixed text, in an address.
pub fn leaks(settings: &HubSettings, problems: &mut Vec<SettingsProblem>) {
    if settings.request.url.contains(['{', '}']) {
        problems.push(
            SettingsProblem::new(
                "request.url",
                "No placeholder can stand in an address: patient data would be logged on its way.",
            )
            .help("Put it into request.body."),
        );
    }
    if let Some((_, query)) = settings.request.url.split_once('?')
        && query.split('&').any(|pair| secret_word(pair.split('=').next().unwrap_or(pair)))
    {
        problems.push(literal_secret("request.url"));
    }
    for (key, value) in &settings.request.body {
        fixed_secret(key, value, &format!("request.body.{key}"), problems);
    }
}

fn fixed_secret(key: &str, value: &Value, path: &str, problems: &mut Vec<SettingsProblem>) {
    match value {
        Value::String(text) if secret_word(key) && !text.is_empty() && !text.contains('{') => {
            problems.push(literal_secret(path));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| fixed_secret(key, value, &format!("{path}.{key}"), problems));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| fixed_secret(key, item, &format!("{path}.{n}"), problems));
        }
        _ => {}
    }
}

fn literal_secret(path: &str) -> SettingsProblem {
    SettingsProblem::new(path, "A secret must not stand in a carrier file.")
        .help("Write auth = { kind = \"in_body\", fields = [\"password\"] } and \"{secret.password}\" here; the value goes into the vault.")
}

/// Whether a name is one that secrets have.
fn secret_word(name: &str) -> bool {
    let bare: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    ["apikey", "password", "passwd", "secret", "accesstoken", "authtoken"].iter().any(|word| bare.contains(word))
}

/// Whether a header is one that carries credentials.
pub fn holds_a_secret(name: &HeaderName) -> bool {
    let name = name.as_str();
    matches!(name, "authorization" | "proxy-authorization" | "cookie")
        || ["api-key", "apikey", "token", "secret", "password"].iter().any(|word| name.contains(word))
}

/// Every path that cannot be read.
fn paths(settings: &HubSettings, problems: &mut Vec<SettingsProblem>) {
    let mut see = |at: &str, path: &Path| {
        for (text, fault) in path.faults() {
            problems.push(
                SettingsProblem::new(at, format!("The path \"{text}\" cannot be read: {fault}"))
                    .help("Write paths like subscriber.memberId, plans[0].name, benefits[*] or ids[type=MB].value."),
            );
        }
    };
    macro_rules! see {
        ($at:expr, $from:expr, $($field:ident),+) => {
            $(if let Some(path) = &$from.$field { see(&format!("{}.{}", $at, stringify!($field)), path); })+
        };
    }
    see!("poll", settings.poll, state, link, id);
    for (n, rules) in settings.errors.iter().enumerate() {
        see(&format!("errors.{n}.at"), &rules.at);
        see(&format!("errors.{n}.code"), &rules.code);
        see!(format!("errors.{n}"), rules, follow_up);
    }
    let answer = &settings.answer;
    see!("answer.echo", answer.echo, trace, member_id, date_of_birth, last_name);
    see("answer.coverage.status", &answer.coverage.status);
    let people: [(&str, &PersonRules); 2] =
        [("answer.member", &answer.member), ("answer.dependent", &answer.dependent)];
    for (at, person) in people {
        see(&format!("{at}.at"), &person.at);
        see!(
            at,
            person,
            member_id,
            first_name,
            middle_name,
            last_name,
            suffix,
            date_of_birth,
            sex,
            group_number,
            relationship
        );
        for (n, line) in person.address.iter().enumerate() {
            see(&format!("{at}.address.{n}"), line);
        }
    }
    let plan = &answer.plan;
    see("answer.plan.each", &plan.each);
    see!("answer.plan", plan, name, id, group, network, insurance_type, insurance_type_label, status);
    see!("answer.plan", plan, from, to, period, primary_care, messages);
    see!("answer.plan.other_payers", plan.other_payers, each, name, order, policy, from, to);
    see!("answer.contacts", answer.contacts, each, name, phone, email, web);
    for (n, rules) in answer.benefits.iter().enumerate() {
        let at = format!("answer.benefits.{n}");
        see(&format!("{at}.each"), &rules.each);
        see!(
            at,
            rules,
            service,
            service_label,
            procedure,
            network,
            level,
            covered,
            authorization,
            insurance_type,
            plan
        );
        see!(at, rules, place, messages, kind, amount, share, quantity, unit, period, entity);
        see!(at, rules, copay, copay_per, coinsurance);
        see!(format!("{at}.deductible"), rules.deductible, base, met, remaining, period);
        see!(format!("{at}.out_of_pocket"), rules.out_of_pocket, base, met, remaining, period);
        see!(format!("{at}.limit"), rules.limit, allowed, used, remaining, unit, period);
    }
}
