//! The schedule: a day taken in from a file, verified in one batch, and listed with what needs a person first.

use http::{Method, StatusCode};
use portico::identity::Scope;
use sandbox::Switches;
use serde_json::{Value, json};

use crate::support::{Reply, Stand};

/// A day that is a year away: no test's "today" is near it, and the simulated carriers answer for any.
fn tomorrow() -> String {
    jiff::Zoned::now().date().tomorrow().unwrap().to_string()
}

const HEADER: &str = "appt id,Date,Time,Last,First,DOB,Insurance,Policy #,Provider NPI,Relationship,Service Types\n";

fn file(rows: &[&str]) -> String {
    let date = tomorrow();
    let lines: Vec<String> = rows.iter().map(|row| format!("{}\n", row.replace("<day>", &date))).collect();
    format!("{HEADER}{}", lines.concat())
}

const AMARA: &str = "a1,<day>,09:00,Okafor,Amara,03/12/1984,Northstar,NSH-ACTIVE-COPAY40,1234567893,self,30;98";
const GRETA: &str = "a2,<day>,08:20,Holloway,Greta,02/29/1976,Northstar,NSH-INACTIVE,1234567893,self,";
const LUCIA: &str = "a3,<day>,10:00,Barragan,Lucia,04/21/1999,statemed,STM-MONTHS-MCO,1234567893,self,";
const MISTYPED: &str = "a4,<day>,10:20,Wierzbicki,Tomasz,05/11/1958,Northstar,NSH-OTHER-PAYER,1234567893,self,";
const UNKNOWN: &str = "a5,<day>,11:00,Brandvold,Otto,08/19/1951,Evergreen Mutual,EGM-1,1234567893,self,";

impl Stand {
    async fn import(&self, kind: &str, query: &str, body: &str) -> Reply {
        let headers = [("content-type", kind)];
        let path = format!("/v1/schedule/import{query}");
        self.call_with_as(&self.key, &headers, Method::POST, &path, body.as_bytes().to_vec()).await
    }

    async fn import_csv(&self, body: &str) -> Value {
        let reply = self.import("text/csv", "", body).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        reply.body
    }

    async fn day(&self, date: &str) -> Value {
        let reply = self.call(Method::GET, &format!("/v1/schedule?date={date}"), None).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        reply.body
    }

    async fn verify(&self, body: Value) -> Reply {
        self.call(Method::POST, "/v1/schedule/verify", Some(body)).await
    }

    async fn batch_done(&self, id: &str) -> Value {
        let look = async {
            loop {
                let seen = self.call(Method::GET, &format!("/v1/eligibility/batches/{id}"), None).await.body;
                if seen["state"] == "done" {
                    return seen;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(crate::process::PATIENCE, look).await.expect("the batch does not end")
    }
}

fn row<'a>(day: &'a Value, last: &str) -> &'a Value {
    let rows = day["rows"].as_array().unwrap();
    rows.iter().find(|row| row["patient"]["last_name"] == last).unwrap_or_else(|| panic!("{last} is not in {day}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_day_is_taken_in_verified_and_listed_with_problems_first() {
    let stand = Stand::start().await;
    let done = stand.import_csv(&file(&[AMARA, GRETA, LUCIA, MISTYPED, UNKNOWN])).await;
    assert_eq!((&done["added"], &done["patients_made"]), (&json!(5), &json!(5)), "{done}");
    let date = tomorrow();
    let day = stand.day(&date).await;
    assert_eq!((&day["to_ask"], &day["counters"]["not_checked"]), (&json!(4), &json!(4)), "{day}");
    assert_eq!(
        (&row(&day, "Brandvold")["badge"], &row(&day, "Brandvold")["next"]),
        (&json!("cannot_ask"), &json!("choose_carrier"))
    );

    let started = stand.verify(json!({ "date": date })).await;
    assert_eq!((started.status, &started.body["asked"]), (StatusCode::ACCEPTED, &json!(4)), "{}", started.text);
    assert_eq!(started.body["not_askable"].as_array().unwrap().len(), 1);
    let batch = started.body["batch"].as_str().unwrap().to_owned();
    // Two who press at the same time ask once.
    let again = stand.verify(json!({ "date": date })).await;
    assert_eq!((again.status, &again.body["asked"]), (StatusCode::OK, &json!(0)), "{}", again.text);
    stand.batch_done(&batch).await;

    let day = stand.day(&date).await;
    let order: Vec<_> = day["rows"].as_array().unwrap().iter().map(|row| &row["patient"]["last_name"]).collect();
    assert_eq!((order[0], day["rows"][0]["needs_you"].as_bool()), (&json!("Holloway"), Some(true)), "{day}");
    assert_eq!(row(&day, "Holloway")["badge"], "not_active");
    assert_eq!(row(&day, "Wierzbicki")["badge"], "not_found");
    assert!(row(&day, "Wierzbicki")["next"].as_str().unwrap().starts_with("fix_"));
    let amara = row(&day, "Okafor");
    assert_eq!((&amara["collect"], &amara["fresh"]), (&json!("40.00"), &json!(true)), "{amara}");
    assert_eq!(
        (&day["to_ask"], &day["fresh"], &day["batch"]["state"]),
        (&json!(0), &json!(4), &json!("done")),
        "{day}"
    );
    let again = stand.verify(json!({ "date": date })).await;
    assert_eq!((&again.body["asked"], &again.body["fresh"]), (&json!(0), &json!(4)));

    // The date of birth is mended at the patient: what was said of the wrong one no longer counts.
    let id = row(&day, "Wierzbicki")["patient"]["id"].as_str().unwrap();
    let path = format!("/v1/patients/{id}");
    let mut patient = stand.call(Method::GET, &path, None).await.body;
    for own in ["id", "version", "made_at", "changed_at", "standings"] {
        patient.as_object_mut().unwrap().remove(own);
    }
    patient["date_of_birth"] = json!("1958-11-05");
    let mended = stand.call(Method::PUT, &path, Some(json!({ "version": 1, "patient": patient }))).await;
    assert_eq!(mended.status, StatusCode::OK, "{}", mended.text);
    let day = stand.day(&date).await;
    assert_eq!((&row(&day, "Wierzbicki")["badge"], &day["to_ask"]), (&json!("not_checked"), &json!(1)));
    let started = stand.verify(json!({ "date": date })).await;
    stand.batch_done(started.body["batch"].as_str().unwrap()).await;
    assert_eq!(row(&stand.day(&date).await, "Wierzbicki")["badge"], "active_look");
    // And the next file, which still has the wrong one, does not put it back.
    let done = stand.import_csv(&file(&[AMARA, GRETA, LUCIA, MISTYPED, UNKNOWN])).await;
    assert_eq!((&done["same"], &done["patients_changed"]), (&json!(5), &json!(0)), "{done}");
    assert_eq!(row(&stand.day(&date).await, "Wierzbicki")["badge"], "active_look");
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_changes_nothing_and_what_vanishes_is_flagged() {
    let stand = Stand::start().await;
    let all = file(&[AMARA, GRETA, LUCIA]);
    stand.import_csv(&all).await;
    let done = stand.import_csv(&all).await;
    assert_eq!(
        (&done["same"], &done["added"], &done["changed"], &done["vanished"]),
        (&json!(3), &json!(0), &json!(0), &json!(0))
    );
    let moved = file(&[&AMARA.replace("09:00", "9:40 AM"), LUCIA]);
    let done = stand.import_csv(&moved).await;
    assert_eq!((&done["same"], &done["changed"], &done["vanished"]), (&json!(1), &json!(1), &json!(1)), "{done}");
    let day = stand.day(&tomorrow()).await;
    assert_eq!((&day["appointments"], &day["vanished"]), (&json!(2), &json!(1)));
    assert_eq!((&row(&day, "Okafor")["time"], &row(&day, "Holloway")["vanished"]), (&json!("09:40:00"), &json!(true)));
    let replaced = stand.import("text/csv", "?replace=true", &moved).await;
    assert_eq!(replaced.body["removed"], 1, "{}", replaced.text);
    assert_eq!(stand.day(&tomorrow()).await["rows"].as_array().unwrap().len(), 2);

    // Without another system's id: patient, day, and which of the day.
    let pasted = "date\ttime\tpatient\tdob\tcarrier\tmember id\n<day>\t13:00\tOkafor, Amara\t3/12/1984\tNorthstar\tNSH-ACTIVE-COPAY40\n<day>\t15:00\tOkafor, Amara\t3/12/1984\tNorthstar\tNSH-ACTIVE-COPAY40\n";
    let pasted = pasted.replace("<day>", "2030-05-06");
    for want in [(2, 0), (0, 2)] {
        let done = stand.import("text/tab-separated-values", "", &pasted).await;
        assert_eq!((&done.body["added"], &done.body["same"]), (&json!(want.0), &json!(want.1)), "{}", done.text);
        assert_eq!(done.body["patients_made"], 0);
    }
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_is_refused_with_everything_that_is_wrong_and_another_practice_sees_nothing() {
    let stand = Stand::start().await;
    let bad = file(&[AMARA, "a2,<day>,25:00,Zanzibar,Jo,13/13/1980,Northstar,X,1234567890,cousin,"]);
    let reply = stand.import("text/csv", "", &bad).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.text);
    let paths: Vec<_> = reply.body["errors"].as_array().unwrap().iter().map(|one| one["path"].clone()).collect();
    assert_eq!(paths, ["/rows/3/time", "/rows/3/date_of_birth", "/rows/3/relationship", "/rows/3/npi"]);
    assert!(!reply.text.contains("Zanzibar") && reply.text.contains("(column 6)"), "{}", reply.text);
    assert_eq!(stand.day(&tomorrow()).await["appointments"], 0);
    let taken = stand.import("text/csv", "?accept=valid", &bad).await;
    assert_eq!((&taken.body["added"], &taken.body["left_out"]), (&json!(1), &json!(1)), "{}", taken.text);
    for (kind, body, status) in [
        ("text/csv", "", StatusCode::UNPROCESSABLE_ENTITY),
        ("application/fhir+json", "{", StatusCode::UNPROCESSABLE_ENTITY),
        ("application/pdf", "x", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        assert_eq!(stand.import(kind, "", body).await.status, status, "{kind}");
    }

    let other = stand.key_of("other", &[Scope::Ask]).await;
    let path = format!("/v1/schedule?date={}", tomorrow());
    let theirs = stand.call_as(Some(&other), Method::GET, &path, None).await;
    assert_eq!((theirs.status, theirs.body["rows"].as_array().unwrap().len()), (StatusCode::OK, 0));
    let trail = stand.call(Method::GET, "/v1/trail?limit=500", None).await.text;
    assert!(trail.contains("schedule.imported") && trail.contains("schedule.read") && !trail.contains("Okafor"));
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_appointment_by_hand_is_added_corrected_met_by_a_file_and_taken_off() {
    let stand = Stand::start().await;
    let date = tomorrow();
    stand.import_csv(&file(&[AMARA, GRETA])).await;
    let greta = row(&stand.day(&date).await, "Holloway").clone();
    let patient = greta["patient"]["id"].clone();
    let add = async |body: Value| stand.call(Method::POST, "/v1/schedule/appointments", Some(body)).await;
    let visit = json!({ "time": "15:00:00", "provider": "Dr Rao", "location": "Main St" });
    let added = add(json!({ "date": date, "patient": patient, "visit": visit })).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    assert_eq!((&added.body["source"], &added.body["visit"]["provider"]), (&json!("hand"), &json!("Dr Rao")));
    let wrong =
        json!({ "date": "1999-01-02", "patient": "pat_none", "visit": { "carrier": "nobody", "provider": "a\nb" } });
    let refused = add(wrong).await;
    let paths: Vec<_> = refused.body["errors"].as_array().unwrap().iter().map(|one| one["path"].clone()).collect();
    assert_eq!(paths, ["/date", "/visit/provider", "/visit/carrier", "/patient"], "{}", refused.text);

    // It is asked about as any other, and no file makes it vanish.
    let path = format!("/v1/schedule/appointments/{}", added.body["id"].as_str().unwrap());
    assert_eq!(stand.day(&date).await["to_ask"], 3);
    for query in ["", "?replace=true"] {
        let done = stand.import("text/csv", query, &file(&[AMARA, GRETA])).await;
        assert_eq!((&done.body["vanished"], &done.body["removed"]), (&json!(0), &json!(0)), "{}", done.text);
    }
    // Of two who correct it the second one is told.
    let change = |version: &Value, time: &str| json!({ "version": version, "date": date, "visit": { "time": time } });
    let one = stand.call(Method::PUT, &path, Some(change(&added.body["version"], "15:20:00"))).await;
    assert_eq!((one.status, &one.body["visit"]["time"]), (StatusCode::OK, &json!("15:20:00")), "{}", one.text);
    let other = stand.call(Method::PUT, &path, Some(change(&added.body["version"], "16:00:00"))).await;
    assert_eq!(other.status, StatusCode::CONFLICT, "{}", other.text);
    assert_eq!(stand.call(Method::GET, &path, None).await.body["visit"]["time"], "15:20:00");
    // What came from a file is mended there.
    let imported = format!("/v1/schedule/appointments/{}", greta["id"].as_str().unwrap());
    assert_eq!(stand.call(Method::DELETE, &imported, None).await.status, StatusCode::CONFLICT);
    // Another practice has no such appointment, whatever it tries.
    let theirs = stand.key_of("other", &[Scope::Ask]).await;
    for (method, body) in
        [(Method::GET, None), (Method::PUT, Some(change(&one.body["version"], "17:00:00"))), (Method::DELETE, None)]
    {
        assert_eq!(stand.call_as(Some(&theirs), method, &path, body).await.status, StatusCode::NOT_FOUND);
    }
    let add_theirs = json!({ "date": date, "patient": patient });
    let refused = stand.call_as(Some(&theirs), Method::POST, "/v1/schedule/appointments", Some(add_theirs)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);

    // The practice's own system brings it: the file's row takes its place.
    let same = GRETA.replace("a2,", "a9,").replace("08:20", "15:20");
    let done = stand.import_csv(&file(&[AMARA, GRETA, &same])).await;
    assert_eq!((&done["added"], &stand.day(&date).await["appointments"]), (&json!(1), &json!(3)), "{done}");
    assert_eq!(stand.call(Method::GET, &path, None).await.status, StatusCode::NOT_FOUND);
    let again = add(json!({ "date": date, "patient": patient })).await;
    let path = format!("/v1/schedule/appointments/{}", again.body["id"].as_str().unwrap());
    assert_eq!(stand.call(Method::DELETE, &path, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(stand.call(Method::DELETE, &path, None).await.status, StatusCode::NOT_FOUND);
    let trail = stand.call(Method::GET, "/v1/trail?limit=500", None).await.text;
    for action in ["appointment.added", "appointment.changed", "appointment.removed", "appointment.read"] {
        assert!(trail.contains(action), "{action}");
    }
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_day_is_narrowed_by_codes_that_tell_nothing() {
    let stand = Stand::start().await;
    let date = tomorrow();
    let lines = [AMARA, GRETA, LUCIA].map(|row| row.replace("<day>", &date));
    let header = HEADER.replace("Service Types", "Service Types,Provider,Location");
    let more = [",Dr Rao,Main St", ",Dr Sand,Main St", ",Dr Rao,Harbor"];
    let body: String = lines.iter().zip(more).map(|(line, more)| format!("{line}{more}\n")).collect();
    stand.import_csv(&format!("{header}{body}")).await;
    let whole = stand.day(&date).await;
    let code = |kind: &str, name: &str| {
        let choices = whole[kind].as_array().unwrap();
        let own = choices.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name} in {whole}"));
        own["code"].as_str().unwrap().to_owned()
    };
    let (rao, main) = (code("providers", "Dr Rao"), code("locations", "Main St"));
    assert!(rao.len() == 16 && rao.bytes().all(|byte| byte.is_ascii_hexdigit()), "{rao}");
    let look = async |query: String| stand.day(&format!("{date}{query}")).await;
    let narrowed = look(format!("&provider={rao}")).await;
    assert_eq!((&narrowed["appointments"], &narrowed["to_ask"]), (&json!(2), &json!(2)), "{narrowed}");
    assert_eq!(narrowed["providers"].as_array().unwrap().len(), 2, "what could be chosen stays");
    let both = look(format!("&provider={rao}&location={main}")).await;
    assert_eq!((&both["appointments"], &both["counters"]), (&json!(1), &json!({ "not_checked": 1 })), "{both}");
    // A code of yesterday means all, and not an empty day.
    assert_eq!(look("&provider=0123456789abcdef".to_owned()).await["appointments"], 3);
    let started = stand.verify(json!({ "date": date, "provider": rao })).await;
    assert_eq!(started.body["asked"], 2, "{}", started.text);
    stand.batch_done(started.body["batch"].as_str().unwrap()).await;
    assert_eq!(row(&stand.day(&date).await, "Holloway")["badge"], "not_checked");
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_carrier_that_is_down_is_told_once_and_its_rows_wait() {
    let stand = Stand::start().await;
    stand.import_csv(&file(&[AMARA, GRETA, LUCIA])).await;
    let down = Switches { down: sandbox::Down::Unavailable, ..Switches::default() };
    stand.sandbox.control().set("northstar", down);
    let started = stand.verify(json!({ "date": tomorrow() })).await;
    assert_eq!(started.body["asked"], 3, "{}", started.text);
    let look = async {
        loop {
            let day = stand.day(&tomorrow()).await;
            if day["counters"]["carrier_down"] == 2 {
                return day;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let day = match tokio::time::timeout(crate::process::PATIENCE, look).await {
        Ok(day) => day,
        Err(_) => panic!("the rows do not come to wait: {}", stand.day(&tomorrow()).await),
    };
    let notes = day["carriers"].as_array().unwrap();
    let rows: u64 = notes.iter().map(|note| note["rows"].as_u64().unwrap()).sum();
    assert!(rows == 2 && notes.iter().all(|note| note["carrier"] == "northstar" && note["by_itself"] == true), "{day}");
    let amara = row(&day, "Okafor");
    assert_eq!(
        (&amara["needs_you"], &amara["next"], &amara["under_way"]),
        (&json!(false), &json!("wait"), &json!(true))
    );
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_as_a_file_runs_nothing_and_a_bundle_is_read() {
    let stand = Stand::start().await;
    let hostile = AMARA.replace("Okafor", "=cmd|' /C calc'!A0");
    stand.import_csv(&file(&[&hostile])).await;
    let sheet = stand.call(Method::GET, &format!("/v1/schedule?date={}&format=csv", tomorrow()), None).await;
    assert_eq!(sheet.headers["content-type"], "text/csv; charset=utf-8");
    assert!(sheet.text.contains("\"'=cmd") && !sheet.text.contains("\"=cmd"), "{}", sheet.text);

    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "resource": { "resourceType": "Appointment", "id": "f1", "status": "booked", "start": "2030-03-04T12:00:00Z",
            "participant": [{ "actor": { "reference": "Patient/p1" } }] } },
        { "resource": { "resourceType": "Patient", "id": "p1", "birthDate": "1984-03-12",
            "name": [{ "family": "Okafor", "given": ["Amara"] }] } },
        { "resource": { "resourceType": "Coverage", "id": "c1", "status": "active", "subscriberId": "NSH-ACTIVE-COPAY40",
            "beneficiary": { "reference": "Patient/p1" }, "payor": [{ "display": "Northstar" }] } }] });
    let done = stand.import("application/fhir+json", "", &bundle.to_string()).await;
    assert_eq!((done.status, &done.body["added"]), (StatusCode::OK, &json!(1)), "{}", done.text);
    let day = stand.day(done.body["dates"][0].as_str().unwrap()).await;
    assert_eq!(row(&day, "Okafor")["carrier"], "northstar");
    stand.stop().await;
}
