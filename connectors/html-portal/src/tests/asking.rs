//! The eligibility question against a small portal.

use connector_sdk::answer::{Coverage, Covered, Network, Place};
use connector_sdk::{ErrorKind, Outcome, RefusalReason, Retry};

use super::fake::{Fake, LOGIN, MEMBER, RESULTS, SEARCH, ask, body};

fn answered(fake: &Fake) -> connector_sdk::EligibilityFacts {
    match fake.ask().unwrap() {
        Outcome::Answered(facts) => facts,
        Outcome::Refused(refusal) => panic!("{refusal:?}"),
    }
}

fn refused(fake: &Fake) -> RefusalReason {
    match fake.ask().unwrap() {
        Outcome::Refused(refusal) => refusal.reason,
        Outcome::Answered(_) => panic!("answered"),
    }
}

fn broken(fake: &Fake) -> (ErrorKind, String) {
    let error = fake.ask().err().unwrap();
    (error.kind, error.to_string())
}

#[test]
fn the_whole_way() {
    let fake = Fake::new();
    let (outcome, host) = fake.ask_with(&ask());
    let Outcome::Answered(facts) = outcome.unwrap() else { panic!("refused") };
    let requests = host.requests();
    assert_eq!(body(&requests[1]), "__VIEWSTATE=vs-search&memberId=ACM123456&dob=02%2F09%2F1980&service=OFFICE");
    assert_eq!(requests[2].uri().path_and_query().unwrap(), "/providers/member?row=2");
    assert_eq!(facts.coverage, Coverage::Active);
    let plan = &facts.plans[0];
    assert_eq!((plan.name.as_deref(), plan.period.from), (Some("Gold PPO"), Some(jiff::civil::date(2026, 1, 1))));
    assert_eq!(plan.status_code.as_ref().unwrap().label, "Active");
    let member = &facts.member;
    assert_eq!(member.last_name.as_ref().unwrap().text(), "DOE-SMITH");
    assert_eq!(member.middle_name.as_ref().unwrap().text(), "Q");
    assert_eq!(member.corrections.len(), 1);
    assert_eq!(member.corrections[0].field, "member.last_name");
    let deductible = facts.benefits[0].deductible.as_ref().unwrap();
    assert_eq!(
        (deductible.base.unwrap().to_string(), deductible.met.unwrap().to_string()),
        ("1500.00".into(), "412.50".into())
    );
    assert_eq!(deductible.remaining, None, "nothing is computed");
    assert_eq!((facts.raw.transaction.as_str(), facts.raw.segments), ("html", 3));
}

#[test]
fn what_is_paid_may_say_that_nothing_is_covered() {
    let fake = |said| {
        Fake::new()
            .toml("copay = { header = \"Copay\" }", "pays = { header = \"Copay\" }")
            .member("<td>see booklet</td>", said)
    };
    let benefit = |said| answered(&fake(said)).benefits.swap_remove(2);
    let not_covered = benefit("<td>Not Covered</td>");
    assert_eq!((not_covered.covered, not_covered.copay.is_none()), (Covered::No, true));
    assert!(not_covered.provenance.iter().any(|place| place.of == ["covered"]));
    // "No" may mean that nothing is paid.
    assert_eq!(benefit("<td>No</td>").covered, Covered::NotStated);
    assert_eq!(benefit("<td>$40 copay</td>").covered, Covered::NotStated);
}

#[test]
fn a_table_by_its_headers_with_provenance() {
    let facts = answered(&Fake::new());
    let [_, inside, outside, moon] = facts.benefits.as_slice() else { panic!("{}", facts.benefits.len()) };
    assert_eq!((inside.service.code.as_str(), inside.network), ("98", Network::In));
    assert_eq!(inside.copay.as_ref().unwrap().amount.to_string(), "25");
    assert!(inside.coinsurance.is_none());
    assert_eq!(outside.coinsurance.as_ref().unwrap().patient_share.to_string(), "0.40");
    assert!(outside.copay.is_none());
    assert_eq!(outside.messages[0].text(), "Copay: see booklet");
    assert_eq!(
        (moon.service.code.as_str(), moon.service.label.as_str(), moon.network),
        ("", "Moon travel", Network::NotStated)
    );
    let copay = inside.provenance.iter().find(|place| place.of == ["copay.amount"]).unwrap();
    assert_eq!(copay.place, Place::Page { page: "member page".into(), selector: "Copay".into(), row: Some(1) });
    assert!(facts.benefits.iter().all(|benefit| !benefit.provenance.is_empty()));
}

#[test]
fn what_cannot_be_read_is_kept_and_told() {
    let fake = Fake::new().member("01/01/2026", "next spring");
    let (outcome, host) = fake.ask_with(&ask());
    let Outcome::Answered(facts) = outcome.unwrap() else { panic!("refused") };
    assert_eq!((facts.plans[0].period.from, facts.plans[0].dates[0].text.as_str()), (None, "next spring"));
    assert_eq!(host.warnings()[0].code, "value_not_read");
    let facts = answered(&Fake::new().member(">Active<", ">Active - COBRA<"));
    assert_eq!(facts.coverage, Coverage::Unknown);
    assert_eq!(facts.plans[0].status_code.as_ref().unwrap().label, "Active - COBRA");
}

#[test]
fn refusals() {
    let page = |text: &str| format!("<html><p class=message>{text}</p></html>");
    let search = "POST /providers/search";
    assert_eq!(refused(&Fake::new().page(search, &page("No records found."))), RefusalReason::MemberNotFound);
    assert_eq!(
        refused(&Fake::new().page(search, &page("This provider is not registered"))),
        RefusalReason::ProviderNotRecognised
    );
    let others = RESULTS.replace("02/09/1980", "02/09/1981");
    assert_eq!(refused(&Fake::new().page(search, &others)), RefusalReason::MemberNotFound);
    let twice = RESULTS.replace("01/02/1975", "02/09/1980").replace("John", "Jane");
    assert_eq!(refused(&Fake::new().page(search, &twice)), RefusalReason::MemberAmbiguous);
}

#[test]
fn lists_of_several_pages_are_read_to_their_end_and_no_further() {
    let fake = Fake::new().toml("link    = \"a\"", "link = \"a\"\nnext = \"a.next\"");
    let first =
        RESULTS.replace("02/09/1980", "02/09/1999").replace("Page 1 of 1", "<a class=next href='page2'>next</a>");
    let fake = fake.page("POST /providers/search", &first).page("GET /providers/page2", RESULTS);
    assert_eq!(answered(&fake).coverage, Coverage::Active);
    let endless = fake.page("GET /providers/page2", &first);
    let (outcome, host) = endless.ask_with(&ask());
    assert!(outcome.err().unwrap().to_string().contains("pages_max"));
    assert_eq!(host.requests().len(), 2 + 9);
}

#[test]
fn benefit_tables_of_several_pages() {
    let fake = Fake::new().toml("name   = \"member page\"", "name = \"member page\"\nnext = \"a.more\"");
    let more = MEMBER.replace("<dl>", "<a class=more href='member2'>more</a><dl>");
    let fake = fake.page("GET /providers/member", &more).page("GET /providers/member2", MEMBER);
    let facts = answered(&fake);
    assert_eq!(facts.benefits.len(), 1 + 3 + 3);
    assert_eq!(facts.plans.len(), 1);
}

#[test]
fn another_members_page_is_not_shown() {
    for (from, to) in [("ACM 123456", "ACM 123457"), ("02/09/1980", "02/10/1980")] {
        assert_eq!(broken(&Fake::new().member(from, to)).0, ErrorKind::AnswerMismatch, "{to}");
    }
    // A page that shows neither is nobody's.
    let fake = Fake::new()
        .member("<dt>Member ID</dt><dd>ACM 123456</dd><dt>Date of birth:</dt><dd>02/09/1980</dd>", "")
        .toml("{ label = \"Member ID\" }", "{ label = \"Member ID\", optional = true }")
        .toml("{ label = \"Date of birth\" }", "{ label = \"Date of birth\", optional = true }");
    let (kind, text) = broken(&fake);
    assert!(kind == ErrorKind::ProtocolBroken && text.contains("missing=identity"), "{text}");
    let trusting = fake.toml("[settings.eligibility]\n", "[settings.eligibility]\nidentity = \"none\"\n");
    assert_eq!(answered(&trusting).coverage, Coverage::Active);
}

#[test]
fn a_changed_page_stops_and_says_where() {
    for (from, to, want) in [
        ("Coverage status", "State", "field=status missing=label"),
        (">Copay<", ">You pay<", "field=copay.amount missing=column row=1"),
        ("id=member-name", "id=name", "field=name missing=element"),
        ("02/09/1980", "9 Feb 1980", "field=date_of_birth missing=date"),
        ("id=benefits", "id=other", "field=rows missing=rows"),
    ] {
        let (kind, text) = broken(&Fake::new().member(from, to));
        assert_eq!(kind, ErrorKind::ProtocolBroken);
        assert!(text.contains(want), "{want}: {text}");
    }
    let (_, text) = broken(&Fake::new().page("GET /providers/eligibility", "<html>moved</html>"));
    assert!(text.contains("missing=form at=eligibility.steps step=2"), "{text}");
    let (_, text) = broken(&Fake::new().page("GET /providers/eligibility", &SEARCH.replace("name=dob", "name=birth")));
    assert!(text.contains("missing=field"), "{text}");
    let (_, text) = broken(&Fake::new().page("POST /providers/search", "<html>?</html>"));
    assert!(text.contains("at=eligibility.results missing=rows"), "{text}");
}

#[test]
fn pages_that_stop_a_question_stop_it_at_any_step() {
    let keys = ["GET /providers/eligibility", "POST /providers/search", "GET /providers/member"];
    for (number, key) in (1..).zip(keys) {
        for (status, page, kind) in [
            (200, "<html>show that you are not a robot</html>", ErrorKind::NeedsPerson),
            (200, "<html><form id=accept-terms></form></html>", ErrorKind::NeedsPerson),
            (200, "<html><h1>Scheduled maintenance tonight</h1></html>", ErrorKind::CarrierClosed),
            (200, "<html>An unexpected error has occurred</html>", ErrorKind::CarrierUnavailable),
            (200, LOGIN, ErrorKind::CarrierUnavailable),
            (401, "", ErrorKind::CarrierUnavailable),
            (503, "", ErrorKind::CarrierUnavailable),
            (429, "", ErrorKind::CarrierThrottled),
            (404, "<html></html>", ErrorKind::ProtocolBroken),
            (200, "<html><body>cut of", ErrorKind::ProtocolBroken),
            (200, "", ErrorKind::ProtocolBroken),
        ] {
            let fake = Fake::new().status(key, status, page);
            let (outcome, host) = fake.ask_with(&ask());
            let error = outcome.err().unwrap();
            assert_eq!(error.kind, kind, "{key} {status} {page}");
            assert_eq!(host.requests().len(), number, "nothing is asked after it");
        }
    }
    let error = Fake::new().page("POST /providers/search", LOGIN).ask().err().unwrap();
    assert_eq!(error.retry, Retry::Safe, "the host signs in again and asks anew");
}

#[test]
fn a_page_cut_off_anywhere_gives_no_answer() {
    for at in (0..MEMBER.len() - 8).step_by(37).filter(|at| MEMBER.is_char_boundary(*at)) {
        let (kind, _) = broken(&Fake::new().page("GET /providers/member", &MEMBER[..at]));
        assert_eq!(kind, ErrorKind::ProtocolBroken, "{at}");
    }
}

#[test]
fn huge_and_deep_pages_are_not_read() {
    for page in ["<div>".repeat(200_000), "x".repeat((2 << 20) + 1)] {
        let fake = Fake::new().page("GET /providers/member", &format!("<html>{page}</html>"));
        assert_eq!(broken(&fake).0, ErrorKind::ProtocolBroken);
    }
}

#[test]
fn links_to_other_hosts_are_not_followed() {
    let page = RESULTS.replace("member?row=2", "https://evil.example/member?row=2");
    let (outcome, host) = Fake::new().page("POST /providers/search", &page).ask_with(&ask());
    assert_eq!(outcome.err().unwrap().kind, ErrorKind::EgressRefused);
    assert_eq!(host.requests().len(), 2);
}

#[test]
fn aspnet_links_send_their_form() {
    let page = RESULTS
        .replace("<body>", "<body><form action='grid' method=post><input type=hidden name=__VIEWSTATE value='v9'>")
        .replace("</table>", "</table></form>")
        .replace("href=\"member?row=2\"", "href=\"javascript:__doPostBack('ctl00$g','Select$1')\"");
    let fake = Fake::new().page("POST /providers/search", &page).page("POST /providers/grid", MEMBER);
    let (outcome, host) = fake.ask_with(&ask());
    assert!(matches!(outcome, Ok(Outcome::Answered(_))));
    assert_eq!(body(&host.requests()[2]), "__VIEWSTATE=v9&__EVENTTARGET=ctl00%24g&__EVENTARGUMENT=Select%241");
}

#[test]
fn patient_data_goes_into_an_address_only_when_the_file_allows_it() {
    let page = SEARCH.replace("method=post", "method=get");
    let fake = Fake::new().page("GET /providers/eligibility", &page).page("GET /providers/search", RESULTS);
    assert!(broken(&fake).1.contains("allow_get"));
    let fake = fake.toml("submit = \"form#search\"", "submit = \"form#search\"\nallow_get = true");
    assert_eq!(answered(&fake).coverage, Coverage::Active);
}

#[test]
fn what_the_portal_does_not_offer_is_not_asked() {
    let mut dependent = ask();
    dependent.dependent = serde_json::from_value(serde_json::json!({
        "first_name": "Kid", "last_name": "Doe", "date_of_birth": "2015-01-01", "relationship": "child"
    }))
    .unwrap();
    let mut two = ask();
    two.service.types.push("30".into());
    let mut other = ask();
    other.service.types = vec!["MH".into()];
    for (ask, requests) in [(dependent, 0), (two, 0), (other, 1)] {
        let (outcome, host) = Fake::new().ask_with(&ask);
        assert_eq!(outcome.err().unwrap().kind, ErrorKind::Unsupported);
        assert_eq!(host.requests().len(), requests);
    }
}

#[test]
fn no_error_tells_of_a_patient() {
    let canaries = ["ACM123456", "ACM 123456", "1980", "DOE", "Doe", "Jane", "JANE", "Active", "Gold"];
    let mut seen = 0;
    for key in ["GET /providers/eligibility", "POST /providers/search", "GET /providers/member"] {
        for page in [MEMBER, RESULTS, SEARCH, LOGIN, "<html>DOE, JANE ACM123456</html>"] {
            if let Err(error) = Fake::new().page(key, page).ask() {
                seen += 1;
                let text = format!("{error} {error:?}");
                assert!(!canaries.iter().any(|canary| text.contains(canary)), "{text}");
            }
        }
    }
    assert!(seen >= 10, "{seen}");
}
