//! Molasses: each fault is what it says it is.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::client::{Reply, try_send};
use super::{question, start};
use crate::credentials::{MOLASSES_PASSWORD, MOLASSES_USER};
use crate::{Down, Switches};

async fn ask(to: SocketAddr, password: &str, member_id: &str, born: &str) -> Option<Reply> {
    let basic = STANDARD.encode(format!("{MOLASSES_USER}:{password}"));
    let headers = format!("Authorization: Basic {basic}\r\nContent-Type: application/edi-x12\r\n");
    let payload = question("MOLASSES", member_id, "", born, "1234567893");
    try_send(to, "POST", "/x12", &headers, &payload).await
}

#[tokio::test]
async fn each_fault_is_what_it_says() {
    let sandbox = start().await;
    let to = sandbox.address("molasses").unwrap();
    let said = async |id: &str| ask(to, MOLASSES_PASSWORD, id, "19650214").await.unwrap();
    let length = |reply: &Reply| -> usize { reply.header("content-length").parse().unwrap() };

    let good = ask(to, MOLASSES_PASSWORD, "MOL-OK", "19780109").await.unwrap();
    assert!(good.body.contains("EB|B|IND|98|||27|40.00"), "{}", good.body);
    assert_eq!(length(&good), good.body.len());
    for id in ["MOL-RESET", "MOL-TRUNCATED"] {
        let reply = said(id).await;
        assert!(reply.body.len() < length(&reply), "{id}");
    }
    assert!(said("MOL-WRONG-MEMBER").await.body.contains("NM1|IL|1|BARROW|CLEMENTINE||||MI|MOL-OK~"));
    assert!(said("MOL-WRONG-TRACE").await.body.contains("TRN|2|OTHERTRACE0001|"));
    assert_eq!(said("MOL-DUPLICATE").await.body.matches("ISA|").count(), 2);
    assert!(!said("MOL-GARBAGE").await.body.contains("ISA"));
    assert!(said("MOL-LOGIN-PAGE").await.body.contains("type=\"password\""));
    assert!(said("MOL-AAA42").await.body.contains("AAA|N||42|R~"));
    assert_eq!(said("MOL-EMPTY").await.body, "");
    assert_eq!(said("MOL-502").await.status, 502);
    let busy = said("MOL-503").await;
    assert_eq!((busy.status, busy.header("retry-after").as_str()), (503, "7"));
    let moved = said("MOL-REDIRECT").await;
    assert_eq!((moved.status, moved.header("location").as_str()), (302, "https://elsewhere.example/x12"));
    assert_eq!(length(&said("MOL-1GB").await), 1 << 30);
    assert_eq!(said("MOL-GZIPBOMB").await.header("content-encoding"), "gzip");
    assert_eq!(said("MOL-POISON").await.body.matches("HTTP/1.1 200").count(), 1, "a second response in the body");
}

#[tokio::test]
async fn hanging_and_dripping_end_with_the_sandbox() {
    let sandbox = start().await;
    let to = sandbox.address("molasses").unwrap();
    let hang = tokio::spawn(ask(to, MOLASSES_PASSWORD, "MOL-HANG", "19650214"));
    let drip = tokio::spawn(ask(to, MOLASSES_PASSWORD, "MOL-DRIP", "19650214"));
    while sandbox.control().counters("molasses").unwrap().questions < 2 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    sandbox.shutdown().await;
    assert!(hang.await.unwrap().is_none());
    let dripped = drip.await.unwrap().unwrap();
    assert!(!dripped.body.is_empty() && dripped.body.len() < 20, "{}", dripped.body);
}

#[tokio::test]
async fn passwords_switches_and_nonsense() {
    let sandbox = start().await;
    let to = sandbox.address("molasses").unwrap();
    let status = async |password: &str| ask(to, password, "MOL-OK", "19780109").await.unwrap().status;
    assert_eq!(status("wrong").await, 401);
    assert_eq!(status("wrong").await, 401);
    assert_eq!(status("wrong").await, 423);
    assert_eq!(status(MOLASSES_PASSWORD).await, 423);
    sandbox.control().reset();
    assert_eq!(status(MOLASSES_PASSWORD).await, 200);
    let set = |down| sandbox.control().set("molasses", Switches { down, ..Switches::default() });
    set(Down::Unavailable);
    assert_eq!(status(MOLASSES_PASSWORD).await, 503);
    set(Down::Refuse);
    assert!(ask(to, MOLASSES_PASSWORD, "MOL-OK", "19780109").await.is_none());
    set(Down::No);
    assert_eq!(status(MOLASSES_PASSWORD).await, 200);
    assert!(try_send(to, "GET\0", "/", "no colon\r\n", "").await.is_none());
    assert_eq!(try_send(to, "GET", "/", "", "").await.unwrap().status, 404);
}
