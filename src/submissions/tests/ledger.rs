//! From handing one in to the carrier's word, through everything that goes wrong on the way.

use std::time::Duration;

use connector_sdk::Phi;

use super::super::{Hold, NotDone, NotTaken, Resolution, Verdict};
use super::carrier::{Carrier, Mood};
use super::{Stand, ask};
use crate::trail::Actor;

async fn stand(moods: &[Mood], class: &str, bound_ms: Option<u64>) -> (tempfile::TempDir, Carrier, Stand) {
    let (dir, carrier) = (tempfile::tempdir().unwrap(), Carrier::start(moods).await);
    let stand = Stand::open(dir.path(), carrier.file(class, bound_ms, "")).await;
    (dir, carrier, stand)
}

fn says(decision: Verdict, reference: Option<&str>) -> Resolution {
    Resolution { decision, reference: reference.map(Phi::from), reason: Phi::from("called them") }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_is_one_submission_for_good() {
    let (_dir, carrier, stand) = stand(&[Mood::Answers], "exact", None).await;
    let id = stand.submit("one").await;
    let view = stand.until_state(&id, "accepted").await;
    assert_eq!((view["id"].as_str(), view["state"].as_str()), (Some(id.as_str()), Some("pended")));
    let submission = &view["submission"];
    assert_eq!(submission["attempts"][0]["outcome"], "accepted");
    assert!(submission["receipt"]["reference"].as_str().unwrap().starts_with("R-"), "{submission}");
    assert!(submission["attempts"][0]["evidence"].as_str().unwrap().starts_with("ev_"));

    let again = stand.submissions.accept(&stand.caller, "one", &ask("one"), None).await.unwrap();
    assert_eq!((again.id.as_str(), again.before), (id.as_str(), true));
    let other = stand.submissions.accept(&stand.caller, "one", &ask("other"), None).await;
    assert!(matches!(other, Err(NotTaken::KeyUsed)), "{other:?}");
    // Another key, but the same services for the same patient; the note makes no difference, the case of a name neither.
    let mut same = ask("one");
    same.urgency = connector_sdk::ask::Urgency::Expedited;
    match stand.submissions.accept(&stand.caller, "two", &same, None).await {
        Err(NotTaken::LooksLike(ids)) => assert_eq!(ids, [id.as_str()]),
        other => panic!("{other:?}"),
    }
    assert_eq!(carrier.records(), 1);
    let second = stand.submissions.accept(&stand.caller, "two", &same, Some(id.clone())).await.unwrap();
    stand.until_state(&second.id, "accepted").await;
    assert_eq!(carrier.records(), 2);
    let steps = ["submission.accepted_from_caller", "submission.intent", "submission.armed", "submission.accepted"];
    assert_eq!(stand.actions(&id).await, steps);
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_reply_is_found_by_asking() {
    let (_dir, carrier, stand) = stand(&[Mood::LosesReply], "exact", None).await;
    let id = stand.submit("one").await;
    let view = stand.until_state(&id, "accepted").await;
    assert_eq!(view["submission"]["attempts"][0]["outcome"], "confirmed_present");
    assert_eq!((carrier.records(), view["submission"]["attempts"].as_array().unwrap().len()), (1, 1));
    assert!(stand.actions(&id).await.ends_with(&["submission.unknown".to_owned(), "submission.found".to_owned()]));
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_arrived_is_sent_again_only_past_the_bound() {
    let (_dir, carrier, stand) = stand(&[Mood::LosesRequest, Mood::Answers], "exact", Some(700)).await;
    let id = stand.submit("one").await;
    let view = stand.until_state(&id, "accepted").await;
    let submission = &view["submission"];
    assert_eq!(submission["attempts"][0]["outcome"], "confirmed_absent");
    assert_eq!(submission["attempts"][1]["outcome"], "accepted");
    let inquiries = submission["inquiries"].as_array().unwrap();
    assert!(inquiries.len() >= 2 && inquiries.last().unwrap()["past_the_bound"] == true, "{inquiries:?}");
    assert!(inquiries[0]["past_the_bound"] == false, "{inquiries:?}");
    assert_eq!(carrier.records(), 1);
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_shows_late_is_not_sent_again() {
    let late = Mood::ShowsLate(Duration::from_millis(2_200));
    let (_dir, carrier, stand) = stand(&[late, Mood::Answers], "exact", Some(1_800)).await;
    let id = stand.submit("one").await;
    let view = stand.until_state(&id, "accepted").await;
    assert_eq!(view["submission"]["attempts"][0]["outcome"], "confirmed_present", "{view}");
    assert!(carrier.inquiries() >= 2);
    assert_eq!(carrier.records(), 1);
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_can_be_asked_a_person_decides() {
    let (_dir, carrier, stand) = stand(&[Mood::LosesReply], "blind", None).await;
    let (one, two) = (stand.submit("one").await, stand.submit("two").await);
    for id in [&one, &two] {
        stand.until(id, "a person", |submission| submission["needs_person"] == true).await;
    }
    assert_eq!(stand.submissions.list(stand.practice(), Some("unknown"), 9).await.unwrap().len(), 2);
    // "It is not there" is not taken while it may still appear.
    let early = stand.submissions.resolve(&stand.caller, &one, &says(Verdict::Absent, None)).await;
    assert!(matches!(early, Err(NotDone::TooEarly(_))), "{early:?}");
    stand.submissions.resolve(&stand.caller, &one, &says(Verdict::Present, Some("T-4711"))).await.unwrap();
    stand.submissions.resolve(&stand.caller, &two, &says(Verdict::Void, None)).await.unwrap();
    let (one_view, two_view) = (stand.view(&one).await, stand.view(&two).await);
    assert_eq!((&one_view["submission"]["state"], &one_view["state"]), (&"accepted".into(), &"submitted".into()));
    assert_eq!(one_view["submission"]["receipt"]["reference"], "T-4711");
    assert_eq!(two_view["submission"]["state"], "voided");
    let again = stand.submissions.resolve(&stand.caller, &two, &says(Verdict::Void, None)).await;
    assert!(matches!(again, Err(NotDone::NotHere("voided"))), "{again:?}");
    assert_eq!((carrier.records(), carrier.inquiries()), (2, 0));
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_s_absent_past_the_bound_sends_it_again() {
    let (_dir, carrier, stand) = stand(&[Mood::LosesRequest, Mood::Answers], "blind", Some(500)).await;
    let id = stand.submit("one").await;
    stand.until(&id, "a person", |submission| submission["needs_person"] == true).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    stand.submissions.resolve(&stand.caller, &id, &says(Verdict::Absent, None)).await.unwrap();
    stand.until_state(&id, "accepted").await;
    assert_eq!(carrier.records(), 1);
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ambiguous_answer_calls_a_person_and_stops_asking() {
    let (_dir, carrier, stand) = stand(&[Mood::Confuses], "exact", Some(500)).await;
    let id = stand.submit("one").await;
    let view = stand.until(&id, "a person", |submission| submission["needs_person"] == true).await;
    assert_eq!(view["submission"]["next"]["what"], "person");
    let asked = carrier.inquiries();
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!((carrier.inquiries(), carrier.records()), (asked, 1));
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_the_end_and_can_be_mended_under_a_new_key() {
    let (_dir, carrier, stand) = stand(&[Mood::Refuses, Mood::Answers], "exact", None).await;
    let id = stand.submit("one").await;
    let view = stand.until_state(&id, "rejected").await;
    assert_eq!(view["submission"]["refusal"]["reason"], "provider_not_enrolled");
    assert_eq!((&view["state"], carrier.records()), (&"needs_person".into(), 0));
    let mended = stand.submissions.accept(&stand.caller, "two", &ask("one"), None).await.unwrap();
    stand.until_state(&mended.id, "accepted").await;
    // What cannot be put into the carrier's words is told, and nothing is sent.
    let mut noted = ask("noted");
    noted.notes = Some(Phi::from("please"));
    let taken = stand.submissions.accept(&stand.caller, "three", &noted, None).await.unwrap();
    let view = stand.until_state(&taken.id, "rejected").await;
    assert_eq!(view["submission"]["failure"], "This carrier takes no notes.");
    assert_eq!(view["submission"]["attempts"].as_array().unwrap().len(), 0);
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_parks_what_waits_and_nothing_else() {
    let (_dir, carrier, stand) = stand(&[Mood::LosesReply], "exact", None).await;
    let sent = stand.submit("sent").await;
    stand.until_state(&sent, "armed").await;
    let by = Actor::command_line();
    assert!(stand.submissions.hold(stand.practice(), "toy", "they move house", &by).await.unwrap());
    assert!(!stand.submissions.hold(stand.practice(), "toy", "again", &by).await.unwrap());
    let (parked, taken_back) = (stand.submit("parked").await, stand.submit("back").await);
    // What was let go before is asked after all the same.
    stand.until_state(&sent, "accepted").await;
    let view = stand.view(&parked).await;
    assert_eq!((&view["submission"]["state"], &view["submission"]["hold"]), (&"queued".into(), &"asked".into()));
    let holds = stand.submissions.holds(stand.practice(), 1).await.unwrap();
    assert_eq!((holds.len(), holds[0].waiting, holds[0].submissions.len(), holds[0].more), (1, 2, 1, 1));
    stand.submissions.cancel(&stand.caller, &taken_back).await.unwrap();
    assert_eq!(carrier.records(), 1);
    carrier.moods(&[Mood::Answers]);
    assert!(stand.submissions.release(stand.practice(), "toy", "they are there", &by).await.unwrap());
    assert!(!stand.submissions.release(stand.practice(), "toy", "again", &by).await.unwrap());
    stand.until_state(&parked, "accepted").await;
    let late = stand.submissions.cancel(&stand.caller, &parked).await;
    assert!(matches!(late, Err(NotDone::NotHere("accepted"))), "{late:?}");
    assert_eq!((carrier.records(), stand.view(&taken_back).await["state"].as_str()), (2, Some("cancelled")));
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_credential_holds_everything_until_it_is_entered_anew() {
    let (_dir, carrier, stand) = stand(&[Mood::RefusesLogin, Mood::Answers], "basic", None).await;
    let id = stand.submit("one").await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(stand.view(&id).await["submission"]["hold"], "credential", "none is stored yet");
    stand.credential(&carrier.address).await;
    let view = stand
        .until(&id, "the refused attempt", |submission| {
            submission["attempts"][0]["outcome"] == "rejected_no_effect" && submission["state"] == "queued"
        })
        .await;
    assert_eq!(view["submission"]["attempts"][0]["failure"], "credential_rejected");
    assert_eq!(stand.submissions.hold_of(stand.practice(), "toy"), Some(Hold::Credential));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(stand.view(&id).await["submission"]["attempts"].as_array().unwrap().len(), 1, "one login, one refusal");
    stand.credential(&carrier.address).await;
    let view = stand.until_state(&id, "accepted").await;
    assert_eq!((carrier.records(), &view["submission"]["attempts"][1]["outcome"]), (1, &"accepted".into()));
    stand.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_connection_nothing_was_sent_and_it_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let nobody = Carrier::start(&[Mood::Answers]).await;
    let (id_of_file, text) = nobody.file("exact", None, "");
    let text = text.replace(&nobody.address, "127.0.0.1:9");
    let stand = Stand::open(dir.path(), (id_of_file, text)).await;
    let id = stand.submit("one").await;
    let view = stand.until(&id, "two attempts", |submission| submission["attempts"][1]["outcome"] == "not_sent").await;
    assert!(view["submission"]["attempts"][0]["armed_at"].is_null());
    assert_eq!(view["submission"]["attempts"][0]["failure"], "carrier_unavailable");
    assert!(!stand.actions(&id).await.contains(&"submission.unknown".to_owned()));
    stand.close().await;
}

/// A process that is gone in the middle: its runtime is torn down with one submission armed and one that waits for its
/// place at the carrier with nothing sent.
#[test]
fn what_a_dead_process_left_open_is_taken_up() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (dir, outside) = (tempfile::tempdir().unwrap(), runtime());
    let carrier = outside.block_on(Carrier::start(&[Mood::LosesReply, Mood::Answers]));
    let file = carrier.file("exact", None, "concurrent_max = 1\n");
    let first = runtime();
    let (armed, intent) = first.block_on(async {
        let slow = (file.0.clone(), file.1.replace("attempt_timeout_secs = 1", "attempt_timeout_secs = 60"));
        let stand = Stand::open(dir.path(), slow).await;
        let armed = stand.submit("armed").await;
        stand.until_state(&armed, "armed").await;
        let intent = stand.submit("intent").await;
        stand.until_state(&intent, "intent").await;
        (armed, intent)
    });
    first.shutdown_timeout(Duration::from_secs(5));
    outside.block_on(async {
        let stand = Stand::open(dir.path(), file).await;
        let view = stand.until_state(&armed, "accepted").await;
        assert_eq!(view["submission"]["attempts"][0]["outcome"], "confirmed_present");
        let view = stand.until_state(&intent, "accepted").await;
        assert_eq!(view["submission"]["attempts"][0]["outcome"], "not_sent");
        assert_eq!(view["submission"]["attempts"][1]["outcome"], "accepted");
        assert_eq!(carrier.records(), 2);
        assert!(stand.actions(&armed).await.contains(&"submission.lost".to_owned()));
        stand.close().await;
    });
}
