//! Ends the gateway, again and again, and starts it anew.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;

use super::client::{Address, Clients};
use super::processes::{Carriers, Life};
use super::{Plan, drawn};
use crate::process::Folder;

/// The places of `src/failpoint.rs` where a kill must do no harm.
const FAILPOINTS: [&str; 13] = [
    "accept_before_commit",
    "accept_after_commit",
    "claimed",
    "connected",
    "armed",
    "mid_body",
    "sent",
    "replied",
    "outcome_before_commit",
    "outcome_after_commit",
    "inquiring",
    "inquired",
    "recovering",
];
/// Every third life ends at a failpoint, in turn.
const FAILPOINT_EVERY: usize = 3;
/// A failpoint that is not reached for so long is given up, and the gateway is killed where it is.
const FAILPOINT_WAIT: Duration = Duration::from_secs(3);
/// The gateway listens within this time, or something is wrong.
const START_WAIT: Duration = Duration::from_secs(60);
/// Random kills come so many milliseconds after the gateway listens.
const KILL_AFTER_MS: (u64, u64) = (5, 1_500);

/// How one life of the gateway ends.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// SIGKILL, so long after it listens.
    Kill(Duration),
    /// SIGKILL, so long after it was started: it may not even listen.
    AtStart(Duration),
    /// SIGSTOP so long after it listens, SIGCONT a while later, SIGKILL again a while later.
    Pause(Duration, Duration, Duration),
    /// SIGSTOP so long after it listens, and a second one is started on the same data: it must not run. Then SIGCONT, and
    /// SIGKILL at once.
    Twice(Duration),
    /// At a named place, the Nth time it is reached.
    Failpoint(&'static str, u64, bool),
}

impl Way {
    /// The `number`th of a plan. The failpoints come first in turn, then at random.
    fn drawn(plan: Plan, number: usize) -> Self {
        let dice = |salt: u64| drawn(plan.seed ^ (salt << 32), number as u64);
        // More often soon than late: that is when most is under way.
        let (least, most) = KILL_AFTER_MS;
        let part = (dice(1) % 1_000) as f64 / 1_000.0;
        let soon = Duration::from_millis(least + ((most - least) as f64 * part * part) as u64);
        let failpoint = |place: usize| {
            let name = FAILPOINTS[place % FAILPOINTS.len()];
            // These are not reached in every life, let alone often.
            let rare = name.starts_with("inqui") || name == "recovering";
            Self::Failpoint(name, if rare { 1 } else { 1 + dice(2) % 4 }, dice(3).is_multiple_of(2))
        };
        match dice(4) % 10 {
            // In turn, so that a short run has them all.
            _ if number.is_multiple_of(FAILPOINT_EVERY) => failpoint(number / FAILPOINT_EVERY),
            _ if number % 13 == 7 => Self::Twice(soon),
            0 => Self::AtStart(Duration::from_millis(dice(5) % 300)),
            1 | 2 => Self::Pause(soon, Duration::from_millis(5 + dice(6) % 400), Duration::from_millis(dice(7) % 300)),
            3 => failpoint((dice(8) % FAILPOINTS.len() as u64) as usize),
            _ => Self::Kill(soon),
        }
    }

    fn word(self) -> String {
        match self {
            Self::Kill(_) => "kill".to_owned(),
            Self::AtStart(_) => "kill at start".to_owned(),
            Self::Pause(..) => "stop, continue, kill".to_owned(),
            Self::Twice(_) => "stopped while a second one starts".to_owned(),
            Self::Failpoint(name, ..) => name.to_owned(),
        }
    }
}

/// Everything that runs, and what it leaves behind.
pub struct Arena {
    plan: Plan,
    folder: Folder,
    carriers: Carriers,
    pub key: String,
    address: watch::Sender<Option<String>>,
    alive: Option<Life>,
}

/// How the lives ended.
#[derive(Default)]
pub struct Kills {
    ended: BTreeMap<String, usize>,
    not_reached: BTreeMap<String, usize>,
    took: Duration,
}

impl Arena {
    /// The carrier's process with its receipt log, and a gateway's folder with its credentials.
    pub async fn open(plan: Plan) -> Self {
        let folder = Folder::new("[log]\nlevel = \"warn\"\n");
        let carriers = Carriers::start(&folder.path("carriers"), &folder.path("receipts.jsonl"), plan.seed);
        folder.enter_credentials();
        let key = folder.key();
        carriers.switch("northstar", "{\"random\": true}").await;
        Self { plan, folder, carriers, key, address: watch::channel(None).0, alive: None }
    }

    /// Where the gateway listens, while it does.
    pub fn address(&self) -> Address {
        self.address.subscribe()
    }

    /// Lives and kills, as many as planned, and then a life that stays.
    pub async fn kill_all(&mut self, clients: &Clients) -> Kills {
        let begun = Instant::now();
        let mut kills = Kills::default();
        for number in 0..self.plan.kills {
            clients.allow((number + 1) * self.plan.submissions / self.plan.kills);
            let way = Way::drawn(self.plan, number);
            let reached = self.one_life(way).await;
            let book = if reached { &mut kills.ended } else { &mut kills.not_reached };
            *book.entry(way.word()).or_default() += 1;
        }
        let mut last = Life::start(&self.folder, &[]);
        self.listens(&mut last).await;
        self.alive = Some(last);
        kills.took = begun.elapsed();
        kills
    }

    /// `false` where the failpoint was not reached in time; it was killed all the same.
    async fn one_life(&self, way: Way) -> bool {
        let failpoint = match way {
            Way::Failpoint(name, at, hang) => format!("{name}@{at}={}", if hang { "hang" } else { "abort" }),
            _ => String::new(),
        };
        let environment: &[(&str, &str)] =
            if failpoint.is_empty() { &[] } else { &[("PORTICO_FAILPOINT", failpoint.as_str())] };
        let mut life = Life::start(&self.folder, environment);
        let mut reached = true;
        match way {
            Way::Kill(after) => {
                self.listens(&mut life).await;
                tokio::time::sleep(after).await;
            }
            Way::AtStart(after) => tokio::time::sleep(after).await,
            Way::Pause(before, paused, after) => {
                self.listens(&mut life).await;
                tokio::time::sleep(before).await;
                life.signal("STOP");
                tokio::time::sleep(paused).await;
                life.signal("CONT");
                tokio::time::sleep(after).await;
            }
            Way::Twice(before) => {
                self.listens(&mut life).await;
                tokio::time::sleep(before).await;
                life.signal("STOP");
                let mut second = Life::start(&self.folder, &[]);
                let until = Instant::now() + START_WAIT;
                while second.alive() {
                    assert!(second.address().is_none(), "a second gateway runs on the same data");
                    assert!(Instant::now() < until, "the second gateway does not end: {}", second.log());
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                life.signal("CONT");
            }
            Way::Failpoint(..) => reached = self.stops_by_itself(&mut life).await,
        }
        life.kill();
        self.address.send_replace(None);
        reached
    }

    async fn listens(&self, life: &mut Life) {
        let until = Instant::now() + START_WAIT;
        while life.address().is_none() {
            assert!(Instant::now() < until && life.alive(), "the gateway does not start: {}", life.log());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.address.send_replace(life.address());
    }

    /// Waits until the process ends or hangs at its failpoint. It may do so before it listens.
    async fn stops_by_itself(&self, life: &mut Life) -> bool {
        let begun = Instant::now();
        let mut listens_since = None;
        loop {
            if !life.alive() || life.log().contains("stops at a failpoint") {
                return true;
            }
            if listens_since.is_none() && life.address().is_some() {
                self.address.send_replace(life.address());
                listens_since = Some(Instant::now());
            }
            if listens_since.is_some_and(|since: Instant| since.elapsed() > FAILPOINT_WAIT) {
                return false;
            }
            assert!(begun.elapsed() < START_WAIT, "the gateway neither starts nor ends: {}", life.log());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// The carrier's own log, line by line.
    pub fn receipts(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path("receipts.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Ends what runs, and proves the trail that all the lives wrote together.
    pub fn close(self) {
        drop(self.alive);
        drop(self.carriers);
        let verified = self.folder.portico(&["vault", "verify"], "").fine();
        assert!(verified.contains("unbroken trail"), "{verified}");
    }
}

impl Kills {
    /// Failpoints that no life reached; a short run has no turn for each.
    pub fn missed(&self) -> Vec<&'static str> {
        let kills: usize = self.ended.values().chain(self.not_reached.values()).sum();
        let turns = kills.div_ceil(FAILPOINT_EVERY).min(FAILPOINTS.len());
        FAILPOINTS[..turns].iter().copied().filter(|name| !self.ended.contains_key(*name)).collect()
    }
}

impl fmt::Display for Kills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: usize = self.ended.values().chain(self.not_reached.values()).sum();
        write!(f, "{total} kills in {:.1} s:", self.took.as_secs_f64())?;
        for (word, count) in &self.ended {
            write!(f, " {word} {count},")?;
        }
        for (word, count) in &self.not_reached {
            write!(f, " {word} not reached {count},")?;
        }
        Ok(())
    }
}
