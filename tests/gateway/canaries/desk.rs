//! The doors of the desk: patients, the schedule in all its forms, the box that finds, the telephone, the pages, carrier
//! files, and what a person answers for a carrier.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::planted::{BORN, Handed, planted};
use crate::process::{Folder, Gateway};
use crate::support::{Reply, send_with};

/// Secrets that are handed in here.
pub const SECRETS: [(&str, &str); 3] = [
    ("literal secret in a carrier file", "plum-quince-window-48-literal"),
    ("wrong code answered to a task", "PLUM-ROWAN-49-ZEBRA"),
    ("new password answered to a task", "Plum-Sumac-&-Window<50>"),
];

/// What is a patient's.
pub const PATIENTS: [(&str, &str); 21] = [
    ("patient: last name", "Quillenberry"),
    ("patient: own number", "MRNQUILL-71"),
    ("patient: telephone", "971-555-0172"),
    ("patient: member id", "EGM-QUILL-73"),
    ("patient page: telephone", "971-555-0174"),
    ("telephone: who said it", "Quillana Hickory"),
    ("telephone: reference", "QUILLCALL-75"),
    ("telephone: note", "Quillon hickory note seventy-six"),
    ("find: what was typed", "Quillimanjaro-77"),
    ("trail page: why", "Quillon ironwood why seventy-eight"),
    ("schedule CSV: last name", "Quilljuniper"),
    ("schedule CSV: member id", "EGM-QUILL-79"),
    ("schedule CSV: bad cell", "QUILLBAD-80-KATSURA"),
    ("schedule pasted: last name", "Quillarchwood"),
    ("schedule pasted: member id", "EGM-QUILL-81"),
    ("schedule pasted: bad cell", "QUILLBAD-82-LINDEN"),
    ("schedule FHIR: last name", "Quillmagnolia"),
    ("schedule FHIR: member id", "EGM-QUILL-83"),
    ("check page: first name", "Quillodora"),
    ("check page: last name", "Quilloakley"),
    ("check page: member id", "NSH-QUILL-84"),
];

/// What must be found on the lines to the carriers.
pub const SENT: [&str; 2] = ["check page: member id", "wrong code answered to a task"];

/// What must be found in what is meant to tell it again.
pub const TOLD_AGAIN: [&str; 10] = [
    "patient: last name",
    "patient: own number",
    "patient page: telephone",
    "telephone: who said it",
    "telephone: reference",
    "telephone: note",
    "schedule CSV: last name",
    "schedule pasted: last name",
    "schedule FHIR: last name",
    "check page: last name",
];

/// A carrier whose people are asked for codes and new passwords: another copy of the portal.
pub const ASKING: (&str, &str) = ("fir", "bluevalley");

/// A signed-in browser that uses the pages.
struct Pages<'a> {
    gateway: &'a Gateway,
    cookie: String,
    csrf: String,
}

impl Pages<'_> {
    async fn send(&self, handed: &mut Handed, method: Method, path: &str, kind: &str, body: Vec<u8>) -> Reply {
        let address = &self.gateway.address;
        let origin = format!("http://{address}");
        let headers = [
            ("host", address.as_str()),
            ("origin", &origin),
            ("sec-fetch-site", "same-origin"),
            ("cookie", &self.cookie),
            ("content-type", kind),
        ];
        handed.bytes.extend_from_slice(path.as_bytes());
        handed.bytes.extend_from_slice(&body);
        let mut reply = send_with(address, None, &headers, method, path, body).await.unwrap();
        handed.heads_are_clean(path, &reply);
        // The person's own token stands in each of their forms; nothing else on a page may be a secret.
        if reply.text.starts_with("<!") {
            reply.bytes = reply.text.replace(&self.csrf, "").into_bytes().into();
        }
        reply
    }

    async fn get(&self, handed: &mut Handed, path: &str) -> Reply {
        self.send(handed, Method::GET, path, "text/plain", Vec::new()).await
    }

    async fn post(&self, handed: &mut Handed, path: &str, fields: &[(&str, &str)]) -> Reply {
        // What is typed is encoded for the form; here it counts as handed in.
        fields.iter().for_each(|(_, value)| handed.bytes.extend_from_slice(value.as_bytes()));
        let mut body = form_urlencoded::Serializer::new(String::new());
        let body = body.append_pair("csrf", &self.csrf).extend_pairs(fields).finish().into_bytes();
        self.send(handed, Method::POST, path, "application/x-www-form-urlencoded", body).await
    }

    /// A form with a file or pasted rows, as a browser sends it.
    async fn multipart(&self, handed: &mut Handed, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut body = String::new();
        for (name, value) in fields.iter().chain([&("csrf", self.csrf.as_str())]) {
            body += &format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        }
        body += "--xyz--\r\n";
        self.send(handed, Method::POST, path, "multipart/form-data; boundary=xyz", body.into_bytes()).await
    }
}

fn leads(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
    reply.headers["location"].to_str().unwrap().to_owned()
}

/// Hands in everything of the desk; `cookie` and `csrf` are a signed-in person's.
pub async fn hand_in(folder: &Folder, at: (&Gateway, &str), (cookie, csrf): (String, String), handed: &mut Handed) {
    let pages = Pages { gateway: at.0, cookie: format!("portico={cookie}"), csrf };
    patients(at, &pages, handed).await;
    schedule(at, &pages, handed).await;
    check(&pages, handed).await;
    admin(folder, at, &pages, handed).await;
    relay(at, handed).await;
}

async fn patients(at: (&Gateway, &str), pages: &Pages<'_>, handed: &mut Handed) {
    let patient = json!({
        "first_name": "Quill", "last_name": planted("patient: last name"), "date_of_birth": BORN,
        "phone": planted("patient: telephone"), "mrn": planted("patient: own number"),
        "coverages": [{ "carrier": "northstar", "member_id": planted("patient: member id") }]
    });
    let made = handed.send(at, &[], Method::POST, "/v1/patients", patient.to_string()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    handed.meant.push(("patient made".to_owned(), made.bytes.to_vec()));
    let id = made.body["id"].as_str().unwrap().to_owned();
    for query in [planted("find: what was typed"), planted("patient: last name")] {
        let body = json!({ "query": query }).to_string();
        let found = handed.send(at, &[], Method::POST, "/v1/patients/search", body).await;
        handed.is_meant("search", &found);
        let page = pages.post(handed, "/find", &[("q", query)]).await;
        handed.meant.push(("find".to_owned(), page.bytes.to_vec()));
    }
    let path = format!("/patients/{id}");
    let form = [
        ("version", "1"),
        ("first_name", "Quill"),
        ("last_name", planted("patient: last name")),
        ("date_of_birth.month", "7"),
        ("date_of_birth.day", "29"),
        ("date_of_birth.year", &BORN[..4]),
        ("phone", planted("patient page: telephone")),
        ("mrn", planted("patient: own number")),
        ("coverages.0.carrier", "northstar"),
        ("coverages.0.member_id", planted("patient: member id")),
    ];
    assert_eq!(leads(&pages.post(handed, &path, &form).await), format!("{path}?said=saved"));
    // A second time, with what was read before: both versions come back, to the one who typed.
    let conflict = pages.post(handed, &path, &form).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT, "{}", conflict.text);
    handed.meant.push(("conflict".to_owned(), conflict.bytes.to_vec()));
    let word = [
        ("phone.carrier", "northstar"),
        ("phone.covered", "yes"),
        ("phone.who", planted("telephone: who said it")),
        ("phone.reference", planted("telephone: reference")),
        ("phone.note", planted("telephone: note")),
    ];
    assert_eq!(leads(&pages.post(handed, &format!("{path}/phone"), &word).await), format!("{path}?said=recorded"));
    let page = pages.get(handed, &path).await;
    handed.is_meant("patient page", &page);
}

/// The same day in three forms; in two of them a row that is wrong comes first.
async fn schedule(at: (&Gateway, &str), pages: &Pages<'_>, handed: &mut Handed) {
    let day = jiff::Zoned::now().date().tomorrow().unwrap().to_string();
    let rows = |last: &str, born: &str, member: &str, tab: &str| {
        let head = ["date", "time", "last name", "first name", "dob", "carrier", "member id", "npi"].join(tab);
        let row = [&day, "09:00", last, "Quill", born, "Evergreen Mutual", member, "1234567893"].join(tab);
        format!("{head}\n{row}\n")
    };
    let import = "/v1/schedule/import";
    let (last, member) = (planted("schedule CSV: last name"), planted("schedule CSV: member id"));
    let refused = rows(last, planted("schedule CSV: bad cell"), member, ",");
    let csv = [("content-type", "text/csv")];
    let refused = handed.send(at, &csv, Method::POST, import, refused).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    handed.is_clean("schedule refused", &refused);
    let taken = handed.send(at, &csv, Method::POST, import, rows(last, BORN, member, ",")).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text);
    handed.is_clean("schedule taken", &taken);

    let (last, member) = (planted("schedule pasted: last name"), planted("schedule pasted: member id"));
    let refused = rows(last, planted("schedule pasted: bad cell"), member, "\t");
    let refused = pages.multipart(handed, "/schedule/import", &[("pasted", &refused)]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    let taken = pages.multipart(handed, "/schedule/import", &[("pasted", &rows(last, BORN, member, "\t"))]).await;
    assert!(leads(&taken).starts_with("/today?date="), "{}", taken.text);

    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "resource": { "resourceType": "Appointment", "id": "f1", "status": "booked", "start": format!("{day}T12:00:00Z"),
            "participant": [{ "actor": { "reference": "Patient/p1" } }] } },
        { "resource": { "resourceType": "Patient", "id": "p1", "birthDate": BORN,
            "name": [{ "family": planted("schedule FHIR: last name"), "given": ["Quill"] }] } },
        { "resource": { "resourceType": "Coverage", "id": "c1", "status": "active",
            "subscriberId": planted("schedule FHIR: member id"),
            "beneficiary": { "reference": "Patient/p1" }, "payor": [{ "display": "Evergreen Mutual" }] } }] });
    let fhir = [("content-type", "application/fhir+json")];
    let taken = handed.send(at, &fhir, Method::POST, import, bundle.to_string()).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text);
    handed.is_clean("schedule taken", &taken);
    for query in [format!("date={day}"), format!("date={day}&format=csv")] {
        let listed = handed.send(at, &[], Method::GET, &format!("/v1/schedule?{query}"), "").await;
        handed.is_meant("schedule", &listed);
    }
    for path in [format!("/today?date={day}"), format!("/today/huddle?date={day}")] {
        let page = pages.get(handed, &path).await;
        handed.is_meant("day", &page);
    }
    let asked = pages.post(handed, "/today/verify", &[("date", &day), ("what", "stale")]).await;
    assert!(leads(&asked).starts_with("/today?date="), "{}", asked.text);
}

/// A question from the page, which the carrier refuses, and its page.
async fn check(pages: &Pages<'_>, handed: &mut Handed) {
    let form = [
        ("carrier", "northstar"),
        ("member.member_id", planted("check page: member id")),
        ("patient.first_name", planted("check page: first name")),
        ("patient.last_name", planted("check page: last name")),
        ("patient.date_of_birth.month", "7"),
        ("patient.date_of_birth.day", "29"),
        ("patient.date_of_birth.year", &BORN[..4]),
        ("relationship", "self"),
        ("types", "30"),
        ("provider.npi", "1234567893"),
    ];
    let to = leads(&pages.post(handed, "/check", &form).await);
    let page = pages.get(handed, &to).await;
    handed.is_meant("answer", &page);
    let why = [("ask", to.trim_start_matches("/checks/")), ("why", planted("trail page: why"))];
    let found = pages.post(handed, "/trail/search", &why).await;
    handed.is_meant("trail page", &found);
    let packet = pages.post(handed, "/trail/packet", &why).await;
    assert!(packet.bytes.starts_with(b"PK"), "{}", packet.text);
    handed.meant.extend(super::planted::unpacked(packet.bytes.to_vec()));
    let list = pages.get(handed, "/trail").await;
    handed.is_clean("trail page", &list);
}

/// A carrier file with a literal secret, and a webhook made on its page.
async fn admin(folder: &Folder, at: (&Gateway, &str), pages: &Pages<'_>, handed: &mut Handed) {
    let (id, _) = ASKING;
    let text = std::fs::read_to_string(folder.path(&format!("carriers/{id}.toml"))).unwrap();
    let text = format!("{text}\n[settings.extra]\npassword = \"{}\"\n", planted("literal secret in a carrier file"));
    let body = json!({ "carrier": id, "text": text }).to_string();
    let checked = handed.send(at, &[], Method::POST, "/v1/carriers/check", body).await;
    assert!(!checked.body["problems"].as_array().unwrap().is_empty(), "{}", checked.text);
    handed.is_clean("carrier file checked", &checked);
    let path = format!("/v1/carriers/{id}/file");
    let base = handed.send(at, &[], Method::GET, &path, "").await.body["version"].clone();
    let body = json!({ "text": text, "base": base, "reason": "to see it refused" }).to_string();
    let refused = handed.send(at, &[], Method::PUT, &path, body).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    handed.is_clean("carrier file refused", &refused);
    // The page keeps what was typed in its field; its address and its head say nothing.
    let form = [("text", text.as_str()), ("base", base.as_str().unwrap_or_default()), ("do", "check")];
    let page = pages.post(handed, &format!("/admin/carriers/{id}"), &form).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.text);

    let made =
        pages.post(handed, "/admin/webhooks", &[("url", "https://127.0.0.1:9/quill"), ("kinds", "batch.")]).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    let (_, rest) = made.text.split_once("whsec_").unwrap_or_else(|| panic!("no secret: {}", made.text));
    let secret: String = rest.chars().take_while(|letter| !matches!(letter, '<' | '"' | '&' | ' ')).collect();
    assert!(secret.len() > 20, "{secret}");
    handed.made.push(("secret of a webhook", secret));
    let again = pages.get(handed, "/admin/webhooks").await;
    handed.is_clean("webhooks page", &again);
    let (_, rest) = again.text.split_once("action=\"/admin/webhooks/").unwrap();
    let hook = rest.split('/').next().unwrap();
    assert!(leads(&pages.post(handed, &format!("/admin/webhooks/{hook}/remove"), &[]).await).contains("removed"));
}

/// A wrong code, and then a new password, answered for a carrier.
async fn relay(at: (&Gateway, &str), handed: &mut Handed) {
    let (carrier, _) = ASKING;
    let ask = json!({
        "carrier": carrier, "provider": { "npi": "1234567893" },
        "member": { "member_id": "BVP-ACTIVE-PPO", "date_of_birth": "1983-10-02" }
    });
    for (kind, answer) in [
        ("second_factor_code", planted("wrong code answered to a task")),
        ("password_change", planted("new password answered to a task")),
    ] {
        let truth = sandbox::truth();
        let mut cases = truth.as_array().unwrap().iter().map(|case| &case["sign_in"]);
        let as_whom = cases.find(|sign_in| sign_in["task"] == kind).unwrap();
        let fields = json!({ "fields": { "username": as_whom["username"], "password": as_whom["password"] } });
        let stored = at.0.call(at.1, Method::PUT, &format!("/v1/credentials/{carrier}"), Some(&fields)).await;
        assert_eq!(stored.status, StatusCode::OK, "{}", stored.text);
        let (asked, ()) = tokio::join!(at.0.call(at.1, Method::POST, "/v1/eligibility", Some(&ask)), async {
            let task = open(at, handed, "").await;
            let path = format!("/v1/tasks/{task}");
            let body = json!({ "answer": answer }).to_string();
            let said = handed.send(at, &[], Method::POST, &format!("{path}/answer"), body).await;
            assert_eq!(said.status, StatusCode::OK, "{}", said.text);
            handed.is_clean("answered task", &said);
            if kind == "second_factor_code" {
                let next = open(at, handed, &task).await;
                handed.send(at, &[], Method::POST, &format!("/v1/tasks/{next}/dismiss"), "").await;
            }
        });
        let wanted = if kind == "password_change" { "answered" } else { "failed" };
        assert_eq!(asked.outcome(), wanted, "{kind}: {}", asked.text);
        let place = if wanted == "failed" { &mut handed.clean } else { &mut handed.meant };
        place.push((kind.to_owned(), asked.bytes.to_vec()));
    }
    let closed = handed.send(at, &[], Method::GET, "/v1/tasks?state=closed", "").await;
    handed.is_clean("closed tasks", &closed);
}

/// The open task of the carrier that asks, another one than this.
async fn open(at: (&Gateway, &str), handed: &mut Handed, before: &str) -> String {
    for _ in 0..600 {
        let list = at.0.call(at.1, Method::GET, "/v1/tasks?state=open", None).await;
        let tasks: Vec<Value> = list.body["tasks"].as_array().cloned().unwrap_or_default();
        if let Some(task) = tasks.iter().find(|task| task["carrier"] == ASKING.0 && task["id"] != before) {
            handed.clean.push(("open tasks".to_owned(), list.bytes.to_vec()));
            return task["id"].as_str().unwrap().to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no task came");
}
