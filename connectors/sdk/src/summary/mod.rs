//! Plain words over typed facts: the paragraph a person may read aloud, the alerts, and what was not said.
//!
//! A template, not a guess: every clause is made from one fact, every number is a number of the facts, and what the
//! carrier left out is said to be left out. Sentences are short, because they are read at a counter. One file per
//! concern: `coverage` (is there coverage), `services` (the services asked about), `money` (deductible and
//! out-of-pocket maximum), `alerts`, `missing`; `pick` chooses which of several lines to speak of and `words` formats.

mod alerts;
mod coverage;
mod labels;
mod missing;
mod money;
mod pick;
mod services;
mod words;

#[cfg(test)]
mod reading;
#[cfg(test)]
mod tests;

use jiff::civil::Date;

pub use labels::service_type as service_type_label;

use crate::answer::{Benefit, Coverage, EligibilityAnswer, EligibilityFacts, Summary};
use crate::ask::EligibilityRequest;
use crate::phi::Phi;

/// The sentence every paragraph ends with.
pub const NO_GUARANTEE: &str = "This is not a guarantee of payment.";

/// Completes the facts into an answer. `ask` is the question as it was put (`None` for a file read from disk), `today`
/// the day the words speak of where the ask names none: for a file the day it was written, which is named and never
/// called today.
///
/// The paragraph never says more than the facts. It speaks of the services asked about, in network and for one person
/// first; without an ask, of the services the carrier named, the first few.
pub fn complete(facts: EligibilityFacts, ask: Option<&EligibilityRequest>, today: Date) -> EligibilityAnswer {
    let (summary, not_stated) = {
        let scene = Scene::new(&facts, ask, today);
        let mut sentences = coverage::sentences(&scene);
        if facts.coverage != Coverage::Inactive {
            services::sentences(&scene.topics, &mut sentences);
            money::sentences(&scene, &mut sentences);
        }
        coverage::people_sentences(&scene, &mut sentences);
        sentences.push(NO_GUARANTEE.to_owned());
        let summary = Summary { paragraph: Phi::new(sentences.join(" ")), alerts: alerts::alerts(&scene) };
        (summary, missing::not_stated(&scene))
    };
    EligibilityAnswer { facts, summary, not_stated }
}

/// What the words are made from.
struct Scene<'a> {
    facts: &'a EligibilityFacts,
    /// What to call the patient.
    patient: String,
    /// `today`, or the days asked about.
    when: String,
    /// First day asked about.
    day: Date,
    /// Last day asked about.
    last: Date,
    topics: Vec<Topic<'a>>,
}

/// One service that was asked about, with the lines the carrier gave for it.
struct Topic<'a> {
    /// Service type or procedure code, as asked.
    code: String,
    /// Words for it, fit for the middle of a sentence.
    label: String,
    /// `true` for service type 30: the plan as a whole.
    whole_plan: bool,
    /// Those that hold on the days asked about: what held in another year is no word on this one.
    benefits: Vec<&'a Benefit>,
}

/// Most services the paragraph speaks of when there is no ask to choose by.
const TOPICS_WITHOUT_ASK: usize = 6;

impl<'a> Scene<'a> {
    fn new(facts: &'a EligibilityFacts, ask: Option<&EligibilityRequest>, today: Date) -> Self {
        let day = ask.map_or(today, |ask| ask.first_day(today));
        let last = ask.map_or(today, |ask| ask.last_day(today));
        let when = if day != last {
            format!("from {} to {}", words::day(day), words::day(last))
        } else if day == today && ask.is_some() {
            "today".to_owned()
        } else {
            format!("on {}", words::day(day))
        };
        let mut topics = match ask {
            Some(ask) => asked_topics(facts, ask),
            None => named_topics(facts),
        };
        let mut scene =
            Self { facts, patient: coverage::patient_name(facts, ask), when, day, last, topics: Vec::new() };
        for topic in &mut topics {
            topic.benefits.retain(|benefit| scene.holds(benefit));
        }
        scene.topics = topics;
        scene
    }

    /// Whether a benefit holds on the days asked about, as far as the carrier said from when to when it does.
    fn holds(&self, benefit: &Benefit) -> bool {
        benefit.period.meets(self.day, self.last)
    }
}

fn asked_topics<'a>(facts: &'a EligibilityFacts, ask: &EligibilityRequest) -> Vec<Topic<'a>> {
    let mut topics: Vec<Topic<'a>> = Vec::new();
    for code in ask.service_types() {
        if !topics.iter().any(|topic| topic.code == code) {
            topics.push(service_topic(facts, code));
        }
    }
    for procedure in &ask.service.procedures {
        let names_it = |benefit: &&Benefit| {
            benefit.procedure.as_ref().is_some_and(|given| {
                given.code.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == procedure.code)
            })
        };
        topics.push(Topic {
            code: procedure.code.clone(),
            label: format!("procedure {}", procedure.code),
            whole_plan: false,
            benefits: facts.benefits.iter().filter(names_it).collect(),
        });
    }
    topics
}

fn named_topics(facts: &EligibilityFacts) -> Vec<Topic<'_>> {
    let mut codes: Vec<&str> = Vec::new();
    for benefit in facts.benefits.iter().filter(|benefit| benefit.procedure.is_none()) {
        let code = benefit.service.code.as_str();
        if codes.len() < TOPICS_WITHOUT_ASK && !code.is_empty() && !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes.into_iter().map(|code| service_topic(facts, code)).collect()
}

fn service_topic<'a>(facts: &'a EligibilityFacts, code: &str) -> Topic<'a> {
    // A line for one procedure says nothing about the service as a whole.
    let benefits: Vec<&Benefit> =
        facts.benefits.iter().filter(|benefit| benefit.service.code == code && benefit.procedure.is_none()).collect();
    let told = benefits.iter().map(|benefit| benefit.service.label.as_str()).find(|l| !l.is_empty() && *l != code);
    let label = match (told, labels::service_type(code)) {
        (Some(told), _) => words::inside(told),
        (None, Some(known)) => known.to_owned(),
        (None, None) => format!("service type {code}"),
    };
    Topic { code: code.to_owned(), label, whole_plan: code == "30", benefits }
}
