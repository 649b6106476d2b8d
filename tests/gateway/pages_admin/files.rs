//! Carrier files changed while the gateway runs, and the Developer pages.

use http::{Method, StatusCode};
use portico::identity::Role;
use serde_json::json;

use super::desk::{Desk, leads, records};
use crate::support::Stand;

const HERE: &str = "/admin/carriers/northstar";

/// The version that the page's form carries.
fn base(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"base\" value=\"").unwrap_or_else(|| panic!("no base in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

async fn text(stand: &Stand, carrier: &str) -> String {
    let reply = stand.call(Method::GET, &format!("/v1/carriers/{carrier}/file"), None).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.body["text"].as_str().unwrap().to_owned()
}

fn renamed(text: &str, name: &str) -> String {
    let line = text.lines().find(|line| line.starts_with("name = ")).unwrap();
    text.replacen(line, &format!("name = \"{name}\""), 1)
}

fn name(stand: &Stand, carrier: &str) -> String {
    stand.house.app.gateway.planes().get(carrier).unwrap().carrier.name.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_checked_put_in_force_and_put_back() {
    let stand = Stand::start().await;
    let desk = Desk::admin(&stand).await;
    let (old, first) = (text(&stand, "northstar").await, name(&stand, "northstar"));
    let page = desk.get(HERE).await;
    assert!(page.text.contains("In force"), "{}", page.text);
    let base_1 = base(&page.text);

    // Two things wrong: both are said, with line and column; what was typed stays; nothing changes.
    let broken = renamed(&old, "Broken").replacen("hosts", "hosst", 1) + "\n[limits]\nrequests_per_minute = 0\n";
    for act in ["check", "apply"] {
        let form = [("text", broken.as_str()), ("base", &base_1), ("reason", "try"), ("do", act)];
        let reply = desk.post(HERE, &form).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{act}");
        assert!(reply.text.contains("hosst") && reply.text.to_lowercase().contains(", column 1"), "{}", reply.text);
        assert!(reply.text.matches("href=\"#f-text\"").count() >= 2, "all at once: {}", reply.text);
    }
    // A literal secret is refused, and not repeated but for the field that it was typed into.
    let secret = format!("{old}\n[settings.extra]\npassword = \"canary7\"\n");
    let reply = desk.post(HERE, &[("text", &secret), ("base", &base_1), ("do", "check")]).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);

    let new = renamed(&old, "North Star & <b>Sons</b>");
    // As a browser sends it.
    let crlf = new.replace('\n', "\r\n");
    let looked = desk.post(HERE, &[("text", crlf.as_str()), ("base", &base_1), ("do", "check")]).await;
    assert_eq!(looked.status, StatusCode::OK, "{}", looked.text);
    assert!(
        looked.text.contains("No problem found")
            && looked.text.contains("<ins>name = &quot;North Star &amp; &lt;b&gt;")
    );
    assert_eq!((name(&stand, "northstar"), records(&stand, "carrier.file_applied").await), (first.clone(), 0));

    let without_reason = desk.post(HERE, &[("text", &crlf), ("base", &base_1), ("do", "apply")]).await;
    assert!(without_reason.text.contains("href=\"#f-reason\""), "{}", without_reason.text);
    let form = [("text", crlf.as_str()), ("base", &base_1), ("reason", "a new name"), ("do", "apply")];
    assert_eq!(leads(&desk.post(HERE, &form).await), "/admin/carriers/northstar?said=applied");
    assert_eq!(name(&stand, "northstar"), "North Star & <b>Sons</b>");
    assert_eq!(text(&stand, "northstar").await, new);
    assert_eq!(records(&stand, "carrier.file_applied").await, 1);
    let list = desk.get("/carriers").await;
    assert!(list.text.contains("North Star &amp; &lt;b&gt;Sons&lt;/b&gt;") && !list.text.contains("<b>Sons"));

    let page = desk.get(HERE).await;
    assert!(page.text.contains("a new name") && page.text.contains("as it was found on the disk"), "{}", page.text);
    let back = [("base", base(&page.text)), ("number", "1".to_owned()), ("do", "back".to_owned())];
    let back: Vec<(&str, &str)> = back.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(leads(&desk.post(&format!("{HERE}/roll-back"), &back).await), "/admin/carriers/northstar?said=applied");
    assert_eq!((name(&stand, "northstar"), text(&stand, "northstar").await), (first, old));
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_change_a_file_neither_loses_work() {
    let stand = Stand::start().await;
    let (ada, ben) = (Desk::admin(&stand).await, Desk::of(&stand, Role::PracticeAdmin).await);
    let old = text(&stand, "northstar").await;
    let (base_ada, base_ben) = (base(&ada.get(HERE).await.text), base(&ben.get(HERE).await.text));
    assert_eq!(base_ada, base_ben);
    let hers = renamed(&old, "Ada Health");
    let form = [("text", hers.as_str()), ("base", &base_ada), ("reason", "hers"), ("do", "apply")];
    leads(&ada.post(HERE, &form).await);
    let his = format!("# his line\n{old}");
    let form = [("text", his.as_str()), ("base", &base_ben), ("reason", "his"), ("do", "apply")];
    let refused = ben.post(HERE, &form).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert!(refused.text.contains("Ada Health") && refused.text.contains("# his line"), "both are there");
    assert_eq!(name(&stand, "northstar"), "Ada Health");
    // He puts both together, on top of hers.
    let both = renamed(&his, "Ada Health");
    let form =
        [("text", both), ("base", base(&refused.text)), ("reason", "both".to_owned()), ("do", "apply".to_owned())];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    leads(&ben.post(HERE, &form).await);
    let now = text(&stand, "northstar").await;
    assert!(now.contains("# his line") && now.contains("Ada Health"));
    // A program without `base` does not overwrite either.
    let body = json!({ "text": old, "reason": "mine" });
    let reply = stand.call(Method::PUT, "/v1/carriers/northstar/file", Some(body)).await;
    assert_eq!(reply.status, StatusCode::CONFLICT, "{}", reply.text);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_added_by_its_file_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let stand = Stand::start_at(Some(folder.path())).await;
    let desk = Desk::admin(&stand).await;
    assert!(
        desk.get("/admin/carriers/new").await.text.contains("name=&quot;")
            || desk.get("/admin/carriers/new").await.text.contains("connector = &quot;"),
        "an example to begin with"
    );
    let acme = renamed(&text(&stand, "northstar").await, "Acme of Ohio");
    let taken = [("id", "statemed"), ("text", acme.as_str()), ("reason", "new"), ("do", "apply")];
    let taken = desk.post("/admin/carriers/new", &taken).await;
    assert!(taken.text.contains("with this id already") && taken.text.contains("Acme of Ohio"), "{}", taken.text);
    for id in ["../../etc/acme", "Acme", "new", ""] {
        let form = [("id", id), ("text", acme.as_str()), ("reason", "new"), ("do", "apply")];
        let reply = desk.post("/admin/carriers/new", &form).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{id}: {}", reply.text);
        assert!(reply.text.contains("href=\"#f-id\""), "{id}: {}", reply.text);
    }
    let form = [("id", "acme-ohio"), ("text", acme.as_str()), ("reason", "a new carrier"), ("do", "apply")];
    assert_eq!(leads(&desk.post("/admin/carriers/new", &form).await), "/admin/carriers/acme-ohio?said=applied");
    assert!(desk.get("/carriers").await.text.contains("Acme of Ohio"));
    stand.stop().await;

    let stand = Stand::start_at(Some(folder.path())).await;
    let desk = Desk::admin(&stand).await;
    assert!(desk.get("/carriers").await.text.contains("Acme of Ohio"), "still there");
    let page = desk.get("/admin/carriers/acme-ohio").await;
    assert!(page.text.contains("a new carrier") && page.text.contains("In force"), "{}", page.text);
    // Its simulated carrier listens elsewhere by now, and is found all the same.
    let hosts = &stand.house.app.gateway.planes().get("acme-ohio").unwrap().carrier.hosts;
    assert_eq!(hosts, &stand.house.app.gateway.planes().get("northstar").unwrap().carrier.hosts);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_several_practices_nobody_changes_what_all_share() {
    let stand = Stand::start().await;
    let desk = Desk::admin(&stand).await;
    let key = stand.key_of("another", &portico::identity::Scope::ALL).await;
    let body = json!({ "text": "name = 1", "reason": "mine" });
    for key in [&key, &stand.key] {
        let reply = stand.call_as(Some(key), Method::PUT, "/v1/carriers/northstar/file", Some(body.clone())).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{}", reply.text);
    }
    let page = desk.get(HERE).await;
    assert!(page.text.contains("several practices") && !page.text.contains("<textarea"), "{}", page.text);
    assert_eq!(desk.post(HERE, &[("do", "apply")]).await.status, StatusCode::FORBIDDEN);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_the_explorer() {
    let stand = Stand::start().await;
    let desk = Desk::admin(&stand).await;
    let made =
        desk.post("/developer/keys", &[("label", "practice system"), ("scopes", "ask"), ("scopes", "carriers")]).await;
    let (_, rest) = made.text.split_once("<code class=\"number\">").unwrap_or_else(|| panic!("{}", made.text));
    let key = rest.split('<').next().unwrap().to_owned();
    assert!(key.starts_with("pk_live_"));
    let page = desk.get("/developer").await;
    assert!(page.text.contains("practice system") && !page.text.contains(&key));
    assert!(page.text.contains("core-x12") && page.text.contains("webhook-signature"));
    assert_eq!(stand.call_as(Some(&key), Method::GET, "/v1/carriers", None).await.status, StatusCode::OK);
    let id = stand.call(Method::GET, "/v1/keys", None).await.body["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["label"] == "practice system")
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    leads(&desk.post(&format!("/developer/keys/{id}/revoke"), &[]).await);
    assert_eq!(stand.call_as(Some(&key), Method::GET, "/v1/carriers", None).await.status, StatusCode::UNAUTHORIZED);

    let form = desk.get("/developer/explorer").await;
    assert!(form.text.contains("NSH-ACTIVE-COPAY40"), "{}", form.text);
    let question = r#"{"carrier": "northstar", "provider": {"npi": "1234567893"}, "member": {"member_id": "NSH-ACTIVE-COPAY40", "date_of_birth": "1984-03-12"}}"#;
    let ask =
        [("operation", "POST /v1/eligibility"), ("path", "/v1/eligibility"), ("method", "POST"), ("body", question)];
    let asked = desk.post("/developer/explorer", &ask).await;
    assert!(asked.text.contains("&quot;outcome&quot;: &quot;answered&quot;"), "{}", asked.text);
    assert_eq!(stand.questions("northstar"), 1);

    let change = [("operation", "POST /v1/keys"), ("path", "/v1/keys"), ("body", r#"{"label": "x", "scopes": []}"#)];
    let unsure = desk.post("/developer/explorer", &change).await;
    assert_eq!(unsure.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unsure.text.contains("href=\"#f-confirmed\""));
    let sure = desk.post("/developer/explorer", &[&change[..], &[("confirmed", "yes")]].concat()).await;
    assert!(sure.text.contains("pk_live_"), "{}", sure.text);
    let astray = [("operation", "GET /v1/keys"), ("path", "/v1/people"), ("method", "GET")];
    assert_eq!(desk.post("/developer/explorer", &astray).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    // As oneself: what one may not, the explorer may not.
    let platform = Desk::of(&stand, Role::PlatformAdmin).await;
    let refused = platform.post("/developer/explorer", &ask).await;
    assert!(refused.text.contains("403") && refused.text.contains("lacks the scope"), "{}", refused.text);
    stand.stop().await;
}
