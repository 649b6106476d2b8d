//! Values that nobody else has, and the doors at which they are handed in. What the gateway says while they go in is
//! searched; where a value is meant to be told again (a batch's results, a submission, a packet of evidence), it must be
//! found there, or the search would prove nothing.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::needles::Needles;
use super::{Hay, desk};
use crate::process::{Folder, Gateway};
use crate::signing_in::{Browser, code};
use crate::support::{Reply, send_with};
use crate::webhooks::Receiver;

/// Secrets: no file, no line, no reply may hold them.
const SECRETS: [(&str, &str); 17] = [
    ("password of a SOAP carrier", "Plum-Aspen-&-Window<31>"),
    ("password of a MIME carrier", "Plum-Birch-&-Window<32>"),
    ("client secret", "plum-cedar-window-33-secret"),
    ("password of a portal", "Plum-Dogwood-&-Window<34>"),
    ("seed of one-time codes", "OBWHK3JNMRXWO53PN5SC253JNZSG65ZV"),
    ("API key of a carrier", "plum-elder-window-36-api-key"),
    ("a person's first password", "plum fig window thirty-seven"),
    ("a person's new password", "plum gum window thirty-eight"),
    ("a person's wrong password", "plum hazel window thirty-nine"),
    ("wrong API key", "pk_live_PlumIvyWindow40PlumIvyWindow40PlumIvy"),
    ("wrong cookie", "PlumJuniperWindow41PlumJuniperWindow41"),
    ("wrong invitation", "PlumKauriWindow42PlumKauriWindow42PlumKauri0"),
    ("wrong set-up token", "PlumLarchWindow43PlumLarchWindow43PlumLarch0"),
    ("wrong recovery code of a person", "plumm-aples-windw-fourf"),
    ("wrong passphrase", "plum nutmeg window forty-five"),
    ("wrong recovery code of the vault", "PLUMO-LIVEW-INDOW-FORTY-SIXPL"),
    ("token against forged pages", "PlumPineWindow47PlumPineWindow47"),
];

/// What is a patient's, or tells who is one.
const PATIENTS: [(&str, &str); 23] = [
    ("batch: its name", "Quillon ward round fifty-one"),
    ("batch: reference", "QUILLREF-52-OLEANDER"),
    ("batch: member id", "STM-QUILLON-53"),
    ("batch: first name", "Quillonette"),
    ("batch: last name", "Oleanderson-Fiftyfour"),
    ("CSV: reference", "QUILLREF-55-PALMETTO"),
    ("CSV: member id", "HUB-QUILLON-56"),
    ("CSV: last name", "Palmettowitz-Fiftyseven"),
    ("CSV: group number", "GRPQUILL58"),
    ("CSV: dependent's first name", "Quillabelle"),
    ("CSV: bad cell", "QUILLBAD-59-REDWOOD"),
    ("submission: member id", "NSH-QUILLON-60"),
    ("submission: first name", "Quillandra"),
    ("submission: last name", "Sequoiason"),
    ("submission: note", "Quillon spruce note sixty-three, confidential"),
    ("submission: diagnosis", "S72.141A"),
    ("submission: reason", "Quillon tamarind reason sixty-four"),
    ("search: member id", "NSH-QUILLON-65"),
    ("search: why", "Quillon upas why sixty-six"),
    ("packet: why", "Quillon viburnum why sixty-seven"),
    ("practice: Tax ID", "918-27-3645"),
    ("practice: street", "68 Quillon Wisteria Street"),
    ("operator: member id", "NSH-QUILLON-69"),
];

/// What must be found on the lines to the carriers: it was sent.
const SENT: [&str; 6] = [
    "batch: member id",
    "CSV: member id",
    "submission: member id",
    "submission: first name",
    "submission: last name",
    "submission: note",
];

/// What must be found in what is meant to tell it again.
const TOLD_AGAIN: [&str; 9] = [
    "batch: its name",
    "batch: reference",
    "CSV: reference",
    "search: member id",
    "search: why",
    "packet: why",
    "practice: Tax ID",
    "practice: street",
    "operator: member id",
];

/// A patient's birthday that nobody else has.
pub const BORN: &str = "1931-07-29";
/// A carrier's id, whose copy it is, and its credential: fields, and what is planted in them.
type Copied = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Carrier files for those who get a planted credential, each a copy of a simulated carrier's.
const COPIES: [Copied; 5] = [
    ("aspen", "northstar", &[("username", "aspen-user"), ("password", "password of a SOAP carrier")]),
    ("birch", "statemed", &[("username", "birch-user"), ("password", "password of a MIME carrier")]),
    ("cedar", "harborhmo", &[("client_id", "cedar-user"), ("client_secret", "client secret")]),
    (
        "dogwood",
        "bluevalley",
        &[("username", "dogwood-user"), ("password", "password of a portal"), ("totp_seed", "seed of one-time codes")],
    ),
    ("elder", "hubline", &[("api_key", "API key of a carrier")]),
];
const EMAIL: &str = "quill@practice.example";

fn all() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    SECRETS.iter().chain(&PATIENTS).chain(&desk::SECRETS).chain(&desk::PATIENTS)
}

pub fn planted(what: &str) -> &'static str {
    all().find(|(name, _)| *name == what).unwrap_or_else(|| panic!("nothing is planted as {what}")).1
}

/// Everything that is planted, for a search that must not be blind to any of it.
pub fn words() -> Vec<(&'static str, &'static str)> {
    all().copied().collect()
}

/// What came of handing all of it in.
#[derive(Default)]
pub struct Handed {
    /// Every byte that was handed in.
    pub bytes: Vec<u8>,
    /// Must hold nothing of it.
    pub clean: Vec<Hay>,
    /// Holds what is meant to be told again, and no secret.
    pub meant: Vec<Hay>,
    /// Secrets that the gateway made and told once, to the one who asked.
    pub made: Vec<(&'static str, String)>,
}

/// Adds the planted secrets to what is searched for.
pub fn secrets(needles: &mut Needles) {
    SECRETS.iter().chain(&desk::SECRETS).for_each(|(what, word)| needles.add(what, word));
}

/// Adds what is a patient's.
pub fn patients(needles: &mut Needles) {
    for (what, word) in PATIENTS.into_iter().chain(desk::PATIENTS) {
        needles.add_any_case(what, word);
        // As carriers and searches write them: without what stands between.
        needles.add_any_case(what, &word.replace(['-', '.'], ""));
    }
    needles.add_date("planted birthday", BORN);
}

/// Carriers that know none of the credentials they are given, at the addresses of those that are listened to.
pub fn copies(folder: &Folder, handed: &mut Handed) {
    for (id, of, fields) in COPIES {
        let text = std::fs::read_to_string(folder.path(&format!("carriers/{of}.toml"))).unwrap();
        folder.write(&format!("carriers/{id}.toml"), &text);
        let value = |field: &str, what: &'static str| {
            if field == "username" || field == "client_id" { what } else { planted(what) }
        };
        let lines: String = fields.iter().map(|(field, what)| format!("{field}={}\n", value(field, what))).collect();
        handed.told_to(folder, &["vault", "put", id], &lines);
    }
    let (asking, of) = desk::ASKING;
    let text = std::fs::read_to_string(folder.path(&format!("carriers/{of}.toml"))).unwrap();
    folder.write(&format!("carriers/{asking}.toml"), &text);
    let told = folder.portico(&["people", "add", EMAIL, "--name", "Quill", "--role", "practice_admin"], "").fine();
    handed.made.push(("invitation", told.trim().to_owned()));
}

impl Handed {
    /// One of the operator's commands; what it says is searched.
    pub fn told_to(&mut self, folder: &Folder, command: &[&str], input: &str) -> i32 {
        self.bytes.extend_from_slice([&command.join(" "), input].concat().as_bytes());
        let ended = folder.portico(command, input);
        self.clean.push((format!("portico {}", command.join(" ")), [ended.out, ended.err].concat().into_bytes()));
        ended.code
    }

    /// One request with the key.
    pub async fn send(
        &mut self,
        (gateway, key): (&Gateway, &str),
        headers: &[(&str, &str)],
        method: Method,
        path: &str,
        body: impl AsRef<[u8]>,
    ) -> Reply {
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.extend_from_slice(body.as_ref());
        let body = body.as_ref().to_vec();
        let reply = send_with(&gateway.address, Some(key), headers, method, path, body).await.unwrap();
        self.heads_are_clean(path, &reply);
        reply
    }

    /// Where a reply leads, and whatever else its head says; a cookie is a secret made for the one who gets it.
    pub fn heads_are_clean(&mut self, path: &str, reply: &Reply) {
        let heads = reply.headers.iter().filter(|(name, _)| name.as_str() != "set-cookie");
        let heads: Vec<u8> = heads.flat_map(|(_, value)| [value.as_bytes(), b"\n"].concat()).collect();
        self.clean.push((format!("head of the reply to {path}"), heads));
    }

    pub fn is_clean(&mut self, what: &str, reply: &Reply) {
        self.clean.push((format!("planted: {what}"), reply.bytes.to_vec()));
    }

    pub fn is_meant(&mut self, what: &str, reply: &Reply) {
        assert_eq!(reply.status, StatusCode::OK, "{what}: {}", reply.text);
        self.meant.push((format!("planted: {what}"), reply.bytes.to_vec()));
    }
}

/// Hands everything in at the running gateway.
pub async fn hand_in(folder: &Folder, at: (&Gateway, &str), handed: &mut Handed) {
    let receiver = Receiver::start(&[]).await;
    let hook = json!({ "url": receiver.url }).to_string();
    let made = handed.send(at, &[], Method::POST, "/v1/webhooks", hook).await;
    assert!(made.status.is_success(), "{}", made.text);
    handed.made.push(("webhook secret", made.body["secret"].as_str().unwrap().to_owned()));
    for (carrier, ..) in COPIES {
        let reply = handed.send(at, &[], Method::POST, "/v1/eligibility", stranger(carrier).to_string()).await;
        assert_eq!(reply.outcome(), "failed", "{carrier}: {}", reply.text);
        handed.is_clean(carrier, &reply);
    }
    batches(at, handed).await;
    submission(at, handed).await;
    practice_and_trail(at, handed).await;
    let session = person(at.0, handed).await;
    desk::hand_in(folder, at, session, handed).await;
    strangers(at, handed).await;
    sealed(folder, at, handed).await;
    let events = handed.send(at, &[], Method::GET, "/v1/events?limit=500", "").await;
    assert!(events.text.contains("batch."), "{}", events.text);
    handed.is_clean("events", &events);
    let deliveries = receiver.deliveries(10).await;
    assert!(deliveries.len() >= 10, "{} deliveries", deliveries.len());
    handed.clean.extend(deliveries.iter().map(|one| ("delivery".to_owned(), one.body.to_vec())));
}

fn stranger(carrier: &str) -> Value {
    json!({
        "carrier": carrier, "provider": { "npi": "1234567893" },
        "member": { "member_id": "QUI-NOBODY-1", "first_name": planted("batch: first name"),
                    "last_name": planted("batch: last name"), "date_of_birth": BORN }
    })
}

/// One as JSON, one as CSV with a cell that is wrong; both to their end.
async fn batches(at: (&Gateway, &str), handed: &mut Handed) {
    let root = "/v1/eligibility/batches";
    let mut item = stranger("statemed");
    item["ref"] = json!(planted("batch: reference"));
    item["member"]["member_id"] = json!(planted("batch: member id"));
    let json = json!({ "name": planted("batch: its name"), "items": [item] }).to_string();
    let row = |npi: &str, born: &str| {
        [
            "hubline",
            planted("CSV: reference"),
            npi,
            planted("CSV: member id"),
            "Quill",
            planted("CSV: last name"),
            planted("CSV: group number"),
            born,
            planted("CSV: dependent's first name"),
            planted("CSV: last name"),
            BORN,
            "child",
        ]
        .join(",")
    };
    let head = "carrier,ref,npi,member_id,first_name,last_name,group_number,date_of_birth,dependent_first_name,\
                dependent_last_name,dependent_date_of_birth,dependent_relationship";
    let csv = [head, &row("1234567893", BORN), &row(planted("CSV: bad cell"), planted("CSV: bad cell"))].join("\r\n");
    let refused =
        handed.send(at, &[("idempotency-key", "c-0"), ("content-type", "text/csv")], Method::POST, root, &csv);
    let refused = refused.await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    handed.is_clean("CSV refused", &refused);
    let path = format!("{root}?accept=valid");
    for (key, kind, path, body) in [("j-1", "application/json", root, &json), ("c-1", "text/csv", path.as_str(), &csv)]
    {
        let headers = [("idempotency-key", key), ("content-type", kind)];
        let taken = handed.send(at, &headers, Method::POST, path, body).await;
        assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
        // It tells the batch's name, to the one who gave it.
        handed.meant.push(("batch taken".to_owned(), taken.bytes.to_vec()));
        let one = format!("{root}/{}", taken.body["id"].as_str().unwrap());
        let events = handed.send(at, &[], Method::GET, &format!("{one}/events"), "").await;
        assert!(events.text.contains("done"), "{}", events.text);
        handed.is_clean("batch events", &events);
        for path in [format!("{one}/items"), format!("{one}/items?format=csv"), one] {
            let reply = handed.send(at, &[], Method::GET, &path, "").await;
            handed.is_meant("batch", &reply);
        }
    }
}

async fn submission(at: (&Gateway, &str), handed: &mut Handed) {
    let ask = json!({
        "carrier": "northstar",
        "requester": { "npi": "1234567893", "name": "GOOD HEALTH CLINIC" },
        "member": { "member_id": planted("submission: member id"), "first_name": planted("submission: first name"),
                    "last_name": planted("submission: last name"), "date_of_birth": BORN },
        "services": [{ "procedure": { "code": "97110" }, "units": "12", "from": "2026-12-01", "to": "2026-12-31" }],
        "diagnoses": [planted("submission: diagnosis")], "notes": planted("submission: note")
    });
    let headers = [("idempotency-key", "s-1")];
    let taken = handed.send(at, &headers, Method::POST, "/v1/authorizations", ask.to_string()).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
    handed.is_clean("submission taken", &taken);
    let path = format!("/v1/authorizations/{}", taken.body["id"].as_str().unwrap());
    let mut view = handed.send(at, &[], Method::GET, &path, "").await;
    for _ in 0..600 {
        if view.body["submission"]["state"] == "accepted" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        view = handed.send(at, &[], Method::GET, &path, "").await;
    }
    assert_eq!(view.body["submission"]["state"], "accepted", "{}", view.text);
    handed.is_meant("submission", &view);
    let twin =
        handed.send(at, &[("idempotency-key", "s-2")], Method::POST, "/v1/authorizations", ask.to_string()).await;
    assert_eq!(twin.status, StatusCode::CONFLICT, "{}", twin.text);
    let late = handed.send(at, &[], Method::POST, &format!("{path}/cancel"), "").await;
    let said = json!({ "decision": "void", "reason": planted("submission: reason") }).to_string();
    let id = taken.body["id"].as_str().unwrap();
    let decided = handed.send(at, &[], Method::POST, &format!("/v1/submissions/{id}/resolve"), said).await;
    let timeline = handed.send(at, &[], Method::GET, &format!("{path}/timeline"), "").await;
    let list = handed.send(at, &[], Method::GET, "/v1/submissions", "").await;
    for (what, reply) in
        [("twin", twin), ("cancel", late), ("resolve", decided), ("timeline", timeline), ("list", list)]
    {
        handed.is_clean(what, &reply);
    }
    let packet = json!({ "submission": id, "why": planted("packet: why") }).to_string();
    let packet = handed.send(at, &[], Method::POST, "/v1/trail/packets", packet).await;
    assert_eq!(packet.status, StatusCode::OK, "{}", packet.text);
    handed.meant.extend(unpacked(packet.bytes.to_vec()));
    // Why the packet was made stands in the record of it.
    let search = json!({ "ask": id }).to_string();
    let found = handed.send(at, &[], Method::POST, "/v1/trail/search", search).await;
    handed.is_meant("records", &found);
}

/// The files of a packet.
pub fn unpacked(bytes: Vec<u8>) -> Vec<Hay> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut files = Vec::new();
    for place in 0..archive.len() {
        let mut file = archive.by_index(place).unwrap();
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut text).unwrap();
        files.push((format!("packet, file {place}"), text));
    }
    files
}

async fn practice_and_trail(at: (&Gateway, &str), handed: &mut Handed) {
    let profile = json!({
        "name": "Bone Clinic", "tax_id": planted("practice: Tax ID"),
        "locations": [{ "name": "Main", "street": planted("practice: street"), "city": "Springfield", "state": "IL",
                        "zip": "62701" }]
    });
    let put = handed.send(at, &[], Method::PUT, "/v1/practice", profile.to_string()).await;
    assert!(put.status.is_success(), "{}", put.text);
    let read = handed.send(at, &[], Method::GET, "/v1/practice", "").await;
    handed.is_meant("practice", &read);
    let search = json!({
        "patient": { "carrier": "northstar", "member_id": planted("search: member id"), "date_of_birth": BORN },
        "why": planted("search: why")
    });
    for _ in 0..2 {
        let found = handed.send(at, &[], Method::POST, "/v1/trail/search", search.to_string()).await;
        handed.is_meant("search", &found);
    }
    let trail = handed.send(at, &[], Method::GET, "/v1/trail?limit=500", "").await;
    handed.is_clean("trail", &trail);
}

/// A person from the invitation to a session, with everything that is told once on the way; the session's cookie and token.
async fn person(gateway: &Gateway, handed: &mut Handed) -> (String, String) {
    let invitation = handed.made.iter().find(|(what, _)| *what == "invitation").unwrap().1.clone();
    let (first, second) = (planted("a person's first password"), planted("a person's new password"));
    let mut browser = Browser::default();
    let mut steps = Vec::new();
    for (path, body) in [
        ("/v1/session/password", json!({ "invitation": planted("wrong invitation"), "new_password": first })),
        ("/v1/session/password", json!({ "invitation": invitation, "new_password": first })),
        ("/v1/session", json!({ "email": EMAIL, "password": planted("a person's wrong password") })),
        ("/v1/session", json!({ "email": EMAIL, "password": first })),
    ] {
        handed.bytes.extend_from_slice(body.to_string().as_bytes());
        steps.push(browser.post(gateway, path, body).await);
    }
    assert_eq!(steps[3].body["level"], "enrol_needed", "{}", steps[3].text);
    let seed =
        browser.post(gateway, "/v1/session/totp-enrol", json!({})).await.body["secret"].as_str().unwrap().to_owned();
    let confirm = json!({ "code": code(&seed, 0) });
    let confirmed = browser.post(gateway, "/v1/session/totp-enrol/confirm", confirm).await;
    let codes = confirmed.body["recovery_codes"].as_array().unwrap();
    handed.made.extend(codes.iter().map(|one| ("recovery code of a person", one.as_str().unwrap().to_owned())));
    handed.made.push(("seed of a person", seed));
    let change = json!({ "current_password": first, "new_password": second });
    handed.bytes.extend_from_slice(change.to_string().as_bytes());
    steps.push(browser.post(gateway, "/v1/session/password", change).await);
    assert!(steps[4].status.is_success(), "{}", steps[4].text);
    let mut other = Browser::default();
    steps.push(other.post(gateway, "/v1/session", json!({ "email": EMAIL, "password": second })).await);
    let wrong = json!({ "code": planted("wrong recovery code of a person") });
    handed.bytes.extend_from_slice(wrong.to_string().as_bytes());
    steps.push(other.post(gateway, "/v1/session/recovery", wrong).await);
    let sessions = browser.get(gateway, "/v1/sessions").await;
    assert!(sessions.status.is_success(), "{}", sessions.text);
    for (name, value) in [browser.session(), other.session()].map(|cookie| ("session", cookie)) {
        handed.made.push((name, value));
    }
    for (place, reply) in steps.iter().filter(|reply| !reply.status.is_success()).enumerate() {
        handed.is_clean(&format!("person's step {place}"), reply);
    }
    // A session's reply tells its own token against forged pages, and nothing else.
    handed.is_clean("sessions", &sessions);
    handed.made.push(("token against forged pages", browser.csrf.clone()));
    (browser.session(), browser.csrf)
}

/// Keys, cookies and tokens that nobody has.
async fn strangers((gateway, _): (&Gateway, &str), handed: &mut Handed) {
    let wrong = (gateway, planted("wrong API key"));
    handed.bytes.extend_from_slice(planted("wrong API key").as_bytes());
    let refused = handed.send(wrong, &[], Method::GET, "/v1/carriers", "").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    handed.is_clean("wrong key", &refused);
    let set_up = json!({
        "token": planted("wrong set-up token"), "practice": { "name": "Bone Clinic" },
        "admin": { "email": EMAIL, "name": "Quill", "password": planted("a person's first password") }
    });
    let mut browser = Browser { csrf: planted("token against forged pages").to_owned(), ..Browser::default() };
    browser.cookies.push(("portico".to_owned(), planted("wrong cookie").to_owned()));
    for (path, body) in [("/v1/setup", set_up), ("/v1/session/totp-enrol", json!({}))] {
        handed.bytes.extend_from_slice(body.to_string().as_bytes());
        let refused = browser.post(gateway, path, body).await;
        assert!(!refused.status.is_success(), "{path}: {}", refused.text);
        handed.is_clean(path, &refused);
    }
    handed.bytes.extend_from_slice([planted("wrong cookie"), &browser.csrf].concat().as_bytes());
}

/// Sealed while it runs, and not opened by what does not open it.
async fn sealed(folder: &Folder, (gateway, key): (&Gateway, &str), handed: &mut Handed) {
    let line = |text: &str| format!("{text}\n");
    assert_eq!(handed.told_to(folder, &["vault", "rotate", "passphrase"], &line(super::PASSPHRASE)), 0);
    assert_eq!(handed.told_to(folder, &["vault", "seal"], ""), 0);
    let wrong = line(planted("wrong passphrase"));
    assert_eq!(handed.told_to(folder, &["vault", "unseal"], &wrong), 2);
    let wrong = line(planted("wrong recovery code of the vault"));
    assert_eq!(handed.told_to(folder, &["vault", "unseal", "--recovery"], &wrong), 2);
    let refused = handed.send((gateway, key), &[], Method::POST, "/v1/eligibility", stranger("northstar").to_string());
    let refused = refused.await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.text);
    handed.is_clean("while sealed", &refused);
    assert_eq!(handed.told_to(folder, &["vault", "unseal"], &line(super::PASSPHRASE)), 0);
}

/// The operator makes a packet about a patient, with no gateway running. Its file is meant to hold what it is about.
pub fn after_the_end(folder: &Folder, handed: &mut Handed) {
    let out = folder.path("packet.zip").display().to_string();
    let member = planted("operator: member id");
    let search = ["trail", "packet", "--carrier", "northstar", "--member-id", member, "--born", BORN, "--out", &out];
    handed.told_to(folder, &search, "");
    // Nothing is on record about them but that somebody looked.
    assert_eq!(handed.told_to(folder, &search, ""), 0);
    let bytes = std::fs::read(&out).unwrap();
    std::fs::remove_file(out).unwrap();
    handed.meant.extend(unpacked(bytes));
}

/// All were handed in, what is for carriers was sent, and what is meant to be told again is.
pub fn all_were_handed_in(handed: &Handed, lines: &[Vec<u8>]) {
    let is_in =
        |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|run| run.eq_ignore_ascii_case(word.as_bytes()));
    assert!(words().len() >= 60, "{} planted", words().len());
    for (what, word) in words() {
        assert!(is_in(&handed.bytes, word), "{what} was not handed in");
    }
    for what in SENT.into_iter().chain(desk::SENT) {
        assert!(lines.iter().any(|line| is_in(line, planted(what))), "{what} was sent to nobody");
    }
    for what in TOLD_AGAIN.into_iter().chain(desk::TOLD_AGAIN) {
        assert!(handed.meant.iter().any(|(_, hay)| is_in(hay, planted(what))), "{what} is told nowhere");
    }
    println!("{} planted values; {} replies that are meant to tell some of them", words().len(), handed.meant.len());
}
