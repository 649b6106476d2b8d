//! The desk's pages as a browser without scripts uses them: Today, the import, the huddle sheet, a patient.

use http::{Method, StatusCode};
use portico::identity::{Caller, NewMember, Role};
use portico::practice::PracticeId;
use serde_json::json;
use zeroize::Zeroizing;

use crate::support::{Reply, Stand, send_with};

const PASSWORD: &str = "four words that nobody-else-knows";

/// Somebody signed in, with a browser.
struct Desk<'a> {
    stand: &'a Stand,
    cookie: String,
    csrf: String,
}

impl<'a> Desk<'a> {
    async fn of(stand: &'a Stand, role: Role) -> Self {
        let email = format!("{}@desk.example", role.word());
        let new = NewMember { email: &email, name: "Somebody", role, second_factor: false };
        let caller = Caller::command_line(PracticeId::new("demo"));
        let identity = &stand.house.app.identity;
        let token = identity.add_person(&caller, new).await.unwrap().token.unwrap();
        identity.accept_invitation(&token, &Zeroizing::new(PASSWORD.to_owned()), "test").await.unwrap();
        let body = json!({ "email": email, "password": PASSWORD }).to_string().into_bytes();
        let reply = send_with(&stand.address(), None, &[], Method::POST, "/v1/session", body).await.unwrap();
        let cookie = reply.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Self { stand, cookie, csrf: reply.body["csrf_token"].as_str().unwrap().to_owned() }
    }

    async fn send(&self, method: Method, path: &str, kind: &str, body: Vec<u8>) -> Reply {
        let headers = [("cookie", self.cookie.as_str()), ("origin", "http://localhost"), ("content-type", kind)];
        send_with(&self.stand.address(), None, &headers, method, path, body).await.unwrap()
    }

    async fn get(&self, path: &str) -> Reply {
        let reply = self.send(Method::GET, path, "text/plain", Vec::new()).await;
        // A page's title is a fixed text: no patient in a tab or in the browser's history.
        if let Some((_, rest)) = reply.text.split_once("<title>") {
            let title = rest.split("</title>").next().unwrap();
            let fixed = [
                "Today",
                "Add an appointment",
                "Appointment",
                "Patient",
                "Huddle",
                "Import a schedule",
                "Changed meanwhile",
                "Not possible",
            ];
            assert!(fixed.iter().any(|known| title == format!("{known} – Portico")), "{title}");
            assert!(reply.text.contains("<h1") && !reply.text.contains(" style=") && !reply.text.contains(" onclick"));
        }
        reply
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut form: Vec<String> = vec![format!("csrf={}", self.csrf)];
        let plain = |text: &str| text.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace(' ', "+");
        form.extend(fields.iter().map(|(name, value)| format!("{name}={}", plain(value))));
        self.send(Method::POST, path, "application/x-www-form-urlencoded", form.join("&").into_bytes()).await
    }

    /// Sends a form with a file, as a browser does.
    async fn import(&self, fields: &[(&str, &str)], file: &str) -> Reply {
        let mut body = String::new();
        for (name, value) in fields.iter().chain([&("csrf", self.csrf.as_str())]) {
            body += &format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        }
        body += &format!(
            "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.csv\"\r\nContent-Type: text/csv\r\n\r\n{file}\r\n--xyz--\r\n"
        );
        self.send(Method::POST, "/schedule/import", "multipart/form-data; boundary=xyz", body.into_bytes()).await
    }

    async fn until_asked(&self, path: &str) -> Reply {
        let look = async {
            loop {
                let page = self.get(path).await;
                if page.text.contains("<strong>Asked</strong>") {
                    return page;
                }
                tokio::time::sleep(std::time::Duration::from_millis(30)).await;
            }
        };
        tokio::time::timeout(crate::process::PATIENCE, look).await.expect("the batch does not end")
    }
}

fn to(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
    reply.headers["location"].to_str().unwrap().to_owned()
}

fn file(date: &str) -> String {
    format!(
        "date,time,patient,dob,carrier,member id,npi\n\
         {date},09:00,\"Okafor, Amara\",03/12/1984,Northstar,NSH-ACTIVE-COPAY40,1234567893\n\
         {date},08:20,\"Holloway, Greta\",02/29/1976,Northstar,NSH-INACTIVE,1234567893\n\
         {date},10:00,\"<script>, Otto\",08/19/1951,Evergreen Mutual,EGM-1,1234567893\n"
    )
}

fn tomorrow() -> String {
    jiff::Zoned::now().date().tomorrow().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_day_is_imported_verified_and_worked_through_without_scripts() {
    let stand = Stand::start().await;
    let desk = Desk::of(&stand, Role::FrontDesk).await;
    assert_eq!(to(&desk.get("/").await), "/today");
    let date = tomorrow();
    let today = format!("/today?date={date}");
    let empty = desk.get(&today).await;
    assert!(empty.text.contains("No appointments for") && empty.text.contains("Import a schedule"), "{}", empty.text);

    // A bad row refuses the file, and says where; what was pasted stays in its field.
    let bad = desk.import(&[("pasted", "")], &file(&date).replace("03/12/1984", "12/1984")).await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        bad.text.contains("Line 2, date of birth") && bad.text.contains("2 other rows are in order"),
        "{}",
        bad.text
    );
    let back = to(&desk.import(&[], &file(&date)).await);
    assert_eq!(back, format!("{today}&added=3&changed=0&same=0&vanished=0&left_out=0"));
    let page = desk.get(&back).await.text;
    assert!(page.contains("Verify 2") && page.contains("3 added"), "{page}");
    assert!(page.contains("&lt;script&gt;, Otto") && !page.contains("<script>,"), "a name is shown as it is written");
    assert!(page.find("Choose the carrier").unwrap() < page.find("Okafor").unwrap(), "problems first");

    let back = to(&desk.post("/today/verify", &[("date", &date), ("what", "stale")]).await);
    assert_eq!(back, format!("{today}&asked=2&fresh=0&cannot=1"));
    let done = desk.until_asked(&today).await.text;
    assert!(done.contains("Not active") && done.contains("Ask for the new card"), "{done}");
    assert!(done.contains("$40.00") && done.contains("2 still fresh") && !done.contains("http-equiv"), "{done}");
    let only = desk.get(&format!("{today}&show=not_active")).await.text;
    assert!(only.contains("Holloway") && !only.contains("Okafor"), "{only}");

    let sheet = desk.get(&format!("/today/huddle?date={date}&names=initials")).await.text;
    assert!(sheet.contains("G. H.") && !sheet.contains("Holloway"), "{sheet}");
    // The part that renews itself comes without what is around it.
    let headers = [("cookie", desk.cookie.as_str()), ("hx-request", "true")];
    let part = send_with(&stand.address(), None, &headers, Method::GET, &today, Vec::new()).await.unwrap().text;
    assert!(part.contains("Okafor") && !part.contains("<html"), "{part}");
    stand.stop().await;
}

/// A script reads what stands in `noscript` of a fetched part as elements: a refresh there would load the whole page again,
/// and what somebody is doing on it would be lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_part_that_renews_itself_never_loads_the_page_again() {
    let stand = Stand::start().await;
    let slow = sandbox::Switches { latency_ms: 4_000, ..sandbox::Switches::default() };
    assert!(stand.sandbox.control().set("northstar", slow));
    let desk = Desk::of(&stand, Role::FrontDesk).await;
    let date = tomorrow();
    let today = format!("/today?date={date}");
    let seen_by = file(&date).replacen("1234567893\n", "1234567893,Dr Rao\n", 1).replace("npi\n", "npi,provider\n");
    desk.import(&[], &seen_by.replace("1234567893\n", "1234567893,Dr Sand\n")).await;
    to(&desk.post("/today/verify", &[("date", &date), ("what", "stale")]).await);
    let page = desk.get(&today).await.text;
    assert!(
        page.contains("<noscript><meta http-equiv=\"refresh\""),
        "without scripts the page refreshes itself: {page}"
    );
    let headers = [("cookie", desk.cookie.as_str()), ("hx-request", "true")];
    let part = send_with(&stand.address(), None, &headers, Method::GET, &today, Vec::new()).await.unwrap().text;
    assert!(part.contains("data-hx-trigger") && !part.contains("http-equiv"), "{part}");

    // Who looks at one doctor's patients does so after the batch is paused, too.
    let code = page.split("<option value=\"").find(|part| part.contains("Dr Rao")).unwrap().split('"').next().unwrap();
    let only = desk.get(&format!("{today}&provider={code}")).await.text;
    let (_, panel) = only.split_once("action=\"/today/batch/").expect("the batch runs");
    let (id, form) = panel.split_once('"').unwrap();
    let form = form.split("</form>").next().unwrap();
    assert!(form.contains(&format!("name=\"provider\" value=\"{code}\"")), "{form}");
    let fields = [("date", date.as_str()), ("provider", code), ("wish", "pause")];
    assert_eq!(to(&desk.post(&format!("/today/batch/{id}"), &fields).await), format!("{today}&provider={code}"));
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_appointment_is_added_narrowed_to_corrected_and_taken_off_without_scripts() {
    let stand = Stand::start().await;
    let desk = Desk::of(&stand, Role::FrontDesk).await;
    let date = tomorrow();
    desk.import(&[], &file(&date)).await;
    let today = format!("/today?date={date}");

    // Somebody known: found, chosen, added.
    let found = desk.post("/today/add/find", &[("date", &date), ("q", "okafr")]).await.text;
    let chosen = found.split("href=\"").find(|part| part.starts_with("/today/add?date=")).expect("nobody was found");
    let chosen = chosen.split('"').next().unwrap().replace("&amp;", "&");
    let form = desk.get(&chosen).await.text;
    assert!(form.contains("Okafor") && form.contains("12 Mar 1984"), "{form}");
    let patient = chosen.split("patient=").nth(1).unwrap();
    let wrong = desk.post("/today/add", &[("patient", patient), ("date", ""), ("time", "25:00")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("Choose the day.") && wrong.text.contains("value=\"25:00\""), "{}", wrong.text);
    let fields =
        [("patient", patient), ("date", &date), ("time", "16:40"), ("provider", "Dr Rao"), ("location", "Main St")];
    assert_eq!(to(&desk.post("/today/add", &fields).await), format!("{today}&said=added"));

    // Somebody new, with everything that is wrong at once, and nobody entered before it is right.
    let mut new = vec![("date", date.as_str()), ("last_name", "Quill"), ("date_of_birth.month", "13")];
    let wrong = desk.post("/today/add", &new).await;
    assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.text.contains("Quill"), "{}", wrong.text);
    new[2] = ("date_of_birth.month", "2");
    new.extend([("first_name", "Ida"), ("date_of_birth.day", "3"), ("date_of_birth.year", "1970")]);
    new.extend([
        ("coverages.0.carrier", "northstar"),
        ("coverages.0.member_id", "NSH-INACTIVE"),
        ("provider", "Dr Sand"),
    ]);
    new[0] = ("date", "2019-01-02");
    let wrong = desk.post("/today/add", &new).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("more than two years away") && wrong.text.contains("Quill"), "{}", wrong.text);
    new[0] = ("date", &date);
    assert_eq!(to(&desk.post("/today/add", &new).await), format!("{today}&said=added"));
    let found = stand.call(Method::POST, "/v1/patients/search", Some(json!({ "query": "quill" }))).await;
    assert_eq!(found.body["patients"].as_array().unwrap().len(), 1);

    // Narrowed by a code; the links go on with it, and so does the sheet for the morning.
    let page = desk.get(&today).await.text;
    assert!(page.contains("Dr Rao (1)") && page.contains("Dr Sand (1)"), "{page}");
    let code = page.split("<option value=\"").find(|part| part.contains("Dr Rao")).unwrap().split('"').next().unwrap();
    let only = desk.get(&format!("{today}&provider={code}")).await.text;
    assert!(only.contains("Okafor") && !only.contains("Quill") && !only.contains("Holloway"), "{only}");
    assert!(only.contains("Verify 1") && only.contains(&format!("&amp;provider={code}")), "{only}");
    let sheet = desk.get(&format!("/today/huddle?date={date}&provider={code}")).await.text;
    assert!(sheet.contains("· Dr Rao") && sheet.contains("Okafor") && !sheet.contains("Quill"), "{sheet}");

    // Corrected by two, of whom the second one is shown both; taken off.
    let path = only.split("href=\"").find(|part| part.starts_with("/today/appointments/")).unwrap();
    let path = path.split('"').next().unwrap();
    let form = desk.get(path).await.text;
    let version = form.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let change = |time: &'static str| [("version", version), ("date", &date), ("time", time), ("provider", "Dr Rao")];
    assert_eq!(to(&desk.post(path, &change("16:50")).await), format!("{today}&said=saved"));
    let both = desk.post(path, &change("17:10")).await;
    assert_eq!(both.status, StatusCode::CONFLICT);
    assert!(both.text.contains("<strong>16:50</strong>") && both.text.contains("value=\"17:10\""), "{}", both.text);
    let gone = desk.post(&format!("{path}/take-off"), &[("date", &date)]).await;
    assert_eq!(to(&gone), format!("{today}&said=removed"));
    assert_eq!(desk.get(path).await.status, StatusCode::NOT_FOUND);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_mend_a_patient_the_second_sees_both_versions() {
    let stand = Stand::start().await;
    let (desk, other) = (Desk::of(&stand, Role::FrontDesk).await, Desk::of(&stand, Role::Biller).await);
    desk.import(&[], &file(&tomorrow())).await;
    let found = stand.call(Method::POST, "/v1/patients/search", Some(json!({ "query": "okafor" }))).await;
    let path = format!("/patients/{}", found.body["patients"][0]["id"].as_str().unwrap());
    let page = desk.get(&path).await.text;
    assert!(page.contains("Okafor, Amara") && page.contains("12 Mar 1984") && page.contains("NSH-ACTIVE-COPAY40"));
    let form = |phone: &'static str, year: &'static str| {
        vec![
            ("version", "1"),
            ("first_name", "Amara"),
            ("last_name", "Okafor"),
            ("date_of_birth.month", "3"),
            ("date_of_birth.day", "12"),
            ("date_of_birth.year", year),
            ("phone", phone),
            ("coverages.0.carrier", "northstar"),
            ("coverages.0.member_id", "NSH-ACTIVE-COPAY40"),
        ]
    };
    let wrong = desk.post(&path, &form("503-555-0142", "84")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("1984") && wrong.text.contains("value=\"503-555-0142\""), "what was typed stays");
    assert_eq!(to(&other.post(&path, &form("503-555-0199", "1984")).await), format!("{path}?said=saved"));
    let both = desk.post(&path, &form("503-555-0142", "1984")).await;
    assert_eq!(both.status, StatusCode::CONFLICT);
    assert!(both.text.contains("503-555-0199") && both.text.contains("503-555-0142"), "{}", both.text);
    assert!(both.text.contains("name=\"version\" value=\"2\""), "{}", both.text);
    let mut again = form("503-555-0142", "1984");
    again[0] = ("version", "2");
    assert_eq!(to(&desk.post(&path, &again).await), format!("{path}?said=saved"));

    let said =
        [("phone.carrier", "northstar"), ("phone.covered", "yes"), ("phone.who", "Dana"), ("phone.reference", "C-77")];
    assert_eq!(desk.post(&format!("{path}/phone"), &said[..2]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(to(&desk.post(&format!("{path}/phone"), &said).await), format!("{path}?said=recorded"));
    let page = desk.get(&path).await.text;
    assert!(page.contains("Verified by phone") && page.contains("C-77"), "{page}");
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_patients_sees_none_and_a_foreign_form_does_nothing() {
    let stand = Stand::start().await;
    let desk = Desk::of(&stand, Role::FrontDesk).await;
    desk.import(&[], &file(&tomorrow())).await;
    let found = stand.call(Method::POST, "/v1/patients/search", Some(json!({ "query": "okafor" }))).await;
    let patient = format!("/patients/{}", found.body["patients"][0]["id"].as_str().unwrap());
    let paths = ["/today".to_owned(), "/schedule/import".to_owned(), "/today/huddle".to_owned(), patient];
    for role in [Role::PlatformAdmin, Role::Auditor] {
        let other = Desk::of(&stand, role).await;
        for path in &paths {
            let reply = other.get(path).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path} as {}", role.word());
            assert!(!reply.text.contains("Okafor"));
        }
    }
    for path in &paths {
        let nobody = send_with(&stand.address(), None, &[], Method::GET, path, Vec::new()).await.unwrap();
        assert!(to(&nobody).starts_with("/sign-in?next="), "{path}");
    }
    let forged = Desk { stand: &stand, cookie: desk.cookie.clone(), csrf: "forged".to_owned() };
    let date = tomorrow();
    for (path, fields) in
        [("/today/verify", vec![("date", date.as_str())]), (paths[3].as_str(), vec![("version", "1")])]
    {
        assert_eq!(forged.post(path, &fields).await.status, StatusCode::FORBIDDEN, "{path}");
    }

    // A form of an earlier session does nothing, and what was typed comes back to be sent by a press of this session;
    // to a page of ours only, and never what may be a password.
    let kept = forged.post("/today/add", &[("last_name", "Draft<wood>")]).await;
    assert_eq!(kept.status, StatusCode::FORBIDDEN);
    assert!(kept.text.contains("value=\"Draft&lt;wood&gt;\"") && kept.text.contains(&desk.csrf), "{}", kept.text);
    let word = forged.post("/account/password", &[("old", "Draftwood")]).await;
    assert!(!word.text.contains("Draftwood") && !word.text.contains(&desk.csrf), "{}", word.text);
    let ended = Desk { stand: &stand, cookie: format!("portico={}", "A".repeat(43)), csrf: desk.csrf.clone() };
    let kept = ended.post("/today/add", &[("last_name", "Draftwood")]).await;
    assert_eq!(kept.status, StatusCode::UNAUTHORIZED);
    assert!(kept.text.contains("Draftwood") && !kept.text.contains(&desk.csrf), "{}", kept.text);
    // Files of nobody are not even read.
    let file = ended.import(&[("pasted", "Draftwood")], "date,time\n").await;
    assert_eq!(file.status, StatusCode::UNAUTHORIZED);
    assert!(file.text.contains("Nothing was done. Sign in") && !file.text.contains("Draftwood"), "{}", file.text);
    for cookie in [&desk.cookie, &ended.cookie] {
        let kind = "application/x-www-form-urlencoded";
        let headers = [("cookie", cookie.as_str()), ("origin", "https://evil.example"), ("content-type", kind)];
        let body = b"last_name=Draftwood".to_vec();
        let foreign = send_with(&stand.address(), None, &headers, Method::POST, "/today/add", body).await.unwrap();
        assert!(foreign.status.is_client_error() && !foreign.text.contains("Draftwood"), "{}", foreign.text);
    }
    assert_eq!(desk.get("/patients/pat_none").await.status, StatusCode::NOT_FOUND);
    stand.stop().await;
}
