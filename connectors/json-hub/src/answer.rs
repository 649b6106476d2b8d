//! The carrier's reply as facts: coverage, people, plans. Benefits have their own file.

use connector_sdk::answer::{
    Coded, Contact, Correction, Coverage, DateSpan, EligibilityFacts, Identifier, MemberOnFile, OtherPayer, Plan,
    RawRef,
};
use connector_sdk::ask::Sex;
use connector_sdk::{Context, EligibilityRequest, Phi, Result};
use jiff::civil::Date;

use crate::echo::bare;
use crate::hub::Hub;
use crate::settings::{AnswerRules, PersonRules};
use crate::value::{Item, text};
use crate::{benefits, codes, dates};

/// Most plans and most other insurers of a plan.
const PLANS_MOST: usize = 50;

/// Reads a reply that is an answer.
///
/// # Errors
/// When the reply holds more items than any answer.
pub fn read(hub: &Hub, ctx: &Context, ask: &EligibilityRequest, reply: &Item<'_>) -> Result<EligibilityFacts> {
    let rules = &hub.answer;
    let mut facts = EligibilityFacts {
        coverage: coverage(rules, reply),
        member: person(rules, &rules.member, reply).unwrap_or_default(),
        dependent: ask.dependent.as_ref().and_then(|_| person(rules, &rules.dependent, reply)),
        raw: RawRef { transaction: "json".to_owned(), segments: reply.reply },
        ..EligibilityFacts::default()
    };
    correct(&mut facts, ask);
    facts.plans = plans(rules, facts.coverage, reply);
    facts.carrier_contacts = contacts(rules, reply);
    benefits::read(hub, ctx, reply, &mut facts)?;
    Ok(facts)
}

/// Coverage as a whole: what all statuses that mean something agree on.
fn coverage(rules: &AnswerRules, reply: &Item<'_>) -> Coverage {
    weigh(rules, reply.texts(Some(&rules.coverage.status)))
}

fn weigh(rules: &AnswerRules, statuses: Vec<String>) -> Coverage {
    let meanings = |status: &String| codes::coverage(&rules.coverage.codes, rules.codes.x12, status);
    let mut known: Vec<Coverage> = statuses.iter().filter_map(meanings).collect();
    known.dedup();
    known.sort_by_key(|coverage| *coverage as u8);
    known.dedup();
    match known.as_slice() {
        [one] => *one,
        // Active and being checked: the word that promises less.
        [Coverage::Active, Coverage::Pending] => Coverage::Pending,
        _ => Coverage::Unknown,
    }
}

fn person(rules: &AnswerRules, paths: &PersonRules, reply: &Item<'_>) -> Option<MemberOnFile> {
    let at = reply.find(Some(&paths.at))?;
    let at = Item { value: &at.value, pointer: &at.pointer, reply: reply.reply };
    let birth = at.text(paths.date_of_birth.as_ref()).and_then(|text| dates::read(&rules.date_formats, &text));
    let sex: Option<Sex> = at.text(paths.sex.as_ref()).and_then(|code| codes::sex(&code));
    Some(MemberOnFile {
        member_id: at.phi(paths.member_id.as_ref()),
        first_name: at.phi(paths.first_name.as_ref()),
        middle_name: at.phi(paths.middle_name.as_ref()),
        last_name: at.phi(paths.last_name.as_ref()),
        suffix: at.phi(paths.suffix.as_ref()),
        date_of_birth: birth.map(Phi::new),
        sex,
        group_number: at.phi(paths.group_number.as_ref()),
        relationship: at.text(paths.relationship.as_ref()).map(|code| codes::relationship(&code)),
        address: paths.address.iter().filter_map(|line| at.phi(Some(line))).collect(),
        ..MemberOnFile::default()
    })
}

/// Notes where the carrier's file differs from what was asked with. Case, blanks and punctuation do not differ.
fn correct(facts: &mut EligibilityFacts, ask: &EligibilityRequest) {
    let compare = |into: &mut MemberOnFile, field: &str, asked: Option<String>, on_file: Option<String>| {
        if let (Some(asked), Some(on_file)) = (asked, on_file)
            && bare(&asked) != bare(&on_file)
        {
            let correction = Correction { field: field.to_owned(), asked: asked.into(), on_file: on_file.into() };
            into.corrections.push(correction);
        }
    };
    let name = |name: &Option<Phi<String>>| name.as_ref().map(|name| name.text().to_owned());
    let day = |date: &Option<Phi<Date>>| date.as_ref().map(|date| date.expose().to_string());
    let (member, asked) = (&mut facts.member, &ask.member);
    for (field, sent, given) in [
        ("member.member_id", name(&asked.member_id), name(&member.member_id)),
        ("member.first_name", name(&asked.first_name), name(&member.first_name)),
        ("member.last_name", name(&asked.last_name), name(&member.last_name)),
        ("member.date_of_birth", day(&asked.date_of_birth), day(&member.date_of_birth)),
    ] {
        compare(member, field, sent, given);
    }
    if let (Some(on_file), Some(asked)) = (&mut facts.dependent, &ask.dependent) {
        for (field, sent, given) in [
            ("dependent.first_name", asked.first_name.text().to_owned(), name(&on_file.first_name)),
            ("dependent.last_name", asked.last_name.text().to_owned(), name(&on_file.last_name)),
            ("dependent.date_of_birth", asked.date_of_birth.expose().to_string(), day(&on_file.date_of_birth)),
        ] {
            compare(on_file, field, Some(sent), given);
        }
    }
}

fn plans(rules: &AnswerRules, whole: Coverage, reply: &Item<'_>) -> Vec<Plan> {
    let paths = &rules.plan;
    let mut plans = Vec::new();
    for found in paths.each.all(reply.value, reply.pointer).into_iter().take(PLANS_MOST) {
        let at = Item { value: &found.value, pointer: &found.pointer, reply: reply.reply };
        let statuses = at.texts(paths.status.as_ref());
        let status_code = statuses.first().map(|code| Coded::new(code.clone(), code.clone()));
        let insurance_type = at.text(paths.insurance_type.as_ref());
        let label = at.text(paths.insurance_type_label.as_ref());
        let insurance_type = match (insurance_type, label) {
            (None, None) => None,
            (code, label) => {
                let code = code.unwrap_or_default();
                Some(Coded { label: label.unwrap_or_else(|| code.clone()), code })
            }
        };
        let plan = Plan {
            name: at.text(paths.name.as_ref()),
            id: at.text(paths.id.as_ref()),
            group: at.text(paths.group.as_ref()),
            network: at.text(paths.network.as_ref()),
            insurance_type,
            period: period(rules, &at),
            status: if paths.status.is_some() { weigh(rules, statuses) } else { whole },
            status_code,
            primary_care: at.text(paths.primary_care.as_ref()).map(|name| benefits::primary_care(&name)),
            other_payers: other_payers(rules, &at),
            messages: at.texts(paths.messages.as_ref()).into_iter().map(Phi::new).collect(),
            provenance: vec![at.provenance(&[], &found.pointer)],
            ..Plan::default()
        };
        plans.push(plan);
    }
    plans
}

fn period(rules: &AnswerRules, at: &Item<'_>) -> DateSpan {
    let paths = &rules.plan;
    let day = |path| at.text(path).and_then(|text| dates::read_span(&rules.date_formats, &text));
    if let Some(text) = at.text(paths.period.as_ref())
        && let Some((from, to)) = dates::read_span(&rules.date_formats, &text)
    {
        return DateSpan { from: Some(from), to: (to != from).then_some(to) };
    }
    // A field that holds a whole span where a day is meant ("20260101-20261231") gives its own end.
    DateSpan { from: day(paths.from.as_ref()).map(|(from, _)| from), to: day(paths.to.as_ref()).map(|(_, to)| to) }
}

fn other_payers(rules: &AnswerRules, plan: &Item<'_>) -> Vec<OtherPayer> {
    let paths = &rules.plan.other_payers;
    let Some(each) = &paths.each else { return Vec::new() };
    let mut payers = Vec::new();
    for found in each.all(plan.value, plan.pointer).into_iter().take(PLANS_MOST) {
        let at = Item { value: &found.value, pointer: &found.pointer, reply: plan.reply };
        let day = |path| at.text(path).and_then(|text| dates::read(&rules.date_formats, &text));
        // A list of bare names is a list of insurers, too.
        let name = if paths.name.is_some() { at.text(paths.name.as_ref()) } else { text(&found.value) };
        let policy = at.phi(paths.policy.as_ref()).map(|value| Identifier {
            kind: Coded::new("", "Policy number"),
            value,
            description: None,
        });
        payers.push(OtherPayer {
            name,
            order: at.text(paths.order.as_ref()).map(|code| Coded::new(code.clone(), code)),
            identifiers: policy.into_iter().collect(),
            period: DateSpan { from: day(paths.from.as_ref()), to: day(paths.to.as_ref()) },
            provenance: vec![at.provenance(&[], &found.pointer)],
            ..OtherPayer::default()
        });
    }
    payers
}

fn contacts(rules: &AnswerRules, reply: &Item<'_>) -> Vec<Contact> {
    let paths = &rules.contacts;
    let Some(each) = &paths.each else { return Vec::new() };
    let mut contacts = Vec::new();
    for found in each.all(reply.value, reply.pointer).into_iter().take(PLANS_MOST) {
        let at = Item { value: &found.value, pointer: &found.pointer, reply: reply.reply };
        // Codes of X12 PER03.
        let ways = [("TE", "Phone", &paths.phone), ("EM", "E-mail", &paths.email), ("UR", "Web address", &paths.web)];
        let reach: Vec<Identifier> = ways
            .into_iter()
            .filter_map(|(code, label, path)| {
                Some(Identifier { kind: Coded::new(code, label), value: at.phi(path.as_ref())?, description: None })
            })
            .collect();
        let name = at.phi(paths.name.as_ref());
        if name.is_some() || !reach.is_empty() {
            contacts.push(Contact { name, reach, ..Contact::default() });
        }
    }
    contacts
}
