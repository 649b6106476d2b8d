//! A disk that fills up and a disk that fails to keep what was written, under the real gateway: what was acknowledged is
//! there afterwards, nothing else was acknowledged meanwhile, and the answer says what is wrong.
//!
//! The faults come from `fault.c`, a library loaded before the C library and compiled here (the tests need a C compiler
//! anyway).

use std::path::PathBuf;
use std::process::Command;

use http::{Method, StatusCode};

use crate::kill::client::ask;
use crate::kill::join::{self, Books};
use crate::kill::processes::Carriers;
use crate::process::{Folder, Gateway, PATIENCE};
use crate::support::{self, Reply};

/// A gateway on a disk that can be told to fail.
struct Ward {
    folder: Folder,
    carriers: Carriers,
    key: String,
}

impl Ward {
    async fn open() -> Self {
        let folder = Folder::new("");
        let carriers = Carriers::start(&folder.path("carriers"), &folder.path("receipts.jsonl"), 1);
        folder.enter_credentials();
        let key = folder.key();
        std::fs::create_dir(folder.path("faults")).unwrap();
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(folder.path("fault.so"))
            .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/disk/fault.c"))
            .arg("-ldl")
            .output()
            .unwrap();
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        Self { folder, carriers, key }
    }

    fn serve(&self) -> Gateway {
        let place = |name: &str| self.folder.path(name).display().to_string();
        self.folder.serve_with(&[("LD_PRELOAD", &place("fault.so")), ("DISK_FAULTS", &place("faults"))])
    }

    fn fault(&self, name: &str) {
        std::fs::write(self.folder.path("faults").join(name), "").unwrap();
    }

    fn mended(&self, name: &str) {
        std::fs::remove_file(self.folder.path("faults").join(name)).unwrap();
    }

    /// Hands in the submissions with these numbers, all at once.
    async fn hand_in(&self, gateway: &Gateway, numbers: std::ops::Range<usize>) -> Vec<Reply> {
        let posts = numbers.map(|number| async move {
            let key = format!("disk-{number}");
            let headers = [("idempotency-key", key.as_str())];
            let body = serde_json::to_vec(&ask(number)).unwrap();
            support::send_with(&gateway.address, Some(&self.key), &headers, Method::POST, "/v1/authorizations", body)
                .await
                .expect("a reply")
        });
        futures_util::future::join_all(posts).await
    }

    async fn ready(&self, gateway: &Gateway) -> Reply {
        gateway.call(&self.key, Method::GET, "/readyz", None).await
    }

    /// What was acknowledged comes to rest, and the carrier's own receipts say the same; the trail is whole.
    async fn close(self, gateway: Gateway, acknowledged: Vec<String>) {
        let acknowledged = acknowledged.into_iter().enumerate().collect();
        let ledger = join::at_rest(&gateway.address, &self.key, &acknowledged, PATIENCE).await;
        let text = std::fs::read_to_string(self.folder.path("receipts.jsonl")).unwrap();
        let receipts = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let report = Books { acknowledged, ledger, receipts }.join();
        assert!(report.problems.is_empty(), "\n{}", report.problems.join("\n"));
        assert_eq!(gateway.stop(), 0);
        let verified = self.folder.portico(&["vault", "verify"], "").fine();
        assert!(verified.contains("unbroken trail"), "{verified}");
        drop(self.carriers);
    }
}

fn ids(replies: &[Reply]) -> Vec<String> {
    let id = |reply: &Reply| {
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.text);
        reply.body["id"].as_str().unwrap().to_owned()
    };
    replies.iter().map(id).collect()
}

fn refused(replies: &[Reply], word: &str) {
    for reply in replies {
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{}", reply.text);
        assert!(reply.text.contains(word), "{}", reply.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_intake_until_there_is_room() {
    let ward = Ward::open().await;
    let gateway = ward.serve();
    let mut acknowledged = ids(&ward.hand_in(&gateway, 0..20).await);

    ward.fault("full");
    refused(&ward.hand_in(&gateway, 20..40).await, "disk is full");
    let ready = ward.ready(&gateway).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE, "{}", ready.text);

    ward.mended("full");
    acknowledged.extend(ids(&ward.hand_in(&gateway, 20..40).await));
    let ready = ward.ready(&gateway).await;
    assert_eq!(ready.status, StatusCode::OK, "{}", ready.text);
    ward.close(gateway, acknowledged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_ends_the_intake_until_a_restart() {
    let ward = Ward::open().await;
    let gateway = ward.serve();
    let mut acknowledged = ids(&ward.hand_in(&gateway, 0..20).await);

    ward.fault("sync");
    refused(&ward.hand_in(&gateway, 20..40).await, "until it is restarted");
    // What the disk holds is uncertain from then on: a sync that succeeds later proves nothing.
    ward.mended("sync");
    refused(&ward.hand_in(&gateway, 20..40).await, "until it is restarted");
    let ready = ward.ready(&gateway).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE, "{}", ready.text);
    gateway.kill();

    let gateway = ward.serve();
    acknowledged.extend(ids(&ward.hand_in(&gateway, 20..40).await));
    ward.close(gateway, acknowledged).await;
}
