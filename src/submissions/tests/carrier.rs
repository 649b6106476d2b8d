//! A carrier that is not idempotent, on loopback, with a connector that speaks to it. Every request that it takes makes a
//! record.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use connector_sdk::answer::{Authorization, AuthorizationState};
use connector_sdk::connector::Registration;
use connector_sdk::{
    AuthorizationRequest, BoxFuture, Commit, Connector, Context, CredentialField, Error, ErrorKind, Inquiry, Prepared,
    Receipt, Refusal, RefusalReason, Result, Settings, SignIn, SubmissionClass, SubmissionPromise, Submissions,
};
use http::{Request, StatusCode};
use tokio::net::TcpListener;

/// What the carrier does with the next requests; the last one stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Answers,
    /// Takes it, and its answer gets lost.
    LosesReply,
    /// Takes it, loses the answer, and shows it in inquiries only after this.
    ShowsLate(Duration),
    /// Never sees the request; the connection breaks.
    LosesRequest,
    Refuses,
    /// 401.
    RefusesLogin,
    /// Takes it, loses the answer, and says "several" to every inquiry.
    Confuses,
    /// Takes it, loses the answer, and fails when it is asked after it.
    Stumbles,
}

struct Record {
    reference: String,
    shows_at: Instant,
}

#[derive(Default)]
struct Desk {
    moods: Vec<Mood>,
    records: Vec<Record>,
    inquiries: usize,
    confused: bool,
    stumbling: bool,
}

/// The carrier.
#[derive(Clone)]
pub(super) struct Carrier {
    desk: Arc<Mutex<Desk>>,
    pub(super) address: String,
}

impl Carrier {
    pub(super) async fn start(moods: &[Mood]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let carrier = Self { desk: Arc::default(), address: listener.local_addr().unwrap().to_string() };
        carrier.moods(moods);
        let routes = Router::new().route("/submit", post(submit)).route("/inquire", get(inquire));
        let routes = routes.with_state(carrier.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        carrier
    }

    pub(super) fn moods(&self, moods: &[Mood]) {
        self.desk.lock().unwrap().moods = moods.to_vec();
    }

    pub(super) fn records(&self) -> usize {
        self.desk.lock().unwrap().records.len()
    }

    pub(super) fn inquiries(&self) -> usize {
        self.desk.lock().unwrap().inquiries
    }

    /// A carrier file for it.
    pub(super) fn file(&self, class: &str, bound_ms: Option<u64>, more: &str) -> (String, String) {
        let bound = bound_ms.map(|ms| format!("bound_ms = {ms}\n")).unwrap_or_default();
        let address = &self.address;
        let text = format!(
            "name = \"Toy\"\nconnector = \"toy-desk\"\nhosts = [\"{address}\"]\nallow_private = [\"127.0.0.0/8\"]\n\
             [limits]\nattempt_timeout_secs = 1\nbreaker_failures = 100\n{more}\
             [submissions]\nretry_secs = 1\ninquiries_after_secs = [1]\n\
             [settings]\naddress = \"http://{address}\"\nclass = \"{class}\"\n{bound}"
        );
        ("toy".to_owned(), text)
    }
}

/// Waits for ever: the client gives up, or the test ends.
async fn never() -> Response {
    std::future::pending().await
}

async fn submit(State(carrier): State<Carrier>, body: String) -> Response {
    let mood = {
        let mut desk = carrier.desk.lock().unwrap();
        let mood = if desk.moods.len() > 1 { desk.moods.remove(0) } else { desk.moods[0] };
        let shows_at = match mood {
            Mood::ShowsLate(late) => Instant::now() + late,
            _ => Instant::now(),
        };
        desk.confused |= mood == Mood::Confuses;
        desk.stumbling |= mood == Mood::Stumbles;
        if !matches!(mood, Mood::LosesRequest | Mood::Refuses | Mood::RefusesLogin) {
            desk.records.push(Record { reference: body.clone(), shows_at });
        }
        mood
    };
    match mood {
        Mood::Answers => format!("taken R-{body}").into_response(),
        Mood::Refuses => (StatusCode::UNPROCESSABLE_ENTITY, "no").into_response(),
        Mood::RefusesLogin => StatusCode::UNAUTHORIZED.into_response(),
        // The answer never comes.
        Mood::LosesReply | Mood::ShowsLate(_) | Mood::LosesRequest | Mood::Confuses | Mood::Stumbles => never().await,
    }
}

#[derive(serde::Deserialize)]
struct After {
    reference: String,
}

async fn inquire(State(carrier): State<Carrier>, Query(after): Query<After>) -> Response {
    let mut desk = carrier.desk.lock().unwrap();
    desk.inquiries += 1;
    let shown = desk.records.iter().any(|r| r.reference == after.reference && r.shows_at <= Instant::now());
    if desk.stumbling {
        return (StatusCode::INTERNAL_SERVER_ERROR, "stumbled").into_response();
    }
    match (desk.confused, shown) {
        (true, _) => "several".into_response(),
        (false, true) => format!("taken R-{}", after.reference).into_response(),
        (false, false) => "none".into_response(),
    }
}

/// The connector.
struct Toy {
    address: String,
    class: SubmissionClass,
    bound: Option<Duration>,
    basic: bool,
}

impl Connector for Toy {
    fn sign_in(&self) -> SignIn<'_> {
        if self.basic { SignIn::Basic } else { SignIn::None }
    }

    fn credential_fields(&self) -> Vec<CredentialField> {
        match self.basic {
            true => vec![CredentialField::required("username", "User"), CredentialField::required("password", "Pass")],
            false => vec![],
        }
    }

    fn submissions(&self) -> Option<&dyn Submissions> {
        Some(self)
    }
}

impl Submissions for Toy {
    fn promise(&self) -> SubmissionPromise {
        SubmissionPromise {
            class: self.class,
            visibility_delay: Duration::from_millis(100),
            visibility_bound: self.bound,
            authoritative_negatives: self.bound.is_some(),
        }
    }

    fn prepare(&self, ctx: &Context, ask: &AuthorizationRequest, biz_ref: &str) -> Result<Prepared> {
        if ask.notes.is_some() {
            return Err(Error::new(ErrorKind::Unsupported, "This carrier takes no notes."));
        }
        let request = Request::post(format!("{}/submit", self.address)).body(Bytes::from(biz_ref.to_owned())).unwrap();
        Prepared::new(ctx, &request, [("isa13".to_owned(), ctx.control_number().to_string())].into())
    }

    fn commit<'a>(&'a self, ctx: &'a Context, prepared: &'a Prepared) -> BoxFuture<'a, Commit> {
        Box::pin(async move {
            let reply = match ctx.send(prepared.request().unwrap()).await {
                Ok(reply) => reply,
                Err(error) => return Commit::Unknown { error },
            };
            let text = String::from_utf8_lossy(reply.body()).into_owned();
            match (reply.status().as_u16(), text.strip_prefix("taken ")) {
                (200, Some(reference)) => accepted(reference),
                (422, _) => Commit::RefusedNoEffect { refusal: Refusal::new(RefusalReason::ProviderNotEnrolled) },
                _ => Commit::Unknown { error: Error::new(ErrorKind::ProtocolBroken, "An unknown reply.") },
            }
        })
    }

    fn inquire<'a>(
        &'a self,
        ctx: &'a Context,
        _ask: &'a AuthorizationRequest,
        _prepared: &'a Prepared,
        biz_ref: &'a str,
    ) -> BoxFuture<'a, Result<Inquiry>> {
        Box::pin(async move {
            let uri = format!("{}/inquire?reference={biz_ref}", self.address);
            let reply = ctx.send(Request::get(uri).body(Bytes::new()).unwrap()).await?;
            let text = String::from_utf8_lossy(reply.body()).into_owned();
            Ok(match text.as_str() {
                "stumbled" => return Err(Error::new(ErrorKind::CarrierUnavailable, "It stumbled.")),
                "none" => Inquiry::Absent,
                "several" => Inquiry::Ambiguous { why: "several" },
                text => {
                    let Commit::Accepted { receipt, answer } = accepted(text.trim_start_matches("taken ")) else {
                        unreachable!()
                    };
                    Inquiry::Present { receipt, answer }
                }
            })
        })
    }
}

fn accepted(reference: &str) -> Commit {
    let answer = Authorization { state: AuthorizationState::Pended, ..Authorization::default() };
    Commit::Accepted { receipt: Receipt::new("tracking", reference.to_owned()), answer: Box::new(answer) }
}

/// The list of connectors that the test's carrier files may name.
pub(super) static CONNECTORS: &[&Registration] = &[&TOY];

static TOY: Registration = Registration {
    // Not the name of another test's connector: schemas are kept by name for the whole process.
    name: "toy-desk",
    speaks: "a word or two",
    transport: "json",
    operations: &[connector_sdk::Operation::Authorization],
    sign_in: "any",
    settings_schema: || serde_json::json!({ "type": "object" }),
    example: "",
    build: |settings: &Settings| {
        let text =
            |key: &str| settings.table().get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let bound = settings.table().get("bound_ms").and_then(toml::Value::as_integer);
        let basic = settings.table().get("class").and_then(|value| value.as_str()) == Some("basic");
        Ok(Arc::new(Toy {
            address: text("address"),
            class: if text("class") == "blind" { SubmissionClass::Blind } else { SubmissionClass::ExactInquiry },
            bound: bound.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap())),
            basic,
        }))
    },
};
