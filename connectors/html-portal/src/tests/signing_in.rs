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

#[test]
fn a_token_is_taken_from_a_page_and_sent_without_a_form() {
    let page = "<html><head><meta name=csrf content='t/1+'></head></html>";
    let fake = Fake::new()
        .page("GET /providers/login", page)
        .page("POST /providers/api-login", HOME)
        .toml("get  = \"login\"", "get = \"login\"\ntake = { csrf = { css = \"meta[name=csrf]\", attr = \"content\" } }")
        .toml(
            "submit   = \"form#login\"                                      # all its hidden fields go along\nfields   = { user = \"{username}\",",
            "post = \"api-login\"\nfields = { token = \"{csrf}\", user = \"{username}\",",
        );
    let (done, requests) = fake.sign_in();
    done.unwrap();
    assert!(body(&requests[1]).contains("token=t%2F1%2B&user=pk-"), "{}", body(&requests[1]));
    let gone = fake.page("GET /providers/login", "<html></html>").sign_in();
    assert!(gone.0.unwrap_err().to_string().contains("missing=take"));
    assert_eq!(gone.1.len(), 1);
}

#[test]
fn a_missing_credential_sends_nothing() {
    struct Bare(std::sync::Arc<FakeHost>, &'static [&'static str]);
    impl connector_sdk::Host for Bare {
        fn send<'a>(
            &'a self,
            request: http::Request<Bytes>,
        ) -> connector_sdk::BoxFuture<'a, connector_sdk::Result<Response<Bytes>>> {
            self.0.send(request)
        }
        fn pause<'a>(
            &'a self,
            how_long: std::time::Duration,
        ) -> connector_sdk::BoxFuture<'a, connector_sdk::Result<()>> {
            self.0.pause(how_long)
        }
        fn now(&self) -> jiff::Timestamp {
            self.0.now()
        }
        fn today(&self) -> jiff::civil::Date {
            self.0.today()
        }
        fn remaining(&self) -> std::time::Duration {
            self.0.remaining()
        }
        fn trace(&self) -> &str {
            self.0.trace()
        }
        fn control_number(&self) -> u32 {
            self.0.control_number()
        }
        fn random(&self, into: &mut [u8]) {
            self.0.random(into);
        }
        fn marker_word(&self) -> &str {
            self.0.marker_word()
        }
        fn has_secret(&self, field: &str) -> bool {
            self.1.contains(&field)
        }
        fn warn(&self, warning: connector_sdk::context::Warning) {
            self.0.warn(warning);
        }
    }
    let fake = Fake::new();
    let portal = fake.portal();
    let SignIn::Form(form) = portal.sign_in() else { panic!("a form") };
    // Without a password nothing is asked; without the code's key, and with nobody to ask, it ends where a code is wanted.
    for (has, requests, kind) in [
        (&["username"][..], 0, ErrorKind::CredentialMissing),
        (&["username", "password"][..], 2, ErrorKind::NeedsPerson),
    ] {
        let host = fake.host();
        let ctx = connector_sdk::Context::new(std::sync::Arc::new(Bare(host.clone(), has)));
        assert_eq!(block_on(form.sign_in(&ctx)).unwrap_err().kind, kind);
        assert_eq!(host.requests().len(), requests);
    }
}
