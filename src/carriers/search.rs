//! Finds carriers by what people type: names, aliases, payer ids, plan names; typing errors forgiven.

use std::collections::BTreeSet;

use super::Carrier;
use super::words::distance;

/// Longest query looked at, characters; what is beyond is ignored.
pub const QUERY_MAX_CHARS: usize = 100;
/// Words of a query looked at.
const WORDS_MAX: usize = 8;

/// A carrier that was found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Hit {
    /// The carrier's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How well it fits, 0 to 100; 0 where nothing was asked for.
    pub score: u16,
    /// The name, alias, payer id or plan name that fitted.
    pub matched: String,
}

/// What is searched, prepared once for a set of carriers.
#[derive(Default)]
pub struct Index {
    rows: Vec<Row>,
}

struct Row {
    id: String,
    name: String,
    terms: Vec<Term>,
}

struct Term {
    shown: String,
    /// Lower case, punctuation gone, without spaces.
    compact: String,
    words: Vec<String>,
    trigrams: BTreeSet<[char; 3]>,
    /// Taken off the score: a plan's name says less than the carrier's own.
    less: u16,
    /// An identifier: no typing errors forgiven, since another payer may have the neighbouring number.
    exact: bool,
}

impl Index {
    /// Prepares the search over these carriers.
    pub fn new<'c>(carriers: impl IntoIterator<Item = &'c Carrier>) -> Self {
        let rows = carriers.into_iter().map(|carrier| {
            let mut terms = vec![Term::new(&carrier.name, 0, false), Term::new(&carrier.id, 0, false)];
            terms.extend(carrier.payer_ids.iter().map(|text| Term::new(text, 0, true)));
            terms.extend(carrier.aliases.iter().map(|text| Term::new(text, 1, false)));
            terms.extend(carrier.plan_names.iter().map(|text| Term::new(text, 5, false)));
            Row { id: carrier.id.clone(), name: carrier.name.clone(), terms }
        });
        Self { rows: rows.collect() }
    }

    /// The carriers that fit, best first; equal ones by name, then id. An empty query lists all of them by name.
    pub fn search(&self, query: &str, most: usize) -> Vec<Hit> {
        let query: String = query.chars().take(QUERY_MAX_CHARS).collect();
        let wanted = Term::new(&query, 0, false);
        let all = wanted.compact.is_empty();
        if all && !query.trim().is_empty() {
            return Vec::new(); // punctuation only
        }
        let mut hits: Vec<Hit> = self
            .rows
            .iter()
            .filter_map(|row| {
                let best = row.terms.iter().map(|term| (term.score(&wanted), term)).max_by(|a, b| {
                    // The first of equals, so that a name goes before an alias.
                    a.0.cmp(&b.0).then(std::cmp::Ordering::Greater)
                });
                let (score, term) = best.filter(|(score, _)| all || *score > 0)?;
                let matched = if all { row.name.clone() } else { term.shown.clone() };
                Some(Hit { id: row.id.clone(), name: row.name.clone(), score, matched })
            })
            .collect();
        hits.sort_by(|a, b| {
            b.score.cmp(&a.score).then_with(|| a.name.to_lowercase().cmp(&b.name.to_lowercase())).then(a.id.cmp(&b.id))
        });
        hits.truncate(most);
        hits
    }
}

impl Term {
    fn new(text: &str, less: u16, exact: bool) -> Self {
        let words = words(text);
        let compact = words.concat();
        let letters: Vec<char> = format!("  {compact} ").chars().collect();
        let trigrams = letters
            .windows(3)
            .filter_map(|three| <[char; 3]>::try_from(three).ok())
            .filter(|_| !compact.is_empty())
            .collect();
        Self { shown: text.to_owned(), compact, words, trigrams, less, exact }
    }

    fn score(&self, wanted: &Self) -> u16 {
        if wanted.compact.is_empty() || self.compact.is_empty() {
            return 0;
        }
        let long_enough = wanted.compact.chars().count() >= 3;
        let score = if self.compact == wanted.compact {
            100
        } else if self.compact.starts_with(&wanted.compact) {
            90
        } else if self.exact {
            0
        } else if long_enough && wanted.words.iter().all(|word| self.words.iter().any(|own| own.starts_with(word))) {
            80
        } else if long_enough && self.compact.contains(&wanted.compact) {
            70
        } else {
            self.by_words(wanted).max(self.by_trigrams(wanted))
        };
        score.saturating_sub(self.less)
    }

    /// Every word of the query is near one of ours; 65 minus five for each typing error.
    fn by_words(&self, wanted: &Self) -> u16 {
        let mut errors = 0;
        for word in wanted.words.iter().take(WORDS_MAX) {
            let length = word.chars().count();
            let most = [0, 0, 0, 0, 1, 1, 1].get(length).copied().unwrap_or(2);
            let near = self.words.iter().filter_map(|own| {
                // A word may still be being typed: compare with as much of ours as there is of it.
                let begun: String = own.chars().take(length).collect();
                let whole = distance(word, own, most);
                let start = (length >= 4).then(|| distance(word, &begun, most.min(1))).flatten();
                whole.into_iter().chain(start).min()
            });
            match near.min() {
                Some(steps) => errors += u16::try_from(steps).unwrap_or(u16::MAX),
                None => return 0,
            }
        }
        65_u16.saturating_sub(errors.saturating_mul(5)).max(40)
    }

    /// Shared runs of three letters: catches words run together, left out, or swapped.
    fn by_trigrams(&self, wanted: &Self) -> u16 {
        let shared = self.trigrams.intersection(&wanted.trigrams).count();
        let all = self.trigrams.len() + wanted.trigrams.len();
        let percent = (shared * 200).checked_div(all).unwrap_or(0);
        if percent >= 50 && wanted.compact.chars().count() >= 4 {
            u16::try_from(percent * 2 / 5).unwrap_or(0).min(39)
        } else {
            0
        }
    }
}

/// Lower-case words; apostrophes join (`O'Hara` is `ohara`), other punctuation separates, `&` is `and`.
fn words(text: &str) -> Vec<String> {
    let spaced: String = text
        .replace('&', " and ")
        .chars()
        .filter(|letter| !matches!(letter, '\'' | '’' | '.'))
        .map(|letter| if letter.is_alphanumeric() { letter } else { ' ' })
        .collect();
    spaced.to_lowercase().split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Index {
        let row = |id: &str, name: &str, payer: &str, aliases: &[&str], plans: &[&str]| {
            let mut terms = vec![Term::new(name, 0, false), Term::new(id, 0, false), Term::new(payer, 0, true)];
            terms.extend(aliases.iter().map(|text| Term::new(text, 1, false)));
            terms.extend(plans.iter().map(|text| Term::new(text, 5, false)));
            Row { id: id.into(), name: name.into(), terms }
        };
        Index {
            rows: vec![
                row("northstar", "Northstar Health", "87726", &["NSH", "North Star"], &["Northstar Choice Plus"]),
                row("bluevalley", "Blue Valley of Ohio", "00834", &["BVO"], &["Valley Advantage PPO"]),
                row("statemed", "State Medicaid", "SKOH0", &["Medical Assistance & Aid"], &[]),
                row("bluehill", "Blue Hill Mutual", "00835", &[], &[]),
            ],
        }
    }

    fn first(query: &str) -> Option<(String, String)> {
        index().search(query, 10).into_iter().next().map(|hit| (hit.id, hit.matched))
    }

    #[test]
    fn finds_by_every_name_and_forgives_typing_errors() {
        for (query, id, matched) in [
            ("northstar", "northstar", "northstar"),
            ("NORTH STAR HEALTH", "northstar", "Northstar Health"),
            ("nothstar", "northstar", "Northstar Health"),
            ("norhtstar helth", "northstar", "Northstar Health"),
            ("87726", "northstar", "87726"),
            ("choice plus", "northstar", "Northstar Choice Plus"),
            ("blue vally", "bluevalley", "Blue Valley of Ohio"),
            ("bleu valley", "bluevalley", "Blue Valley of Ohio"),
            ("valley advantage", "bluevalley", "Valley Advantage PPO"),
            ("b.v.o.", "bluevalley", "BVO"),
            ("medicade", "statemed", "State Medicaid"),
            ("medical assistance and aid", "statemed", "Medical Assistance & Aid"),
        ] {
            assert_eq!(first(query), Some((id.to_owned(), matched.to_owned())), "{query}");
        }
    }

    #[test]
    fn numbers_are_not_guessed() {
        let ids: Vec<String> = index().search("00834", 10).into_iter().map(|hit| hit.id).collect();
        assert_eq!(ids, ["bluevalley"]);
        assert_eq!(first("00836"), None);
    }

    #[test]
    fn nothing_fits_nothing() {
        for query in ["zzz", "???", "completely different words", "x"] {
            assert_eq!(first(query), None, "{query}");
        }
    }

    #[test]
    fn order_is_stable_and_bounded() {
        let ids: Vec<String> = index().search("blue", 10).into_iter().map(|hit| hit.id).collect();
        assert_eq!(ids, ["bluehill", "bluevalley"]);
        let all: Vec<String> = index().search("  ", 3).into_iter().map(|hit| hit.name).collect();
        assert_eq!(all, ["Blue Hill Mutual", "Blue Valley of Ohio", "Northstar Health"]);
        assert!(index().search(&"ü𝄞".repeat(100_000), 10).is_empty());
    }
}
