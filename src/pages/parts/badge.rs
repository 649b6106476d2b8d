//! How somebody's coverage stands, as a shape, a word and a colour; no one of them alone.

use maud::{Markup, html};

use crate::pages::frame::icon;
use crate::patients::Badge;

/// How it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Good,
    /// Something to read.
    Look,
    /// Something to do.
    Bad,
    /// Neither.
    Calm,
}

impl Tone {
    /// The class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Look => "look",
            Self::Bad => "bad",
            Self::Calm => "calm",
        }
    }
}

/// The shapes that badges are told apart by, each a path in a square of 24.
pub mod shape {
    /// A hook.
    pub const CHECK: &str = "M5 13l4.5 4.5L19 7";
    /// A hook and a mark beside it.
    pub const CHECK_LOOK: &str = "M3 13l4 4 8-9M20 6v7M20 17v.5";
    /// A cross.
    pub const CROSS: &str = "M6 6l12 12M18 6L6 18";
    /// A circle struck through.
    pub const NOBODY: &str = "M12 4a8 8 0 100 16 8 8 0 000-16zM6.5 17.5l11-11";
    /// A no-entry sign.
    pub const BARRED: &str = "M12 4a8 8 0 100 16 8 8 0 000-16zM8 12h8";
    /// Three dots.
    pub const DOTS: &str = "M5 12h.01M12 12h.01M19 12h.01";
    /// A bolt.
    pub const BOLT: &str = "M13 3L6 13h5l-1 8 8-11h-5z";
    /// A telephone.
    pub const PHONE: &str =
        "M6 3l4 5-2 2c1 2.5 3 4.5 5.5 5.5l2-2 5 4c-1 3-4 4-7 3C8 18.500 4 14 3 9c-.5-2.500 1-5 3-6z";
    /// An empty circle.
    pub const RING: &str = "M12 5a7 7 0 100 14 7 7 0 000-14z";
    /// A clock.
    pub const CLOCK: &str = "M12 4a8 8 0 100 16 8 8 0 000-16zM12 8v4l3 2";
    /// A padlock.
    pub const LOCK: &str = "M6 11h12v9H6zM9 11V8a3 3 0 016 0v3";
    /// A flag.
    pub const FLAG: &str = "M5 3v18M5 4h13l-3 4 3 4H5";
}

/// A badge.
pub fn badge(tone: Tone, shape: &str, word: &str) -> Markup {
    html! { span class={ "badge " (tone.class()) } { (icon(shape)) span { (word) } } }
}

/// How coverage stands: the closed set of words, the same on every page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Covered on the day asked about.
    Active,
    /// Covered, and something to read.
    ActiveLook,
    /// Found, not covered on that day.
    NotActive,
    /// The carrier could not match this person.
    NotFound,
    /// We may not, or cannot, ask this carrier.
    CannotAsk,
    /// The answer is awaited.
    Waiting,
    /// The carrier gives no answer now.
    CarrierDown,
    /// A person asked by telephone or on a website.
    ByPhone,
    /// Nobody has asked.
    NotChecked,
}

impl Standing {
    /// All of them.
    pub const ALL: [Standing; 9] = [
        Self::Active,
        Self::ActiveLook,
        Self::NotActive,
        Self::NotFound,
        Self::CannotAsk,
        Self::Waiting,
        Self::CarrierDown,
        Self::ByPhone,
        Self::NotChecked,
    ];

    /// As a badge.
    pub fn badge(self) -> Markup {
        let (tone, shape, word) = self.looks();
        badge(tone, shape, word)
    }

    /// As a badge, with how many stand so.
    pub fn counted(self, number: usize) -> Markup {
        let (tone, shape, word) = self.looks();
        badge(tone, shape, &format!("{word} {number}"))
    }

    fn looks(self) -> (Tone, &'static str, &'static str) {
        match self {
            Self::Active => (Tone::Good, shape::CHECK, "Active"),
            Self::ActiveLook => (Tone::Look, shape::CHECK_LOOK, "Active – look"),
            Self::NotActive => (Tone::Bad, shape::CROSS, "Not active"),
            Self::NotFound => (Tone::Bad, shape::NOBODY, "Not found"),
            Self::CannotAsk => (Tone::Look, shape::BARRED, "Can’t ask"),
            Self::Waiting => (Tone::Calm, shape::DOTS, "Waiting"),
            Self::CarrierDown => (Tone::Look, shape::BOLT, "Carrier down"),
            Self::ByPhone => (Tone::Good, shape::PHONE, "Verified by phone"),
            Self::NotChecked => (Tone::Calm, shape::RING, "Not checked"),
        }
    }
}

impl From<Badge> for Standing {
    fn from(badge: Badge) -> Self {
        match badge {
            Badge::Active => Self::Active,
            Badge::ActiveLook => Self::ActiveLook,
            Badge::NotActive => Self::NotActive,
            Badge::NotFound => Self::NotFound,
            Badge::CannotAsk => Self::CannotAsk,
            Badge::Waiting => Self::Waiting,
            Badge::CarrierDown => Self::CarrierDown,
            Badge::VerifiedByPhone => Self::ByPhone,
            Badge::NotChecked => Self::NotChecked,
        }
    }
}
