//! What the practice says of itself: name, NPIs, Tax ID, locations.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::page;
use crate::api::body::Body;
use crate::api::people;
use crate::identity::{PracticeProfile, Scope};
use crate::pages::account::Said;
use crate::pages::fault::Fault;
use crate::pages::fields::{Fields, Sent};
use crate::pages::frame::{self, csrf};
use crate::pages::parts::field::text;
use crate::pages::parts::problems::Problems;
use crate::pages::visit::Visit;

/// Empty lines offered under what is there.
const SPARE: usize = 2;
/// Lines read from one form; the API itself takes 500.
const LINES_MAX: usize = 500;
const NPI: [(&str, &str); 3] = [("npi", "NPI"), ("name", "Whose"), ("taxonomy", "Taxonomy code (if known)")];
const LOCATION: [(&str, &str); 6] = [
    ("name", "Name"),
    ("street", "Street"),
    ("city", "City"),
    ("state", "State"),
    ("zip", "ZIP"),
    ("phone", "Telephone"),
];

/// `GET /admin/practice`
pub async fn show(visit: Visit, Query(said): Query<Said>) -> Result<Markup, Fault> {
    visit.need(Scope::Admin)?;
    let profile = people::practice(State(visit.app.clone()), visit.api()).await?.0;
    Ok(whole(&visit, said.said.as_deref(), &fields_of(&profile), &Problems::none()))
}

fn fields_of(profile: &PracticeProfile) -> Fields {
    let mut fields = Fields::default();
    fields.put("name", profile.name.as_str());
    fields.put("tax_id", profile.tax_id.as_deref().unwrap_or_default());
    for (place, npi) in profile.npis.iter().enumerate() {
        fields.put(&format!("npis.{place}.npi"), npi.npi.as_str());
        fields.put(&format!("npis.{place}.name"), npi.name.as_str());
        fields.put(&format!("npis.{place}.taxonomy"), npi.taxonomy.as_deref().unwrap_or_default());
    }
    for (place, location) in profile.locations.iter().enumerate() {
        let phone = location.phone.clone().unwrap_or_default();
        let values = [&location.name, &location.street, &location.city, &location.state, &location.zip, &phone];
        for ((name, _), value) in LOCATION.iter().zip(values) {
            fields.put(&format!("locations.{place}.{name}"), value.as_str());
        }
    }
    fields
}

/// The lines of a list that have something in them, each as the API takes it.
fn lines(fields: &Fields, list: &str, parts: &[(&str, &str)]) -> Vec<Map<String, Value>> {
    let line = |place: usize| -> Map<String, Value> {
        let value = |name: &str| fields.some(&format!("{list}.{place}.{name}")).map(str::to_owned);
        parts.iter().filter_map(|(name, _)| Some(((*name).to_owned(), Value::from(value(name)?)))).collect()
    };
    (0..LINES_MAX).map(line).filter(|line| !line.is_empty()).collect()
}

/// The form without its empty lines, so that the API's places are the form's.
fn closed_up(fields: &Fields, lists: &[(&str, &Vec<Map<String, Value>>)]) -> Fields {
    let mut closed = Fields::default();
    closed.put("name", fields.raw("name"));
    closed.put("tax_id", fields.raw("tax_id"));
    for (list, lines) in lists {
        for (place, line) in lines.iter().enumerate() {
            for (name, value) in line {
                closed.put(&format!("{list}.{place}.{name}"), value.as_str().unwrap_or_default());
            }
        }
    }
    closed
}

fn count(fields: &Fields, list: &str, parts: &[(&str, &str)]) -> usize {
    lines(fields, list, parts).len()
}

fn whole(visit: &Visit, said: Option<&str>, fields: &Fields, problems: &Problems) -> Markup {
    let rows = |list: &str, parts: &[(&str, &str)], what: &str| {
        html! {
            @for place in 0..count(fields, list, parts) + SPARE {
                fieldset {
                    legend.hidden { (what) " " (place + 1) }
                    div.fields {
                        @for (name, label) in parts {
                            (text(&format!("{list}.{place}.{name}"), label).show(fields, problems))
                        }
                    }
                }
            }
        }
    };
    let body = html! {
        (frame::said(said))
        (problems.summary())
        h1 { "The practice" }
        form.stack method="post" action="/admin/practice" {
            (csrf(visit))
            section.card.stack {
                (text("name", "Name").show(fields, problems))
                (text("tax_id", "Tax ID").hint("Nine digits").size("short").show(fields, problems))
            }
            section.card.stack {
                h2 { "NPIs" }
                p.soft { "The organisation’s, and those of its providers. A line that is left empty goes." }
                (rows("npis", &NPI, "NPI"))
            }
            section.card.stack {
                h2 { "Locations" }
                (rows("locations", &LOCATION, "Location"))
            }
            button.button.first type="submit" { "Save" }
        }
    };
    page(visit, "/admin/practice", "Practice", &body)
}

/// `POST /admin/practice`
pub async fn put(Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Admin)?;
    let (npis, locations) = (lines(&fields, "npis", &NPI), lines(&fields, "locations", &LOCATION));
    let closed = closed_up(&fields, &[("npis", &npis), ("locations", &locations)]);
    let mut body = json!({ "name": fields.get("name"), "npis": npis, "locations": locations });
    if let Some(tax_id) = fields.some("tax_id") {
        body["tax_id"] = Value::from(tax_id);
    }
    let body = Body(body.to_string().into_bytes().into());
    match people::put_practice(State(visit.app.clone()), visit.api(), body).await {
        Ok(_) => Ok(Redirect::to("/admin/practice?said=saved").into_response()),
        Err(problem) => {
            let page = whole(&visit, None, &closed, &Problems::of(&problem, ""));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_lines_go_and_places_agree() {
        let mut fields = Fields::default();
        fields.put("npis.0.npi", " ");
        fields.put("npis.3.npi", "1234567893");
        let npis = lines(&fields, "npis", &NPI);
        assert_eq!(json!(npis), json!([{ "npi": "1234567893" }]));
        assert_eq!(closed_up(&fields, &[("npis", &npis)]).get("npis.0.npi"), "1234567893");
    }
}
