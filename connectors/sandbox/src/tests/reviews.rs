//! Northstar's authorizations, over a real socket.

use std::net::SocketAddr;

use serde_json::Value;

use super::client::{Reply, try_send};
use super::core::{soap, text_token};
use crate::credentials::NORTHSTAR_PASSWORD;
use crate::{Sandbox, SandboxConfig};

/// A request for review (`13`) or an inquiry about one (`28`).
fn review(purpose: &str, member: &str, trace: &str) -> String {
    let (guide, kind) = match purpose {
        "28" => ("005010X215", "X12_278_Request_005010X215"),
        _ => ("005010X217", "X12_278_Request_005010X217E1_2"),
    };
    let payload = format!(
        "ISA*00*          *00*          *ZZ*PORTICO01      *ZZ*NORTHSTAR      *261123*1200*^*00501*000000042*0*T*:~\
         GS*HI*PORTICO01*NORTHSTAR*20261123*1200*42*X*{guide}~ST*278*0001*{guide}~BHT*0007*{purpose}*{trace}*20261123*1200~\
         HL*1**20*1~NM1*X3*2*NORTHSTAR*****PI*NSH01~HL*2*1*21*1~NM1*1P*2*CLINIC*****XX*1234567893~HL*3*2*22*1~\
         NM1*IL*1*OKAFOR*AMARA****MI*{member}~HL*4*3*EV*1~TRN*1*{trace}*9PORTICO00~UM*HS*I~HL*5*4*SS*0~\
         SV1*HC:97110**UN*2~SE*14*0001~GE*1*42~IEA*1*000000042~"
    );
    soap(&text_token(NORTHSTAR_PASSWORD), &payload, "2.2.0").replace("X12_270_Request_005010X279A1", kind)
}

async fn send(to: SocketAddr, purpose: &str, member: &str, trace: &str) -> Option<Reply> {
    let headers = "Content-Type: application/soap+xml\r\n";
    try_send(to, "POST", "/core", headers, &review(purpose, member, trace)).await
}

#[tokio::test]
async fn every_request_makes_a_record_and_the_log_tells() {
    let folder = std::env::temp_dir().join(format!("portico-receipts-{}", std::process::id()));
    let receipts = Some(folder.clone());
    let sandbox = Sandbox::start(SandboxConfig { receipts, ..SandboxConfig::default() }).await.unwrap();
    let to = sandbox.address("northstar").unwrap();
    let none = send(to, "28", "NSH-ACTIVE-COPAY40", "ONCE").await.unwrap();
    assert!(none.body.contains("AAA*N**AA*N~"), "{}", none.body);
    let first = send(to, "13", "NSH-ACTIVE-COPAY40", "ONCE").await.unwrap();
    assert!(first.body.contains("TRN*2*ONCE*9PORTICO00~"), "{}", first.body);
    assert!(first.body.contains("HCR*A4*NSR0000001~"), "{}", first.body);
    // No memory of what it had: the same request makes a second case.
    assert!(send(to, "13", "NSH-ACTIVE-COPAY40", "ONCE").await.unwrap().body.contains("HCR*A4*NSR0000002~"));
    assert_eq!(send(to, "28", "NSH-ACTIVE-COPAY40", "ONCE").await.unwrap().body.matches("HCR*A4").count(), 2);
    // Faults: accepted, but nobody is told.
    for member in ["NSH-PA-LOST-REPLY", "NSH-PA-DROPPED"] {
        assert!(send(to, "13", member, member).await.is_none(), "{member}");
    }
    assert_eq!(send(to, "13", "NSH-PA-500", "FAILED").await.unwrap().status, 500);
    let cut = send(to, "13", "NSH-PA-CUT", "CUT").await.unwrap();
    assert!(cut.status == 200 && !cut.body.contains("Envelope></S:"), "{}", cut.body);
    assert!(send(to, "13", "NSH-PA-REFUSED", "NO").await.unwrap().body.contains("AAA*N**15*C~"));
    sandbox.shutdown().await;
    let log = std::fs::read_to_string(&folder).unwrap();
    let _ = std::fs::remove_file(&folder);
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count =
        |event: &str, trace: &str| lines.iter().filter(|line| line["event"] == event && line["trace"] == trace).count();
    let accepted = |trace: &str| count("accepted", trace);
    assert_eq!((count("received", "ONCE"), accepted("ONCE")), (2, 2));
    assert_eq!((accepted("NSH-PA-LOST-REPLY"), accepted("NSH-PA-DROPPED")), (1, 0));
    assert_eq!((accepted("FAILED"), accepted("CUT"), accepted("NO")), (1, 1, 0));
}
