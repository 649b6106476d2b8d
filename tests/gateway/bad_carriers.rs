//! Carriers that misbehave: the right kind of failure, the one who must act, within the deadline, and nobody else harmed.

use std::time::Instant;

use http::StatusCode;
use sandbox::{Down, Page, Switches};
use serde_json::Value;

use crate::support::{Reply, Stand, ask};

/// Born on this day: every member of Molasses.
const BORN: &str = "1980-01-01";

fn failure(reply: &Reply) -> (&str, &str) {
    let failure = &reply.body["failure"];
    (failure["kind"].as_str().unwrap_or(&reply.text), failure["who_acts"].as_str().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_has_its_kind_and_who_must_act() {
    let stand = Stand::start().await;
    let born = |member: &str| birth_of(member);
    let cases = [
        ("MOL-HANG", "carrier_timeout", "carrier", 504),
        ("MOL-DRIP", "carrier_timeout", "carrier", 504),
        ("MOL-RESET", "carrier_unavailable", "carrier", 502),
        ("MOL-TRUNCATED", "carrier_unavailable", "carrier", 502),
        ("MOL-GZIPBOMB", "protocol_broken", "connector_author", 502),
        ("MOL-1GB", "protocol_broken", "connector_author", 502),
        ("MOL-REDIRECT", "egress_refused", "connector_author", 502),
        ("MOL-WRONG-MEMBER", "answer_mismatch", "carrier", 502),
        ("MOL-WRONG-TRACE", "answer_mismatch", "carrier", 502),
        ("MOL-GARBAGE", "protocol_broken", "connector_author", 502),
        ("MOL-LOGIN-PAGE", "protocol_broken", "connector_author", 502),
        ("MOL-EMPTY", "protocol_broken", "connector_author", 502),
        ("MOL-502", "carrier_unavailable", "carrier", 502),
        ("MOL-503", "carrier_unavailable", "carrier", 502),
    ];
    // Accepted once, so that the credential is proven: an unproven one is tried by one question at a time.
    assert_eq!(stand.ask(ask("molasses", "MOL-OK", &birth_of("MOL-OK"))).await.outcome(), "answered");
    let mut all = tokio::task::JoinSet::new();
    let stand = std::sync::Arc::new(stand);
    for (member, kind, who, status) in cases {
        let (stand, born) = (stand.clone(), born(member));
        all.spawn(async move {
            let started = Instant::now();
            let reply = stand.ask(ask("molasses", member, &born)).await;
            assert_eq!(reply.outcome(), "failed", "{member}: {}", reply.text);
            assert_eq!(failure(&reply), (kind, who), "{member}");
            assert_eq!(reply.status.as_u16(), status, "{member}");
            // The carrier file allows ten seconds for a question, retries included.
            assert!(started.elapsed().as_secs() < 20, "{member} took {:?}", started.elapsed());
            assert!(!reply.body["failure"]["text"].as_str().unwrap().is_empty());
        });
    }
    // Meanwhile the others answer as ever.
    let healthy = stand.ask(ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12")).await;
    assert_eq!(healthy.outcome(), "answered");
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
    let still_fine = stand.ask(ask("molasses", "MOL-OK", &birth_of("MOL-OK"))).await;
    assert_eq!(still_fine.outcome(), "answered", "{}", still_fine.text);
}

/// The truth file has a question for each scenario.
fn birth_of(member: &str) -> String {
    fn find(value: &Value, member: &str) -> Option<String> {
        match value {
            Value::Object(map) => {
                let own = map.get("member_id").and_then(Value::as_str) == Some(member);
                let born = map.get("date_of_birth").and_then(Value::as_str);
                match (own, born) {
                    (true, Some(born)) => Some(born.to_owned()),
                    _ => map.values().find_map(|inner| find(inner, member)),
                }
            }
            Value::Array(list) => list.iter().find_map(|inner| find(inner, member)),
            _ => None,
        }
    }
    let truth = serde_json::to_value(sandbox::truth()).unwrap();
    find(&truth, member).unwrap_or_else(|| BORN.to_owned())
}

/// A server whose certificate nobody signed, and a carrier file that points at it.
#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_whose_certificate_is_wrong_gets_no_password() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let tls =
        rustls::ServerConfig::builder_with_provider(std::sync::Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(tls));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // The gateway ends the handshake itself: no byte of a request may get through.
            assert!(acceptor.accept(stream).await.is_err(), "the gateway trusts a certificate nobody signed");
        }
    });
    let file = format!(
        "name = \"Selfsigned\"\nconnector = \"core-x12\"\npayer_id = \"X\"\nhosts = [\"{host}\"]\n\
         allow_private = [\"127.0.0.0/8\", \"::1/128\"]\n[limits]\nattempts_max = 1\n\
         [settings]\nendpoint = \"https://{host}/x12\"\nenvelope = \"plain\"\nauth = \"basic\"\n\
         sender_id = \"A\"\nreceiver_id = \"B\"\n[settings.x12]\npayer_name = \"X\"\npayer_id = \"X\"\n"
    );
    let fields: &[(&str, &str)] = &[("username", "u"), ("password", "p")];
    let stand = Stand::over(vec![("selfsigned".to_owned(), file)], &[("selfsigned", fields)]).await;
    let reply = stand.ask(ask("selfsigned", "M1", "1980-01-01")).await;
    assert_eq!(failure(&reply), ("carrier_untrusted", "carrier"), "{}", reply.text);
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
    assert_eq!(reply.body["failure"]["retry"]["safe"], false);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_that_is_down_opens_its_circuit_and_comes_back() {
    let stand = Stand::start().await;
    let control = stand.sandbox.control();
    assert!(control.set("hubline", Switches { down: Down::Refuse, ..Switches::default() }));
    let mut kinds = Vec::new();
    for place in 0..12 {
        let reply = stand.ask(ask("hubline", &format!("HUB-DOWN-{place}"), "1974-05-27")).await;
        kinds.push(failure(&reply).0.to_owned());
        if kinds.last().is_some_and(|kind| kind == "circuit_open") {
            assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
            assert!(reply.headers.contains_key("retry-after"));
        }
    }
    assert_eq!(kinds[0], "carrier_unavailable", "{kinds:?}");
    assert_eq!(kinds.last().unwrap(), "circuit_open", "{kinds:?}");
    assert_eq!(stand.ask(ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12")).await.outcome(), "answered");
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_for_a_person_stops_and_says_so() {
    let stand = Stand::start().await;
    for (member, kind, who) in [
        ("BVP-CAPTCHA", "needs_person", "person"),
        ("BVP-TERMS", "needs_person", "person"),
        ("BVP-MAINTAIN", "carrier_closed", "carrier"),
        ("BVP-ERRORPAGE", "carrier_unavailable", "carrier"),
    ] {
        let reply = stand.ask(ask("bluevalley", member, &birth_of(member))).await;
        assert_eq!(failure(&reply), (kind, who), "{member}: {}", reply.text);
    }
    stand.sandbox.control().set("bluevalley", Switches { page: Page::Captcha, ..Switches::default() });
    let blocked = stand.ask(ask("bluevalley", "BVP-ACTIVE-PPO", "1983-10-02")).await;
    assert_eq!(failure(&blocked).0, "needs_person", "{}", blocked.text);
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_json_reply_with_errors_inside_200_is_no_answer() {
    let stand = Stand::start().await;
    for (carrier, member) in
        [("hubline", "HUB-TOPERROR"), ("harborhmo", "HHM-ERR200"), ("harborhmo", "HHM-OTHER-MEMBER")]
    {
        let reply = stand.ask(ask(carrier, member, &birth_of(member))).await;
        assert_ne!(reply.outcome(), "answered", "{member}: {}", reply.text);
    }
    let busy = stand.ask(ask("hubline", "HUB-ERR42", &birth_of("HUB-ERR42"))).await;
    assert_eq!(
        (busy.outcome(), &busy.body["refusal"]["reason"]),
        ("refused", &Value::from("carrier_busy")),
        "{}",
        busy.text
    );
    stand.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_timed_out_is_opened_again_without_a_word() {
    let stand = Stand::start().await;
    assert_eq!(stand.ask(ask("bluevalley", "BVP-ACTIVE-PPO", "1983-10-02")).await.outcome(), "answered");
    // The portal's idle time is over: it answers 200 with its login page.
    stand.sandbox.control().advance(16 * 60);
    let again = stand.ask(ask("bluevalley", "BVP-INACTIVE", &birth_of("BVP-INACTIVE"))).await;
    assert_eq!(again.outcome(), "answered", "{}", again.text);
    assert_eq!(again.body["answer"]["coverage"], "inactive");
    let counters = stand.sandbox.control().counters("bluevalley").unwrap();
    assert_eq!(counters.logins_failed, 0, "{counters:?}");
    stand.stop().await;
}
