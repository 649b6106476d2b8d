//! One benefit: a row of a table, or single values of a page.

use connector_sdk::answer::{
    Accumulator, AuthorizationNeed, Benefit, Coded, Coinsurance, Copay, Covered, Level, Limit, Network,
};
use connector_sdk::{Phi, Result};
use rust_decimal::Decimal;

use crate::read::{Reader, Spot};
use crate::settings::{BenefitRule, Find, FixedLevel, FixedNetwork};
use crate::value::{Pays, counted, money, pays, share};

/// Stands in place of an amount, folded. Of the words for "no" only these: a plain "No" may mean that nothing is paid.
const NOT_COVERED: &str = "not covered";

/// Fills one benefit in.
struct Filling<'r, 's, 'a> {
    spot: &'r Spot<'s>,
    reader: &'r Reader<'a>,
    benefit: Benefit,
    unread: bool,
}

impl Filling<'_, '_, '_> {
    fn get(&mut self, field: &'static str, of: &str, what: &Option<Find>) -> Result<Option<String>> {
        let text = self.spot.get(field, what.as_ref(), self.reader.settings)?;
        if text.is_some() {
            self.benefit.provenance.push(self.spot.provenance(of, what.as_ref()));
        }
        Ok(text)
    }

    /// Keeps a text that could not be read as a value: nothing the carrier said is lost, and no number is made up.
    fn keep(&mut self, what: &Option<Find>, text: &str) {
        self.unread = true;
        let name = what.as_ref().and_then(|what| what.header.as_deref().or(what.label.as_deref())).unwrap_or("Note");
        self.benefit.messages.push(Phi::new(format!("{name}: {text}")));
    }

    fn amount(&mut self, field: &'static str, what: &Option<Find>) -> Result<Option<Decimal>> {
        let Some(text) = self.get(field, field, what)? else { return Ok(None) };
        let amount = money(&text, self.reader.settings.formats.decimal);
        if amount.is_none() {
            self.keep(what, &text);
        }
        Ok(amount)
    }

    fn accumulator(
        &mut self,
        names: [&'static str; 3],
        places: [&Option<Find>; 3],
        period: Option<&String>,
    ) -> Result<Option<Accumulator>> {
        let [base, met, remaining] = places;
        let [base_name, met_name, remaining_name] = names;
        let filled = Accumulator {
            base: self.amount(base_name, base)?,
            met: self.amount(met_name, met)?,
            remaining: self.amount(remaining_name, remaining)?,
            period: period.map(|text| Coded::new("", text.clone())),
        };
        let any = filled.base.is_some() || filled.met.is_some() || filled.remaining.is_some();
        Ok(any.then_some(filled))
    }

    fn what_it_is_for(&mut self, rule: &BenefitRule) -> Result<()> {
        let words = self.get("service", "service", &rule.read.service)?;
        let by_words = words.as_ref().and_then(|text| {
            let wanted = crate::document::fold(text);
            rule.services.iter().find(|(known, _)| crate::document::fold(known) == wanted).map(|(_, code)| code.clone())
        });
        let code = by_words.or_else(|| rule.fixed.service.clone()).unwrap_or_default();
        let known = || connector_sdk::summary::service_type_label(&code).map(str::to_owned);
        let label = words.or_else(|| rule.fixed.label.clone()).or_else(known).unwrap_or_else(|| code.clone());
        self.benefit.service = Coded::new(code, label);
        self.benefit.network = match rule.fixed.network {
            Some(FixedNetwork::In) => Network::In,
            Some(FixedNetwork::Out) => Network::Out,
            Some(FixedNetwork::Both) => Network::Both,
            None => Network::NotStated,
        };
        self.benefit.level = match rule.fixed.level {
            Some(FixedLevel::Individual) => Level::Individual,
            Some(FixedLevel::Family) => Level::Family,
            None => Level::NotStated,
        };
        let words = &self.reader.settings.words;
        if let Some(text) = self.get("network", "network", &rule.read.network)? {
            match words.network(&text) {
                Some(network) => self.benefit.network = network,
                None => self.keep(&rule.read.network, &text),
            }
        }
        if let Some(text) = self.get("level", "level", &rule.read.level)? {
            self.benefit.level = words.level(&text);
        }
        if let Some(text) = self.get("covered", "covered", &rule.read.covered)? {
            match words.covered(&text) {
                Some(covered) => self.benefit.covered = covered,
                None => self.keep(&rule.read.covered, &text),
            }
        }
        if let Some(text) = self.get("authorization", "authorization", &rule.read.authorization)? {
            match words.authorization(&text) {
                Some(need) => self.benefit.authorization = need,
                None => self.keep(&rule.read.authorization, &text),
            }
        }
        Ok(())
    }

    fn what_it_costs(&mut self, rule: &BenefitRule) -> Result<()> {
        let (read, fixed) = (&rule.read, &rule.fixed);
        let mark = self.reader.settings.formats.decimal;
        let per = || fixed.copay_per.as_ref().map(|text| Coded::new("", text.clone()));
        if let Some(amount) = self.amount("copay.amount", &read.copay)? {
            self.benefit.copay = Some(Copay { amount, per: per() });
        }
        if let Some(text) = self.get("coinsurance.patient_share", "coinsurance.patient_share", &read.coinsurance)? {
            match share(&text, mark) {
                Some(patient_share) => self.benefit.coinsurance = Some(Coinsurance { patient_share, per: None }),
                None => self.keep(&read.coinsurance, &text),
            }
        }
        if let Some(text) = self.spot.get("pays", read.pays.as_ref(), self.reader.settings)? {
            let of = match pays(&text, mark) {
                Some(Pays::Copay(amount)) => {
                    self.benefit.copay = Some(Copay { amount, per: per() });
                    "copay.amount"
                }
                Some(Pays::Share(patient_share)) => {
                    self.benefit.coinsurance = Some(Coinsurance { patient_share, per: None });
                    "coinsurance.patient_share"
                }
                None if crate::document::fold(&text) == NOT_COVERED => {
                    self.benefit.covered = Covered::No;
                    "covered"
                }
                None => "messages",
            };
            // The words around the number may change its meaning: "after deductible".
            self.benefit.messages.push(Phi::new(text));
            self.benefit.provenance.push(self.spot.provenance(of, read.pays.as_ref()));
        }
        let period = fixed.period.as_ref();
        self.benefit.deductible = self.accumulator(
            ["deductible.base", "deductible.met", "deductible.remaining"],
            [&read.deductible, &read.deductible_met, &read.deductible_remaining],
            period,
        )?;
        self.benefit.out_of_pocket = self.accumulator(
            ["out_of_pocket.base", "out_of_pocket.met", "out_of_pocket.remaining"],
            [&read.out_of_pocket, &read.out_of_pocket_met, &read.out_of_pocket_remaining],
            period,
        )?;
        Ok(())
    }

    fn how_much_of_it(&mut self, rule: &BenefitRule) -> Result<()> {
        let mark = self.reader.settings.formats.decimal;
        let mut limit = Limit::default();
        let read = &rule.read;
        for (field, what) in [
            ("limit.allowed", &read.limit),
            ("limit.used", &read.limit_used),
            ("limit.remaining", &read.limit_remaining),
        ] {
            let Some(text) = self.get(field, field, what)? else { continue };
            let Some((count, unit)) = counted(&text, mark) else {
                self.keep(what, &text);
                continue;
            };
            match field {
                "limit.allowed" => limit.allowed = Some(count),
                "limit.used" => limit.used = Some(count),
                _ => limit.remaining = Some(count),
            }
            limit.unit = limit.unit.or_else(|| unit.map(|unit| Coded::new("", unit)));
        }
        if limit != Limit::default() {
            limit.unit = limit.unit.or_else(|| rule.fixed.limit_unit.as_ref().map(|unit| Coded::new("", unit.clone())));
            limit.period = rule.fixed.period.as_ref().map(|text| Coded::new("", text.clone()));
            self.benefit.limit = Some(limit);
        }
        Ok(())
    }
}

impl Reader<'_> {
    /// Reads one benefit and adds it, unless the page says nothing of it.
    pub(crate) fn benefit(&mut self, spot: &Spot<'_>, rule: &BenefitRule) -> Result<()> {
        let mut filling = Filling { spot, reader: self, benefit: Benefit::default(), unread: false };
        filling.what_it_is_for(rule)?;
        filling.what_it_costs(rule)?;
        filling.how_much_of_it(rule)?;
        if let Some(text) = filling.get("message", "messages", &rule.read.message)? {
            filling.benefit.messages.push(Phi::new(text));
        }
        let Filling { benefit, unread, .. } = filling;
        self.unread |= unread;
        if says_something(&benefit) {
            self.facts.benefits.push(benefit);
        }
        Ok(())
    }
}

fn says_something(benefit: &Benefit) -> bool {
    !benefit.provenance.is_empty()
        || benefit.covered != Covered::NotStated
        || benefit.authorization != AuthorizationNeed::NotStated
}
