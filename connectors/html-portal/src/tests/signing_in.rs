//! Signing in: once, with everything the form holds, and never past a page for a person.

use bytes::Bytes;
use connector_sdk::testing::{FakeHost, block_on};
use connector_sdk::{Error, ErrorKind, Retry, SignIn};
use http::{Method, Response};

use super::fake::{Fake, HOME, LOGIN, OTP, body};

#[test]
fn hidden_fields_go_along_and_secrets_are_markers() {
    let (done, requests) = Fake::new().sign_in();
    done.unwrap();
    let lines: Vec<_> = requests.iter().map(|r| format!("{} {}", r.method(), r.uri())).collect();
    assert_eq!(
        lines,
        [
            "GET https://portal.acme.example/providers/login",
            "POST https://portal.acme.example/providers/do-login",
            "POST https://portal.acme.example/providers/otp"
        ]
    );
    let hex = |name: &str| name.bytes().map(|b| format!("{b:02x}")).collect::<String>();
    let word = FakeHost::MARKER_WORD;
    assert_eq!(
        body(&requests[1]),
        format!(
            "__VIEWSTATE=vs-login&_csrf=c1&user=pk-{word}-f{}-form-kp&pass=pk-{word}-f{}-form-kp&go=Sign+in",
            hex("username"),
            hex("password")
        )
    );
    assert_eq!(body(&requests[2]), format!("_csrf=c2&code=pk-{word}-totp-form-kp"));
}

#[test]
fn without_a_code_page_the_step_is_left_out() {
    let (done, requests) = Fake::new().page("POST /providers/do-login", HOME).sign_in();
    done.unwrap();
    assert_eq!(requests.len(), 2);
}

#[test]
fn a_refused_password_is_sent_once() {
    let alert = "<html><body><div class=alert>User name and password do not match</div></body></html>";
    let again = LOGIN.to_owned();
    for (status, page) in
        [(200, alert), (401, alert), (403, "<html></html>"), (401, "<html></html>"), (200, again.as_str())]
    {
        let (done, requests) = Fake::new().status("POST /providers/do-login", status, page).sign_in();
        let error = done.unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::CredentialRejected, Retry::Never), "{status} {page}");
        assert_eq!(requests.iter().filter(|request| request.method() == Method::POST).count(), 1);
    }
}

#[test]
fn a_refused_code_is_sent_once() {
    let (done, requests) =
        Fake::new().page("POST /providers/otp", "<html><p class=alert>wrong code</p></html>").sign_in();
    assert_eq!(done.unwrap_err().kind, ErrorKind::CredentialRejected);
    assert_eq!(requests.len(), 3);
}

#[test]
fn nothing_that_follows_a_password_is_retried() {
    for (status, page, kind) in [
        (503, "<html></html>", ErrorKind::CarrierUnavailable),
        (200, "<html>An unexpected error has occurred.</html>", ErrorKind::CarrierUnavailable),
        (200, "<html>something else</html>", ErrorKind::ProtocolBroken),
        (200, "<html><h1>Scheduled maintenance</h1></html>", ErrorKind::CarrierClosed),
    ] {
        let error = Fake::new().status("POST /providers/do-login", status, page).sign_in().0.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, Retry::Never), "{page}");
    }
    let fake = Fake::new();
    let portal = fake.portal();
    let host = FakeHost::new(|n, _| match n {
        0 => Ok(Response::new(Bytes::from_static(LOGIN.as_bytes()))),
        _ => Err(Error::new(ErrorKind::CarrierTimeout, "Timed out.")),
    });
    let SignIn::Form(form) = portal.sign_in() else { panic!("a form") };
    let error = block_on(form.sign_in(&host.context())).unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::CarrierTimeout, Retry::Never));
}

#[test]
fn pages_for_a_person_stop_at_any_step() {
    let pages = [
        ("<html><div class=g-recaptcha></div></html>", ErrorKind::NeedsPerson),
        ("<html><form id=accept-terms></form></html>", ErrorKind::NeedsPerson),
        ("<html>Your  password has <b>expired</b></html>", ErrorKind::NeedsPerson),
        ("<html><h1>Scheduled maintenance</h1></html>", ErrorKind::CarrierClosed),
    ];
    for (number, key) in (1..).zip(["GET /providers/login", "POST /providers/do-login", "POST /providers/otp"]) {
        for (page, kind) in pages {
            let (done, requests) = Fake::new().page(key, page).sign_in();
            assert_eq!(done.unwrap_err().kind, kind, "{key} {page}");
            assert_eq!(requests.len(), number, "nothing is asked after it");
        }
    }
}

#[test]
fn the_end_must_look_signed_in() {
    let error = Fake::new().page("POST /providers/otp", "<html>hello</html>").sign_in().0.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ProtocolBroken);
    assert!(error.to_string().contains("missing=signed_in"));
}

#[test]
fn signed_out_is_seen_whatever_the_status() {
    let portal = Fake::new().portal();
    let SignIn::Form(form) = portal.sign_in() else { panic!("a form") };
    let reply =
        |status: u16, page: &str| Response::builder().status(status).body(Bytes::from(page.to_owned())).unwrap();
    for status in [200, 403, 500] {
        assert!(form.signed_out(&reply(status, LOGIN)), "{status}");
        assert!(!form.signed_out(&reply(status, HOME)), "{status}");
    }
    assert!(form.signed_out(&reply(401, "")));
    let mut moved = reply(200, HOME);
    moved
        .extensions_mut()
        .insert(connector_sdk::context::FinalUri("https://portal.acme.example/providers/login?x".parse().unwrap()));
    assert!(form.signed_out(&moved));
    assert!(!form.signed_out(&reply(200, &"<div>".repeat(200_000))));
}

#[test]
fn a_form_that_sends_the_password_by_get_is_not_sent() {
    let (done, requests) = Fake::new().page("GET /providers/login", &LOGIN.replace("method=post", "")).sign_in();
    assert_eq!(done.unwrap_err().kind, ErrorKind::ProtocolBroken);
    assert_eq!(requests.len(), 1);
}

#[test]
fn a_form_that_leads_to_another_host_is_not_sent() {
    for action in ["https://evil.example/x", "//evil.example/x", "http://portal.acme.example/x", "javascript:go()"] {
        let page = LOGIN.replace("do-login", action);
        let (done, requests) = Fake::new().page("GET /providers/login", &page).sign_in();
        let kind = done.unwrap_err().kind;
        assert!(matches!(kind, ErrorKind::EgressRefused | ErrorKind::ProtocolBroken), "{action}");
        assert_eq!(requests.len(), 1, "{action}");
    }
}

#[test]
fn signing_out_turns_its_page() {
    let fake = Fake::new().page("POST /providers/otp", OTP);
    let (portal, host) = (fake.portal(), fake.host());
    let SignIn::Form(form) = portal.sign_in() else { panic!("a form") };
    block_on(form.sign_out(&host.context())).unwrap();
    assert_eq!(host.requests()[0].uri().path(), "/providers/logout");
}
