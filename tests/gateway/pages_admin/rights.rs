//! Who sees which page, and what is not done.

use http::StatusCode;
use portico::identity::Role;

use super::desk::{Desk, leads};
use crate::support::{Stand, send};

const ADMIN: [&str; 6] =
    ["/admin/people", "/admin/sessions", "/admin/practice", "/admin/webhooks", "/admin/carriers", "/developer"];

/// Every form of these pages.
const FORMS: [&str; 22] = [
    "/carriers/northstar/login",
    "/carriers/northstar/verify",
    "/admin/people",
    "/admin/people/x/role",
    "/admin/people/x/reset",
    "/admin/people/x/remove",
    "/admin/sessions/x/end",
    "/admin/practice",
    "/admin/webhooks",
    "/admin/webhooks/x/enable",
    "/admin/webhooks/x/remove",
    "/admin/carriers/new",
    "/admin/carriers/connect",
    "/admin/carriers/northstar/remove",
    "/admin/carriers/northstar/bring-back",
    "/carriers/northstar/pause",
    "/carriers/northstar/resume",
    "/admin/carriers/northstar",
    "/admin/carriers/northstar/roll-back",
    "/developer/keys",
    "/developer/keys/x/revoke",
    "/developer/explorer",
];

#[tokio::test(flavor = "multi_thread")]
async fn roles_without_the_right_see_no_entry_and_no_page() {
    let stand = Stand::start().await;
    let desk = Desk::of(&stand, Role::FrontDesk).await;
    let carriers = desk.get("/carriers").await;
    assert_eq!(carriers.status, StatusCode::OK);
    assert!(!carriers.text.contains("href=\"/admin") && !carriers.text.contains("href=\"/developer"), "no entry");
    let one = desk.get("/carriers/northstar").await;
    assert!(one.text.contains("administrator enters and tries it") && !one.text.contains("fields.password"));
    for page in ADMIN.into_iter().chain(["/admin", "/admin/logins"]) {
        assert_eq!(desk.get(page).await.status, StatusCode::FORBIDDEN, "{page}");
    }
    for form in FORMS {
        let reply = desk.post(form, &[("name", "x")]).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{form}: {}", reply.text);
    }
    let platform = Desk::of(&stand, Role::PlatformAdmin).await;
    for page in ADMIN {
        assert_eq!(platform.get(page).await.status, StatusCode::OK, "{page}");
    }
    assert_eq!(platform.get("/admin/logins").await.status, StatusCode::FORBIDDEN, "logins are another right");
    assert!(!platform.get("/admin/people").await.text.contains("/admin/logins"));
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_without_the_token_or_the_sign_in() {
    let stand = Stand::start().await;
    let admin = Desk::admin(&stand).await;
    for form in FORMS {
        let reply = admin.post_without_token(form).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{form}");
        assert!(reply.text.contains("Nothing was done"), "{form}: {}", reply.text);
    }
    for page in ADMIN {
        let reply = send(&stand.address(), None, http::Method::GET, page, Vec::new()).await.unwrap();
        assert!(leads(&reply).starts_with("/sign-in?next="), "{page}");
    }
    stand.stop().await;
}
