//! Texts that are hardly ever given.

use serde::{Serialize, Serializer};

use super::{Text, Value};
use crate::delimiters::Delimiters;
use crate::read::Raw;
use crate::write::{ElementWriter, WriteReason};

/// A [`Text`] that is hardly ever given: it takes one word where it is not. It reads like a `str`.
#[derive(Clone, Default, PartialEq)]
pub struct Rare<'a>(Option<Box<Text<'a>>>);

impl std::ops::Deref for Rare<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_ref().map_or("", |text| text)
    }
}

impl<'a> From<Text<'a>> for Rare<'a> {
    fn from(text: Text<'a>) -> Self {
        Self(Some(text).filter(|text| !text.is_empty()).map(Box::new))
    }
}

impl<'a> From<&'a str> for Rare<'a> {
    fn from(text: &'a str) -> Self {
        Text::Borrowed(text).into()
    }
}

impl From<String> for Rare<'_> {
    fn from(text: String) -> Self {
        Text::Owned(text).into()
    }
}

impl PartialEq<str> for Rare<'_> {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Rare<'_> {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl Serialize for Rare<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'a> Value<'a> for Rare<'a> {
    type Static = Rare<'static>;

    #[inline]
    fn read(raw: Raw<'a>, _: Delimiters) -> Self {
        if raw.is_empty() { Self(None) } else { raw.text().into() }
    }

    fn given(&self) -> bool {
        self.0.is_some()
    }

    fn write(&self, out: &mut ElementWriter<'_>) -> Result<(), WriteReason> {
        out.value(self)
    }

    fn into_static(self) -> Self::Static {
        Rare(self.0.map(|text| Box::new(text.into_static())))
    }

    fn pin(&mut self, code: &'static str) {
        *self = code.into();
    }

    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice) -> Self {
        dice.word().into()
    }
}
