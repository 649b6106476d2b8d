//! Each act of these pages works, is on record, and shows no secret again.

use http::StatusCode;

use super::desk::{Desk, leads, records};
use crate::support::{Reply, Stand};

/// What stands after `before` up to `end`.
fn between<'t>(text: &'t str, before: &str, end: char) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split(end).next().unwrap()
}

fn once(reply: &Reply) -> &str {
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    assert!(reply.text.contains("this once"), "{}", reply.text);
    between(&reply.text, "<code class=\"number\">", '<')
}

#[tokio::test(flavor = "multi_thread")]
async fn carriers_are_listed_connected_and_tried() {
    let stand = Stand::start().await;
    let desk = Desk::admin(&stand).await;
    let list = desk.get("/carriers").await;
    for (id, _) in stand.sandbox.addresses() {
        assert!(list.text.contains(&format!("href=\"/carriers/{id}\"")), "{id}");
    }
    assert!(!desk.get("/carriers?q=north").await.text.contains("/carriers/statemed"), "the search narrows");
    let one = desk.get("/carriers/northstar").await;
    assert!(one.text.contains("a minute") && one.text.contains("Try this login once"), "{}", one.text);
    let tried = desk.post("/carriers/northstar/verify", &[]).await;
    assert!(leads(&tried).starts_with("/carriers/northstar?said="), "{:?}", tried.headers);

    // A login with something missing: what is wrong is said, what was typed does not come back.
    let before = records(&stand, "credential.put").await;
    let wrong = desk.post("/carriers/northstar/login", &[("fields.password", "canary-pw-1")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("This carrier needs this field.") && !wrong.text.contains("canary-pw-1"));
    assert_eq!(records(&stand, "credential.put").await, before, "nothing was stored");
    let fields = [("fields.username", "canary-user"), ("fields.password", "canary-pw-2"), ("then", "store")];
    let stored = desk.post("/carriers/northstar/login", &fields).await;
    assert_eq!(leads(&stored), "/carriers/northstar?said=saved");
    assert_eq!(records(&stand, "credential.put").await, before + 1);
    for page in ["/carriers/northstar", "/admin/logins", "/carriers"] {
        let shown = desk.get(page).await;
        assert!(!shown.text.contains("canary-pw") && !shown.text.contains("canary-user"), "{page}");
    }
    assert!(desk.get("/admin/logins").await.text.contains("Demo Person"), "who entered it");
    let soon = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().tomorrow().unwrap();
    let (year, month, day) = (soon.year().to_string(), soon.month().to_string(), soon.day().to_string());
    let ends = [("expires.month", month.as_str()), ("expires.day", &day), ("expires.year", &year)];
    desk.post("/carriers/northstar/login", &[&fields[..], &ends[..]].concat()).await;
    assert!(desk.get("/carriers").await.text.contains("Renew the login before it ends."));
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_come_change_and_go() {
    let stand = Stand::start().await;
    let desk = Desk::admin(&stand).await;
    let form = [("email", "grace@portico.example"), ("name", "<script>alert(1)</script>"), ("role", "biller")];
    let wrong = desk.post("/admin/people", &[("email", "no address"), ("name", ""), ("role", "biller")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("name@example.org") && wrong.text.contains("value=\"no address\""), "{}", wrong.text);
    let invited = desk.post("/admin/people", &form).await;
    let invitation = once(&invited).to_owned();
    assert!(invitation.len() >= 40);
    let list = desk.get("/admin/people").await;
    assert!(!list.text.contains(&invitation), "shown once");
    assert!(list.text.contains("&lt;script&gt;alert(1)") && !list.text.contains("<script>alert"), "escaped");
    assert_eq!(records(&stand, "person.added").await, 2);
    let people = stand.house.app.identity.people(&portico::practice::PracticeId::new("demo")).await.unwrap();
    let id = people.iter().find(|one| one.email == "grace@portico.example").unwrap().id.clone();

    let changed = desk.post(&format!("/admin/people/{id}/role"), &[("role", "auditor")]).await;
    assert_eq!(leads(&changed), "/admin/people?said=saved");
    let again = desk.post(&format!("/admin/people/{id}/reset"), &[]).await;
    assert_ne!(once(&again), invitation);
    let unsure = desk.post(&format!("/admin/people/{id}/remove"), &[]).await;
    assert_eq!(unsure.status, StatusCode::UNPROCESSABLE_ENTITY);
    let removed = desk.post(&format!("/admin/people/{id}/remove"), &[("sure", "yes")]).await;
    assert_eq!(leads(&removed), "/admin/people?said=removed");
    assert!(!desk.get("/admin/people").await.text.contains("grace@portico.example"));
    // The last administrator stays.
    let own = people.iter().find(|one| one.email == "demo@portico.example").unwrap().id.clone();
    let last = desk.post(&format!("/admin/people/{own}/remove"), &[("sure", "yes")]).await;
    assert!(last.text.contains("last administrator"), "{}", last.text);

    let other = Desk::of(&stand, portico::identity::Role::FrontDesk).await;
    let sessions = desk.get("/admin/sessions").await;
    let session = between(&sessions.text, "action=\"/admin/sessions/", '/');
    let ended = desk.post(&format!("/admin/sessions/{session}/end"), &[]).await;
    assert_eq!(leads(&ended), "/admin/sessions?said=ended");
    assert_eq!(other.get("/carriers").await.status, StatusCode::SEE_OTHER, "signed out at once");
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_practice_and_its_webhooks() {
    let stand = Stand::start().await;
    let desk = Desk::admin(&stand).await;
    let wrong = [("name", "Clinic"), ("npis.1.npi", "1234567890"), ("npis.1.name", "Dr A"), ("tax_id", "12")];
    let reply = desk.post("/admin/practice", &wrong).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text.contains("href=\"#f-npis-0-npi\"") && reply.text.contains("nine digits"), "{}", reply.text);
    let good =
        [("name", "Clinic <b>"), ("npis.1.npi", "1234567893"), ("npis.1.name", "Dr A"), ("tax_id", "12-3456789")];
    assert_eq!(leads(&desk.post("/admin/practice", &good).await), "/admin/practice?said=saved");
    let shown = desk.get("/admin/practice").await;
    assert!(shown.text.contains("1234567893") && shown.text.contains("Clinic &lt;b&gt;"), "{}", shown.text);

    let wrong = desk.post("/admin/webhooks", &[("url", "http://plain.example/"), ("kinds", "")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.text);
    let form = [("url", "https://hook.example/a"), ("kinds", "submission., batch.")];
    let made = desk.post("/admin/webhooks", &form).await;
    let secret = once(&made).to_owned();
    assert!(secret.starts_with("whsec_"));
    let list = desk.get("/admin/webhooks").await;
    assert!(list.text.contains("https://hook.example/a") && !list.text.contains(&secret));
    let id = between(&list.text, "action=\"/admin/webhooks/", '/').to_owned();
    assert_eq!(leads(&desk.post(&format!("/admin/webhooks/{id}/remove"), &[]).await), "/admin/webhooks?said=removed");
    assert!(!desk.get("/admin/webhooks").await.text.contains("hook.example"));
    assert_eq!((records(&stand, "webhook.made").await, records(&stand, "webhook.deleted").await), (1, 1));
    stand.stop().await;
}
