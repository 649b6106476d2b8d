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

/// How coverage stands, in the words of [`Badge`].
pub fn standing(badge: Badge) -> Markup {
    stands(badge, badge.label())
}

/// The same, with how many stand so.
pub fn counted(badge: Badge, number: usize) -> Markup {
    stands(badge, &format!("{} {number}", badge.label()))
}

fn stands(standing: Badge, word: &str) -> Markup {
    let (tone, shape) = match standing {
        Badge::Active => (Tone::Good, shape::CHECK),
        Badge::ActiveLook => (Tone::Look, shape::CHECK_LOOK),
        Badge::NotActive => (Tone::Bad, shape::CROSS),
        Badge::NotFound => (Tone::Bad, shape::NOBODY),
        Badge::CannotAsk => (Tone::Look, shape::BARRED),
        Badge::Waiting => (Tone::Calm, shape::DOTS),
        Badge::CarrierDown => (Tone::Look, shape::BOLT),
        Badge::VerifiedByPhone => (Tone::Good, shape::PHONE),
        Badge::NotChecked => (Tone::Calm, shape::RING),
    };
    badge(tone, shape, word)
}
