//! A backup of a large store, and its restore: how fast, and in how much memory. A store of nothing but answers, each with
//! what was exchanged for it, as the gateway keeps them.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt;
use portico::backup::{self, Closed};
use portico::practice::PracticeId;
use portico::store::Store;
use portico::store::keys::{self, PracticeRow};
use portico::trail::{Actor, OutcomeKind, Trail, TrailRecord};
use portico::vault::{Opener, Vault};
use ring::rand::{SecureRandom, SystemRandom};

/// Answers, unless `PORTICO_BACKUP_ASKS` says otherwise.
const ASKS: usize = 5_000;
/// Bytes of an answer, and of what was exchanged for it.
const ANSWER: usize = 10_000;
const EXCHANGE: usize = 14_000;
/// Answers that are kept at the same time.
const AT_ONCE: usize = 64;

/// Fills a store, backs it up, restores it, and prints what each took.
pub fn run() {
    let asks = std::env::var("PORTICO_BACKUP_ASKS").ok().and_then(|n| n.parse().ok()).unwrap_or(ASKS);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(asks));
}

async fn measure(asks: usize) {
    let dir = tempfile::tempdir().unwrap();
    let (from, key) = (dir.path().join("from"), Opener::KeyFile(dir.path().join("vault.key")));
    let store = Store::open(&from).unwrap();
    Vault::init_with(&store, std::slice::from_ref(&key)).await.unwrap();
    let vault = Vault::open_with(Arc::clone(&store), &key).await.unwrap();
    let trail = Trail::new(Arc::clone(&store), vault);
    let practice = PracticeRow { id: PracticeId::new("default"), name: "Bone Clinic".to_owned() };
    keys::ensure_practice(&store, practice.clone(), 0).await.unwrap();
    let began = Instant::now();
    fill(&trail, &practice.id, asks).await;
    println!("{asks} answers and exchanges kept in {:.0} s", began.elapsed().as_secs_f64());

    let (file, by) = (dir.path().join("portico.backup"), Actor::command_line());
    let made = Step::begin();
    let backup = backup::make(&store, &trail, &file, &by).await.unwrap();
    let content = (asks * (ANSWER + EXCHANGE)) as u64;
    made.told("backup", backup.rows, content);
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len()) as f64;
    let database = bytes(&from.join("portico.db")) + bytes(&from.join("portico.db-wal"));
    println!(
        "  file / database {:.2} ({:.2} GB / {:.2} GB)",
        bytes(&file) / database,
        bytes(&file) / 1e9,
        database / 1e9
    );

    let read = Step::begin();
    let opened = Closed::read(&file).await.unwrap().open(&key).await.unwrap();
    read.told("read to its end and proven", backup.rows, content);
    let into = Store::open(&dir.path().join("into")).unwrap();
    let restored = Step::begin();
    let done = opened.restore(&into, &dir.path().join("anchors"), &by).await.unwrap();
    restored.told("restore", done.rows, content);
    assert_eq!(done.rows, backup.rows);
}

async fn fill(trail: &Arc<Trail>, practice: &PracticeId, asks: usize) {
    // Not to be packed smaller by anything on the way.
    let mut noise = vec![0; ANSWER.max(EXCHANGE)];
    SystemRandom::new().fill(&mut noise).unwrap();
    let noise = &noise;
    futures_util::stream::iter(0..asks)
        .for_each_concurrent(AT_ONCE, |number| async move {
            let id = format!("ask-{number:08}");
            let record = TrailRecord::new(practice, &Actor::gateway(), "eligibility.answered")
                .carrier("northstar")
                .outcome(OutcomeKind::Answered)
                .ask(&id);
            trail.complete(practice, &id, &noise[..ANSWER], Some(&noise[..EXCHANGE]), record).await.unwrap();
        })
        .await;
}

/// Something that is timed, and whose greatest memory is taken.
struct Step {
    began: Instant,
    before: f64,
}

impl Step {
    fn begin() -> Self {
        // The kernel counts the greatest resident size anew from here (proc(5), `clear_refs`).
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        Self { began: Instant::now(), before: mib("VmRSS:") }
    }

    fn told(self, what: &str, rows: u64, content: u64) {
        let secs = self.began.elapsed().as_secs_f64();
        println!(
            "{what}: {secs:.1} s, {:.0} rows/s, {:.0} MB/s of answers and exchanges; memory {:.0} MiB before, {:.0} MiB at most",
            rows as f64 / secs,
            content as f64 / secs / 1e6,
            self.before,
            mib("VmHWM:")
        );
    }
}

/// A line of `/proc/self/status`, in MiB.
fn mib(name: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}
