//! Hubline: a clearinghouse. JSON with an API key; a 271 in JSON clothes; errors come with status 200.
//!
//! `POST /eligibility/v3`. Errors of the payer behind the hub have the codes of X12 AAA and a loop as `location`;
//! errors of the hub itself have codes that begin with `HUB-`.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::clock::today;
use crate::control::{Desk, Login};
use crate::credentials::HUB_KEY;
use crate::lines::{Line, lines};
use crate::people::{Person, insured_by};
use crate::search::{Found, Loop, Patient, Query, Reject, Rules, date, find, iso};

pub(crate) const RULES: Rules = Rules { strict: false, by_name: true, back_months: 24, forward_months: 12 };
/// The payer's id at this hub.
const PAYER: &str = "CASC1";

struct Hubline {
    desk: Arc<Desk>,
    people: Vec<Person>,
}

pub(crate) fn router(desk: Arc<Desk>) -> Router {
    let hub = Hubline { desk, people: insured_by("hubline") };
    Router::new().route("/eligibility/v3", post(ask)).with_state(Arc::new(hub))
}

fn reply(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn ask(State(hub): State<Arc<Hubline>>, headers: HeaderMap, body: Bytes) -> Response {
    let key = headers.get("x-api-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    match hub.desk.login(Some("account"), key == HUB_KEY) {
        Login::Accepted => {}
        Login::Wrong => return reply(StatusCode::UNAUTHORIZED, &json!({ "message": "Invalid API key" })),
        Login::Locked => return reply(StatusCode::LOCKED, &json!({ "message": "Account locked" })),
    }
    let Ok(asked) = serde_json::from_slice::<Value>(&body) else {
        return reply(StatusCode::OK, &failure(&Value::Null, "HUB-400", "The body is not JSON", None));
    };
    hub.desk.question();
    reply(StatusCode::OK, &hub.answer(&asked))
}

impl Hubline {
    fn answer(&self, asked: &Value) -> Value {
        let control = asked.get("controlNumber").cloned().unwrap_or(Value::Null);
        if text(asked, "/tradingPartnerServiceId") != PAYER {
            return failure(&control, "HUB-404", "Unknown tradingPartnerServiceId", None);
        }
        let query = query(asked);
        match query.member_id.to_ascii_uppercase().as_str() {
            "HUB-ERR79" => {
                return failure(&control, "79", "Invalid Participant Identification", Some("Loop 2100A"));
            }
            "HUB-ERR42" => return failure(&control, "42", "Unable to Respond at Current Time", Some("Loop 2100A")),
            "HUB-TOPERROR" => return failure(&control, "HUB-500", "The payer gateway is not reachable", None),
            _ => {}
        }
        match find(&self.people, &query, RULES, today()) {
            Ok(found) => benefits(&control, &found, &lines(&found.person, &query.services)),
            Err(rejects) => refused(&control, &rejects),
        }
    }
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn query(asked: &Value) -> Query {
    let dependent = asked.pointer("/dependents/0").filter(|value| value.is_object()).map(|patient| Patient {
        first_name: text(patient, "/firstName"),
        last_name: text(patient, "/lastName"),
        date_of_birth: iso(&text(patient, "/dateOfBirth")),
    });
    let services = asked.pointer("/encounter/serviceTypeCodes").and_then(Value::as_array);
    Query {
        npi: text(asked, "/provider/npi"),
        member_id: text(asked, "/subscriber/memberId"),
        first_name: text(asked, "/subscriber/firstName"),
        last_name: text(asked, "/subscriber/lastName"),
        date_of_birth: iso(&text(asked, "/subscriber/dateOfBirth")),
        dependent,
        days: date(&text(asked, "/encounter/dateOfService")).map(|day| (day, day)),
        services: services.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        ..Query::default()
    }
}

fn failure(control: &Value, code: &str, description: &str, location: Option<&str>) -> Value {
    let error = json!({
        "code": code,
        "description": description,
        "followupAction": "Please Correct and Resubmit",
        "location": location,
    });
    json!({ "controlNumber": control, "errors": [error] })
}

fn refused(control: &Value, rejects: &[Reject]) -> Value {
    let errors: Vec<Value> = rejects
        .iter()
        .map(|reject| {
            let location = match reject.at {
                Loop::Payer => "Loop 2100A",
                Loop::Provider => "Loop 2100B",
                Loop::Subscriber => "Loop 2100C",
                Loop::Dependent => "Loop 2100D",
            };
            json!({
                "code": reject.code,
                "description": "Rejected by the payer",
                "followupAction": "Please Correct and Resubmit",
                "location": location,
            })
        })
        .collect();
    json!({ "controlNumber": control, "errors": errors })
}

fn compact(iso: &str) -> String {
    iso.chars().filter(char::is_ascii_digit).collect()
}

fn benefits(control: &Value, found: &Found, lines: &[Line]) -> Value {
    let person = &found.person;
    let mut dates = Map::new();
    dates.insert("planBegin".into(), json!(compact(person.plan.from)));
    if let Some(to) = person.plan.to {
        dates.insert("planEnd".into(), json!(compact(to)));
    }
    let status: Vec<Value> = lines
        .iter()
        .filter(|line| matches!(line.info, "1" | "6") && line.service == "30")
        .map(|line| {
            let words = if line.info == "1" { "Active Coverage" } else { "Inactive" };
            json!({ "statusCode": line.info, "status": words, "planDetails": line.plan, "serviceTypeCodes": ["30"] })
        })
        .collect();
    // In lossy mode the hub drops the words, as some do.
    let lossy = person.member_id == "HUB-LOSSY";
    json!({
        "controlNumber": control,
        "tradingPartnerServiceId": PAYER,
        "payer": { "name": "CASCADE HEALTH PLANS", "payorIdentification": PAYER },
        "subscriber": {
            "memberId": person.member_id,
            "firstName": person.first_name,
            "lastName": person.last_name,
            "dateOfBirth": compact(person.date_of_birth),
            "gender": person.sex,
            "groupNumber": person.group_number,
        },
        "planDateInformation": dates,
        "planStatus": status,
        "benefitsInformation": lines.iter().map(|line| item(line, lossy)).collect::<Vec<_>>(),
    })
}

fn item(line: &Line, lossy: bool) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: &str| {
        if !value.is_empty() {
            fields.insert(name.to_owned(), json!(value));
        }
    };
    put("code", line.info);
    put("coverageLevelCode", line.level);
    put("insuranceTypeCode", line.insurance);
    put("planCoverage", line.plan);
    put("timeQualifierCode", line.period);
    put("benefitAmount", line.amount);
    put("benefitPercent", line.share);
    put("quantityQualifierCode", line.unit);
    put("benefitQuantity", line.quantity);
    put("authOrCertIndicator", line.authorization);
    put("inPlanNetworkIndicatorCode", line.network);
    if !line.service.is_empty() {
        fields.insert("serviceTypeCodes".into(), json!([line.service]));
    }
    if !line.messages.is_empty() && !lossy {
        let words: Vec<Value> = line.messages.iter().map(|words| json!({ "description": words })).collect();
        fields.insert("additionalInformation".into(), Value::Array(words));
    }
    if let Some(entity) = &line.entity {
        let named = json!({ "entityIdentifierCode": entity.role, "entityName": entity.name });
        fields.insert("benefitsRelatedEntities".into(), json!([named]));
    }
    Value::Object(fields)
}
