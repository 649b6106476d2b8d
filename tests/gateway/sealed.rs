//! A vault that only a person opens: the real program starts sealed, answers nothing and sends nothing, is opened, its keys
//! exchanged and sealed again while it runs, all over the operator's line.

use http::{Method, StatusCode};
use sandbox::{Sandbox, SandboxConfig};
use serde_json::json;

use crate::process::{Folder, Gateway};
use crate::support::ask;

const PASSPHRASE: &str = "crane ladder violet stone";
const MEMBER: (&str, &str) = ("NSH-ACTIVE-COPAY40", "1984-03-12");

/// A folder whose vault has a passphrase and a recovery code, and northstar's credential.
fn folder(sandbox: &Sandbox) -> (Folder, String, String) {
    let folder = Folder::new("");
    for (id, text) in sandbox.carrier_files() {
        folder.write(&format!("carriers/{id}.toml"), &text);
    }
    let typed = format!("{PASSPHRASE}\n");
    let kit = kit(&folder, "kit");
    folder.portico(&["vault", "init", "--passphrase", "--recovery-file", &kit], &typed).fine();
    assert!(!folder.path("keys/vault.key").exists());
    let credentials = sandbox::credentials();
    let (_, fields) = credentials.iter().find(|(id, _)| *id == "northstar").unwrap();
    let lines: String = fields.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    folder.portico(&["vault", "put", "northstar"], &format!("{typed}{lines}")).fine();
    let key = folder.portico(&["keys", "create"], &typed).fine().trim().to_owned();
    let code = std::fs::read_to_string(kit).unwrap();
    (folder, key, code)
}

fn kit(folder: &Folder, name: &str) -> String {
    folder.path(name).display().to_string()
}

async fn outcome(gateway: &Gateway, key: &str) -> (StatusCode, String) {
    let mut question = ask("northstar", MEMBER.0, MEMBER.1);
    question["max_age_secs"] = json!(0);
    let reply = gateway.call(key, Method::POST, "/v1/eligibility", Some(&question)).await;
    (reply.status, reply.outcome().to_owned())
}

async fn is_sealed(gateway: &Gateway, key: &str) {
    let (status, text) = outcome(gateway, key).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{text}");
    for words in ["\"title\":\"sealed\"", "\"who_acts\":\"gateway\"", "portico vault unseal"] {
        assert!(text.contains(words), "{text}");
    }
    let alive = gateway.call(key, Method::GET, "/healthz", None).await;
    assert_eq!(alive.status, StatusCode::OK);
    let ready = gateway.call(key, Method::GET, "/readyz", None).await;
    assert_eq!((ready.status, &ready.body["missing"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(["sealed"])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_key_file_opens_is_opened_by_it_again() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let folder = Folder::for_sandbox(&sandbox, "");
    let key = folder.key();
    let gateway = folder.serve();
    folder.portico(&["vault", "seal"], "").fine();
    is_sealed(&gateway, &key).await;
    folder.portico(&["vault", "unseal"], "").fine();
    assert_eq!(outcome(&gateway, &key).await, (StatusCode::OK, "answered".to_owned()));
    assert_eq!(gateway.stop(), 0);
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_gateway_answers_and_sends_nothing_until_a_person_opens_it() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let (folder, key, code) = folder(&sandbox);
    let requests = || sandbox.control().counters("northstar").unwrap().requests;
    let answered = (StatusCode::OK, "answered".to_owned());
    let typed = format!("{PASSPHRASE}\n");
    let gateway = folder.serve();
    is_sealed(&gateway, &key).await;
    let wrong = folder.portico(&["vault", "unseal"], "crane ladder violet stones\n");
    assert!(wrong.code == 2 && wrong.err.contains("does not open the vault"), "{wrong:?}");
    is_sealed(&gateway, &key).await;
    assert_eq!(requests(), 0);
    folder.portico(&["vault", "unseal"], &typed).fine();
    assert!(folder.portico(&["vault", "unseal"], "").fine().contains("open already"));
    assert_eq!(outcome(&gateway, &key).await, answered);

    // Keys are exchanged under the running gateway.
    folder.portico(&["vault", "rotate"], "").fine();
    let new_kit = kit(&folder, "new-kit");
    folder.portico(&["vault", "rotate", "root", "--recovery-file", &new_kit], &typed).fine();
    assert_eq!(outcome(&gateway, &key).await, answered);
    let verified = folder.portico(&["vault", "verify"], "").fine();
    assert!(verified.contains("opened by: passphrase, recovery code"), "{verified}");
    assert!(verified.contains("default: 1 of 1 credentials open"), "{verified}");

    let before = requests();
    folder.portico(&["vault", "seal"], "").fine();
    is_sealed(&gateway, &key).await;
    let again = folder.portico(&["vault", "seal"], "");
    assert!(again.code == 2 && again.err.contains("sealed already"), "{again:?}");
    let old = folder.portico(&["vault", "unseal", "--recovery"], &code);
    assert!(old.code == 2 && old.err.contains("does not open the vault"), "{old:?}");
    assert_eq!(requests(), before);
    folder.portico(&["vault", "unseal", "--recovery"], &std::fs::read_to_string(new_kit).unwrap()).fine();
    assert_eq!(outcome(&gateway, &key).await, answered);
    its_memory_and_its_line_are_private(&folder, &gateway);
    assert_eq!(gateway.stop(), 0);
    let none = folder.portico(&["vault", "seal"], "");
    assert!(none.code == 2 && none.err.contains("no gateway runs"), "{none:?}");
    // Without a gateway, the passphrase opens the store itself.
    let erased = folder.portico(&["vault", "rotate"], &typed).fine();
    assert!(erased.contains("old keys erased"), "{erased}");
    folder.portico(&["vault", "verify"], &typed).fine();
    sandbox.shutdown().await;
}

#[cfg(target_os = "linux")]
fn its_memory_and_its_line_are_private(folder: &Folder, gateway: &Gateway) {
    use std::os::unix::fs::PermissionsExt;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", gateway.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    let line = std::fs::metadata(folder.path("data/admin.sock")).unwrap();
    assert_eq!(line.permissions().mode() & 0o777, 0o600);
}

#[cfg(not(target_os = "linux"))]
fn its_memory_and_its_line_are_private(_: &Folder, _: &Gateway) {}
