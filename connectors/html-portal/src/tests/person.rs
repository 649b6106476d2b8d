//! What a portal asks of a person: answered by a person or by nobody, and never by this connector.

use connector_sdk::testing::FakeHost;
use connector_sdk::{ErrorKind, PromptKind, Retry, SettingsProblem};

use super::fake::{Fake, HOME, LOGIN, OTP, body};
use crate::REGISTRATION;

const PASSWORD: [&str; 2] = ["username", "password"];
const WRONG_CODE: &str = "<html><p class=alert>wrong code</p><form id=otp action=otp method=post><input type=hidden name=_csrf value=c3><input name=code></form></html>";
const TERMS: &str = "<html><h1>Terms</h1><p>New terms.</p><form id=accept-terms action=agree method=post><button name=yes value=1>I agree</button></form></html>";
const CAPTCHA: &str = "<html><div class=g-recaptcha></div><form id=letters action=letters method=post><img src='pic.png?n=1'><input name=typed></form></html>";
const EXPIRED: &str = "<html>Your password has expired<form id=change action=change method=post><input name=old><input name=new1></form></html>";

fn answer_marker() -> String {
    format!("pk-{}-answer-form-kp", FakeHost::MARKER_WORD)
}

/// The example's portal with a rule for its terms, its captcha and its expired passwords.
fn answered() -> Fake {
    let after =
        |kind: &str, answer: &str| (format!("kind = \"{kind}\"\n"), format!("kind = \"{kind}\"\nanswer = {answer}\n"));
    let mut fake = Fake::new();
    for (kind, answer) in [
        ("terms", "{ submit = \"form#accept-terms\", words = \"p\" }"),
        ("captcha", "{ submit = \"form#letters\", picture = \"img\", fields = { typed = \"{answer}\" } }"),
        ("password_change", "{ submit = \"form#change\", fields = { old = \"{password}\", new1 = \"{answer}\" } }"),
    ] {
        let (from, to) = after(kind, answer);
        fake = fake.toml(&from, &to);
    }
    fake
}

#[test]
fn without_a_key_a_person_enters_the_code() {
    let fake =
        Fake::new().page("POST /providers/do-login", &OTP.replace("<form", "<p>We have mailed a code.</p><form"));
    let host = fake.attended(&PASSWORD, 1, &[]);
    fake.sign_in_at(&host).unwrap();
    let prompts = host.prompts();
    assert_eq!((prompts.len(), prompts[0].kind, prompts[0].again), (1, PromptKind::SecondFactorCode, false));
    assert!(prompts[0].words.text().contains("We have mailed a code."));
    assert_eq!(prompts[0].link.as_deref(), Some("https://portal.acme.example/providers/do-login"));
    assert_eq!(body(&host.requests()[2]), format!("_csrf=c2&code={}", answer_marker()));
}

#[test]
fn with_a_key_nobody_is_asked_unless_the_file_says_so() {
    let fake = Fake::new();
    let host = fake.attended(&["username", "password", "totp_seed"], 9, &[]);
    fake.sign_in_at(&host).unwrap();
    assert!(host.prompts().is_empty());
    let fake = fake.toml("{totp}", "{code}");
    let host = fake.attended(&["username", "password", "totp_seed"], 9, &[]);
    fake.sign_in_at(&host).unwrap();
    assert_eq!(host.prompts().len(), 1);
}

#[test]
fn a_code_that_nobody_enters_ends_the_sign_in() {
    let fake = Fake::new();
    let host = fake.attended(&PASSWORD, 0, &[]);
    let error = fake.sign_in_at(&host).unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::NeedsPerson, Retry::Never));
    assert_eq!(host.requests().len(), 2, "no code left");
}

#[test]
fn a_wrong_code_is_asked_for_once_more_without_the_password() {
    let fake = Fake::new();
    let host = fake.attended(&PASSWORD, 2, &[("POST /providers/otp", 1, WRONG_CODE)]);
    fake.sign_in_at(&host).unwrap();
    assert_eq!(host.prompts().iter().map(|prompt| prompt.again).collect::<Vec<_>>(), [false, true]);
    let lines: Vec<String> = host.requests().iter().map(|request| request.uri().path().to_owned()).collect();
    assert_eq!(lines, ["/providers/login", "/providers/do-login", "/providers/otp", "/providers/otp"]);
    assert_eq!(body(&host.requests()[3]), format!("_csrf=c3&code={}", answer_marker()));
}

#[test]
fn a_wrong_code_on_the_page_with_the_password_is_not_repeated() {
    let together = LOGIN.replace("<input type=submit", "<input name=code><input type=submit");
    let fake = Fake::new()
        .page("GET /providers/login", &together)
        .page("POST /providers/do-login", &together.replace("<form", "<p class=alert>do not match</p><form"))
        .toml("pass = \"{password}\" }", "pass = \"{password}\", code = \"{code}\" }");
    let host = fake.attended(&PASSWORD, 9, &[]);
    assert_eq!(fake.sign_in_at(&host).unwrap_err().kind, ErrorKind::CredentialRejected);
    assert_eq!((host.prompts().len(), host.requests().len()), (1, 2));
}

#[test]
fn terms_are_accepted_by_a_person_and_the_sign_in_goes_on() {
    let fake = answered().page("POST /providers/agree", HOME);
    let host = fake.attended(&PASSWORD, 1, &[("POST /providers/do-login", 1, TERMS)]);
    fake.sign_in_at(&host).unwrap();
    let prompts = host.prompts();
    assert_eq!((prompts.len(), prompts[0].kind, prompts[0].words.text()), (1, PromptKind::Terms, "New terms."));
    assert_eq!(body(&host.requests()[2]), "yes=1");
}

#[test]
fn a_captcha_comes_with_its_picture_and_again_when_it_was_misread() {
    let png = "\u{fffd}";
    let fake = answered().page("POST /providers/letters", OTP).page("GET /providers/pic.png", png);
    // What is no picture is not shown to anybody.
    let host = fake.attended(&PASSWORD, 9, &[("POST /providers/do-login", 1, CAPTCHA)]);
    assert_eq!(fake.sign_in_at(&host).unwrap_err().kind, ErrorKind::ProtocolBroken);
    assert!(host.prompts().is_empty());

    let fake = fake.page("GET /providers/pic.png", "GIF89a");
    let host = fake.attended(
        &["username", "password", "totp_seed"],
        2,
        &[("POST /providers/do-login", 1, CAPTCHA), ("POST /providers/letters", 1, CAPTCHA)],
    );
    fake.sign_in_at(&host).unwrap();
    let prompts = host.prompts();
    assert_eq!(prompts.iter().map(|prompt| prompt.again).collect::<Vec<_>>(), [false, true]);
    assert_eq!(prompts[1].picture.as_ref().map(|picture| picture.media()), Some("image/gif"));
}

#[test]
fn a_new_password_is_kept_and_a_portal_that_wants_it_at_once_is_signed_in_to_anew() {
    let fake = answered().page("POST /providers/change", HOME);
    let host = fake.attended(&PASSWORD, 1, &[("POST /providers/do-login", 1, EXPIRED)]);
    fake.sign_in_at(&host).unwrap();
    assert_eq!(host.kept(), ["password"]);
    assert!(body(&host.requests()[2]).ends_with(&format!("new1={}", answer_marker())), "{}", body(&host.requests()[2]));

    let fake = fake.page("POST /providers/change", LOGIN);
    let host = fake.attended(&PASSWORD, 1, &[("POST /providers/do-login", 1, EXPIRED)]);
    let error = fake.sign_in_at(&host).unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::CarrierUnavailable, Retry::Safe));
    assert_eq!(host.kept(), ["password"]);
    // Not taken: nothing is kept.
    let fake = fake.page("POST /providers/change", EXPIRED);
    let host = fake.attended(&PASSWORD, 2, &[("POST /providers/do-login", 1, EXPIRED)]);
    assert_eq!(fake.sign_in_at(&host).unwrap_err().kind, ErrorKind::NeedsPerson);
    assert!(host.kept().is_empty());
}

#[test]
fn what_is_wrong_with_an_answer_is_told() {
    let problems = |fake: &str| -> Vec<String> {
        let file: toml::Table = fake.parse().unwrap();
        let settings = connector_sdk::Settings::new(
            file["settings"].as_table().unwrap().clone(),
            vec!["portal.acme.example".into()],
        );
        let problems: Vec<SettingsProblem> = (REGISTRATION.build)(&settings).err().unwrap_or_default();
        problems.iter().map(|problem| format!("{}: {}", problem.path.join("."), problem.message)).collect()
    };
    let example = REGISTRATION.example;
    for (from, to, want) in [
        (
            "kind = \"error\"",
            "kind = \"error\"\nanswer = { submit = \"form\" }",
            "pages.4.answer: Only pages for a person",
        ),
        (
            "kind = \"captcha\"",
            "kind = \"captcha\"\nanswer = { submit = \"form\" }",
            "pages.0.answer.fields: Nothing says where",
        ),
        (
            "kind = \"captcha\"",
            "kind = \"captcha\"\nanswer = { submit = \"form\", fields = { a = \"{answer}\", p = \"{password}\" } }",
            "pages.0.answer.fields.p: Credentials may stand",
        ),
        ("code = \"{totp}\"", "code = \"{answer}\"", "sign_in.2.fields.code: {answer} stands in"),
    ] {
        let found = problems(&example.replace(from, to));
        assert!(found.iter().any(|problem| problem.starts_with(want)), "{want}: {found:#?}");
    }
}
