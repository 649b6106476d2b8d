//! Portal sessions: cookies, one-use view states, idle and absolute time-outs on the virtual clock.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use crate::control::lock;
use crate::random::token;

/// Unused this long, a session ends, virtual seconds.
const IDLE_SECS: i64 = 15 * 60;
/// However used, it ends after this long, virtual seconds.
const ABSOLUTE_SECS: i64 = 8 * 3600;
/// Sessions kept; the oldest goes first.
const SESSIONS_MAX: usize = 500;
/// Pages of one session whose view state is still good.
const PAGES_MAX: usize = 32;
/// Result rows of one session that can still be opened.
const ROWS_MAX: usize = 200;

/// How far the sign-in has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Sign-in page seen.
    Visitor,
    /// Password accepted, one-time code wanted.
    WantsCode,
    /// Password accepted; letters of a picture wanted.
    WantsLetters,
    /// Password accepted; a yes to new terms wanted.
    WantsYes,
    /// Password accepted, for the last time; a new one wanted.
    WantsPassword,
    /// In.
    SignedIn,
}

/// The hidden fields of one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hidden {
    pub(super) view_state: String,
    pub(super) event_validation: String,
    pub(super) csrf: String,
}

struct Session {
    /// Empty for a visitor.
    user: &'static str,
    stage: Stage,
    begun: i64,
    used: i64,
    epoch: u64,
    pages: VecDeque<Hidden>,
    rows: VecDeque<(String, &'static str)>,
}

/// All sessions.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Session>>);

/// What time it is, and how often the sandbox was reset.
#[derive(Clone, Copy)]
pub(super) struct Now {
    pub(super) secs: i64,
    pub(super) epoch: u64,
}

impl Sessions {
    /// A new session; its cookie's value.
    pub(super) fn open(&self, user: &'static str, stage: Stage, now: Now) -> String {
        let mut all = lock(&self.0);
        if all.len() >= SESSIONS_MAX {
            let oldest = all.iter().min_by_key(|(_, session)| session.used).map(|(id, _)| id.clone());
            oldest.and_then(|id| all.remove(&id));
        }
        let id = token();
        let session = Session {
            user,
            stage,
            begun: now.secs,
            used: now.secs,
            epoch: now.epoch,
            pages: VecDeque::new(),
            rows: VecDeque::new(),
        };
        all.insert(id.clone(), session);
        id
    }

    /// How far the session has come, and marks it as used; `None` where it has ended.
    pub(super) fn stage(&self, id: &str, now: Now) -> Option<Stage> {
        let mut all = lock(&self.0);
        let session = all.get_mut(id)?;
        let ended = now.secs - session.used >= IDLE_SECS
            || now.secs - session.begun >= ABSOLUTE_SECS
            || session.epoch != now.epoch;
        if ended {
            all.remove(id);
            return None;
        }
        session.used = now.secs;
        Some(session.stage)
    }

    /// Who has signed in; empty for nobody.
    pub(super) fn user(&self, id: &str) -> &'static str {
        lock(&self.0).get(id).map_or("", |session| session.user)
    }

    /// Ends it.
    pub(super) fn close(&self, id: &str) {
        lock(&self.0).remove(id);
    }

    /// Hidden fields for a new page of this session.
    pub(super) fn page(&self, id: &str) -> Hidden {
        let hidden = Hidden {
            view_state: format!("/wEPDwUK{}=", token()),
            event_validation: format!("/wEdAA{}+{}", token(), token()),
            csrf: token(),
        };
        if let Some(session) = lock(&self.0).get_mut(id) {
            session.pages.push_back(hidden.clone());
            if session.pages.len() > PAGES_MAX {
                session.pages.pop_front();
            }
        }
        hidden
    }

    /// Whether these fields came from a page of this session that has not been sent yet. Afterwards it has.
    pub(super) fn spend(&self, id: &str, sent: &Hidden) -> bool {
        let mut all = lock(&self.0);
        let Some(session) = all.get_mut(id) else { return false };
        match session.pages.iter().position(|page| page == sent) {
            Some(place) => session.pages.remove(place).is_some(),
            None => false,
        }
    }

    /// A name under which this session may open a member's page.
    pub(super) fn row(&self, id: &str, member_id: &'static str) -> String {
        let name = token();
        if let Some(session) = lock(&self.0).get_mut(id) {
            session.rows.push_back((name.clone(), member_id));
            if session.rows.len() > ROWS_MAX {
                session.rows.pop_front();
            }
        }
        name
    }

    /// The member behind such a name.
    pub(super) fn member(&self, id: &str, row: &str) -> Option<&'static str> {
        lock(&self.0).get(id)?.rows.iter().find(|(name, _)| name == row).map(|(_, member_id)| *member_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Now = Now { secs: 1_000_000, epoch: 0 };

    fn at(secs: i64) -> Now {
        Now { secs: NOON.secs + secs, epoch: 0 }
    }

    #[test]
    fn idle_absolute_and_reset_end_a_session() {
        let sessions = Sessions::default();
        let id = sessions.open("u", Stage::SignedIn, NOON);
        assert_eq!(sessions.stage(&id, at(899)), Some(Stage::SignedIn));
        assert_eq!(sessions.stage(&id, at(899 + 899)), Some(Stage::SignedIn));
        assert_eq!(sessions.stage(&id, at(899 + 899 + 900)), None);
        let id = sessions.open("u", Stage::SignedIn, NOON);
        for minute in (0..480).step_by(10) {
            assert!(sessions.stage(&id, at(minute * 60)).is_some());
        }
        assert_eq!(sessions.stage(&id, at(8 * 3600)), None);
        let id = sessions.open("u", Stage::SignedIn, NOON);
        assert_eq!(sessions.stage(&id, Now { epoch: 1, ..NOON }), None);
    }

    #[test]
    fn a_view_state_is_good_once_and_in_its_own_session() {
        let sessions = Sessions::default();
        let (mine, other) = (sessions.open("u", Stage::SignedIn, NOON), sessions.open("u", Stage::SignedIn, NOON));
        let page = sessions.page(&mine);
        assert!(!sessions.spend(&other, &page));
        assert!(!sessions.spend(&mine, &Hidden { csrf: "x".into(), ..page.clone() }));
        assert!(sessions.spend(&mine, &page));
        assert!(!sessions.spend(&mine, &page));
    }
}
