//! One open task for a credential, one answer, and nothing of it left behind.

use std::time::Duration;

use connector_sdk::{ErrorKind, Retry};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::carriers::{Carrier, CarrierBook, Limits};
use crate::identity::Identity;
use crate::trail::Filter;
use crate::vault::Vault;
use crate::wire::{Raised, Relay};

const CODE: &str = "canary-code-4711";

struct Rig {
    tasks: Arc<Tasks>,
    trail: Arc<Trail>,
    carrier: Arc<Carrier>,
    caller: Caller,
}

impl Rig {
    async fn new() -> Self {
        let store = Store::open_temporary().unwrap();
        Self::over(store).await
    }

    async fn over(store: Arc<Store>) -> Self {
        let vault = Vault::open_temporary(store.clone()).await.unwrap();
        let trail = Trail::new(store.clone(), vault);
        let practice = Identity::new(store.clone(), trail.clone()).ensure_practice("p-1", "One").await.unwrap();
        let file = sandbox::carrier_file("bluevalley", "127.0.0.1:9".parse().unwrap()).unwrap();
        let (book, report) = CarrierBook::from_files(vec![("bluevalley".to_owned(), file)], Limits::default());
        assert!(report.problems.is_empty());
        let carrier = book.get("bluevalley").unwrap();
        let caller = Caller::command_line(practice);
        Self { tasks: Tasks::new(store, trail.clone()), trail, carrier, caller }
    }

    fn raise(&self, kind: PromptKind, within: Duration, sign_in: bool) -> JoinHandle<connector_sdk::Result<Answer>> {
        let raised = Raised {
            practice: self.caller.practice().clone(),
            carrier: self.carrier.clone(),
            credential_id: "cred_1".to_owned(),
            until: Instant::now() + within,
            sign_in,
        };
        let relay: Arc<dyn Relay> = self.tasks.relay();
        tokio::spawn(async move { relay.ask(raised, Prompt::new(kind, "what the page says")).await })
    }

    async fn the_open_one(&self) -> TaskView {
        for _ in 0..500 {
            let open = TaskFilter { open: Some(true), ..TaskFilter::default() };
            if let Some(task) = self.tasks.list(self.caller.practice(), open, 9).await.unwrap().pop() {
                return task;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no task was opened");
    }

    async fn states(&self) -> Vec<String> {
        let all = self.tasks.list(self.caller.practice(), TaskFilter::default(), 99).await.unwrap();
        all.into_iter().map(|task| task.state).collect()
    }

    async fn until_state(&self, state: &str) {
        for _ in 0..500 {
            if self.states().await == [state] {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{:?} instead of {state}", self.states().await);
    }

    async fn acts(&self) -> Vec<String> {
        let records = self.trail.list(self.caller.practice(), Filter::default(), 99).await.unwrap();
        records.into_iter().rev().map(|record| record.action).filter(|action| action.starts_with("task.")).collect()
    }
}

fn code() -> Zeroizing<String> {
    Zeroizing::new(CODE.to_owned())
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_answers_one_wins_and_is_kept_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let rig = Arc::new(Rig::over(Store::open(dir.path()).unwrap()).await);
    let waiting = rig.raise(PromptKind::SecondFactorCode, LONG, true);
    let task = rig.the_open_one().await;
    assert_eq!(task.words.as_ref().map(|words| words.text()), Some("what the page says"));
    assert!(task.left_secs.is_some_and(|left| (50..=60).contains(&left)));
    let answers = (0..16).map(|_| {
        let (rig, id) = (rig.clone(), task.id.clone());
        tokio::spawn(async move { rig.tasks.answer(&rig.caller, &id, code()).await.is_ok() })
    });
    let taken = futures_util::future::join_all(answers).await.into_iter().filter(|one| *one.as_ref().unwrap()).count();
    assert_eq!(taken, 1);
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!((answer.value.as_str(), answer.by.as_str()), (CODE, "command_line"));
    assert_eq!(rig.states().await, ["answered"]);
    assert_eq!(rig.acts().await, ["task.opened", "task.answered"]);
    let closed = rig.tasks.one(rig.caller.practice(), &task.id).await.unwrap().unwrap();
    assert!(closed.words.is_none() && closed.left_secs.is_none(), "what the page says dies with the task");
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(CODE.len()).any(|window| window == CODE.as_bytes()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_countdown_ends_and_a_dismissal_ends_it_sooner() {
    let rig = Rig::new().await;
    let error = rig.raise(PromptKind::Captcha, Duration::from_millis(80), true).await.unwrap().err().unwrap();
    assert_eq!((error.kind, error.retry), (ErrorKind::NeedsPerson, Retry::Never));
    assert!(error.to_string().contains("ended=expired"), "{error}");
    assert_eq!(rig.states().await, ["expired"]);

    let waiting = rig.raise(PromptKind::Captcha, LONG, true);
    let task = rig.the_open_one().await;
    rig.tasks.dismiss(&rig.caller, &task.id).await.unwrap();
    let error = waiting.await.unwrap().err().unwrap();
    assert!(error.to_string().contains("ended=dismissed"), "{error}");
    let late = rig.tasks.answer(&rig.caller, &task.id, code()).await;
    assert!(matches!(late, Err(NotAnswered::Closed(word)) if word == "dismissed"));
    assert_eq!(rig.acts().await, ["task.opened", "task.expired", "task.opened", "task.dismissed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_open_task_for_a_credential_and_others_wait_for_their_turn() {
    let rig = Rig::new().await;
    let first = rig.raise(PromptKind::Captcha, LONG, true);
    let task = rig.the_open_one().await;
    let question = rig.raise(PromptKind::Captcha, LONG, false);
    let impatient = rig.raise(PromptKind::Captcha, Duration::from_millis(50), false).await.unwrap().err().unwrap();
    assert_eq!(impatient.kind, ErrorKind::NeedsPerson);
    assert!(impatient.to_string().contains(&format!("task={}", task.id)), "{impatient}");
    let second = rig.raise(PromptKind::SecondFactorCode, LONG, true);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(rig.states().await, ["open"]);
    rig.tasks.answer(&rig.caller, &task.id, code()).await.unwrap();
    assert!(first.await.unwrap().is_ok());
    // The question's own page is an old one by now; the sign-in has its own to show.
    let error = question.await.unwrap().err().unwrap();
    assert_eq!((error.kind, error.retry), (ErrorKind::CarrierUnavailable, Retry::Safe));
    let task = rig.the_open_one().await;
    assert_eq!(task.kind, PromptKind::SecondFactorCode);
    rig.tasks.answer(&rig.caller, &task.id, code()).await.unwrap();
    assert!(second.await.unwrap().is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nothing_waits_for_any_more_is_gone() {
    let rig = Rig::new().await;
    let waiting = rig.raise(PromptKind::Captcha, LONG, true);
    let task = rig.the_open_one().await;
    waiting.abort();
    rig.until_state("gone").await;
    let late = rig.tasks.answer(&rig.caller, &task.id, code()).await;
    assert!(matches!(late, Err(NotAnswered::Closed(word)) if word == "gone"));
    assert_eq!(rig.acts().await, ["task.opened", "task.gone"]);

    // After a kill nothing waits for what stands open.
    let _waiting = rig.raise(PromptKind::Captcha, LONG, true);
    rig.the_open_one().await;
    let after = Tasks::new(rig.tasks.store.clone(), rig.trail.clone());
    assert_eq!(after.close_left_open().await.unwrap(), 1);
    assert_eq!(rig.states().await, ["gone", "gone"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_answers_for_another_practice() {
    let rig = Rig::new().await;
    let _waiting = rig.raise(PromptKind::Captcha, LONG, true);
    let task = rig.the_open_one().await;
    let other = Caller::command_line(PracticeId::new("p-2"));
    assert!(matches!(rig.tasks.answer(&other, &task.id, code()).await, Err(NotAnswered::Nowhere)));
    assert!(rig.tasks.one(other.practice(), &task.id).await.unwrap().is_none());
    assert_eq!(rig.states().await, ["open"]);
}
