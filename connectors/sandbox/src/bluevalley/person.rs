//! What the portal asks of a person between the password and its pages: by user, so that each can be met alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use ring::rand::{SecureRandom, SystemRandom};

use super::session::Stage;
use super::{Portal, cookie, html, pages, redirect, unexpected};
use crate::control::lock;
use crate::credentials::{BLUE_LETTERS, BLUE_PASSWORD, BLUE_PEOPLE};
use crate::form;

/// Fewest characters of a new password.
const PASSWORD_MIN: usize = 12;

/// A picture with nothing on it: one grey dot (PNG). Whoever knows the sandbox knows the letters.
const PICTURE: [u8; 67] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00, 0x0a, 0x49,
    0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x68, 0x00, 0x00, 0x00, 0x82, 0x00, 0x81, 0x77, 0xcd, 0x72, 0xb6, 0x00, 0x00,
    0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

/// What changes for a user of [`BLUE_PEOPLE`]. Void after a reset.
#[derive(Default)]
pub(super) struct Known {
    /// By user, with the epoch in which it was set.
    passwords: Mutex<HashMap<&'static str, (u64, String)>>,
    codes: Mutex<HashMap<&'static str, (u64, String)>>,
}

impl Portal {
    /// The user of this name.
    pub(super) fn user(name: &str) -> Option<&'static str> {
        let all = [crate::credentials::BLUE_USER].into_iter().chain(BLUE_PEOPLE);
        all.into_iter().find(|user| *user == name)
    }

    pub(super) fn password_is(&self, user: &'static str, given: &str) -> bool {
        let changed = lock(&self.known.passwords).get(user).filter(|(epoch, _)| *epoch == self.desk.epoch()).cloned();
        changed.map_or(given == BLUE_PASSWORD, |(_, password)| given == password)
    }

    fn password_changed(&self, user: &'static str) -> bool {
        lock(&self.known.passwords).get(user).is_some_and(|(epoch, _)| *epoch == self.desk.epoch())
    }

    /// Where the sign-in leads once the password is accepted.
    pub(super) fn after_password(&self, user: &'static str) -> (Stage, &'static str) {
        match user {
            "bluevalley.mail" => {
                let code = six_digits();
                self.desk.mail(&code);
                lock(&self.known.codes).insert(user, (self.desk.epoch(), code));
                (Stage::WantsCode, "/otp")
            }
            "bluevalley.captcha" => (Stage::WantsLetters, "/check"),
            "bluevalley.terms" => (Stage::WantsYes, "/accept-terms"),
            "bluevalley.expired" if !self.password_changed(user) => (Stage::WantsPassword, "/new-password"),
            "bluevalley.expired" => (Stage::SignedIn, "/home"),
            _ => (Stage::WantsCode, "/otp"),
        }
    }

    /// Whether this is the code that was mailed last. It is good for as many tries as the account survives.
    pub(super) fn mailed_is(&self, user: &'static str, given: &str) -> bool {
        lock(&self.known.codes).get(user).is_some_and(|(epoch, code)| *epoch == self.desk.epoch() && code == given)
    }

    /// The page of this stage, for a session that stands there.
    fn asks(&self, headers: &HeaderMap, stage: Stage) -> Response {
        let id = cookie(headers);
        if self.sessions.stage(&id, self.now()) != Some(stage) {
            return self.sign_in_page(None);
        }
        html(pages::asked(stage, &self.sessions.page(&id), None))
    }

    /// The answer to such a page: `verdict` says what is wrong with it.
    fn takes(
        &self,
        headers: &HeaderMap,
        body: &str,
        stage: Stage,
        verdict: impl FnOnce(&'static str) -> Option<&'static str>,
    ) -> Response {
        let id = cookie(headers);
        if self.sessions.stage(&id, self.now()) != Some(stage) {
            return self.sign_in_page(None);
        }
        if !self.fresh(&id, body) {
            return unexpected();
        }
        let user = self.sessions.user(&id);
        match verdict(user) {
            Some(words) => html(pages::asked(stage, &self.sessions.page(&id), Some(words))),
            None => {
                self.sessions.close(&id);
                redirect("/home", Some(&self.sessions.open(user, Stage::SignedIn, self.now())))
            }
        }
    }
}

fn six_digits() -> String {
    let mut bytes = [0_u8; 4];
    let _ = SystemRandom::new().fill(&mut bytes);
    format!("{:06}", u32::from_be_bytes(bytes) % 1_000_000)
}

pub(super) async fn show_check(State(portal): State<Arc<Portal>>, headers: HeaderMap) -> Response {
    portal.asks(&headers, Stage::WantsLetters)
}

pub(super) async fn picture() -> Response {
    ([(header::CONTENT_TYPE, "image/png")], PICTURE.to_vec()).into_response()
}

pub(super) async fn send_check(State(portal): State<Arc<Portal>>, headers: HeaderMap, body: String) -> Response {
    portal.takes(&headers, &body, Stage::WantsLetters, |_| {
        (form::value(&body, "letters") != BLUE_LETTERS).then_some("These are not the letters.")
    })
}

pub(super) async fn show_terms(State(portal): State<Arc<Portal>>, headers: HeaderMap) -> Response {
    portal.asks(&headers, Stage::WantsYes)
}

pub(super) async fn send_terms(State(portal): State<Arc<Portal>>, headers: HeaderMap, body: String) -> Response {
    portal.takes(&headers, &body, Stage::WantsYes, |_| {
        (form::value(&body, "accept") != "yes").then_some("Accept the terms to go on.")
    })
}

pub(super) async fn show_password(State(portal): State<Arc<Portal>>, headers: HeaderMap) -> Response {
    portal.asks(&headers, Stage::WantsPassword)
}

pub(super) async fn send_password(State(portal): State<Arc<Portal>>, headers: HeaderMap, body: String) -> Response {
    portal.takes(&headers, &body, Stage::WantsPassword, |user| {
        let (old, new) = (form::value(&body, "old"), form::value(&body, "new1"));
        if !portal.password_is(user, &old) {
            return Some("The current password is not right.");
        }
        if new != form::value(&body, "new2") || new == old || new.chars().count() < PASSWORD_MIN {
            return Some("The new password needs 12 characters and must differ from the current one.");
        }
        lock(&portal.known.passwords).insert(user, (portal.desk.epoch(), new));
        None
    })
}
