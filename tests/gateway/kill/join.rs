//! What clients were told, what the ledger says and what the carrier wrote down, side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use http::StatusCode;
use serde_json::{Value, json};

use super::client;
use crate::support::Reply;

/// Of a hundred submissions to a carrier that can be asked, so many at most may need a person.
const PERSON_PERCENT_MAX: usize = 1;
/// Readers of the ledger at the same time.
const READERS: usize = 16;
/// Problems told; a broken policy has many.
const TOLD_MAX: usize = 20;

/// The three books.
pub struct Books {
    pub acknowledged: BTreeMap<usize, String>,
    pub ledger: BTreeMap<String, Value>,
    pub receipts: Vec<Value>,
}

/// What the join gives.
#[derive(Default)]
pub struct Report {
    pub problems: Vec<String>,
    acknowledged: usize,
    received: usize,
    accepted: usize,
    resent: usize,
    inquired: usize,
    person: usize,
    faults: BTreeMap<String, usize>,
}

/// The ledger's word on every acknowledged submission, once nothing more will happen by itself.
pub async fn at_rest(
    address: &str,
    key: &str,
    acknowledged: &BTreeMap<usize, String>,
    patience: Duration,
) -> BTreeMap<String, Value> {
    let until = Instant::now() + patience;
    let mut ledger = BTreeMap::new();
    let mut open: Vec<String> = acknowledged.values().cloned().collect();
    while !open.is_empty() && Instant::now() < until {
        let told: Vec<(String, Option<Reply>)> = futures_util::stream::iter(open.drain(..))
            .map(|id| async {
                let reply = client::get(address, key, &format!("/v1/authorizations/{id}")).await;
                (id, reply)
            })
            .buffer_unordered(READERS)
            .collect()
            .await;
        for (id, reply) in told {
            match reply {
                Some(reply) if reply.status == StatusCode::OK => {
                    if !rests(&reply.body) {
                        open.push(id.clone());
                    }
                    ledger.insert(id, reply.body);
                }
                Some(reply) => drop(ledger.insert(id, json!({ "missing": reply.text }))),
                None => open.push(id),
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ledger
}

/// Where the ledger says that one stands.
fn state(told: &Value) -> &str {
    told["submission"]["state"].as_str().unwrap_or("missing")
}

/// Whether nothing more happens to it by itself.
fn rests(told: &Value) -> bool {
    match state(told) {
        "queued" | "intent" | "armed" => false,
        "unknown" => told["submission"]["next"]["what"] == "person",
        _ => true,
    }
}

impl Books {
    /// Holds the three against each other.
    pub fn join(&self) -> Report {
        let mut report = Report { acknowledged: self.acknowledged.len(), ..Report::default() };
        let accepted = self.accepted(&mut report);
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for (number, id) in &self.acknowledged {
            let Some(told) = self.ledger.get(id) else {
                report.problem(format!("submission {number} ({id}) was acknowledged and the ledger did not answer"));
                continue;
            };
            let trace = told["submission"]["reference"].as_str().unwrap_or_default();
            if trace.is_empty() {
                report.problem(format!("LOST: submission {number} ({id}) was acknowledged: {told}"));
                continue;
            }
            if !known.insert(trace) {
                report.problem(format!("two submissions have the reference {trace}"));
            }
            let records = accepted.get(trace).map(Vec::as_slice).unwrap_or_default();
            report.one(*number, told, records);
        }
        for trace in accepted.keys().filter(|trace| !known.contains(trace.as_str())) {
            report.problem(format!("the carrier has {trace}, which no client submitted"));
        }
        if report.person * 100 > report.acknowledged * PERSON_PERCENT_MAX {
            let (person, all) = (report.person, report.acknowledged);
            report.problem(format!("{person} of {all} need a person"));
        }
        report
    }

    /// The carrier's records by our reference; also what else it wrote down.
    fn accepted(&self, report: &mut Report) -> BTreeMap<String, Vec<String>> {
        let mut accepted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut received: BTreeMap<&str, usize> = BTreeMap::new();
        for line in &self.receipts {
            let text = |name: &str| line[name].as_str().unwrap_or_default();
            match text("event") {
                "received" => {
                    report.received += 1;
                    *report.faults.entry(text("fault").to_owned()).or_default() += 1;
                    *received.entry(text("trace")).or_default() += 1;
                }
                "accepted" => {
                    report.accepted += 1;
                    accepted.entry(text("trace").to_owned()).or_default().push(text("record").to_owned());
                }
                _ => report.inquired += 1,
            }
        }
        report.resent = received.values().map(|count| count - 1).sum();
        for (trace, records) in accepted.iter().filter(|(_, records)| records.len() > 1) {
            report.problem(format!("DOUBLED: the carrier has {trace} {} times: {records:?}", records.len()));
        }
        accepted
    }

    /// Writes the books down.
    pub fn keep(&self, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        let write = |name: &str, value: &Value| {
            std::fs::write(folder.join(name), serde_json::to_vec_pretty(value).unwrap()).unwrap();
        };
        write("acknowledged.json", &json!(self.acknowledged));
        write("ledger.json", &json!(self.ledger));
        write("receipts.json", &json!(self.receipts));
    }
}

impl Report {
    fn problem(&mut self, text: String) {
        if self.problems.len() < TOLD_MAX {
            self.problems.push(text);
        }
    }

    /// One submission: what the ledger says of it against the carrier's records.
    fn one(&mut self, number: usize, told: &Value, records: &[String]) {
        let receipt = told["submission"]["receipt"]["reference"].as_str();
        match (state(told), receipt, records) {
            ("accepted", Some(receipt), [record]) if receipt == record => {}
            // The carrier's answer is out of reach: a person was called in, which is allowed to a few.
            ("unknown", None, _) if rests(told) => self.person += 1,
            ("accepted", ..) => self.problem(format!(
                "submission {number} is accepted with receipt {receipt:?}, the carrier's records are {records:?}"
            )),
            (state, _, []) => self.problem(format!("LOST: submission {number} is {state}, and the carrier has none")),
            (state, ..) => self.problem(format!("submission {number} is {state}, and the carrier has {records:?}")),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, received, accepted, resent, inquired, person, faults, problems } = self;
        write!(
            f,
            "{acknowledged} acknowledged, {received} received ({resent} sent again), {accepted} accepted, {inquired} \
             inquiries, {person} for a person, {} problems\nfaults: {faults:?}",
            problems.len()
        )
    }
}

#[test]
fn the_join_finds_what_is_lost_doubled_and_without_receipt() {
    let told = |state: &str, receipt: Option<&str>, trace: &str| {
        let receipt = receipt.map(|reference| json!({ "reference": reference }));
        json!({ "submission": { "state": state, "reference": trace, "receipt": receipt, "next": { "what": "person" } } })
    };
    let line = |trace: &str, record: &str| json!({ "event": "accepted", "trace": trace, "record": record });
    let books = |state: &str, receipt: Option<&str>, lines: Vec<Value>| Books {
        acknowledged: BTreeMap::from([(0, "a".to_owned())]),
        ledger: BTreeMap::from([("a".to_owned(), told(state, receipt, "T1"))]),
        receipts: lines,
    };
    let problems = |books: Books| books.join().problems;
    assert_eq!(problems(books("accepted", Some("N1"), vec![line("T1", "N1")])), Vec::<String>::new());
    for (bad, word) in [
        (books("accepted", Some("N1"), vec![]), "receipt"),
        (books("accepted", Some("N1"), vec![line("T1", "N1"), line("T1", "N2")]), "DOUBLED"),
        (books("accepted", None, vec![line("T1", "N1")]), "receipt"),
        (books("rejected", None, vec![]), "LOST"),
        (books("accepted", Some("N1"), vec![line("T1", "N1"), line("T2", "N2")]), "no client"),
        (books("unknown", None, vec![line("T1", "N1")]), "need a person"),
        (Books { ledger: BTreeMap::new(), ..books("accepted", None, vec![]) }, "did not answer"),
    ] {
        let found = problems(bad);
        assert!(found.iter().any(|problem| problem.contains(word)), "{word}: {found:?}");
    }
}
