//! Where one appointment's coverage stands: the last word of the carrier, whether it is fresh enough for the visit, what
//! is under way, and what somebody should do. A rule over plain values; no clock and no store of its own.

use connector_sdk::ErrorKind;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::batches::{ItemState, Waiting};
use crate::patients::{Badge, Standing, of_reason};

/// What was asked for the visit's own day is fresh for so long.
const FRESH_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What to do next, as a fixed word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// Nothing.
    Nothing,
    /// Ask the carrier.
    Verify,
    /// Wait: it is asked again by itself.
    Wait,
    /// Compare the date of birth with the card or licence.
    FixDateOfBirth,
    /// Compare the member id with the card.
    FixMemberId,
    /// Compare the name with the card.
    FixName,
    /// Compare all details with the card.
    FixDetails,
    /// Ask the patient for the new card.
    AskForCard,
    /// Read what the carrier says beside "active".
    ReadAlerts,
    /// Start a prior authorization.
    StartAuthorization,
    /// Say which carrier it is: nobody here knows the name.
    ChooseCarrier,
    /// Say which provider asks: there is no NPI.
    AddNpi,
    /// The practice's login at this carrier needs its administrator.
    MendLogin,
    /// Somebody must phone, or look at the carrier's own page.
    Phone,
}

impl Next {
    /// The name on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Verify => "verify",
            Self::Wait => "wait",
            Self::FixDateOfBirth => "fix_date_of_birth",
            Self::FixMemberId => "fix_member_id",
            Self::FixName => "fix_name",
            Self::FixDetails => "fix_details",
            Self::AskForCard => "ask_for_card",
            Self::ReadAlerts => "read_alerts",
            Self::StartAuthorization => "start_authorization",
            Self::ChooseCarrier => "choose_carrier",
            Self::AddNpi => "add_npi",
            Self::MendLogin => "mend_login",
            Self::Phone => "phone",
        }
    }
}

/// What is known of the carrier and the setting of one appointment.
pub(super) struct Scene<'a> {
    /// What the carrier last said; `None` where no carrier is known.
    pub standing: Option<Standing>,
    /// What became of it in the batch that asked last.
    pub item: Option<&'a ItemState>,
    /// Whether that batch still runs or is paused.
    pub batch_open: bool,
    /// For whom that batch waits.
    pub waits: &'a [Waiting],
    /// The visit's day.
    pub date: Date,
    pub today: Date,
    pub now: Timestamp,
    pub zone: &'a TimeZone,
}

/// Where it stands.
#[derive(Debug, PartialEq)]
pub(super) struct Status {
    pub badge: Badge,
    pub standing: Option<Standing>,
    /// The word is good for the visit: it need not be asked again.
    pub fresh: bool,
    /// It is being asked, or waits to be.
    pub under_way: bool,
    /// Until when it waits at most.
    pub until: Option<Timestamp>,
    /// Why it waits or failed: a fixed word.
    pub reason: Option<String>,
    pub next: Next,
}

impl Status {
    /// Whether somebody has to do something before the visit.
    pub(super) fn needs_you(&self) -> bool {
        match self.badge {
            Badge::NotFound | Badge::NotActive | Badge::CannotAsk | Badge::ActiveLook => true,
            Badge::CarrierDown => !self.under_way,
            Badge::Waiting | Badge::NotChecked | Badge::VerifiedByPhone | Badge::Active => false,
        }
    }
}

/// Where an appointment stands.
pub(super) fn of(scene: Scene<'_>) -> Status {
    let Some(standing) = scene.standing else {
        return Status {
            badge: Badge::CannotAsk,
            standing: None,
            fresh: false,
            under_way: false,
            until: None,
            reason: Some("carrier_not_known".to_owned()),
            next: Next::ChooseCarrier,
        };
    };
    let open = scene.item.filter(|item| scene.batch_open && matches!(item.state.as_str(), "waiting" | "asking"));
    let own = scene.item.and_then(|item| item.question.as_deref());
    let fresh = is_fresh(&standing, own, scene.date, scene.today, scene.now, scene.zone);
    if let Some(item) = open {
        let wait = scene.waits.iter().find(|wait| wait.carrier == standing.carrier);
        // What waits for its first turn is no trouble; what was tried, or stands before a closed door, says so.
        let reason =
            item.reason.clone().or_else(|| wait.map(|wait| wait.reason.clone())).filter(|_| item.state == "waiting");
        let reason = reason.filter(|reason| reason != "carrier_allowance");
        let badge = reason.as_deref().map_or(Badge::Waiting, of_reason);
        let next = if badge == Badge::CannotAsk { of_cannot(reason.as_deref(), &standing) } else { Next::Wait };
        let until = wait.and_then(|wait| wait.until);
        return Status { badge, standing: Some(standing), fresh, under_way: true, until, reason, next };
    }
    let failed = scene.item.filter(|item| item.state == "failed").and_then(|item| item.reason.clone());
    let (badge, reason) = match failed {
        // A stale word does not outweigh that it could not be asked anew; a fresh one does.
        Some(reason)
            if !fresh && standing.as_of.is_none_or(|as_of| as_of < scene.item.map_or(as_of, |item| item.at)) =>
        {
            (of_reason(&reason), Some(reason))
        }
        _ => match &standing.tried {
            Some(tried) if !fresh && standing.as_of.is_none_or(|as_of| tried.at > as_of) => (tried.badge, None),
            _ => (standing.badge, None),
        },
    };
    let next = next(badge, reason.as_deref(), &standing);
    Status { badge, standing: Some(standing), fresh, under_way: false, until: None, reason, next }
}

/// Asked for this visit within a day; or said today, and the visit is in the same month: most plans begin and end with a
/// month.
fn is_fresh(standing: &Standing, own: Option<&str>, date: Date, today: Date, now: Timestamp, zone: &TimeZone) -> bool {
    let Some(as_of) = standing.as_of.filter(|_| standing.badge.is_word()) else { return false };
    let of_this_visit = own.is_some() && standing.ask.as_deref() == own;
    let said = as_of.to_zoned(zone.clone()).date();
    (of_this_visit && now.duration_since(as_of) < FRESH_FOR)
        || (said == today && (said.year(), said.month()) == (date.year(), date.month()))
}

fn next(badge: Badge, reason: Option<&str>, standing: &Standing) -> Next {
    match badge {
        Badge::NotFound => match standing.look_at.as_slice() {
            [only] if only.ends_with("date_of_birth") => Next::FixDateOfBirth,
            [only] if only.ends_with("member_id") => Next::FixMemberId,
            all if !all.is_empty() && all.iter().all(|field| field.ends_with("_name")) => Next::FixName,
            _ => Next::FixDetails,
        },
        Badge::NotActive => Next::AskForCard,
        Badge::ActiveLook if standing.alerts.iter().any(|kind| kind == "authorization_required") => {
            Next::StartAuthorization
        }
        Badge::ActiveLook => Next::ReadAlerts,
        Badge::CannotAsk => of_cannot(reason, standing),
        Badge::CarrierDown | Badge::NotChecked => Next::Verify,
        Badge::Waiting => Next::Wait,
        Badge::VerifiedByPhone | Badge::Active => Next::Nothing,
    }
}

fn of_cannot(reason: Option<&str>, standing: &Standing) -> Next {
    match reason {
        Some("credential_missing" | "credential_stopped") => Next::MendLogin,
        Some(reason) if reason == ErrorKind::CredentialRejected.name() => Next::MendLogin,
        Some(reason) if reason == ErrorKind::RequestInvalid.name() => Next::FixDetails,
        _ if !standing.look_at.is_empty() => Next::FixDetails,
        _ => Next::Phone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: Date = jiff::civil::date(2026, 11, 24);
    const TODAY: Date = jiff::civil::date(2026, 11, 23);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn said(badge: Badge, as_of: &str) -> Standing {
        Standing { badge, ask: Some("q1".to_owned()), as_of: Some(at(as_of)), ..Standing::not_checked("northstar") }
    }

    fn item(state: &str, reason: Option<&str>, question: Option<&str>) -> ItemState {
        ItemState {
            state: state.to_owned(),
            reason: reason.map(str::to_owned),
            question: question.map(str::to_owned),
            at: at("2026-11-23T12:00:00Z"),
        }
    }

    fn status(standing: Standing, item: Option<&ItemState>, waits: &[Waiting], now: &str) -> Status {
        let now = at(now);
        let zone = TimeZone::UTC;
        let today = now.to_zoned(zone.clone()).date();
        of(Scene { standing: Some(standing), item, batch_open: true, waits, date: DATE, today, now, zone: &zone })
    }

    #[test]
    fn a_word_of_today_is_fresh_and_one_of_yesterday_only_if_it_was_for_the_visit() {
        let now = "2026-11-23T20:00:00Z";
        assert!(status(said(Badge::Active, "2026-11-23T08:00:00Z"), None, &[], now).fresh);
        assert!(!status(said(Badge::Active, "2026-11-22T23:00:00Z"), None, &[], now).fresh);
        let own = item("answered", None, Some("q1"));
        assert!(status(said(Badge::Active, "2026-11-22T23:00:00Z"), Some(&own), &[], now).fresh);
        assert!(!status(said(Badge::Active, "2026-11-22T19:00:00Z"), Some(&own), &[], now).fresh);
        // Across the end of a month only what was asked for the visit counts.
        let zone = TimeZone::UTC;
        let standing = said(Badge::Active, "2026-11-23T08:00:00Z");
        let december = jiff::civil::date(2026, 12, 1);
        assert!(!is_fresh(&standing, None, december, TODAY, at(now), &zone));
        assert!(is_fresh(&standing, Some("q1"), december, TODAY, at(now), &zone));
    }

    #[test]
    fn what_is_under_way_waits_and_says_before_which_door() {
        let waiting = item("waiting", None, None);
        let now = "2026-11-23T12:30:00Z";
        let none = Standing::not_checked("northstar");
        assert_eq!(status(none.clone(), Some(&waiting), &[], now).badge, Badge::Waiting);
        let closed = Waiting {
            carrier: "northstar".to_owned(),
            items: 1,
            reason: "carrier_closed".to_owned(),
            until: Some(at("2026-11-23T18:00:00Z")),
        };
        let status = status(none, Some(&waiting), &[closed], now);
        assert_eq!((status.badge, status.next, status.needs_you()), (Badge::CarrierDown, Next::Wait, false));
        assert!(status.until.is_some());
    }

    #[test]
    fn a_failure_hides_a_stale_word_and_not_a_fresh_one() {
        let failed = item("failed", Some("carrier_timeout"), Some("q9"));
        let now = "2026-11-23T12:30:00Z";
        let stale = status(said(Badge::Active, "2026-11-20T08:00:00Z"), Some(&failed), &[], now);
        assert_eq!((stale.badge, stale.standing.as_ref().unwrap().badge), (Badge::CarrierDown, Badge::Active));
        assert!(stale.needs_you());
        let fresh = status(said(Badge::Active, "2026-11-23T12:10:00Z"), Some(&failed), &[], now);
        assert_eq!(fresh.badge, Badge::Active);
    }

    #[test]
    fn what_to_do_follows_the_word() {
        let now = "2026-11-23T12:30:00Z";
        let with = |look_at: &[&str]| {
            let mut standing = said(Badge::NotFound, "2026-11-23T12:10:00Z");
            standing.look_at = look_at.iter().map(|field| (*field).to_owned()).collect();
            status(standing, None, &[], now).next
        };
        assert_eq!(with(&["member.date_of_birth"]), Next::FixDateOfBirth);
        assert_eq!(with(&["member.last_name", "member.first_name"]), Next::FixName);
        assert_eq!(with(&["member.member_id", "member.date_of_birth"]), Next::FixDetails);
        assert_eq!(status(Standing::not_checked("northstar"), None, &[], now).next, Next::Verify);
        let stopped = item("waiting", Some("credential_rejected"), None);
        let status = status(Standing::not_checked("northstar"), Some(&stopped), &[], now);
        assert_eq!((status.badge, status.next), (Badge::CannotAsk, Next::MendLogin));
    }
}
