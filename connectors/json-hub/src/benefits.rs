//! Benefits: every item of the carrier's lists becomes a part of a benefit, and parts of the same service, network and
//! level are put together, so that a deductible and what is left of it stand in one object.

use connector_sdk::answer::{
    Accumulator, AuthorizationNeed, Benefit, Coded, Coinsurance, Contact, Copay, Covered, EligibilityFacts, Level,
    Limit, Network, OtherFact, OtherPayer, Plan,
};
use connector_sdk::summary::service_type_label;
use connector_sdk::{Context, Error, ErrorKind, Phi, Result};
use rust_decimal::Decimal;

use crate::codes::{self, Kind};
use crate::hub::Hub;
use crate::merge::Merged;
use crate::path::Path;
use crate::settings::{AccumulatorRules, AnswerRules, BenefitRules};
use crate::value::{self, Item};

/// Most items and most service types of one item.
const ITEMS_MOST: usize = 5000;
const SERVICES_MOST: usize = 200;
const BENEFITS_MOST: usize = 20_000;

/// Reads all benefits into the facts.
///
/// # Errors
/// When there are more items than any answer has.
pub fn read(hub: &Hub, ctx: &Context, reply: &Item<'_>, facts: &mut EligibilityFacts) -> Result<()> {
    let mut merged = Merged::default();
    for rules in &hub.answer.benefits {
        let items = rules.each.all(reply.value, reply.pointer);
        if items.len() > ITEMS_MOST {
            return Err(too_many());
        }
        for found in &items {
            let at = Item { value: &found.value, pointer: &found.pointer, reply: reply.reply };
            let mut part = Part::new(rules, &hub.answer, ctx, at);
            part.own_fields();
            part.by_kind(facts);
            let services = services(hub, rules, &at);
            let Some(benefit) = part.done() else { continue };
            for service in services {
                merged.add(Benefit { service, ..benefit.clone() });
            }
            if merged.count() > BENEFITS_MOST {
                return Err(too_many());
            }
        }
    }
    facts.benefits = merged.into_benefits();
    Ok(())
}

fn too_many() -> Error {
    Error::new(ErrorKind::ProtocolBroken, "The reply holds more benefits than any answer.")
}

fn services(hub: &Hub, rules: &BenefitRules, at: &Item<'_>) -> Vec<Coded> {
    let labels = at.texts(rules.service_label.as_ref());
    let mut codes = at.texts(rules.service.as_ref());
    if codes.is_empty() {
        codes.extend(rules.service_is.clone());
    }
    codes.truncate(SERVICES_MOST);
    let one_label = labels.len() == codes.len();
    let coded = |(n, code): (usize, String)| {
        let x12 = hub.codes.service_back(&code);
        let label = labels.get(n).filter(|_| one_label).cloned();
        let label = label.or_else(|| service_type_label(x12).map(str::to_owned)).unwrap_or_else(|| x12.to_owned());
        Coded::new(x12, label)
    };
    let known: Vec<Coded> = codes.into_iter().enumerate().map(coded).collect();
    if known.is_empty() {
        // No service type at all: kept, under the carrier's own words if it has any.
        return vec![Coded::new("", labels.first().cloned().unwrap_or_default())];
    }
    known
}

/// One item on its way to a benefit.
struct Part<'a> {
    rules: &'a BenefitRules,
    answer: &'a AnswerRules,
    ctx: &'a Context,
    at: Item<'a>,
    benefit: Benefit,
    /// Whether the item said anything.
    said: bool,
}

impl<'a> Part<'a> {
    fn new(rules: &'a BenefitRules, answer: &'a AnswerRules, ctx: &'a Context, at: Item<'a>) -> Self {
        let maps = &answer.codes;
        let code = |path: &Option<Path>| at.text(path.as_ref());
        let network = match code(&rules.network) {
            Some(code) => codes::network(&maps.network, maps.x12, &code),
            None => rules.network_is,
        };
        let level = match code(&rules.level) {
            Some(code) => codes::level(&maps.level, maps.x12, &code),
            None => rules.level_is.as_deref().and_then(codes::level_named).unwrap_or(Level::NotStated),
        };
        let plain = |code: String| Coded::new(code.clone(), code);
        let benefit = Benefit {
            procedure: code(&rules.procedure).map(plain),
            network: network.unwrap_or(Network::NotStated),
            level,
            insurance_type: code(&rules.insurance_type).map(plain),
            plan: code(&rules.plan),
            places: at.texts(rules.place.as_ref()).into_iter().map(plain).collect(),
            messages: at.texts(rules.messages.as_ref()).into_iter().map(Phi::new).collect(),
            ..Benefit::default()
        };
        let said = !benefit.messages.is_empty();
        Self { rules, answer, ctx, at, benefit, said }
    }

    /// The benefit, unless the item said nothing.
    fn done(self) -> Option<Benefit> {
        self.said.then_some(self.benefit)
    }

    /// Notes where a field was read.
    fn read_at(&mut self, of: &[&str], pointer: &str) {
        self.said = true;
        self.benefit.provenance.push(self.at.provenance(of, pointer));
    }

    /// A number at a path; what cannot be read as one is kept as text.
    fn number(&mut self, path: Option<&Path>, of: &str) -> Option<Decimal> {
        let found = self.at.find(path)?;
        match value::amount(&found.value) {
            Some(number) => {
                self.read_at(&[of], &found.pointer);
                Some(number)
            }
            None => {
                self.unreadable(&found.value);
                None
            }
        }
    }

    fn share(&mut self, path: Option<&Path>, of: &str) -> Option<Decimal> {
        let found = self.at.find(path)?;
        match value::share(&found.value, self.answer.shares) {
            Some(share) => {
                self.read_at(&[of], &found.pointer);
                Some(share)
            }
            None => {
                self.unreadable(&found.value);
                None
            }
        }
    }

    fn unreadable(&mut self, value: &serde_json::Value) {
        if let Some(text) = value::text(value) {
            self.ctx
                .warn("number_unreadable", "A number in the carrier's reply could not be read; it stands as a note.");
            self.benefit.messages.push(Phi::new(text));
            self.said = true;
        }
    }

    fn period(&self, path: Option<&Path>) -> Option<Coded> {
        let maps = &self.answer.codes;
        self.at.text(path).map(|code| codes::period(&maps.period, maps.x12, &code))
    }

    fn unit(&self, path: Option<&Path>) -> Option<Coded> {
        let maps = &self.answer.codes;
        self.at.text(path).map(|code| codes::unit(&maps.unit, maps.x12, &code))
    }

    /// What stands in fields of its own.
    fn own_fields(&mut self) {
        let rules = self.rules;
        let maps = &self.answer.codes;
        if let Some((code, pointer)) = self.at.text_at(rules.covered.as_ref()) {
            self.benefit.covered = codes::covered(&maps.covered, maps.x12, &code).unwrap_or_default();
            self.read_at(&["covered"], &pointer);
        }
        if let Some((code, pointer)) = self.at.text_at(rules.authorization.as_ref()) {
            let need = codes::authorization(&maps.authorization, maps.x12, &code).unwrap_or_default();
            self.benefit.authorization = need;
            self.read_at(&["authorization"], &pointer);
        }
        if let Some(amount) = self.number(rules.copay.as_ref(), "copay.amount") {
            self.benefit.copay = Some(Copay { amount, per: self.period(rules.copay_per.as_ref()) });
        }
        if let Some(patient_share) = self.share(rules.coinsurance.as_ref(), "coinsurance.patient_share") {
            self.benefit.coinsurance = Some(Coinsurance { patient_share, per: None });
        }
        self.benefit.deductible = self.accumulator(&rules.deductible, "deductible");
        self.benefit.out_of_pocket = self.accumulator(&rules.out_of_pocket, "out_of_pocket");
        let allowed = self.number(rules.limit.allowed.as_ref(), "limit.allowed");
        let used = self.number(rules.limit.used.as_ref(), "limit.used");
        let remaining = self.number(rules.limit.remaining.as_ref(), "limit.remaining");
        if allowed.or(used).or(remaining).is_some() {
            let fixed = || rules.limit.unit_is.as_ref().map(|unit| Coded::new("", unit.clone()));
            let unit = self.unit(rules.limit.unit.as_ref()).or_else(fixed);
            let period = self.period(rules.limit.period.as_ref());
            self.benefit.limit = Some(Limit { allowed, used, remaining, unit, period, patterns: Vec::new() });
        }
    }

    fn accumulator(&mut self, rules: &AccumulatorRules, name: &str) -> Option<Accumulator> {
        let base = self.number(rules.base.as_ref(), &format!("{name}.base"));
        let met = self.number(rules.met.as_ref(), &format!("{name}.met"));
        let remaining = self.number(rules.remaining.as_ref(), &format!("{name}.remaining"));
        base.or(met).or(remaining)?;
        Some(Accumulator { base, met, remaining, period: self.period(rules.period.as_ref()) })
    }

    /// What an item of a list with a kind says.
    fn by_kind(&mut self, facts: &mut EligibilityFacts) {
        let Some((code, pointer)) = self.at.text_at(self.rules.kind.as_ref()) else { return };
        let maps = &self.answer.codes;
        let kind = codes::kind(&maps.kind, maps.x12, &code);
        self.said = true;
        let period = self.period(self.rules.period.as_ref());
        let per = period.clone();
        let state = State::of(period.as_ref(), maps.x12);
        let has = |path: &Option<Path>| self.at.find(path.as_ref()).is_some();
        let (money, share, count) = (has(&self.rules.amount), has(&self.rules.share), has(&self.rules.quantity));
        match kind {
            Some(Kind::Covered) => self.covered(Covered::Yes, &pointer),
            Some(Kind::NotCovered) => self.covered(Covered::No, &pointer),
            Some(Kind::Limited) => self.covered(Covered::Limited, &pointer),
            Some(Kind::AuthorizationRequired) => {
                self.benefit.authorization = AuthorizationNeed::Required;
                self.read_at(&["authorization"], &pointer);
            }
            Some(Kind::Copay) if money => {
                if let Some(amount) = self.number(self.rules.amount.as_ref(), "copay.amount") {
                    self.benefit.copay = Some(Copay { amount, per });
                }
            }
            Some(Kind::Coinsurance) if share => {
                if let Some(patient_share) = self.share(self.rules.share.as_ref(), "coinsurance.patient_share") {
                    self.benefit.coinsurance = Some(Coinsurance { patient_share, per });
                }
            }
            Some(Kind::Deductible) if money => self.kind_accumulator(Which::Deductible, state, per),
            Some(Kind::DeductibleMet) if money => self.kind_accumulator(Which::Deductible, State::Used, per),
            Some(Kind::DeductibleRemaining) if money => self.kind_accumulator(Which::Deductible, State::Left, per),
            Some(Kind::OutOfPocket) if money => self.kind_accumulator(Which::OutOfPocket, state, per),
            Some(Kind::OutOfPocketMet) if money => self.kind_accumulator(Which::OutOfPocket, State::Used, per),
            Some(Kind::OutOfPocketRemaining) if money => self.kind_accumulator(Which::OutOfPocket, State::Left, per),
            Some(Kind::Limit) if money || count => self.kind_limit(state, per),
            Some(Kind::LimitUsed) if money || count => self.kind_limit(State::Used, per),
            Some(Kind::LimitRemaining) if money || count => self.kind_limit(State::Left, per),
            Some(Kind::OtherPayer) => {
                self.other_payer(facts, &pointer);
                self.note(code, per, &pointer);
            }
            Some(Kind::PrimaryCare) => {
                if let Some(name) = self.at.text(self.rules.entity.as_ref()) {
                    first_plan(facts).primary_care.get_or_insert_with(|| primary_care(&name));
                }
                self.note(code, per, &pointer);
            }
            // A kind without the number it is about, and whatever nobody knows: kept as it came.
            _ => self.note(code, per, &pointer),
        }
    }

    fn covered(&mut self, covered: Covered, pointer: &str) {
        self.benefit.covered = covered;
        self.read_at(&["covered"], pointer);
    }

    fn kind_accumulator(&mut self, which: Which, state: State, period: Option<Coded>) {
        let of = format!("{}.{}", which.name(), state.accumulator_field());
        let Some(amount) = self.number(self.rules.amount.as_ref(), &of) else { return };
        let mut accumulator = Accumulator::default();
        match state {
            State::Whole => {
                accumulator.base = Some(amount);
                accumulator.period = period;
            }
            State::Used => accumulator.met = Some(amount),
            State::Left => accumulator.remaining = Some(amount),
        }
        match which {
            Which::Deductible => self.benefit.deductible = Some(accumulator),
            Which::OutOfPocket => self.benefit.out_of_pocket = Some(accumulator),
        }
    }

    fn kind_limit(&mut self, state: State, period: Option<Coded>) {
        let unit = self.unit(self.rules.unit.as_ref());
        // X12 EB09 `99` is not a unit: it says that the count is what was used.
        let used = unit.as_ref().is_some_and(|unit| unit.code == "99" && self.answer.codes.x12);
        let state = if used { State::Used } else { state };
        let (path, unit) = match &self.rules.quantity {
            Some(path) if self.at.find(Some(path)).is_some() => (Some(path), unit.filter(|_| !used)),
            _ => (self.rules.amount.as_ref(), Some(Coded::new("USD", "US dollars"))),
        };
        let Some(number) = self.number(path, &format!("limit.{}", state.limit_field())) else { return };
        let mut limit = Limit { unit, ..Limit::default() };
        match state {
            State::Whole => {
                limit.allowed = Some(number);
                limit.period = period;
            }
            State::Used => limit.used = Some(number),
            State::Left => limit.remaining = Some(number),
        }
        self.benefit.limit = Some(limit);
    }

    fn note(&mut self, code: String, period: Option<Coded>, pointer: &str) {
        let label = codes::kind_label(&code).filter(|_| self.answer.codes.x12).unwrap_or(&code).to_owned();
        let amount = self.number(self.rules.amount.as_ref(), "other.amount");
        let share = self.share(self.rules.share.as_ref(), "other.share");
        let quantity = self.number(self.rules.quantity.as_ref(), "other.quantity");
        let unit = self.unit(self.rules.unit.as_ref());
        let kind = Coded { code, label };
        self.benefit.other.push(OtherFact { kind, amount, share, quantity, unit, period, text: None });
        self.read_at(&["other"], pointer);
    }

    fn other_payer(&mut self, facts: &mut EligibilityFacts, pointer: &str) {
        let payer = OtherPayer {
            name: self.at.text(self.rules.entity.as_ref()),
            messages: self.benefit.messages.clone(),
            provenance: vec![self.at.provenance(&[], pointer)],
            ..OtherPayer::default()
        };
        let payers = &mut first_plan(facts).other_payers;
        if payers.len() < SERVICES_MOST {
            payers.push(payer);
        }
    }
}

fn first_plan(facts: &mut EligibilityFacts) -> &mut Plan {
    if facts.plans.is_empty() {
        facts.plans.push(Plan { status: facts.coverage, ..Plan::default() });
    }
    // Just made sure that there is one.
    &mut facts.plans[0]
}

#[derive(Clone, Copy)]
enum Which {
    Deductible,
    OutOfPocket,
}

impl Which {
    fn name(self) -> &'static str {
        match self {
            Self::Deductible => "deductible",
            Self::OutOfPocket => "out_of_pocket",
        }
    }
}

/// What a number is of: the whole, what is used, what is left.
#[derive(Clone, Copy)]
enum State {
    Whole,
    Used,
    Left,
}

impl State {
    /// X12 EB06: `29` and `33` mean "left", `24` (year to date) "used".
    fn of(period: Option<&Coded>, x12: bool) -> Self {
        match period.map(|period| period.code.as_str()) {
            Some("29" | "33") if x12 => Self::Left,
            Some("24") if x12 => Self::Used,
            _ => Self::Whole,
        }
    }

    fn accumulator_field(self) -> &'static str {
        match self {
            Self::Whole => "base",
            Self::Used => "met",
            Self::Left => "remaining",
        }
    }

    fn limit_field(self) -> &'static str {
        match self {
            Self::Whole => "allowed",
            Self::Used => "used",
            Self::Left => "remaining",
        }
    }
}

/// A primary care provider of whom only the name is known.
pub fn primary_care(name: &str) -> Contact {
    Contact { role: Some(Coded::new("P3", "Primary care provider")), name: Some(name.into()), ..Contact::default() }
}
