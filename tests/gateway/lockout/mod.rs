//! Lock-out: whatever is wrong with a login, one bad one leaves for each credential version and none of ours locks the
//! account; no one-time code leaves twice; both across a kill.
//!
//! The short form runs with all tests. The long form: `PORTICO_LOCKOUT_SESSIONS=10000 PORTICO_LOCKOUT_KILLS=20
//! cargo test --release --test gateway -- lockout --nocapture`.

mod carrier;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use portico::identity::Scope;
use portico::practice::PracticeId;
use portico::trail::Actor;
use portico::vault::SecretFields;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::carrier::{Account, After, Portal, SEED};
use crate::process::{Folder, Gateway};
use crate::support::{Stand, ask};

/// Sessions that run at the same time.
const AT_ONCE: usize = 12;
/// Accounts in each round of kills; half of them have a wrong password stored.
const KILLED: usize = 6;

fn env(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// What is wrong in a session.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Nothing,
    Password,
    Changed,
    ClockAhead,
    ClockBehind,
    OddPage,
    NoReply,
}

const KINDS: [Wrong; 7] = [
    Wrong::Password,
    Wrong::Changed,
    Wrong::ClockAhead,
    Wrong::ClockBehind,
    Wrong::OddPage,
    Wrong::Nothing,
    Wrong::NoReply,
];

/// One practice with its account, through the gateway's API.
struct Office {
    stand: Arc<Stand>,
    portal: Portal,
    user: String,
    carrier: &'static str,
    key: String,
}

impl Office {
    async fn open(stand: Arc<Stand>, portal: Portal, number: usize, wrong: Wrong) -> Self {
        let user = format!("p-{number}");
        let skew = match wrong {
            Wrong::ClockAhead => Some(90),
            Wrong::ClockBehind => Some(-90),
            Wrong::Nothing => Some(0),
            _ => None,
        };
        let after = match wrong {
            Wrong::OddPage => After::OddPage,
            Wrong::NoReply => After::Silence,
            _ => After::Tell,
        };
        portal.open_account(&user, Account::new("right", skew, after));
        let carrier = if skew.is_some() { "lockcode" } else { "lockplain" };
        let key = stand.key_of(&user, &[Scope::Ask, Scope::Credentials]).await;
        let office = Self { stand, portal, user, carrier, key };
        office.enter(if matches!(wrong, Wrong::Password) { "wrong" } else { "right" }).await;
        office
    }

    async fn enter(&self, password: &str) {
        let mut fields = SecretFields::new();
        for (name, value) in [("username", self.user.as_str()), ("password", password), ("totp_seed", SEED)] {
            if name != "totp_seed" || self.carrier == "lockcode" {
                fields.insert(name.to_owned(), value.to_owned().into());
            }
        }
        let hosts = [self.portal.address.to_string()];
        let vault = &self.stand.house.app.vault;
        vault
            .put(&PracticeId::new(self.user.as_str()), self.carrier, fields, &hosts, &Actor::command_line())
            .await
            .unwrap();
    }

    /// So many people ask at once; the kinds of failure there were, or `answered` and `refused`.
    async fn people_ask(self: &Arc<Self>, people: usize) -> HashSet<String> {
        let mut asking = JoinSet::new();
        for person in 0..people {
            let office = Arc::clone(self);
            asking.spawn(async move {
                let mut question = ask(office.carrier, &format!("M{person:05}"), "1980-01-01");
                question["max_age_secs"] = json!(0);
                let reply =
                    office.stand.call_as(Some(&office.key), Method::POST, "/v1/eligibility", Some(question)).await;
                end_of(&reply.body).unwrap_or(reply.text)
            });
        }
        asking.join_all().await.into_iter().collect()
    }

    async fn verify(&self) -> StatusCode {
        let path = format!("/v1/credentials/{}/verify", self.carrier);
        self.stand.call_as(Some(&self.key), Method::POST, &path, None).await.status
    }

    fn bad(&self) -> usize {
        self.portal.account(&self.user, |account| account.bad_logins())
    }

    fn logins(&self) -> usize {
        self.portal.account(&self.user, |account| account.seen.len())
    }
}

fn end_of(body: &Value) -> Option<String> {
    let kind = body["failure"]["kind"].as_str().or(body["outcome"].as_str());
    kind.map(str::to_owned)
}

fn only(word: &str) -> HashSet<String> {
    HashSet::from([word.to_owned()])
}

async fn session(office: Arc<Office>, wrong: Wrong, people: usize) {
    let place = format!("{} {wrong:?}", office.user);
    match wrong {
        Wrong::Nothing => {
            assert_eq!(office.people_ask(people).await, only("refused"), "{place}");
            assert_eq!((office.logins(), office.bad()), (1, 0), "{place}");
        }
        Wrong::Password => {
            for _ in 0..2 {
                assert_eq!(office.people_ask(people).await, only("credential_rejected"), "{place}");
            }
            assert_eq!(office.logins(), 1, "{place}");
            // A person has it tried once more, and cannot do so again and again.
            assert_eq!(office.verify().await, StatusCode::OK, "{place}");
            assert_eq!(office.verify().await, StatusCode::CONFLICT, "{place}");
            assert_eq!(office.people_ask(people).await, only("credential_rejected"), "{place}");
            assert_eq!((office.logins(), office.bad()), (2, 2), "{place}");
        }
        Wrong::Changed => {
            assert_eq!(office.people_ask(people).await, only("refused"), "{place}");
            office.portal.change_password(&office.user, "new");
            assert_eq!(office.people_ask(people).await, only("credential_rejected"), "{place}");
            assert_eq!(office.bad(), 1, "{place}");
            office.enter("new").await;
            assert_eq!(office.people_ask(people).await, only("refused"), "{place}");
            assert_eq!((office.logins(), office.bad()), (3, 1), "{place}");
        }
        Wrong::ClockAhead | Wrong::ClockBehind => {
            for _ in 0..2 {
                assert_eq!(office.people_ask(people).await, only("credential_rejected"), "{place}");
            }
            assert_eq!((office.logins(), office.bad()), (1, 1), "{place}");
        }
        Wrong::OddPage | Wrong::NoReply => {
            office.people_ask(people).await;
            assert_eq!(office.people_ask(people).await, only("credential_rejected"), "{place}");
            assert_eq!(office.logins(), 1, "{place}");
        }
    }
}

/// No account is locked, and no step has left twice.
fn judge(portal: &Portal) -> usize {
    let mut sessions = 0;
    portal.each(|user, account| {
        sessions += 1;
        assert!(!account.locked(), "{user} is locked: {:?}", account.seen);
        let steps: Vec<_> = account.seen.iter().filter_map(|seen| seen.step).collect();
        let different: HashSet<_> = steps.iter().collect();
        assert_eq!(steps.len(), different.len(), "{user} used a code twice: {:?}", account.seen);
    });
    sessions
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lockout_one_bad_login_for_each_version_whatever_is_wrong() {
    let portal = Portal::start().await;
    let files = vec![("lockplain".to_owned(), portal.file(false)), ("lockcode".to_owned(), portal.file(true))];
    let stand = Arc::new(Stand::over(files, &[]).await);
    let (places, mut sessions) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for number in 0..env("PORTICO_LOCKOUT_SESSIONS", 210) {
        let wrong = KINDS[number % KINDS.len()];
        // Fifty people at once in the first session of each kind.
        let people = match wrong {
            // Fewer: each failure that nobody understands counts towards the carrier's circuit.
            Wrong::OddPage | Wrong::NoReply => 3,
            _ if number < KINDS.len() => 50,
            _ => 3,
        };
        let (stand, portal, places) = (stand.clone(), portal.clone(), places.clone());
        sessions.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            session(Arc::new(Office::open(stand, portal, number, wrong).await), wrong, people).await;
        });
    }
    while let Some(done) = sessions.join_next().await {
        done.unwrap();
    }
    println!("{} sessions, {} logins: no account locked, no code twice", judge(&portal), portal.logins());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lockout_a_kill_in_the_middle_of_a_login_repeats_neither_password_nor_code() {
    for round in 0..env("PORTICO_LOCKOUT_KILLS", 1) {
        let portal = Portal::start().await;
        let folder = Folder::new("");
        folder.write("carriers/lockcode.toml", &portal.file(true));
        folder.portico(&["vault", "init"], "").fine();
        let mut keys = Vec::new();
        for number in 0..KILLED {
            let user = format!("p-{number}");
            keys.push(folder.portico(&["keys", "create", "--practice", &user], "").fine().trim().to_owned());
            let stored = if number % 2 == 0 { "right" } else { "wrong" };
            let lines = format!("username={user}\npassword={stored}\ntotp_seed={SEED}\n");
            folder.portico(&["vault", "put", "lockcode", "--practice", &user], &lines).fine();
            portal.open_account(&user, Account::new("right", Some(0), After::Silence));
        }
        // Killed when every login has left and none has its reply.
        let gateway = folder.serve();
        let askers: Vec<_> = keys.iter().map(|key| tokio::spawn(put_question(&gateway, key))).collect();
        while portal.logins() < KILLED {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        gateway.kill();
        for asker in askers {
            let _ = asker.await;
        }

        let gateway = folder.serve();
        for key in keys.iter().chain(&keys) {
            let reply = put_question(&gateway, key).await;
            assert_eq!(reply.as_deref(), Some("credential_rejected"), "round {round}");
        }
        assert_eq!(portal.logins(), KILLED, "a login was repeated after a kill");
        // People act: one try each, with a code that has not been used.
        let tries = keys.iter().enumerate().map(|(number, key)| {
            portal.account(&format!("p-{number}"), |account| account.after = After::Tell);
            gateway.call(key, Method::POST, "/v1/credentials/lockcode/verify", None)
        });
        for (number, tried) in futures_util::future::join_all(tries).await.into_iter().enumerate() {
            assert_eq!(tried.body["verified"], json!(number % 2 == 0), "{}", tried.text);
            let state = if number % 2 == 0 { "active" } else { "disabled" };
            assert_eq!(tried.body["credential"]["state"], state, "{}", tried.text);
        }
        assert_eq!(portal.logins(), 2 * KILLED);
        assert_eq!(put_question(&gateway, &keys[0]).await.as_deref(), Some("refused"));
        assert_eq!(gateway.stop(), 0);
        println!("round {round}: {} accounts, {} logins, a kill between them", judge(&portal), portal.logins());
    }
}

/// Asks one question; how it ended, `None` where the gateway went away.
fn put_question(gateway: &Gateway, key: &str) -> impl Future<Output = Option<String>> + use<> {
    let (address, key) = (gateway.address.clone(), key.to_owned());
    async move {
        let question = serde_json::to_vec(&ask("lockcode", "M1", "1980-01-01")).unwrap();
        let reply = crate::process::send(&address, &key, Method::POST, "/v1/eligibility", question).await?;
        end_of(&reply.body)
    }
}
