//! Every order in which things can meet, over the production [`next`]: two processes with two workers each, two kills,
//! pauses, requests that are lost or arrive late, replies that are lost, records that show late, a person, and attempts
//! up to three. The carrier is not idempotent: each request that arrives makes a record. And, with fewer kills: a copy of
//! the books is made at any moment, and put back at any later one.
//!
//! Looked for: two records (doubled), "accepted" without a record (phantom), a record behind "rejected" or "cancelled"
//! (orphan), a state from which nothing leads anywhere (lost). The same search must find what is wrong with policies
//! that are known to be wrong, or it proves nothing.

use std::collections::{HashMap, VecDeque};

use super::super::state::{Decision, Event, State, next};

const ATTEMPTS_MAX: u8 = 3;
const KILLS_MAX: u8 = 2;

/// How the host behaves around [`next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    /// As it is built.
    Ours,
    /// As job queues do: what nobody reports about for a while is queued again.
    RequeueOnLeaseExpiry,
    /// An inquiry that finds nothing is believed at once.
    OneNegativeIsEnough,
    /// A new process begins to recover while the old one is only paused.
    NoLock,
    /// A new process leaves what it finds open.
    NoRecovery,
    /// A copy that was put back is gone on with as if nothing had happened since it was made.
    RestoredAsItWas,
    /// The same, but for what the copy says is being sent.
    RestoredQueueIsBelieved,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Life {
    Dead,
    Runs,
    Paused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Worker {
    Idle,
    /// Its INTENT for this attempt is durable.
    Holds(u8),
    /// Its ARMED is durable; the first byte is next.
    Armed(u8),
    /// Everything is written.
    Sent(u8),
    /// An inquiry was answered, and the answer is not written down yet.
    Asked(u8, Event),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct World {
    /// Durable.
    state: State,
    attempt: u8,
    processes: [(Life, [Worker; 2]); 2],
    /// Bits by attempt: on their way, on record at the carrier, shown by an inquiry, answered with a refusal.
    flying: u8,
    recorded: u8,
    shown: u8,
    refused: u8,
    kills: u8,
    /// The books, as somebody has copied them.
    copy: Copied,
}

/// A copy of the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Copied {
    /// None may be made in this search.
    Never,
    /// None was made yet.
    Allowed,
    Made(State),
    /// It was put back: once is enough.
    PutBack,
}

const START: World = World {
    state: State::Queued,
    attempt: 0,
    processes: [(Life::Runs, [Worker::Idle; 2]), (Life::Dead, [Worker::Idle; 2])],
    flying: 0,
    recorded: 0,
    shown: 0,
    refused: 0,
    kills: 0,
    copy: Copied::Never,
};
/// Where one kill is left, and the books may be copied.
const START_WITH_A_COPY: World = World { kills: KILLS_MAX - 1, copy: Copied::Allowed, ..START };

type Steps = Vec<(&'static str, World)>;

fn bit(attempt: u8) -> u8 {
    1 << attempt
}

impl World {
    /// A durable step of attempt `of`: refused where another attempt has begun since, or where [`next`] says no.
    fn step(mut self, of: u8, event: Event) -> Option<Self> {
        if self.attempt != of {
            return None;
        }
        self.state = next(self.state, event).ok()?.state;
        Some(self)
    }

    fn with(mut self, process: usize, worker: usize, now: Worker) -> Self {
        self.processes[process].1[worker] = now;
        self
    }

    /// Nothing of it is under way, and all that is on record shows: what the visibility bound promises.
    fn settled(&self) -> bool {
        self.flying == 0 && self.recorded == self.shown
    }

    fn steps(&self, policy: Policy) -> Steps {
        let mut steps = self.network();
        for process in 0..2 {
            steps.extend(self.process(process, policy));
            if self.processes[process].0 == Life::Runs {
                for worker in 0..2 {
                    steps.extend(self.worker(process, worker, policy));
                }
            }
        }
        steps.extend(self.people());
        steps.extend(self.copies(policy));
        if policy == Policy::RequeueOnLeaseExpiry && matches!(self.state, State::Intent | State::Armed) {
            steps.push(("the lease expires: queued again", World { state: State::Queued, ..*self }));
        }
        steps
    }

    fn network(&self) -> Steps {
        let mut steps = Vec::new();
        for attempt in 1..=ATTEMPTS_MAX {
            let mine = bit(attempt);
            if self.flying & mine != 0 {
                let arrived = World { flying: self.flying & !mine, ..*self };
                steps.push(("the carrier accepts", World { recorded: self.recorded | mine, ..arrived }));
                steps.push(("the carrier refuses", World { refused: self.refused | mine, ..arrived }));
                steps.push(("the request is lost", arrived));
            }
            if self.recorded & !self.shown & mine != 0 {
                steps.push(("the record shows", World { shown: self.shown | mine, ..*self }));
            }
        }
        steps
    }

    fn process(&self, process: usize, policy: Policy) -> Steps {
        let mut steps = Vec::new();
        let (life, _) = self.processes[process];
        let lives = |life| {
            let mut world = *self;
            world.processes[process].0 = life;
            world
        };
        let other = self.processes[1 - process].0;
        match life {
            Life::Dead if other == Life::Dead || (policy == Policy::NoLock && other == Life::Paused) => {
                let mut started = lives(Life::Runs);
                if policy != Policy::NoRecovery
                    && let Some(recovered) = started.step(self.attempt, Event::Lost)
                {
                    started = recovered;
                }
                steps.push(("a process starts and recovers", started));
            }
            Life::Dead => {}
            Life::Runs | Life::Paused => {
                if self.kills < KILLS_MAX {
                    let mut killed = lives(Life::Dead);
                    killed.processes[process].1 = [Worker::Idle; 2];
                    killed.kills += 1;
                    steps.push(("kill -9", killed));
                }
                steps.push(match life {
                    Life::Paused => ("it wakes up", lives(Life::Runs)),
                    _ => ("SIGSTOP", lives(Life::Paused)),
                });
            }
        }
        steps
    }

    fn worker(&self, process: usize, worker: usize, policy: Policy) -> Steps {
        let put = |world: World, now| world.with(process, worker, now);
        let idle = |world: World| put(world, Worker::Idle);
        // A step that is refused leaves the worker with nothing to do.
        let try_step = |of, event| idle(self.step(of, event).unwrap_or(*self));
        match self.processes[process].1[worker] {
            Worker::Idle => self.idle(process, worker, policy),
            Worker::Holds(of) => {
                let armed = self.step(of, Event::Arm).map_or(idle(*self), |world| put(world, Worker::Armed(of)));
                vec![
                    ("arm", armed),
                    ("no connection: not sent", try_step(of, Event::NotSent)),
                    ("login refused", try_step(of, Event::CredentialRefused)),
                    ("the task dies", try_step(of, Event::Lost)),
                ]
            }
            Worker::Armed(of) => vec![
                ("send", put(World { flying: self.flying | bit(of), ..*self }, Worker::Sent(of))),
                ("the first write fails", try_step(of, Event::NotSent)),
                ("the task dies", try_step(of, Event::Lost)),
            ],
            Worker::Sent(of) => {
                let mut steps =
                    vec![("timeout", try_step(of, Event::Unclear)), ("the task dies", try_step(of, Event::Lost))];
                if self.recorded & bit(of) != 0 {
                    steps.push(("the reply: accepted", try_step(of, Event::Accepted)));
                }
                if self.refused & bit(of) != 0 {
                    steps.push(("the reply: refused", try_step(of, Event::Refused)));
                    steps.push(("the reply: credential refused", try_step(of, Event::CredentialRefused)));
                }
                steps
            }
            Worker::Asked(of, Event::NotFound { .. }) if policy == Policy::OneNegativeIsEnough => {
                let mut world = *self;
                if self.attempt == of && matches!(self.state, State::Unknown { .. }) {
                    world.state = State::Queued;
                }
                vec![("not found is believed at once", idle(world))]
            }
            Worker::Asked(of, event) => vec![("the inquiry is written down", try_step(of, event))],
        }
    }

    fn idle(&self, process: usize, worker: usize, _policy: Policy) -> Steps {
        let mut steps = Vec::new();
        if self.attempt < ATTEMPTS_MAX
            && let Some(mut claimed) = self.step(self.attempt, Event::Claim)
        {
            claimed.attempt += 1;
            steps.push(("claim", claimed.with(process, worker, Worker::Holds(claimed.attempt))));
        }
        if matches!(self.state, State::Unknown { .. }) {
            let asked = |event| self.with(process, worker, Worker::Asked(self.attempt, event));
            if self.shown != 0 {
                steps.push(("inquiry: found", asked(Event::Found)));
            } else {
                steps.push(("inquiry: not found", asked(Event::NotFound { proves: false })));
                if self.settled() {
                    steps.push(("inquiry past the bound: not found", asked(Event::NotFound { proves: true })));
                }
            }
            steps.push(("inquiry: ambiguous", asked(Event::Ambiguous)));
            if let Some(world) = self.step(self.attempt, Event::Escalate) {
                steps.push(("escalated", world));
            }
        }
        steps
    }

    /// A person who looks at the carrier's own pages sees what shows there.
    fn people(&self) -> Steps {
        let decide = |event| self.step(self.attempt, event);
        let mut steps = Vec::new();
        let mut add = |label, world: Option<World>| steps.extend(world.map(|world| (label, world)));
        add("cancel", decide(Event::Cancel));
        add("a person closes it", decide(Event::Resolve(Decision::Void)));
        if self.shown != 0 {
            add("a person finds it", decide(Event::Resolve(Decision::Present)));
        } else {
            add("a person does not find it", decide(Event::Resolve(Decision::Absent { settled: self.settled() })));
        }
        steps
    }

    /// The books are copied while everything goes on; put back only when no process runs on them.
    fn copies(&self, policy: Policy) -> Steps {
        match self.copy {
            Copied::Allowed => vec![("the books are copied", World { copy: Copied::Made(self.state), ..*self })],
            Copied::Made(state) if self.processes.iter().all(|(life, _)| *life == Life::Dead) => {
                // Attempts keep their numbers in this model, so that two of them are never taken for one.
                let mut back = World { state, copy: Copied::PutBack, ..*self };
                let believed = match policy {
                    Policy::RestoredAsItWas => true,
                    Policy::RestoredQueueIsBelieved => state == State::Queued,
                    _ => false,
                };
                if !believed && let Some(doubted) = back.step(back.attempt, Event::Restored) {
                    back = doubted;
                }
                vec![("the copy is put back", back)]
            }
            _ => Vec::new(),
        }
    }

    fn wrong(&self) -> Option<&'static str> {
        match self.state {
            _ if self.recorded.count_ones() > 1 => Some("doubled"),
            State::Accepted if self.recorded == 0 => Some("phantom"),
            State::Rejected | State::Cancelled if self.recorded != 0 => Some("orphan"),
            _ => None,
        }
    }

    /// Over, or kept to be sent.
    fn at_rest(&self) -> bool {
        matches!(self.state, State::Accepted | State::Rejected | State::Cancelled | State::Voided | State::Queued)
    }
}

struct Explored {
    states: usize,
    /// The first of each kind, with the shortest way to it.
    found: Vec<(&'static str, Vec<&'static str>)>,
}

impl Explored {
    fn has(&self, kind: &str) -> bool {
        self.found.iter().any(|(found, _)| *found == kind)
    }
}

/// Walks everything that can be reached; with `until`, only until that is found.
fn explore(policy: Policy, start: World, until: Option<&str>) -> Explored {
    let mut came: HashMap<World, Option<(World, &'static str)>> = HashMap::from([(start, None)]);
    let mut back: HashMap<World, Vec<World>> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    let mut found: Vec<(&'static str, World)> = Vec::new();
    while let Some(world) = queue.pop_front() {
        if let Some(kind) = world.wrong() {
            if !found.iter().any(|(other, _)| *other == kind) {
                found.push((kind, world));
                if until == Some(kind) {
                    break;
                }
            }
            continue;
        }
        for (label, then) in world.steps(policy) {
            back.entry(then).or_default().push(world);
            came.entry(then).or_insert_with(|| {
                queue.push_back(then);
                Some((world, label))
            });
        }
    }
    // Lost: no way leads from it to rest.
    let mut leads: HashMap<World, ()> = came.keys().filter(|world| world.at_rest()).map(|world| (*world, ())).collect();
    let mut todo: Vec<World> = leads.keys().copied().collect();
    while let Some(world) = todo.pop() {
        for before in back.get(&world).into_iter().flatten() {
            if leads.insert(*before, ()).is_none() {
                todo.push(*before);
            }
        }
    }
    let whole = queue.is_empty();
    if whole && let Some(lost) = came.keys().find(|world| world.wrong().is_none() && !leads.contains_key(world)) {
        found.push(("lost", *lost));
    }
    let trace = |mut world: World| {
        let mut labels = Vec::new();
        while let Some(Some((before, label))) = came.get(&world) {
            labels.push(*label);
            world = *before;
        }
        labels.reverse();
        labels
    };
    Explored { states: came.len(), found: found.into_iter().map(|(kind, world)| (kind, trace(world))).collect() }
}

#[test]
fn no_order_of_things_doubles_or_loses_a_submission() {
    for start in [START, START_WITH_A_COPY] {
        let explored = explore(Policy::Ours, start, None);
        println!("ours, {:?}: {} states, wrong: {:?}", start.copy, explored.states, explored.found);
        assert_eq!(explored.found, vec![]);
        assert!(explored.states > 10_000, "{} states: that is no search", explored.states);
    }
}

#[test]
fn policies_that_are_wrong_are_caught_by_the_same_search() {
    for (policy, start, kind) in [
        (Policy::RequeueOnLeaseExpiry, START, "doubled"),
        (Policy::OneNegativeIsEnough, START, "doubled"),
        (Policy::NoLock, START, "doubled"),
        (Policy::NoRecovery, START, "lost"),
        (Policy::RestoredAsItWas, START_WITH_A_COPY, "doubled"),
        (Policy::RestoredQueueIsBelieved, START_WITH_A_COPY, "doubled"),
    ] {
        let explored = explore(policy, start, Some(kind));
        for (found, trace) in &explored.found {
            println!("{policy:?}: {found} in {} steps: {}", trace.len(), trace.join(" > "));
        }
        assert!(explored.has(kind), "{policy:?} was not caught");
    }
}
