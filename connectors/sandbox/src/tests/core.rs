//! Northstar and Statemed.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::client::{Reply, send};
use super::{question, start};
use crate::credentials::{NORTHSTAR_PASSWORD, NORTHSTAR_USER, STATEMED_PASSWORD, STATEMED_USER};
use crate::{UNKNOWN_NPI, mime};

const NPI: &str = "1234567893";

pub(super) fn soap(token: &str, payload: &str, version: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header><w:Security xmlns:w=\"urn:w\">\
         <w:UsernameToken>{token}</w:UsernameToken></w:Security></s:Header><s:Body><c:COREEnvelopeRealTimeRequest \
         xmlns:c=\"urn:c\"><PayloadType>X12_270_Request_005010X279A1</PayloadType><ProcessingMode>RealTime\
         </ProcessingMode><PayloadID>p1</PayloadID><TimeStamp>2026-11-23T12:00:00Z</TimeStamp><SenderID>PORTICO01\
         </SenderID><ReceiverID>NORTHSTAR</ReceiverID><CORERuleVersion>{version}</CORERuleVersion><Payload>\
         <![CDATA[{payload}]]></Payload></c:COREEnvelopeRealTimeRequest></s:Body></s:Envelope>"
    )
}

pub(super) fn text_token(password: &str) -> String {
    format!("<w:Username>{NORTHSTAR_USER}</w:Username><w:Password Type=\"x#PasswordText\">{password}</w:Password>")
}

async fn northstar(to: SocketAddr, body: &str) -> Reply {
    send(to, "POST", "/core", "Content-Type: application/soap+xml; charset=utf-8\r\n", body).await
}

async fn ask(to: SocketAddr, member_id: &str, name: &str, born: &str) -> Reply {
    let payload = question("NORTHSTAR", member_id, name, born, NPI);
    northstar(to, &soap(&text_token(NORTHSTAR_PASSWORD), &payload, "2.2.0")).await
}

#[tokio::test]
async fn northstar_answers_by_text_and_by_digest_and_refuses_a_replay() {
    let sandbox = start().await;
    let to = sandbox.address("northstar").unwrap();
    let reply = ask(to, "NSH-ACTIVE-COPAY40", "OKAFOR*AMARA", "19840312").await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.contains("<ErrorCode>Success</ErrorCode>"), "{}", reply.body);
    assert!(reply.body.contains("EB*B*IND*98***27*40.00"));
    assert!(reply.body.contains("TRN*2*TRACE42*9PORTICO00~"));

    let created = jiff::Timestamp::now().to_string();
    let mut bytes = b"nonce-1".to_vec();
    bytes.extend_from_slice(created.as_bytes());
    bytes.extend_from_slice(NORTHSTAR_PASSWORD.as_bytes());
    let digest = STANDARD.encode(ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &bytes));
    let token = format!(
        "<w:Username>{NORTHSTAR_USER}</w:Username><w:Password Type=\"x#PasswordDigest\">{digest}</w:Password>\
         <w:Nonce>{}</w:Nonce><w:Created>{created}</w:Created>",
        STANDARD.encode("nonce-1")
    );
    let body = soap(&token, &question("NORTHSTAR", "NSH-INACTIVE", "HOLLOWAY*GRETA", "19760229", NPI), "2.2.0");
    assert!(northstar(to, &body).await.body.contains("EB*6**30"));
    let replayed = northstar(to, &body).await;
    assert_eq!(replayed.status, 500);
    assert!(replayed.body.contains("FailedAuthentication"));
    let counters = sandbox.control().counters("northstar").unwrap();
    assert_eq!((counters.questions, counters.logins, counters.logins_failed), (2, 3, 1));
    sandbox.shutdown().await;
}

#[tokio::test]
async fn northstar_scenarios() {
    let sandbox = start().await;
    let to = sandbox.address("northstar").unwrap();
    for (id, name, born, want) in [
        ("NSH-ACTIVE-COPAY40", "", "19500505", "AAA*N**71*C~"),
        ("NSH-NOBODY", "", "19500505", "AAA*N**72*C~"),
        ("NSH-AAA71-DOBSWAP", "", "19800405", "AAA*N**71*C~"),
        ("NSH-AAA42-BUSY", "", "19660131", "AAA*N**42*R~"),
        ("NSH-AAA-SEVERAL", "", "19930519", "AAA*N**73*C~AAA*N**71*C~AAA*N**72*C~"),
        ("NSH-TA1-REJECT", "", "19900202", "TA1*000000042*"),
        ("NSH-999-REJECT", "", "19900203", "IK5*R*5~"),
        ("NSH-ENV-VERSION", "", "19770303", "<ErrorCode>VersionMismatch</ErrorCode>"),
        ("NSH-FAULT-200", "", "19890909", "<S:Fault>"),
        ("NSH-HDHP-MTOM", "", "19910723", "<xop:Include"),
        ("NSH-OTHER-PAYER", "", "19581105", "NM1*PRP*2*EVERGREEN MUTUAL OF OREGON"),
        ("", "OKAFOR*AMARA", "19840312", "EB*1**30*PR*NORTHSTAR CHOICE PPO 1500~"),
    ] {
        let reply = ask(to, id, name, born).await;
        assert_eq!(reply.status, 200, "{id}");
        assert!(reply.body.contains(want), "{id}: {}", reply.body);
    }
    assert_eq!(ask(to, "NSH-FAULT-500", "", "19880808").await.status, 500);
    let payload = question("NORTHSTAR", "NSH-ACTIVE-COPAY40", "", "19840312", UNKNOWN_NPI);
    let reply = northstar(to, &soap(&text_token(NORTHSTAR_PASSWORD), &payload, "2.2.0")).await;
    assert!(reply.body.contains("AAA*N**51*C~"));
    let reply = northstar(to, &soap(&text_token(NORTHSTAR_PASSWORD), &payload, "4.0.0")).await;
    assert!(reply.body.contains("VersionMismatch"));
    for nonsense in ["", "<a/>", "<!DOCTYPE a><a/>", "\u{0}"] {
        assert_eq!(northstar(to, nonsense).await.status, 500);
    }
}

#[tokio::test]
async fn three_wrong_passwords_lock_northstar() {
    let sandbox = start().await;
    let to = sandbox.address("northstar").unwrap();
    let payload = question("NORTHSTAR", "NSH-ACTIVE-COPAY40", "", "19840312", NPI);
    for _ in 0..3 {
        assert_eq!(northstar(to, &soap(&text_token("wrong"), &payload, "2.2.0")).await.status, 500);
    }
    let reply = northstar(to, &soap(&text_token(NORTHSTAR_PASSWORD), &payload, "2.2.0")).await;
    assert!(reply.body.contains("account is locked"), "{}", reply.body);
    sandbox.control().reset();
    assert_eq!(ask(to, "NSH-ACTIVE-COPAY40", "", "19840312").await.status, 200);
}

async fn statemed(to: SocketAddr, password: &str, payload: &str) -> Reply {
    let body = mime::form(
        "b9",
        &[
            ("PayloadType", "X12_270_Request_005010X279A1"),
            ("ProcessingMode", "RealTime"),
            ("PayloadId", "p1"),
            ("TimeStamp", "2026-11-23T12:00:00Z"),
            ("UserName", STATEMED_USER),
            ("Password", password),
            ("SenderID", "PORTICO01"),
            ("ReceiverID", "STATEMED"),
            ("CORERuleVersion", "2.2.0"),
            ("Payload", payload),
        ],
    );
    send(to, "POST", "/mime", "Content-Type: multipart/form-data; boundary=b9\r\n", &body).await
}

#[tokio::test]
async fn statemed_answers_one_at_a_time() {
    let sandbox = start().await;
    let to = sandbox.address("statemed").unwrap();
    let payload = question("STATEMED", "STM-MONTHS-MCO", "", "19990421", NPI);
    let (first, second) =
        tokio::join!(statemed(to, STATEMED_PASSWORD, &payload), statemed(to, STATEMED_PASSWORD, &payload));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 503]);
    let reply = statemed(to, STATEMED_PASSWORD, &payload).await;
    assert!(reply.body.contains("EB*MC**30~"), "{}", reply.body);
    assert!(reply.body.contains("NM1*1I*2*RIVERBEND COMMUNITY HEALTH PLAN"));
    assert!(reply.body.contains("DTP*307*RD8*"));
    let spend_down = question("STATEMED", "STM-SPENDDOWN", "", "19480914", NPI);
    assert!(statemed(to, STATEMED_PASSWORD, &spend_down).await.body.contains("EB*Y*IND*30****325.50~"));
    assert_eq!(sandbox.control().counters("statemed").unwrap().concurrent_peak, 2);
}

#[tokio::test]
async fn statemed_is_strict_and_locks() {
    let sandbox = start().await;
    let to = sandbox.address("statemed").unwrap();
    let wrong = question("STATEMED", "STM-MONTHS-MCO", "SOMEBODY*ELSE", "19990421", NPI);
    assert!(statemed(to, STATEMED_PASSWORD, &wrong).await.body.contains("AAA*N**75*C~"));
    let tomorrow = crate::clock::today().tomorrow().unwrap().strftime("%Y%m%d").to_string();
    let today = crate::clock::today().strftime("%Y%m%d").to_string();
    let ahead = question("STATEMED", "STM-MONTHS-MCO", "", "19990421", NPI)
        .replace(&format!("DTP*291*D8*{today}"), &format!("DTP*291*D8*{tomorrow}"));
    assert!(statemed(to, STATEMED_PASSWORD, &ahead).await.body.contains("AAA*N**63*C~"));
    assert!(statemed(to, "wrong", &wrong).await.body.contains("UnAuthorized"));
    statemed(to, "wrong", &wrong).await;
    assert_eq!(statemed(to, "wrong", &wrong).await.status, 423);
    assert_eq!(statemed(to, STATEMED_PASSWORD, &wrong).await.status, 423);
}
