//! Which item is asked next. Plain data: what is stored and what a carrier allows is told to it.
//!
//! Fair between practices, then between the batches of one, then between the carriers of a batch: whoever has least
//! under way goes first, and of two with as much, the one that was served longer ago.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tokio::sync::watch;

use super::view::{Progress, Waiting};
use crate::practice::PracticeId;
use crate::store::batches::OpenItem;

/// Questions of all batches under way at the same time.
pub const UNDER_WAY_MAX: usize = 64;
/// Finished items after which the pace of a batch can be told.
const PACE_AFTER: u64 = 5;

/// What a carrier allows a practice's batches now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Questions under way at most, of this practice's batches.
    pub of_practice: usize,
    /// Questions under way at most, of all batches.
    pub of_carrier: usize,
    /// Why nothing may be asked now, in a fixed word, and until when, in microseconds since 1970.
    pub wait: Option<(&'static str, Option<i64>)>,
}

/// An item to be asked now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// Whose.
    pub practice: PracticeId,
    /// Which batch.
    pub batch: Arc<str>,
    /// Which item.
    pub n: i64,
    /// Whom it is for.
    pub carrier: Arc<str>,
    /// In whose name.
    pub actor: Arc<str>,
}

/// The items of one batch for one carrier.
#[derive(Default)]
struct Line {
    /// Not before, number.
    waiting: BTreeSet<(i64, i64)>,
    served: u64,
    wait: Option<(&'static str, Option<i64>)>,
}

/// One unfinished batch.
pub struct Course {
    practice: PracticeId,
    actor: Arc<str>,
    runs: bool,
    cancelled: bool,
    lines: BTreeMap<Arc<str>, Line>,
    /// How its items stand.
    pub progress: Progress,
    under_way: usize,
    served: u64,
    /// When its first item was asked, in microseconds since 1970.
    pub started: Option<i64>,
    /// When this process asked its first item, and how many it has finished since.
    began: Option<i64>,
    finished: u64,
    changed: watch::Sender<()>,
}

/// All unfinished batches.
#[derive(Default)]
pub struct Plan {
    courses: BTreeMap<Arc<str>, Course>,
    under_way: usize,
    of_practice: HashMap<PracticeId, usize>,
    of_carrier: HashMap<Arc<str>, usize>,
    of_both: HashMap<(PracticeId, Arc<str>), usize>,
    /// Why all items for a carrier wait, and until when.
    holds: HashMap<(PracticeId, Arc<str>), (&'static str, i64)>,
    turn: u64,
}

impl Course {
    /// A batch, how its items stand, when the first was asked, and those that wait.
    pub fn new(
        practice: PracticeId,
        actor: &str,
        runs: bool,
        (progress, started): (Progress, Option<i64>),
        items: &[OpenItem],
    ) -> Self {
        let mut lines: BTreeMap<Arc<str>, Line> = BTreeMap::new();
        for item in items.iter().filter(|item| item.asking.is_none()) {
            lines.entry(item.carrier.as_str().into()).or_default().waiting.insert((item.not_before, item.n));
        }
        let changed = watch::Sender::new(());
        Self {
            practice,
            actor: actor.into(),
            runs,
            cancelled: false,
            lines,
            progress,
            under_way: 0,
            served: 0,
            started,
            began: None,
            finished: 0,
            changed,
        }
    }

    /// Whether every item is finished.
    pub fn is_over(&self) -> bool {
        self.progress.waiting == 0 && self.progress.asking == 0
    }

    /// Told whenever something of the batch changes.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// For whom items wait, how many, and why.
    pub fn waits(&self) -> Vec<Waiting> {
        let lines = self.lines.iter().filter(|(_, line)| !line.waiting.is_empty());
        lines
            .filter_map(|(carrier, line)| {
                let (reason, until) = line.wait?;
                let until = until.and_then(|at| jiff::Timestamp::from_microsecond(at).ok());
                Some(Waiting {
                    carrier: carrier.to_string(),
                    items: line.waiting.len(),
                    reason: reason.to_owned(),
                    until,
                })
            })
            .collect()
    }

    /// How long it will go on at the pace so far, where that can be told.
    pub fn estimate_secs(&self, now: i64) -> Option<u64> {
        let began = self.began.filter(|_| self.finished >= PACE_AFTER)?;
        let micros = u64::try_from(now.saturating_sub(began)).unwrap_or(0);
        let left = self.progress.waiting + self.progress.asking;
        Some((micros / self.finished).saturating_mul(left).div_ceil(1_000_000))
    }

    fn told(&self) {
        self.changed.send_replace(());
    }

    /// The line to serve next: one with an item that is due at a carrier with room; the one served longest ago.
    fn next_line(&self, now: i64, rooms: &HashMap<(PracticeId, Arc<str>), bool>) -> Option<Arc<str>> {
        self.lines
            .iter()
            .filter(|(_, line)| line.waiting.first().is_some_and(|(at, _)| *at <= now))
            .filter(|(carrier, _)| rooms.get(&(self.practice.clone(), (*carrier).clone())).copied().unwrap_or(false))
            .min_by_key(|(_, line)| line.served)
            .map(|(carrier, _)| carrier.clone())
    }
}

impl Plan {
    /// Adds an unfinished batch.
    pub fn add(&mut self, id: Arc<str>, course: Course) {
        self.courses.insert(id, course);
    }

    /// One batch of the practice, while it is unfinished.
    pub fn get(&self, practice: &PracticeId, id: &str) -> Option<&Course> {
        self.courses.get(id).filter(|course| course.practice == *practice)
    }

    /// How many batches are unfinished.
    pub fn len(&self) -> usize {
        self.courses.len()
    }

    /// How many items of a practice's unfinished batches wait for this carrier.
    pub fn waiting_for(&self, practice: &PracticeId, carrier: &str) -> usize {
        let own = self.courses.values().filter(|course| course.practice == *practice);
        own.filter_map(|course| course.lines.get(carrier)).map(|line| line.waiting.len()).sum()
    }

    /// The same, with those that are being asked: whatever may still want this carrier.
    pub fn unfinished_for(&self, practice: &PracticeId, carrier: &str) -> usize {
        let asking = self.of_both.get(&(practice.clone(), Arc::from(carrier))).copied().unwrap_or(0);
        self.waiting_for(practice, carrier) + asking
    }

    /// How many questions are under way.
    pub fn under_way(&self) -> usize {
        self.under_way
    }

    /// Whether anything waits in a batch that runs.
    pub fn waits(&self) -> bool {
        self.courses.values().any(|course| course.runs && course.progress.waiting > 0)
    }

    /// Who is asked in whose name: the practice and actor of each batch that runs.
    pub fn actors(&self) -> Vec<(Arc<str>, PracticeId, Arc<str>)> {
        let running = self.courses.iter().filter(|(_, course)| course.runs && course.progress.waiting > 0);
        running.map(|(id, course)| (id.clone(), course.practice.clone(), course.actor.clone())).collect()
    }

    /// Lets a batch run, or not; `actor` takes it over.
    pub fn set_running(&mut self, id: &str, runs: bool, actor: Option<&str>) {
        let Some(course) = self.courses.get_mut(id) else { return };
        course.runs = runs;
        if let Some(actor) = actor {
            course.actor = actor.into();
        }
        if runs {
            // Somebody looked: what was held back may be tried now.
            for (carrier, line) in &mut course.lines {
                self.holds.remove(&(course.practice.clone(), carrier.clone()));
                line.waiting = line.waiting.iter().map(|(_, n)| (0, *n)).collect();
            }
        }
        if let Some(course) = self.courses.get(id) {
            course.told();
        }
    }

    /// Takes out everything that waits of a cancelled batch.
    pub fn cancel(&mut self, id: &str) {
        let Some(course) = self.courses.get_mut(id) else { return };
        course.runs = false;
        course.cancelled = true;
        course.lines.clear();
        course.progress.cancelled += course.progress.waiting;
        course.progress.waiting = 0;
        course.told();
    }

    /// Forgets a batch that is over; true when it was there and is.
    pub fn drop_if_over(&mut self, id: &str) -> bool {
        let over = self.courses.get(id).is_some_and(Course::is_over);
        if over && let Some(course) = self.courses.remove(id) {
            course.told();
        }
        over
    }

    /// Takes the items to be asked now, at most as many as there is room for. `room` is asked once per practice and
    /// carrier.
    pub fn picks(&mut self, now: i64, mut room: impl FnMut(&PracticeId, &str) -> Room) -> Vec<Pick> {
        self.holds.retain(|_, (_, until)| *until > now);
        let mut allowed: HashMap<(PracticeId, Arc<str>), Room> = HashMap::new();
        for course in self.courses.values_mut().filter(|course| course.runs) {
            for (carrier, line) in course.lines.iter_mut().filter(|(_, line)| !line.waiting.is_empty()) {
                let place = (course.practice.clone(), carrier.clone());
                let hold = self.holds.get(&place);
                let room = *allowed.entry(place).or_insert_with(|| match hold {
                    Some((reason, until)) => {
                        Room { of_practice: 0, of_carrier: 0, wait: Some((*reason, Some(*until))) }
                    }
                    None => room(&course.practice, carrier),
                });
                line.wait = room.wait;
            }
        }
        let mut rooms: HashMap<_, bool> =
            allowed.iter().map(|(place, room)| (place.clone(), room.wait.is_none())).collect();
        let mut picks = Vec::new();
        let mut without: BTreeSet<Arc<str>> = BTreeSet::new();
        while self.under_way < UNDER_WAY_MAX {
            for (place, open) in rooms.iter_mut().filter(|(_, open)| **open) {
                *open = self.fits(place, allowed.get(place));
            }
            let Some(id) = self.next_course(&without) else { break };
            match self.pick(&id, now, &rooms) {
                Some(pick) => picks.push(pick),
                None => {
                    without.insert(id);
                }
            }
        }
        picks
    }

    fn fits(&self, place: &(PracticeId, Arc<str>), room: Option<&Room>) -> bool {
        let Some(room) = room else { return false };
        self.of_both.get(place).copied().unwrap_or(0) < room.of_practice
            && self.of_carrier.get(&place.1).copied().unwrap_or(0) < room.of_carrier
    }

    fn next_course(&self, without: &BTreeSet<Arc<str>>) -> Option<Arc<str>> {
        self.courses
            .iter()
            .filter(|(id, course)| course.runs && course.progress.waiting > 0 && !without.contains(*id))
            .min_by_key(|(_, course)| {
                let of_practice = self.of_practice.get(&course.practice).copied().unwrap_or(0);
                (of_practice, course.under_way, course.served)
            })
            .map(|(id, _)| id.clone())
    }

    fn pick(&mut self, id: &Arc<str>, now: i64, rooms: &HashMap<(PracticeId, Arc<str>), bool>) -> Option<Pick> {
        let course = self.courses.get_mut(id)?;
        let carrier = course.next_line(now, rooms)?;
        let line = course.lines.get_mut(&carrier)?;
        let (_, n) = line.waiting.pop_first()?;
        self.turn += 1;
        line.served = self.turn;
        course.served = self.turn;
        course.under_way += 1;
        course.progress.waiting = course.progress.waiting.saturating_sub(1);
        course.progress.asking += 1;
        course.began.get_or_insert(now);
        course.started.get_or_insert(now);
        let practice = course.practice.clone();
        let pick = Pick {
            practice: practice.clone(),
            batch: id.clone(),
            n,
            carrier: carrier.clone(),
            actor: course.actor.clone(),
        };
        self.under_way += 1;
        *self.of_practice.entry(practice.clone()).or_default() += 1;
        *self.of_carrier.entry(carrier.clone()).or_default() += 1;
        *self.of_both.entry((practice, carrier)).or_default() += 1;
        Some(pick)
    }

    /// A picked item has ended: in a final state, or (`again`) waiting until then.
    pub fn ended(&mut self, pick: &Pick, state: &str, again: Option<i64>) {
        self.under_way = self.under_way.saturating_sub(1);
        give_back(&mut self.of_practice, &pick.practice);
        give_back(&mut self.of_carrier, &pick.carrier);
        give_back(&mut self.of_both, &(pick.practice.clone(), pick.carrier.clone()));
        let Some(course) = self.courses.get_mut(&pick.batch) else { return };
        course.under_way = course.under_way.saturating_sub(1);
        course.progress.asking = course.progress.asking.saturating_sub(1);
        let state = if course.cancelled && state == "waiting" { "cancelled" } else { state };
        course.progress.add(state, 1);
        match again.filter(|_| state == "waiting") {
            Some(at) => {
                course.lines.entry(pick.carrier.clone()).or_default().waiting.insert((at, pick.n));
            }
            None => course.finished += 1,
        }
        course.told();
    }

    /// All items of a practice for a carrier wait until then.
    pub fn hold(&mut self, practice: &PracticeId, carrier: &Arc<str>, reason: &'static str, until: i64) {
        let place = (practice.clone(), carrier.clone());
        let held = self.holds.entry(place).or_insert((reason, until));
        if held.1 < until {
            *held = (reason, until);
        }
    }
}

fn give_back<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, of: &K) {
    if let Some(count) = counts.get_mut(of) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Room = Room { of_practice: 4, of_carrier: 8, wait: None };

    fn course(practice: &str, carriers: &[(&str, usize)]) -> Course {
        let mut items = Vec::new();
        for (carrier, count) in carriers {
            for _ in 0..*count {
                let n = i64::try_from(items.len()).unwrap() + 1;
                items.push(OpenItem { n, carrier: (*carrier).to_owned(), asking: None, not_before: 0 });
            }
        }
        let progress = Progress { waiting: items.len() as u64, ..Progress::default() };
        Course::new(PracticeId::new(practice), "key_1", true, (progress, None), &items)
    }

    fn count(picks: &[Pick], of: impl Fn(&Pick) -> bool) -> usize {
        picks.iter().filter(|pick| of(pick)).count()
    }

    #[test]
    fn a_practice_and_a_carrier_have_their_bounds() {
        let mut plan = Plan::default();
        plan.add("a".into(), course("p", &[("x", 50), ("y", 50)]));
        plan.add("b".into(), course("q", &[("x", 50)]));
        plan.add("c".into(), course("r", &[("x", 50)]));
        let picks = plan.picks(1, |_, _| WIDE);
        assert_eq!(count(&picks, |pick| &*pick.carrier == "x"), 8);
        assert!(count(&picks, |pick| &*pick.carrier == "x" && pick.practice.as_str() == "p") <= 4);
        assert!(count(&picks, |pick| pick.practice.as_str() == "r") >= 2, "{picks:?}");
        assert!(plan.picks(1, |_, _| WIDE).is_empty());
        plan.ended(&picks[0], "answered", None);
        assert_eq!(plan.picks(1, |_, _| WIDE).len(), 1);
    }

    #[test]
    fn batches_that_share_one_place_take_turns() {
        let mut plan = Plan::default();
        for id in ["a", "b", "c"] {
            plan.add(id.into(), course("p", &[("x", 20)]));
        }
        let one = Room { of_practice: 1, of_carrier: 1, wait: None };
        let mut order = String::new();
        for _ in 0..9 {
            let picks = plan.picks(1, |_, _| one);
            assert_eq!(picks.len(), 1);
            order.push_str(&picks[0].batch);
            plan.ended(&picks[0], "answered", None);
        }
        assert_eq!(order, "abcabcabc");
    }

    #[test]
    fn a_carrier_that_must_wait_does_not_keep_the_others_waiting() {
        let mut plan = Plan::default();
        plan.add("a".into(), course("p", &[("x", 3), ("y", 3)]));
        let closed = Room { wait: Some(("carrier_closed", Some(99))), ..WIDE };
        let picks = plan.picks(1, |_, carrier| if carrier == "x" { closed } else { WIDE });
        assert_eq!(count(&picks, |pick| &*pick.carrier == "y"), 3);
        assert_eq!(picks.len(), 3);
        let waits = plan.get(&PracticeId::new("p"), "a").unwrap().waits();
        assert_eq!((waits.len(), waits[0].items, waits[0].reason.as_str()), (1, 3, "carrier_closed"));
    }

    #[test]
    fn what_failed_waits_its_time_and_a_hold_stops_the_whole_line() {
        let mut plan = Plan::default();
        plan.add("a".into(), course("p", &[("x", 2)]));
        let picks = plan.picks(1, |_, _| WIDE);
        plan.ended(&picks[0], "waiting", Some(50));
        plan.ended(&picks[1], "waiting", Some(10));
        assert_eq!(plan.picks(10, |_, _| WIDE).len(), 1);
        plan.hold(&PracticeId::new("p"), &"x".into(), "circuit_open", 70);
        assert!(plan.picks(60, |_, _| WIDE).is_empty());
        assert_eq!(plan.picks(70, |_, _| WIDE).len(), 1);
    }

    #[test]
    fn a_cancelled_batch_ends_with_its_last_question() {
        let mut plan = Plan::default();
        plan.add("a".into(), course("p", &[("x", 9)]));
        let picks = plan.picks(1, |_, _| WIDE);
        plan.cancel("a");
        assert!(plan.picks(1, |_, _| WIDE).is_empty() && !plan.drop_if_over("a"));
        for pick in &picks {
            plan.ended(pick, "answered", None);
        }
        let progress = plan.get(&PracticeId::new("p"), "a").unwrap().progress;
        assert_eq!((progress.answered, progress.cancelled, progress.asking), (4, 5, 0));
        assert!(plan.get(&PracticeId::new("q"), "a").is_none());
        assert!(plan.drop_if_over("a") && plan.under_way() == 0);
    }
}
