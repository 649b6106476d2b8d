//! A long walk: people and keys of three practices call everything with everybody's ids, and no answer may hold a byte of
//! another practice.

use std::collections::BTreeMap;

use portico::identity::Scope;
use regex_lite::Regex;

use super::people::{MARKS, Somebody, Town};
use super::routes::{LINES, Line};
use crate::support::Reply;

/// Requests of the short form.
const REQUESTS: usize = 2_400;

/// A seeded stream of numbers (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Whose an id is: that of whoever was told it first. A leak is seen when somebody else is told it.
struct Owners {
    ids: Regex,
    owner: BTreeMap<String, usize>,
}

impl Owners {
    fn new() -> Self {
        let ids = r"\b(?:[a-z]{2,8}_[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b";
        Self { ids: Regex::new(ids).unwrap(), owner: BTreeMap::new() }
    }

    /// What of another practice stands in a text that `practice` was told.
    fn foreign(&mut self, practice: usize, text: &str) -> Vec<String> {
        let lower = text.to_lowercase();
        let marks = MARKS.iter().enumerate().filter(|(other, mark)| *other != practice && lower.contains(**mark));
        let mut found: Vec<String> = marks.map(|(_, mark)| (*mark).to_owned()).collect();
        for id in self.ids.find_iter(text).map(|id| id.as_str()) {
            if *self.owner.entry(id.to_owned()).or_insert(practice) != practice {
                found.push(id.to_owned());
            }
        }
        found
    }
}

fn told(reply: &Reply) -> String {
    let headers =
        reply.headers.iter().map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    headers.collect::<String>() + &reply.text
}

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Ids that stand in for a line's; of all three practices.
struct Pool {
    asks: Vec<String>,
    keys: Vec<String>,
    patients: Vec<String>,
    people: Vec<String>,
    sessions: Vec<String>,
    webhooks: Vec<String>,
}

impl Pool {
    fn path(&self, line: &Line, dice: &mut Dice) -> String {
        let mut path = line.call.to_owned();
        for (name, ids) in [
            ("<ask>", &self.asks),
            ("<key>", &self.keys),
            ("<patient>", &self.patients),
            ("<person>", &self.people),
            ("<session>", &self.sessions),
            ("<webhook>", &self.webhooks),
        ] {
            if path.contains(name) {
                path = path.replace(name, dice.one_of::<String>(ids));
            }
        }
        path
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_answer_holds_a_byte_of_another_practice() {
    let (requests, seed) = (number("PORTICO_WALK", REQUESTS), number("PORTICO_SEED", 20_261_123));
    let town = Town::new().await;
    let mut owners = Owners::new();
    let mut walkers: Vec<Somebody> = Vec::new();
    let mut pool = Pool {
        asks: Vec::new(),
        keys: Vec::new(),
        patients: Vec::new(),
        people: Vec::new(),
        sessions: Vec::new(),
        webhooks: Vec::new(),
    };
    for practice in 0..3 {
        let all = town.key(practice, "key:all", &Scope::ALL).await;
        for _ in 0..3 {
            let ask = town.question(&all).await;
            assert!(owners.foreign(practice, &ask).is_empty());
            pool.asks.push(ask);
        }
        for _ in 0..10 {
            pool.keys.push(town.spare_key(practice).await);
            pool.people.push(town.spare_person(practice).await);
        }
        for _ in 0..3 {
            pool.patients.push(town.patient(&all).await);
        }
        pool.webhooks.push(town.webhook(&all).await);
        pool.sessions.push(town.new_session_of(practice).await);
        for id in pool
            .keys
            .iter()
            .chain(&pool.patients)
            .chain(&pool.people)
            .chain(&pool.sessions)
            .chain(&pool.webhooks)
            .cloned()
            .collect::<Vec<_>>()
        {
            owners.owner.entry(id).or_insert(practice);
        }
        for role in ["practice_admin", "front_desk", "auditor"] {
            walkers.push(town.person(practice, role, false).await);
        }
        walkers.push(all);
    }
    // The search itself works: what one practice is told is found foreign for another.
    let raw = town.send(&walkers[3], "get", &format!("/v1/eligibility/{}/raw", pool.asks[0]), "").await;
    assert_eq!(raw.status, 200, "{}", raw.text);
    assert!(owners.foreign(0, &told(&raw)).is_empty());
    assert!(owners.foreign(1, &told(&raw)).contains(&MARKS[0].to_owned()), "the exchange holds no mark: {}", raw.text);
    assert!(owners.foreign(1, &pool.asks[0]).contains(&pool.asks[0]));

    let lines: Vec<&Line> =
        LINES.iter().filter(|line| !line.route.starts_with("/v1/session/") && walks(line)).collect();
    let mut dice = Dice(seed as u64 | 1);
    let (mut leaks, mut statuses) = (Vec::new(), BTreeMap::<u16, usize>::new());
    for step in 0..requests {
        let (line, walker) = (*dice.one_of(&lines), dice.one_of(&walkers));
        let path = pool.path(line, &mut dice);
        let reply = town.send(walker, line.method, &path, &town.fill(line.body, walker.practice)).await;
        *statuses.entry(reply.status.as_u16()).or_default() += 1;
        for leak in owners.foreign(walker.practice, &told(&reply)) {
            leaks.push(format!("step {step}, seed {seed}: {} {path} as {}: {leak}", line.method, walker.name));
        }
        if let (true, Some(id)) = (line.route == "/v1/eligibility", reply.body["id"].as_str())
            && dice.below(10) == 0
        {
            pool.asks.push(id.to_owned());
        }
    }
    assert!(leaks.is_empty(), "\n{}", leaks.join("\n"));
    assert!(statuses.get(&200).is_some_and(|good| *good > requests / 4), "too few were let in: {statuses:?}");
    assert!(!statuses.contains_key(&500), "{statuses:?}");
    println!(
        "isolation: {requests} requests over three practices, seed {seed}, no foreign byte; statuses {statuses:?}"
    );
    town.stand.stop().await;
}

/// Whether a line goes with the walk: not what ends the walker's own session or slows down sign-ins.
fn walks(line: &Line) -> bool {
    !(line.route == "/v1/session" && line.method != "get")
}
