//! What stands in one element or component: a text, a typed value, repeats, or a composite of these.

use std::borrow::Cow;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use crate::delimiters::Delimiters;
use crate::read::{Raw, trim};
use crate::write::{ElementWriter, WriteReason};

/// A text as it stands, without surrounding white space; empty where it is not given. Borrowed from what was read.
pub type Text<'a> = Cow<'a, str>;

/// An amount of money or another decimal number (X12 types R, N0 and N2 as written).
pub type Money<'a> = Typed<'a, Decimal>;

/// A day, `CCYYMMDD`.
pub type Day<'a> = Typed<'a, Date>;

/// A whole number.
pub type Count<'a> = Typed<'a, u64>;

/// The value of an element, both ways. Reading never fails and loses nothing but padding.
pub trait Value<'a>: Default + PartialEq {
    /// The same with nothing borrowed.
    type Static: Value<'static>;

    /// Reads the bytes of one element or component.
    fn read(raw: Raw<'a>, delimiters: Delimiters) -> Self;

    /// Whether there is anything to write.
    fn given(&self) -> bool;

    /// Writes it.
    ///
    /// # Errors
    /// X12 cannot carry it with these separators.
    fn write(&self, out: &mut ElementWriter<'_>) -> Result<(), WriteReason>;

    /// A copy that borrows nothing.
    fn into_static(self) -> Self::Static;

    /// Makes it this code (of a composite: its first component).
    fn pin(&mut self, code: &'static str);

    /// Some value that can be written, for property tests.
    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice) -> Self;
}

impl<'a> Value<'a> for Text<'a> {
    type Static = Text<'static>;

    #[inline]
    fn read(raw: Raw<'a>, _: Delimiters) -> Self {
        raw.text()
    }

    fn given(&self) -> bool {
        !self.is_empty()
    }

    fn write(&self, out: &mut ElementWriter<'_>) -> Result<(), WriteReason> {
        out.value(self)
    }

    fn into_static(self) -> Self::Static {
        Cow::Owned(self.into_owned())
    }

    fn pin(&mut self, code: &'static str) {
        *self = Cow::Borrowed(code);
    }

    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice) -> Self {
        Cow::Owned(dice.word())
    }
}

/// Something with a fixed written form.
pub trait Written: Clone + PartialEq {
    /// Reads it; `None` where this is something else.
    fn parse(text: &[u8]) -> Option<Self>;

    /// The form it is written in.
    fn show(&self) -> String;

    /// Some value, for property tests.
    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice) -> Self;
}

/// A value of a known type, or what stood there instead of one.
#[derive(Clone, Default, PartialEq)]
pub enum Typed<'a, T> {
    /// Not given.
    #[default]
    Absent,
    /// A value.
    Is(T),
    /// Given, but not of this type: kept as it stands, and written as it stands.
    Other(Text<'a>),
}

impl<T: Clone> Typed<'_, T> {
    /// The value, where it is one.
    pub fn get(&self) -> Option<T> {
        if let Self::Is(value) = self { Some(value.clone()) } else { None }
    }

    /// Whether it is given, a value or not.
    pub fn given(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

impl<T: Written> Typed<'_, T> {
    /// As it is written; empty where it is not given.
    pub fn text(&self) -> Text<'_> {
        match self {
            Self::Absent => Text::default(),
            Self::Is(value) => value.show().into(),
            Self::Other(text) => Text::Borrowed(text),
        }
    }
}

impl<T> From<T> for Typed<'_, T> {
    fn from(value: T) -> Self {
        Self::Is(value)
    }
}

impl<T> From<Option<T>> for Typed<'_, T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Is)
    }
}

impl<T: Written> Serialize for Typed<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Is(value) => serializer.serialize_str(&value.show()),
            Self::Other(text) => serializer.serialize_str(text),
        }
    }
}

impl<'a, T: Written + 'static> Value<'a> for Typed<'a, T> {
    type Static = Typed<'static, T>;

    #[inline]
    fn read(raw: Raw<'a>, _: Delimiters) -> Self {
        match trim(raw.bytes()) {
            [] => Self::Absent,
            text => T::parse(text).map_or_else(|| Self::Other(raw.text()), Self::Is),
        }
    }

    fn given(&self) -> bool {
        *self != Self::Absent
    }

    fn write(&self, out: &mut ElementWriter<'_>) -> Result<(), WriteReason> {
        match self {
            Self::Absent => Ok(()),
            Self::Is(value) => out.value(&value.show()),
            Self::Other(text) => out.value(text),
        }
    }

    fn into_static(self) -> Self::Static {
        match self {
            Self::Absent => Typed::Absent,
            Self::Is(value) => Typed::Is(value),
            Self::Other(text) => Typed::Other(text.into_static()),
        }
    }

    fn pin(&mut self, code: &'static str) {
        *self = T::parse(code.as_bytes()).map_or(Self::Other(Cow::Borrowed(code)), Self::Is);
    }

    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice) -> Self {
        Self::Is(T::sample(dice))
    }
}

/// Digits and point of the longest decimal number that is read, zeros before it not counted: longer ones are kept as
/// they stand. The standard has at most eighteen digits.
const LONGEST_DECIMAL: usize = 19;

#[cold]
fn leading_zeros(digits: &[u8]) -> usize {
    digits.iter().take_while(|byte| **byte == b'0').count()
}

impl Written for Decimal {
    /// Digits with an optional sign and one point: no exponent, no thousands separator.
    fn parse(text: &[u8]) -> Option<Self> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let zeros = if digits.len() > LONGEST_DECIMAL { leading_zeros(digits) } else { 0 };
        let digits = digits.get(zeros..).filter(|digits| digits.len() <= LONGEST_DECIMAL)?;
        // Where an amount has its point cannot be foretold: no branch depends on it.
        let (mut mantissa, mut places, mut points, mut wrong) = (0u64, 0u32, 0u32, false);
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            let (is_digit, is_point) = (digit < 10, *byte == b'.');
            mantissa = if is_digit { mantissa * 10 + u64::from(digit) } else { mantissa };
            places += u32::from(is_digit) & points;
            points += u32::from(is_point);
            wrong |= !(is_digit | is_point);
        }
        if wrong || points > 1 || digits.len() + zeros == points as usize {
            return None;
        }
        let mantissa = i64::try_from(mantissa).ok()?;
        Decimal::try_new(if negative { -mantissa } else { mantissa }, places).ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }

    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice) -> Self {
        Decimal::new(i64::from(dice.below(1_000_000)) - 1_000, dice.below(3))
    }
}

impl Written for Date {
    fn parse(text: &[u8]) -> Option<Self> {
        let digits = <[u8; 8]>::try_from(text).ok().filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        let [a, b, c, d, e, f, g, h] = digits.map(|digit| digit - b'0');
        let year = i16::from(a) * 1000 + i16::from(b) * 100 + i16::from(c) * 10 + i16::from(d);
        Date::new(year, i8::try_from(e * 10 + f).ok()?, i8::try_from(g * 10 + h).ok()?).ok()
    }

    fn show(&self) -> String {
        self.strftime("%Y%m%d").to_string()
    }

    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice) -> Self {
        Date::constant(1950 + dice.below(80) as i16, 1 + dice.below(12) as i8, 1 + dice.below(28) as i8)
    }
}

impl Written for u64 {
    /// Digits without zeros before them: those would be lost when it is written again.
    fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > 1 && text.starts_with(b"0") {
            return None;
        }
        let digit = |byte: &u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
        text.iter().try_fold(0u64, |number, byte| number.checked_mul(10)?.checked_add(digit(byte)?))
    }

    fn show(&self) -> String {
        self.to_string()
    }

    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice) -> Self {
        u64::from(dice.below(10_000))
    }
}

/// Repeats of one element.
impl<'a, V: Value<'a>> Value<'a> for Vec<V> {
    type Static = Vec<V::Static>;

    fn read(raw: Raw<'a>, delimiters: Delimiters) -> Self {
        if raw.is_empty() {
            return Vec::new();
        }
        let mut read: Self = raw.repeats(delimiters).map(|repeat| V::read(repeat, delimiters)).collect();
        // The empty ones at the end say nothing, and are not written.
        while read.last().is_some_and(|last| !last.given()) {
            read.pop();
        }
        read
    }

    fn given(&self) -> bool {
        self.iter().any(V::given)
    }

    fn write(&self, out: &mut ElementWriter<'_>) -> Result<(), WriteReason> {
        out.repeats(self.len(), |at, out| self.get(at).map_or(Ok(()), |repeat| repeat.write(out)))
    }

    fn into_static(self) -> Self::Static {
        self.into_iter().map(V::into_static).collect()
    }

    fn pin(&mut self, code: &'static str) {
        let mut first = V::default();
        first.pin(code);
        *self = vec![first];
    }

    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice) -> Self {
        (0..dice.below(3)).map(|_| V::sample(dice)).collect()
    }
}

/// A composite that is seldom given takes little room in an `Option<Box<_>>` where it is not.
impl<'a, V: Value<'a>> Value<'a> for Option<Box<V>> {
    type Static = Option<Box<V::Static>>;

    #[inline]
    fn read(raw: Raw<'a>, delimiters: Delimiters) -> Self {
        if raw.is_empty() {
            return None;
        }
        Some(Box::new(V::read(raw, delimiters))).filter(|value| value.given())
    }

    fn given(&self) -> bool {
        self.as_ref().is_some_and(|value| value.given())
    }

    fn write(&self, out: &mut ElementWriter<'_>) -> Result<(), WriteReason> {
        self.as_ref().map_or(Ok(()), |value| value.write(out))
    }

    fn into_static(self) -> Self::Static {
        self.map(|value| Box::new(V::into_static(*value)))
    }

    fn pin(&mut self, code: &'static str) {
        self.get_or_insert_default().pin(code);
    }

    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice) -> Self {
        Some(Box::new(V::sample(dice))).filter(|value| value.given())
    }
}

/// Components after the last one that a composite has. Nearly always empty.
#[derive(Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
#[allow(clippy::box_collection, reason = "one word where it is empty, which it nearly always is")]
pub struct Rest<'a>(Option<Box<Vec<Text<'a>>>>);

impl<'a> Rest<'a> {
    /// What is left, without the empty ones at the end, which say nothing.
    #[inline]
    pub(crate) fn read(mut left: impl Iterator<Item = Raw<'a>>) -> Self {
        let Some(first) = left.next() else { return Self(None) };
        let mut rest: Vec<_> = std::iter::once(first).chain(left).map(Raw::text).collect();
        while rest.last().is_some_and(|last| last.is_empty()) {
            rest.pop();
        }
        Self(Some(Box::new(rest)).filter(|rest| !rest.is_empty()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |rest| rest.len())
    }

    /// Writes one, from 1.
    pub(crate) fn write(&self, place: usize, out: &mut ElementWriter<'_>) -> Result<(), WriteReason> {
        let component = self.0.as_ref().and_then(|rest| rest.get(place.checked_sub(1)?));
        component.map_or(Ok(()), |component| component.write(out))
    }

    pub(crate) fn into_static(self) -> Rest<'static> {
        Rest(self.0.map(|rest| Box::new(rest.into_iter().map(Value::into_static).collect())))
    }
}

/// For `skip_serializing_if`.
pub(crate) fn not_given<'a, V: Value<'a>>(value: &V) -> bool {
    !value.given()
}

/// Declares composites: structs whose fields are the components of one element, by their place in it.
///
/// ```text
/// composites! {
///     /// C003: a procedure.
///     pub struct Procedure<'a> {
///         /// Which code list.
///         system: Text<'a> = 1,
///         …
///     }
/// }
/// ```
macro_rules! composites {
    ($($(#[$doc:meta])* pub struct $name:ident<$lt:lifetime> {
        $($(#[$field_doc:meta])* $field:ident: $ty:ty = $place:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, serde::Serialize)]
        pub struct $name<$lt> {
            $($(#[$field_doc])* #[serde(skip_serializing_if = "crate::model::value::not_given")] pub $field: $ty,)*
            /// Components after the last one that it has, as they stood.
            #[serde(skip_serializing_if = "crate::model::Rest::is_empty")]
            pub rest: $crate::model::Rest<$lt>,
        }

        impl $name<'_> {
            const LAST: usize = $crate::model::value::last(&[$($place),*]);
        }

        impl<$lt> $crate::model::Value<$lt> for $name<$lt> {
            type Static = $name<'static>;

            fn read(raw: $crate::read::Raw<$lt>, delimiters: $crate::Delimiters) -> Self {
                if raw.is_empty() {
                    return Self::default();
                }
                let mut parts = raw.split(delimiters.component);
                let mut place = 0;
                Self {
                    $($field: {
                        let skipped = $place - 1 - place;
                        place = $place;
                        parts.nth(skipped).map_or_else(Default::default, |part| $crate::model::Value::read(part, delimiters))
                    },)*
                    rest: {
                        let _ = place;
                        $crate::model::Rest::read(parts)
                    },
                }
            }

            fn given(&self) -> bool {
                $($crate::model::Value::given(&self.$field) ||)* !self.rest.is_empty()
            }

            fn write(&self, out: &mut $crate::write::ElementWriter<'_>) -> Result<(), $crate::write::WriteReason> {
                out.composite(Self::LAST + self.rest.len(), |at, out| match at + 1 {
                    $($place => $crate::model::Value::write(&self.$field, out),)*
                    place => self.rest.write(place.saturating_sub(Self::LAST), out),
                })
            }

            fn into_static(self) -> Self::Static {
                $name { $($field: $crate::model::Value::into_static(self.$field),)* rest: self.rest.into_static() }
            }

            fn pin(&mut self, code: &'static str) {
                $(if $place == 1 {
                    $crate::model::Value::pin(&mut self.$field, code);
                })*
            }

            #[cfg(test)]
            fn sample(dice: &mut $crate::model::sample::Dice) -> Self {
                Self {
                    $($field: if $place == 1 || dice.often() { $crate::model::Value::sample(dice) } else { Default::default() },)*
                    rest: Default::default(),
                }
            }
        }

        impl std::fmt::Debug for $name<'_> {
            /// It may hold a patient: nothing of it is shown.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(‹phi›)"))
            }
        }
    )*};
}
pub(crate) use composites;

/// The greatest of some places.
pub(crate) const fn last(places: &[usize]) -> usize {
    let (mut most, mut at) = (0, 0);
    while at < places.len() {
        if places[at] > most {
            most = places[at];
        }
        at += 1;
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_repeats_at_the_end_say_nothing() {
        let read = |raw: &'static str| -> Vec<Text<'static>> { Value::read(Raw::Text(raw), Delimiters::default()) };
        for (raw, expected) in [("30^98", &["30", "98"][..]), ("30^ ^", &["30"]), ("^30", &["", "30"]), ("   ", &[])] {
            assert_eq!(read(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn decimal_numbers_are_read_as_the_standard_writes_them() {
        let read = |text: &str| <Decimal as Written>::parse(text.as_bytes()).map(|value| value.to_string());
        for (text, value) in [
            ("12.50", "12.50"),
            ("-.5", "-0.5"),
            ("+7.", "7"),
            ("-0", "0"),
            ("9223372036854775807", "9223372036854775807"),
            ("-123456789012345678", "-123456789012345678"),
            ("00000000000000000000012.5", "12.5"),
        ] {
            assert_eq!(read(text).as_deref(), Some(value), "{text}");
        }
        for text in ["", "-", ".", "1.2.3", "1,5", "1e3", "--1", "9223372036854775808", "12345678901234567890"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
