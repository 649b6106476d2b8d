//! The trials of submissions: what must hold of every connector that sends an ask with an effect.
//!
//! One recorded exchange is a folder in `submissions/`, beside `cassettes/`: `ask.json` ([`AuthorizationRequest`]),
//! `settings.toml`, `commit.request.http` and `commit.response.http`, and, where there is an inquiry,
//! `inquiry.request.http` and `inquiry.response.http`, all as in a cassette. `want.json` has `"commit"` (`accepted`,
//! `refused_no_effect`, `not_sent`, `unknown`), `"inquiry"` (`present`, `absent`, `ambiguous`, `failed`), and some of
//! `"receipt"`, `"answer"`, `"refusal"`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use super::cassette::{Recorded, response, written};
use super::faults::{CANARY, Fault};
use super::walls::secrets;
use super::{Checked, build, want};
use crate::testing::{FakeHost, block_on};
use crate::{AuthorizationRequest, Commit, Connector, Inquiry, Prepared, Registration, Result, Settings};

/// The business reference of every trial.
const BIZ_REF: &str = "PORTICOBIZREF0001";
/// Exchanges every connector of authorizations must have.
const REQUIRED: [&str; 3] = ["accepted", "refused", "absent"];

type Reply = Result<Response<Bytes>>;

/// One recorded exchange.
struct Exchange {
    name: String,
    folder: PathBuf,
    carrier_file: String,
    ask: AuthorizationRequest,
    want: Value,
    commit: Response<Bytes>,
    inquiry: Option<Response<Bytes>>,
}

impl Exchange {
    fn load(folder: PathBuf) -> std::result::Result<Self, String> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let bad = |name: &str, error: String| format!("{}/{name}: {error}", folder.display());
        let reply = |name: &str| response(&read(name)?).ok_or_else(|| bad(name, "no HTTP response".to_owned()));
        let inquiry = folder.join("inquiry.response.http").exists();
        Ok(Self {
            ask: serde_json::from_slice(&read("ask.json")?).map_err(|error| bad("ask.json", error.to_string()))?,
            want: serde_json::from_slice(&read("want.json")?).map_err(|error| bad("want.json", error.to_string()))?,
            carrier_file: String::from_utf8_lossy(&read("settings.toml")?).into_owned(),
            commit: reply("commit.response.http")?,
            inquiry: inquiry.then(|| reply("inquiry.response.http")).transpose()?,
            name: folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            folder,
        })
    }

    fn connector(&self, registration: &Registration) -> std::result::Result<(Arc<dyn Connector>, Settings), Failed> {
        let (connector, settings) = build(registration, &self.carrier_file)?;
        if connector.submissions().is_none() {
            return Err("The settings.toml of this exchange makes a connector without submissions.".into());
        }
        Ok((connector, settings))
    }

    /// Another patient's and another submission's values, for a reply that is not about this one.
    fn strangers(&self) -> Vec<(String, String)> {
        let member = self.ask.member.member_id.iter().map(|id| (id.text().to_owned(), "9".repeat(id.text().len())));
        member.chain([(BIZ_REF.to_owned(), "SOMEBODYELSES9999".to_owned())]).collect()
    }
}

/// Adds the trials of all exchanges in `folder`.
pub(super) fn trials(registration: &'static Registration, folder: &Path, trials: &mut Vec<Trial>) {
    let entries = fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()).collect::<Vec<_>>());
    let mut folders = entries.unwrap_or_default();
    folders.retain(|path| path.is_dir());
    folders.sort();
    for required in REQUIRED {
        let there = folders.iter().any(|path| path.file_name().is_some_and(|name| name == required));
        trials.push(Trial::test(format!("submissions::has_{required}"), move || {
            if there { Ok(()) } else { Err(format!("There is no exchange submissions/{required}.").into()) }
        }));
    }
    for folder in folders {
        let exchange = match Exchange::load(folder) {
            Ok(exchange) => Arc::new(exchange),
            Err(problem) => {
                trials.push(Trial::test("submissions::can_be_read", move || Err(problem.into())));
                continue;
            }
        };
        let mut add = |name: String, check: Box<dyn Fn(&Exchange) -> Checked + Send>| {
            let exchange = exchange.clone();
            let name = format!("submission {}::{name}", exchange.name);
            trials.push(Trial::test(name, move || check(&exchange)));
        };
        add("replay".to_owned(), Box::new(move |exchange| replay(registration, exchange)));
        add("walls".to_owned(), Box::new(move |exchange| walls(registration, exchange)));
        add("cut_anywhere_is_unknown".to_owned(), Box::new(move |exchange| cut(registration, exchange)));
        for fault in Fault::ALL {
            add(format!("commit_{fault:?}"), Box::new(move |exchange| commit_fault(registration, exchange, fault)));
            if exchange.inquiry.is_some() {
                add(
                    format!("inquiry_{fault:?}"),
                    Box::new(move |exchange| inquiry_fault(registration, exchange, fault)),
                );
            }
        }
    }
}

/// A commit of a fresh attempt answered with `reply`, and what was sent meanwhile.
fn committed(
    connector: &Arc<dyn Connector>,
    exchange: &Exchange,
    reply: Reply,
) -> std::result::Result<(Prepared, Commit, Vec<Request<Bytes>>), Failed> {
    let submissions = connector.submissions().ok_or("There are no submissions.")?;
    let host = FakeHost::new(move |_, _| reply.clone());
    let ctx = host.context();
    let prepared = submissions
        .prepare(&ctx, &exchange.ask, BIZ_REF)
        .map_err(|error| Failed::from(format!("prepare failed: {error}")))?;
    if !host.requests().is_empty() {
        return Err("prepare sent something.".into());
    }
    let commit = block_on(submissions.commit(&ctx, &prepared));
    Ok((prepared, commit, host.requests()))
}

fn inquired(
    connector: &Arc<dyn Connector>,
    exchange: &Exchange,
    reply: Reply,
) -> std::result::Result<(Result<Inquiry>, Vec<Request<Bytes>>), Failed> {
    let submissions = connector.submissions().ok_or("There are no submissions.")?;
    let prepared = committed(connector, exchange, Ok(exchange.commit.clone()))?.0;
    let host = FakeHost::new(move |_, _| reply.clone());
    let inquiry = block_on(submissions.inquire(&host.context(), &exchange.ask, &prepared, BIZ_REF));
    Ok((inquiry, host.requests()))
}

fn told_commit(commit: &Commit) -> Value {
    match commit {
        Commit::Accepted { receipt, answer } => json!({ "commit": "accepted", "receipt": receipt, "answer": answer }),
        Commit::RefusedNoEffect { refusal } => json!({ "commit": "refused_no_effect", "refusal": refusal }),
        Commit::NotSent { error } => json!({ "commit": "not_sent", "kind": error.kind.name() }),
        Commit::Unknown { error } => json!({ "commit": "unknown", "kind": error.kind.name() }),
    }
}

fn told_inquiry(inquiry: &Result<Inquiry>) -> Value {
    match inquiry {
        Ok(Inquiry::Present { receipt, .. }) => json!({ "inquiry": "present", "found": receipt }),
        Ok(Inquiry::Absent) => json!({ "inquiry": "absent" }),
        Ok(Inquiry::Ambiguous { why }) => json!({ "inquiry": "ambiguous", "why": why }),
        Err(error) => json!({ "inquiry": "failed", "kind": error.kind.name() }),
    }
}

/// The recorded exchange gives what is wanted; exactly the prepared bytes leave, once; and the same ask gives them again.
fn replay(registration: &Registration, exchange: &Exchange) -> Checked {
    let (connector, _) = exchange.connector(registration)?;
    let (prepared, commit, sent) = committed(&connector, exchange, Ok(exchange.commit.clone()))?;
    let [request] = sent.as_slice() else { return Err(format!("{} requests were sent.", sent.len()).into()) };
    recorded(exchange, "commit.request.http", request)?;
    let same = prepared.request().is_ok_and(|ready| {
        (ready.method(), ready.uri(), ready.headers(), ready.body())
            == (request.method(), request.uri(), request.headers(), request.body())
    });
    if !same {
        return Err("Other bytes were sent than were prepared.".into());
    }
    if committed(&connector, exchange, Ok(exchange.commit.clone()))?.0 != prepared {
        return Err("The same ask was prepared otherwise the second time.".into());
    }
    let mut told = told_commit(&commit);
    if let Some(reply) = &exchange.inquiry {
        let (inquiry, asked) = inquired(&connector, exchange, Ok(reply.clone()))?;
        for request in asked.iter().take(1) {
            recorded(exchange, "inquiry.request.http", request)?;
        }
        if let (Value::Object(told), Value::Object(more)) = (&mut told, told_inquiry(&inquiry)) {
            told.extend(more.into_iter().filter(|(key, _)| key != "kind"));
        }
    }
    want::lacks(&exchange.want, &told, "").map_or(Ok(()), |problem| Err(problem.into()))
}

fn recorded(exchange: &Exchange, name: &str, request: &Request<Bytes>) -> Checked {
    let path = exchange.folder.join(name);
    if std::env::var("CASSETTES").is_ok_and(|what| what == "write-requests") {
        return fs::write(&path, written(request)).map_err(|error| format!("{name}: {error}").into());
    }
    let bytes = fs::read(&path).map_err(|_| Failed::from(format!("{name} is missing (CASSETTES=write-requests)")))?;
    let recorded = Recorded::read(&bytes).ok_or_else(|| Failed::from(format!("{name} is no HTTP request")))?;
    recorded.differs(request).map_or(Ok(()), |difference| Err(format!("{name}: {difference}").into()))
}

/// A fault in the place of the answer: never a word that the carrier did not say, and never a second request.
fn commit_fault(registration: &Registration, exchange: &Exchange, fault: Fault) -> Checked {
    let (connector, _) = exchange.connector(registration)?;
    let reply = fault.reply(&exchange.commit, &exchange.strangers());
    let (_, commit, sent) = committed(&connector, exchange, reply)?;
    if sent.len() != 1 {
        return Err(format!("{} requests were sent.", sent.len()).into());
    }
    shows_nobody(exchange, &format!("{commit:?}"))?;
    match commit {
        Commit::Unknown { .. } => Ok(()),
        // At the door, before anything was looked at.
        Commit::NotSent { .. } if fault == Fault::Throttled => Ok(()),
        // The fault is in the body, and the status alone says it already.
        ref same if by_status(exchange, fault) && told_commit(same)["commit"] == exchange.want["commit"] => Ok(()),
        // A refusal that names nobody is the same whoever is meant.
        Commit::RefusedNoEffect { .. } if fault == Fault::Stranger && !names(exchange) => Ok(()),
        other => Err(format!("{fault:?} became {}.", told_commit(&other)["commit"]).into()),
    }
}

/// Whether the fault leaves an error status as it was.
fn by_status(exchange: &Exchange, fault: Fault) -> bool {
    let kept = matches!(fault, Fault::Truncated | Fault::Garbage | Fault::Stranger);
    kept && !exchange.commit.status().is_success()
}

/// Whether the answer names the submission or the member.
fn names(exchange: &Exchange) -> bool {
    let body = String::from_utf8_lossy(exchange.commit.body());
    exchange.strangers().iter().any(|(own, _)| body.contains(own))
}

fn inquiry_fault(registration: &Registration, exchange: &Exchange, fault: Fault) -> Checked {
    let Some(clean) = &exchange.inquiry else { return Ok(()) };
    let (connector, _) = exchange.connector(registration)?;
    let (inquiry, _) = inquired(&connector, exchange, fault.reply(clean, &exchange.strangers()))?;
    shows_nobody(exchange, &format!("{inquiry:?}"))?;
    match inquiry {
        Err(_) | Ok(Inquiry::Ambiguous { .. }) => Ok(()),
        Ok(other) => Err(format!("{fault:?} became {}.", told_inquiry(&Ok(other))["inquiry"]).into()),
    }
}

/// The reply cut after any byte: what was said is unknown, or the same as in the whole reply.
fn cut(registration: &Registration, exchange: &Exchange) -> Checked {
    let (connector, _) = exchange.connector(registration)?;
    let clean = told_commit(&committed(&connector, exchange, Ok(exchange.commit.clone()))?.1);
    let whole = exchange.commit.body();
    for end in 0..whole.len() {
        let reply = exchange.commit.clone().map(|body| body.slice(..end));
        let told = told_commit(&committed(&connector, exchange, Ok(reply))?.1);
        if told["commit"] != "unknown" && told != clean {
            return Err(format!("Cut after {end} bytes it became {}.", told["commit"]).into());
        }
    }
    Ok(())
}

fn walls(registration: &Registration, exchange: &Exchange) -> Checked {
    let (connector, settings) = exchange.connector(registration)?;
    let (prepared, commit, mut sent) = committed(&connector, exchange, Ok(exchange.commit.clone()))?;
    let mut shown = format!("{prepared:?} {commit:?}");
    if let Some(reply) = &exchange.inquiry {
        let (inquiry, asked) = inquired(&connector, exchange, Ok(reply.clone()))?;
        shown += &format!("{inquiry:?}");
        sent.extend(asked);
    }
    shows_nobody(exchange, &shown)?;
    for request in &sent {
        let address = request.uri().to_string();
        if settings.address("request", &address).is_err() {
            return Err("A request went to a host that is not listed.".into());
        }
        shows_nobody(exchange, &address)?;
    }
    if prepared.marker_word != FakeHost::MARKER_WORD || !prepared.control_numbers.values().any(|n| n == BIZ_REF) {
        return Err("What was prepared names neither its markers' word nor our reference.".into());
    }
    Ok(())
}

fn shows_nobody(exchange: &Exchange, text: &str) -> Checked {
    let text = text.to_lowercase();
    let all = secrets(&exchange.ask.member, exchange.ask.dependent.as_ref());
    let found = all.iter().map(String::as_str).chain([CANARY]).any(|secret| text.contains(&secret.to_lowercase()));
    if found { Err("Patient data or the carrier's text is shown.".into()) } else { Ok(()) }
}
