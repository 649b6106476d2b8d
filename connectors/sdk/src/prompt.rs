//! What a carrier asks of a person: a code sent by phone, a picture to read, terms to accept, a new password.
//!
//! A connector raises a [`Prompt`] with [`crate::Context::ask_person`] and waits; the host shows it to people with the right
//! role, and the first answer wins. The connector never sees the answer: it puts [`crate::Secret::Answer`] where it belongs.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Phi, Result};

/// Longest words shown to a person, characters.
pub const WORDS_MAX: usize = 4_000;
/// Longest link shown to a person, bytes.
const LINK_MAX: usize = 500;
/// Largest picture shown to a person, bytes.
pub const PICTURE_MAX: usize = 256 * 1024;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromptKind {
    /// A one-time code that only a person can know or fetch.
    SecondFactorCode,
    /// A check that a person is there.
    Captcha,
    /// Terms of use to accept. They bind the practice.
    Terms,
    /// The password must be changed; the answer is the new one.
    PasswordChange,
    /// Anything else that only a person may answer: a security question, a survey.
    Other,
}

impl PromptKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::SecondFactorCode, Self::Captcha, Self::Terms, Self::PasswordChange, Self::Other];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::SecondFactorCode => "second_factor_code",
            Self::Captcha => "captcha",
            Self::Terms => "terms",
            Self::PasswordChange => "password_change",
            Self::Other => "other",
        }
    }

    /// Reads the word back.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether the answer is a text; `false`: a plain yes.
    pub fn takes_text(self) -> bool {
        self != Self::Terms
    }
}

/// Something a person must answer before the connector can go on.
#[derive(Clone)]
pub struct Prompt {
    /// What is asked.
    pub kind: PromptKind,
    /// What the carrier's page says, for the person; at most [`WORDS_MAX`] characters, without control characters.
    pub words: Phi<String>,
    /// A picture to be read.
    pub picture: Option<Picture>,
    /// Where the carrier shows it: an address without a query.
    pub link: Option<String>,
    /// Whether the carrier has just refused an answer to the same question.
    pub again: bool,
    /// How long the carrier's page is good for; the host's own countdown otherwise.
    pub within: Option<Duration>,
}

impl fmt::Debug for Prompt {
    /// Without words and picture: they are the carrier's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompt").field("kind", &self.kind).field("again", &self.again).finish_non_exhaustive()
    }
}

impl Prompt {
    /// A prompt of this kind with the page's words.
    pub fn new(kind: PromptKind, words: &str) -> Self {
        let plain = words.chars().filter(|letter| !letter.is_control() || *letter == '\n').take(WORDS_MAX);
        let words = Phi::new(plain.collect());
        Self { kind, words, picture: None, link: None, again: false, within: None }
    }

    /// Adds the address of the page, without its query.
    #[must_use]
    pub fn link(mut self, address: &str) -> Self {
        let plain = address.split(['?', '#']).next().unwrap_or_default();
        self.link = (plain.len() <= LINK_MAX).then(|| plain.to_owned());
        self
    }

    /// Adds a picture.
    #[must_use]
    pub fn picture(mut self, picture: Picture) -> Self {
        self.picture = Some(picture);
        self
    }

    /// Says whether the carrier has just refused an answer.
    #[must_use]
    pub fn again(mut self, again: bool) -> Self {
        self.again = again;
        self
    }

    /// What a question ends with where nobody can be asked.
    pub fn unasked(&self) -> Error {
        Error::new(
            ErrorKind::NeedsPerson,
            match self.kind {
                PromptKind::SecondFactorCode => {
                    "The carrier asks for a code that only a person knows, and nobody can be asked here."
                }
                PromptKind::Captcha => {
                    "The carrier wants to see that a person is there (captcha), and nobody can be asked here."
                }
                PromptKind::Terms => {
                    "The carrier asks to accept terms of use. A person must read and answer them at the carrier's own page."
                }
                PromptKind::PasswordChange => {
                    "The carrier wants a new password. Change it at the carrier's own page, then store the new one here."
                }
                PromptKind::Other => "The carrier shows a page that only a person may answer.",
            },
        )
    }
}

/// A picture that a person must read.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    media: &'static str,
    bytes: Bytes,
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Picture")
    }
}

impl Picture {
    /// Takes PNG, JPEG or GIF, told by the first bytes and not by what the carrier calls it: nothing that could hold a
    /// script is handed to a browser.
    ///
    /// # Errors
    /// [`ErrorKind::ProtocolBroken`] for anything else, and for more than [`PICTURE_MAX`] bytes.
    pub fn new(bytes: Bytes) -> Result<Self> {
        let known: [(&[u8], &'static str); 3] =
            [(b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif")];
        let media = known.into_iter().find(|(begin, _)| bytes.starts_with(begin)).map(|(_, media)| media);
        match media {
            Some(media) if bytes.len() <= PICTURE_MAX => Ok(Self { media, bytes }),
            _ => Err(Error::new(
                ErrorKind::ProtocolBroken,
                "The carrier's picture is no PNG, JPEG or GIF, or is larger than any picture of letters.",
            )
            .fact("bytes", bytes.len())),
        }
    }

    /// `image/png`, `image/jpeg` or `image/gif`.
    pub fn media(&self) -> &'static str {
        self.media
    }

    /// The picture.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_bounded_and_plain_and_debug_shows_none() {
        let prompt = Prompt::new(PromptKind::Captcha, &format!("type\u{7} this\u{1b}[2J {}", "x".repeat(9_000)));
        assert_eq!(prompt.words.text().chars().count(), WORDS_MAX);
        assert!(prompt.words.text().starts_with("type this[2J x"));
        assert!(!format!("{prompt:?}").contains("type"));
        assert_eq!(prompt.link("https://p.example/c?session=1#x").link.as_deref(), Some("https://p.example/c"));
    }

    #[test]
    fn only_pictures_are_pictures() {
        let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 10]].concat();
        assert_eq!(Picture::new(png.into()).unwrap().media(), "image/png");
        let large = [b"GIF89a".as_slice(), &[0; PICTURE_MAX]].concat();
        for bad in [Bytes::from_static(b"<svg onload=alert(1)>"), Bytes::new(), large.into()] {
            assert_eq!(Picture::new(bad).unwrap_err().kind, ErrorKind::ProtocolBroken);
        }
    }

    #[test]
    fn words_of_kinds_are_what_serde_writes() {
        for kind in PromptKind::ALL {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.word()));
            assert_eq!(PromptKind::from_word(kind.word()), Some(kind));
        }
    }
}
