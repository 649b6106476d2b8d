//! The practice's side: every submission is posted with its own key until it is acknowledged, whatever happens to the
//! gateway meanwhile, and now and then once more after that.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Plan, drawn};
use crate::support::{self, Reply};

/// Clients at the same time.
const CLIENTS: usize = 8;
/// How long a client waits for a reply before it posts again.
const REPLY_WAIT: Duration = Duration::from_secs(10);
/// How long it waits before it posts again where the gateway is not there.
const PAUSE: Duration = Duration::from_millis(20);

/// Where the gateway listens now.
pub type Address = watch::Receiver<Option<String>>;

/// The clients at work.
pub struct Clients {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

struct Shared {
    plan: Plan,
    key: String,
    next: AtomicUsize,
    /// How many may be posted by now: the kills are spread over all submissions.
    allowed: watch::Sender<usize>,
    acknowledged: Mutex<BTreeMap<usize, String>>,
    posts: AtomicUsize,
}

impl Clients {
    /// Starts them; nothing may be posted yet.
    pub fn start(plan: Plan, key: String, address: Address) -> Self {
        let shared = Arc::new(Shared {
            plan,
            key,
            next: AtomicUsize::new(0),
            allowed: watch::channel(0).0,
            acknowledged: Mutex::default(),
            posts: AtomicUsize::new(0),
        });
        let mut tasks = JoinSet::new();
        for _ in 0..CLIENTS {
            tasks.spawn(shared.clone().work(address.clone()));
        }
        Self { shared, tasks }
    }

    /// So many submissions may be posted by now.
    pub fn allow(&self, submissions: usize) {
        self.shared.allowed.send_replace(submissions.min(self.shared.plan.submissions));
    }

    /// How many are acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.shared.acknowledged.lock().unwrap().len()
    }

    /// Lets them finish; the id that was acknowledged for each submission.
    pub async fn finish(mut self, patience: Duration) -> BTreeMap<usize, String> {
        self.allow(usize::MAX);
        let all = async {
            while let Some(ended) = self.tasks.join_next().await {
                ended.unwrap();
            }
        };
        tokio::time::timeout(patience, all).await.expect("the clients get their acknowledgments in time");
        println!("{} posts for {} submissions", self.shared.posts.load(Ordering::SeqCst), self.acknowledged());
        std::mem::take(&mut self.shared.acknowledged.lock().unwrap())
    }
}

impl Shared {
    async fn work(self: Arc<Self>, mut address: Address) {
        loop {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            if number >= self.plan.submissions {
                return;
            }
            let mut allowed = self.allowed.subscribe();
            allowed.wait_for(|allowed| number < *allowed).await.unwrap();
            let id = self.until_acknowledged(number, &mut address).await;
            self.acknowledged.lock().unwrap().insert(number, id.clone());
            // A client that did not see its acknowledgment posts once more: same key, same submission.
            if drawn(self.plan.seed ^ 0xA6A1, number as u64).is_multiple_of(5) {
                let again = self.until_acknowledged(number, &mut address).await;
                assert_eq!(again, id, "the same key gave another submission");
            }
        }
    }

    async fn until_acknowledged(&self, number: usize, address: &mut Address) -> String {
        let body = serde_json::to_vec(&ask(number)).unwrap();
        loop {
            let at = address.wait_for(Option::is_some).await.unwrap().clone().unwrap_or_default();
            self.posts.fetch_add(1, Ordering::SeqCst);
            let key = format!("kill-{}-{number}", self.plan.seed);
            let headers = [("idempotency-key", key.as_str())];
            let path = "/v1/authorizations";
            let posted = support::send_with(&at, Some(&self.key), &headers, Method::POST, path, body.clone());
            match tokio::time::timeout(REPLY_WAIT, posted).await {
                Ok(Some(reply)) if reply.status == StatusCode::ACCEPTED => {
                    return reply.body["id"].as_str().unwrap_or_else(|| panic!("no id: {}", reply.text)).to_owned();
                }
                Ok(Some(reply)) => assert!(comes_back(&reply), "submission {number}: {} {}", reply.status, reply.text),
                Ok(None) | Err(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Whether the gateway says "not now".
fn comes_back(reply: &Reply) -> bool {
    matches!(reply.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS)
}

/// The `number`th ask: no two are alike.
pub fn ask(number: usize) -> Value {
    let day = jiff::civil::date(2027, 1, 1).checked_add(jiff::Span::new().days((number % 300) as i64)).unwrap();
    json!({
        "carrier": "northstar",
        "requester": { "npi": "1234567893", "name": "Bone Clinic" },
        "member": { "member_id": format!("NSH-K{number:06}"), "last_name": "Synthetic", "first_name": "Ada",
                    "date_of_birth": "1984-03-12" },
        "services": [{ "procedure": { "code": format!("{:05}", 10_000 + number % 80_000) }, "units": "12",
                       "from": day.to_string() }],
        "diagnoses": ["M17.11"]
    })
}

/// What the ledger says of one.
pub async fn get(address: &str, key: &str, path: &str) -> Option<Reply> {
    let got = support::send(address, Some(key), Method::GET, path, Vec::new());
    tokio::time::timeout(REPLY_WAIT, got).await.ok().flatten()
}
