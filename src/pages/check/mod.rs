//! Check coverage: one question to one carrier, and what came of it.
//!
//! In the order in which a question meets it: [`carriers`] (the carrier that is meant), [`form`] (fields to a question and
//! back), [`show`] (the form), [`ask`] (puts it), [`typed`] (what was typed is kept beside the question, and which tries
//! belong together), [`outcome`] (what came of it), [`refused`], [`suspects`] and [`messages`] (the carrier said no: where
//! to look), [`raw`] (what was exchanged, for experts). An answer is shown by [`super::benefits`].

mod ask;
mod carriers;
mod form;
mod messages;
mod outcome;
mod raw;
mod refused;
mod show;
mod suspects;
pub mod typed;

use axum::Router;
use axum::routing::get;
use jiff::civil::Date;

use super::benefits::{mismatches, paper};
use super::fields::Fields;
use super::parts::field::date_of;
use crate::api::App;
pub use form::{is_dependent, types};
pub use outcome::{Try, ask_again, history};

/// What a place in a question is called on the form.
pub fn label_of(path: &str, dependent: bool) -> &'static str {
    show::label(&form::name_of(path, dependent))
}

/// What was typed for a place in a question; a day as `YYYY-MM-DD`.
pub fn typed_value(fields: &Fields, path: &str, today: Date) -> Option<String> {
    let name = form::name_of(path, is_dependent(fields));
    if name.ends_with("date_of_birth") {
        return date_of(fields, &name, today).ok().flatten().map(|date| date.to_string());
    }
    fields.some(&name).map(str::to_owned)
}

/// The pages of this room.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/check", get(show::start).post(ask::ask))
        .route("/check/carrier", get(ask::start).post(ask::carrier))
        .route("/check/carriers", get(carriers::part))
        .route("/checks/{id}", get(outcome::show))
        .route("/checks/{id}/again", get(ask::back).post(ask::again))
        .route("/checks/{id}/refresh", get(ask::back).post(ask::refresh))
        .route("/checks/{id}/raw", get(raw::show))
        .route("/checks/{id}/raw/{file}", get(raw::file))
        .route("/checks/{id}/pdf", get(paper::page))
        .route("/checks/{id}/use", get(ask::back).post(mismatches::take))
        .route("/v1/eligibility/{id}/pdf", get(paper::of_api))
}
