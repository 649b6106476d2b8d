//! Puts the question: what was typed is kept, the answer is stored, then the browser is sent on to it.

use std::time::Duration;

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::Date;

use super::{carriers, form, show, typed};
use crate::api::eligibility;
use crate::identity::Scope;
use crate::pages::fault::Fault;
use crate::pages::fields::{Fields, Sent};
use crate::pages::parts::field::{date_fields, date_of};
use crate::pages::parts::problems::Problems;
use crate::pages::visit::Visit;

/// So long the browser waits before it is sent on to a page that says who is asked.
const WAIT: Duration = Duration::from_millis(2_500);

/// `GET /check/carrier`: an address that is only sent to, asked for after a sign-in.
pub async fn start() -> Redirect {
    Redirect::to("/check")
}

/// `GET /checks/{id}/again` and `…/refresh`: the same.
pub async fn back(Path(id): Path<String>) -> Redirect {
    let plain = id.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    Redirect::to(&if plain { format!("/checks/{id}") } else { "/check".to_owned() })
}

/// `POST /check/carrier`: another carrier, or the list for what was typed; everything else stays as it was typed.
pub async fn carrier(Sent { visit, mut fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Ask)?;
    // The form holds the carrier that was chosen before; the button that was pressed comes after it.
    let pressed = fields.all("carrier").last().unwrap_or_default().to_owned();
    let pressed =
        if pressed.is_empty() { carriers::exactly(&visit, fields.get(carriers::SEARCHED)) } else { Some(pressed) };
    fields.put("carrier", pressed.unwrap_or_default());
    let mut response = show::page(&visit, &fields, &Problems::none()).await?;
    *response.status_mut() = http::StatusCode::OK;
    Ok(response)
}

/// `POST /check`
pub async fn ask(Sent { visit, mut fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Ask)?;
    if fields.get("carrier").is_empty()
        && let Some(carrier) = carriers::exactly(&visit, fields.get(carriers::SEARCHED))
    {
        fields.put("carrier", carrier);
    }
    if carriers::plane(&visit, fields.get("carrier")).is_none() {
        let problems = Problems::none().and(carriers::SEARCHED, "Choose the carrier from the list under this box.");
        return show::page(&visit, &fields, &problems).await;
    }
    spelled(&mut fields);
    let before = typed::tries(&visit, fields.get("before")).await?;
    put(&visit, &fields, &before, fields.ticked("live")).await
}

/// `POST /checks/{id}/again`: the same question with what was mended; one press is one question.
pub async fn again(Path(id): Path<String>, Sent { visit, mut fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Ask)?;
    let before = typed::tries(&visit, &id).await?;
    if before.is_empty() {
        return Err(Fault::not_found());
    }
    spelled(&mut fields);
    swapped(&visit, &mut fields);
    if fields.get("as") == "subscriber" {
        fields.put("relationship", "self");
    }
    let search = fields.get("search").to_owned();
    let mut only = Fields::default();
    if !search.is_empty() {
        // Only what this way of searching goes by is sent; the rest stays on the form.
        for name in form::NAMES {
            let own = name.trim_start_matches("member.").trim_start_matches("patient.");
            let field = own.split('.').next().unwrap_or(own);
            let personal = name.starts_with("member.") || name.starts_with("patient.");
            if !personal || search.split(',').any(|wanted| wanted == field) {
                for value in fields.all(name) {
                    only.add(name, value);
                }
            }
        }
    }
    fields.put("before", id);
    if search.is_empty() {
        return put(&visit, &fields, &before, true).await;
    }
    let request = match form::question(&visit, &only) {
        Ok(request) => request,
        Err(problems) => return show::page(&visit, &fields, &problems).await,
    };
    sent(&visit, &fields, request, &before, true).await
}

/// `POST /checks/{id}/refresh`: the very same question, live.
pub async fn refresh(Path(id): Path<String>, Sent { visit, .. }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Ask)?;
    let known = visit.app.trail.get(visit.caller.practice(), &id).await?.ok_or_else(Fault::not_found)?;
    let Some(mut typed) = typed::of(&visit.app, visit.caller.practice(), &id, &known.carrier).await? else {
        let mut fields = Fields::of([("carrier", known.carrier)]);
        show::begin(&visit, &mut fields);
        let problems = Problems::said("What was asked then is not known any more. Fill it in once more.");
        return show::page(&visit, &fields, &problems).await;
    };
    typed.fields.put("before", id.clone());
    typed.before.push(id);
    put(&visit, &typed.fields, &typed.before, true).await
}

async fn put(visit: &Visit, fields: &Fields, before: &[String], live: bool) -> Result<Response, Fault> {
    match form::question(visit, fields) {
        Ok(request) => sent(visit, fields, request, before, live).await,
        Err(problems) => show::page(visit, fields, &problems).await,
    }
}

async fn sent(
    visit: &Visit,
    fields: &Fields,
    mut request: connector_sdk::EligibilityRequest,
    before: &[String],
    live: bool,
) -> Result<Response, Fault> {
    request.max_age_secs = live.then_some(0);
    let asked = match form::begin(visit, fields, &request).await {
        Ok(asked) => asked,
        Err(problems) => return show::page(visit, fields, &problems).await,
    };
    let id = asked.id.to_string();
    typed::keep(visit, &id, &request.carrier, fields, before).await?;
    eligibility::finish(&visit.app, &visit.api(), asked, Some(WAIT)).await?;
    Ok(Redirect::to(&format!("/checks/{id}")).into_response())
}

/// A spelling that was offered, and pressed.
fn spelled(fields: &mut Fields) {
    for name in ["member.member_id", "member.group_number", "patient.last_name", "patient.first_name"] {
        if let Some(better) = fields.some(&format!("use.{name}")).map(str::to_owned) {
            fields.put(name, better);
        }
    }
}

/// Day and month the other way round, where that was pressed.
fn swapped(visit: &Visit, fields: &mut Fields) {
    let name = match fields.get("swap") {
        name @ ("patient.date_of_birth" | "subscriber.date_of_birth") => name.to_owned(),
        _ => return,
    };
    let typed = date_of(fields, &name, visit.app.gateway.today());
    if let Ok(Some(date)) = typed
        && let Some(other) = other_way_round(date)
    {
        for (field, text) in date_fields(&name, other) {
            fields.put(&field, text);
        }
    }
}

/// The date with day and month swapped, where that is another date.
pub fn other_way_round(date: Date) -> Option<Date> {
    Date::new(date.year(), date.day(), date.month()).ok().filter(|other| *other != date)
}
