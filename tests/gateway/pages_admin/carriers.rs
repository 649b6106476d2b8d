//! The pages of carriers: how one did, a pause, the way from nothing to a login, a file taken away and brought back, and the
//! switches of the simulated ones.

use http::{Method, StatusCode};
use portico::identity::Role;
use sandbox::{Down, Switches};
use serde_json::json;

use super::desk::{Desk, leads, records};
use crate::support::{Stand, ask};

/// What stands in a field of the page.
fn value(page: &str, name: &str) -> String {
    let (_, rest) =
        page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name}: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_is_seen_wherever_the_carrier_is_used() {
    let stand = Stand::start().await;
    let desk = Desk::admin(&stand).await;
    let reply = stand.ask(ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12")).await;
    assert_eq!(reply.body["outcome"], "answered");
    let list = desk.get("/carriers").await.text;
    assert!(list.contains("100") && list.contains("not asked in the last day"), "{list}");
    let one = desk.get("/carriers/northstar").await.text;
    assert!(one.contains("Is it them or us?") && one.contains("It works.") && one.contains("1 answered"), "{one}");

    let empty = desk.post("/carriers/northstar/pause", &[("reason", " ")]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    let paused = desk.post("/carriers/northstar/pause", &[("reason", "wrong <answers> today")]).await;
    assert_eq!(leads(&paused), "/carriers/northstar?said=paused");
    for (page, words) in [
        ("/carriers", "Paused"),
        ("/carriers/northstar", "by Demo Person since"),
        ("/check?carrier=northstar", "wrong &lt;answers&gt; today"),
    ] {
        let page_text = desk.get(page).await.text;
        assert!(page_text.contains(words), "{page}: {page_text}");
    }
    // Who may not resume is told who may; who sees no patient data does not read the reason.
    let front = Desk::of(&stand, Role::FrontDesk).await.get("/carriers/northstar").await.text;
    assert!(front.contains("biller, coordinator or administrator resumes it") && !front.contains("id=\"pause\""));
    let platform = Desk::of(&stand, Role::PlatformAdmin).await.get("/carriers/northstar").await.text;
    assert!(platform.contains("Demo Person since") && !platform.contains("wrong &lt;answers"), "{platform}");
    let asked = json!({ "carrier": "northstar", "provider": { "npi": "1234567893" }, "max_age_secs": 0,
        "member": { "member_id": "NSH-ACTIVE-COPAY40", "date_of_birth": "1984-03-12" } });
    let id = stand.ask(asked).await.body["id"].as_str().unwrap().to_owned();
    let failed = desk.get(&format!("/checks/{id}")).await.text;
    assert!(failed.contains("is paused") && failed.contains("by Demo Person since"), "{failed}");

    let resumed = desk.post("/carriers/northstar/resume", &[]).await;
    assert_eq!(leads(&resumed), "/carriers/northstar?said=resumed");
    assert!(!desk.get("/carriers").await.text.contains("Paused"));
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_without_toml_connects_a_carrier() {
    let stand = Stand::start().await;
    let desk = Desk::admin(&stand).await;
    assert!(desk.get("/admin/carriers/connect").await.text.contains("?with=core-x12"));
    let form = desk.get("/admin/carriers/connect?with=core-x12").await.text;
    assert!(form.contains("settings.endpoint") && form.contains("<option value=\"mime\""), "{form}");
    let at = stand.sandbox.address("northstar").unwrap().to_string();
    let endpoint = format!("http://{at}/core");
    let mut fields = vec![
        ("with", "core-x12"),
        ("name", "Second \"North\""),
        ("id", "second-north"),
        ("hosts", at.as_str()),
        ("payer_ids", "60054, NSH"),
        ("settings.endpoint", endpoint.as_str()),
        ("settings.envelope", "soap"),
        ("settings.sender_id", "PORTICO01"),
    ];
    // Everything that is missing, at once, each at its field; what was typed stays.
    let wrong = desk.post("/admin/carriers/connect", &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("href=\"#f-settings-receiver_id\"") && wrong.text.contains("Second &quot;North&quot;"));
    let missing: Vec<String> = value_names(&form).into_iter().filter(|name| name.starts_with("settings.")).collect();
    for name in &missing {
        if !fields.iter().any(|(own, _)| own == name) {
            fields.push((name.as_str(), "NSH"));
        }
    }
    // The host it names is not among its hosts: the loader's word, at the field.
    let mut elsewhere = fields.clone();
    elsewhere[3].1 = "other.example";
    let wrong = desk.post("/admin/carriers/connect", &elsewhere).await;
    assert!(
        wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.text.contains("#f-settings-endpoint"),
        "{}",
        wrong.text
    );
    let made = desk.post("/admin/carriers/connect", &fields).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    assert!(
        made.text.contains("name=\"then\" value=\"login\"") && made.text.contains("payer_ids = ["),
        "{}",
        made.text
    );
    let (_, text) = made.text.split_once("<textarea").unwrap();
    let text = text.split_once('>').unwrap().1.split("</textarea>").next().unwrap();
    let text = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let form = [("id", "second-north"), ("text", text.as_str()), ("reason", "x"), ("then", "login"), ("do", "apply")];
    let added = desk.post("/admin/carriers/new", &form).await;
    assert_eq!(leads(&added), "/carriers/second-north?said=connected#login", "{}", added.text);
    let page = desk.get("/carriers/second-north?said=connected").await.text;
    assert!(page.contains("Store and try it") && page.contains("One step is left"), "{page}");
    stand.stop().await;
}

/// Names of the fields of a page's forms.
fn value_names(page: &str) -> Vec<String> {
    let names = page.split(" name=\"").skip(1).filter_map(|rest| rest.split('"').next());
    names.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_is_taken_away_only_when_nothing_waits_for_it_and_comes_back() {
    let stand = Stand::start().await;
    let desk = Desk::admin(&stand).await;
    let paused = desk.post("/carriers/hubline/pause", &[("reason", "so that the batch waits")]).await;
    assert_eq!(paused.status, StatusCode::SEE_OTHER);
    let items = json!({ "items": [ask("hubline", "HUB-ACTIVE-EPO", "1974-05-27")] });
    let headers = [("idempotency-key", "waits")];
    let made = stand.call_with(&headers, Method::POST, "/v1/eligibility/batches", Some(items)).await;
    let batch = made.body["id"].as_str().unwrap_or_else(|| panic!("{}", made.text)).to_owned();
    let here = "/admin/carriers/hubline/remove";
    let page = desk.get(here).await.text;
    assert!(page.contains("1 question waits") && !page.contains("Take it away"), "{page}");
    let base = value(&desk.get("/admin/carriers/hubline").await.text, "base");
    let blocked = desk.post(here, &[("base", &base), ("reason", "x")]).await;
    assert_eq!(blocked.status, StatusCode::CONFLICT, "{}", blocked.text);
    assert!(stand.house.app.gateway.planes().book().get("hubline").is_some());

    let cancelled = stand.call(Method::POST, &format!("/v1/eligibility/batches/{batch}/cancel"), None).await;
    assert_eq!(cancelled.status, StatusCode::OK, "{}", cancelled.text);
    let empty = desk.post(here, &[("base", &base), ("reason", "")]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    let stale = desk.post(here, &[("base", "0000000000000000"), ("reason", "x")]).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    let gone = desk.post(here, &[("base", &base), ("reason", "the contract has ended")]).await;
    assert_eq!(leads(&gone), "/admin/carriers?said=removed", "{}", gone.text);
    assert!(stand.house.app.gateway.planes().book().get("hubline").is_none());
    assert_eq!(desk.get("/carriers/hubline").await.status, StatusCode::NOT_FOUND);
    let list = desk.get("/admin/carriers").await.text;
    assert!(list.contains("Taken away") && list.contains("the contract has ended"), "{list}");
    let kept = desk.get("/admin/carriers/hubline").await.text;
    assert!(kept.contains("Bring back no. 1"), "{kept}");
    let back = desk.post("/admin/carriers/hubline/bring-back", &[("number", "1")]).await;
    assert_eq!(leads(&back), "/admin/carriers/hubline?said=applied", "{}", back.text);
    assert!(!desk.get("/admin/carriers").await.text.contains("Taken away"));
    let resumed = desk.post("/carriers/hubline/resume", &[]).await;
    assert_eq!(resumed.status, StatusCode::SEE_OTHER);
    let answer = stand.ask(ask("hubline", "HUB-ACTIVE-EPO", "1974-05-27")).await;
    assert_eq!(answer.body["outcome"], "answered", "its login is the one it had: {}", answer.text);
    assert_eq!(records(&stand, "carrier.file_removed").await, 1);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_carriers_have_switches_and_real_ones_have_none() {
    let stand = Stand::start().await;
    let desk = Desk::admin(&stand).await;
    assert!(desk.get("/developer").await.text.contains("href=\"/developer/sandbox\""));
    assert!(desk.get("/developer/sandbox").await.text.contains("All are as usual"));
    let switches = || stand.sandbox.control().switches("northstar").unwrap();
    let wrong = desk.post("/developer/sandbox/northstar", &[("northstar.latency_ms", "soon"), ("do", "set")]).await;
    assert_eq!((wrong.status, switches()), (StatusCode::UNPROCESSABLE_ENTITY, Switches::default()));
    let form = [("northstar.down", "unavailable"), ("northstar.latency_ms", "20"), ("do", "set")];
    let set = desk.post("/developer/sandbox/northstar", &form).await;
    assert_eq!(leads(&set), "/developer/sandbox?said=done#of-northstar");
    assert_eq!(switches(), Switches { down: Down::Unavailable, latency_ms: 20, ..Switches::default() });
    let page = desk.get("/developer/sandbox").await.text;
    assert!(page.contains("it says that it is out of order; every answer takes 20 ms more"), "{page}");
    assert_eq!(desk.post("/developer/sandbox/nobody", &[]).await.status, StatusCode::NOT_FOUND);
    let clock = desk.post("/developer/sandbox/clock", &[("minutes", "20")]).await;
    assert_eq!(clock.status, StatusCode::SEE_OTHER);
    assert!(desk.get("/developer/sandbox").await.text.contains("20 minutes ahead"));
    assert_eq!(leads(&desk.post("/developer/sandbox/normal", &[]).await), "/developer/sandbox?said=done");
    assert_eq!(switches(), Switches::default());
    assert_eq!(Desk::of(&stand, Role::FrontDesk).await.get("/developer/sandbox").await.status, StatusCode::FORBIDDEN);
    assert_eq!(records(&stand, "sandbox.switched").await, 3);
    stand.stop().await;

    let files = stand_files().await;
    let real = Stand::over(files, &[]).await;
    let desk = Desk::admin(&real).await;
    assert!(!desk.get("/developer").await.text.contains("/developer/sandbox"));
    for path in ["", "/northstar", "/normal", "/clock"] {
        let reply = match path {
            "" => desk.get("/developer/sandbox").await,
            path => desk.post(&format!("/developer/sandbox{path}"), &[]).await,
        };
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
    }
    real.stop().await;
}

/// Carrier files of a gateway that simulates none.
async fn stand_files() -> Vec<(String, String)> {
    vec![("acme".to_owned(), portico::registry::find("core-x12").unwrap().example.to_owned())]
}
