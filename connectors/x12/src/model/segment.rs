//! Typed segments: one struct for each kind, its fields named, its elements numbered as X12 numbers them.

use serde::{Serialize, Serializer};

use super::Levels;
use super::value::{Text, Value};
use crate::read::{Raw, Segment};
use crate::write::{ElementWriter, TransactionWriter, WriteError, WriteReason};

/// Where a segment stood in its transaction set, ST being 1; 0 for one that was not read. Two are always equal: what a
/// segment says does not depend on where it stands.
#[derive(Clone, Copy, Default, Debug)]
pub struct At(pub u32);

impl PartialEq for At {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for At {}

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

impl At {
    /// For `skip_serializing_if`.
    pub(crate) fn nowhere(&self) -> bool {
        self.0 == 0
    }
}

/// A kind of segment, both ways.
pub trait SegmentModel<'a>: Clone + Default + PartialEq {
    /// The same with nothing borrowed.
    type Static: SegmentModel<'static>;

    /// Its identifier.
    const ID: &'static str;

    /// An HL segment, which begins a level.
    const LEVEL: bool = false;

    /// Whether a segment is of this kind, by its identifier.
    fn is(segment: &Segment<'_>) -> bool {
        segment.is(Self::ID)
    }

    /// Of a level: its number as read (HL01).
    fn number(&self) -> &str {
        ""
    }

    /// Reads it.
    fn read(segment: &Segment<'a>) -> Self;

    /// Writes it.
    ///
    /// # Errors
    /// A value that X12 cannot carry.
    fn write(&self, tx: &mut TransactionWriter, levels: &Levels) -> Result<(), WriteError>;

    /// A copy that borrows nothing.
    fn into_static(self) -> Self::Static;

    /// Puts a code into an element.
    fn pin(&mut self, element: usize, code: &'static str);

    /// One that can be written, for property tests.
    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice) -> Self;
}

/// Declares segments: structs whose fields are the elements, by number. Each also gets `at`, its place when read.
///
/// ```text
/// segments! {
///     /// TRN: a trace number.
///     pub struct Trn<'a> = "TRN" {
///         /// TRN01: `1` ours, `2` the other side's.
///         kind: Text<'a> = 1,
///         …
///     }
/// }
/// ```
/// `= "IK3" | "AK3"` declares a kind that has a second identifier: `other_id` says that it stands under that one.
macro_rules! segments {
    ($($(#[$doc:meta])* pub struct $name:ident<$lt:lifetime> = $id:literal $(| $other:literal)? {
        $($(#[$field_doc:meta])* $field:ident: $ty:ty = $place:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, serde::Serialize)]
        pub struct $name<$lt> {
            /// Where it stood.
            #[serde(skip_serializing_if = "crate::model::At::nowhere")]
            pub at: $crate::model::At,
            $(
                #[doc = concat!("It stands, and is written, under its other identifier, `", $other, "`.")]
                #[serde(skip_serializing_if = "std::ops::Not::not")]
                pub other_id: bool,
            )?
            $($(#[$field_doc])* #[serde(skip_serializing_if = "crate::model::value::not_given")] pub $field: $ty,)*
            /// Elements after the last one that this kind of segment has, as they stood.
            #[serde(skip_serializing_if = "crate::model::Surplus::is_empty")]
            pub surplus: $crate::model::Surplus<$lt>,
        }

        impl<$lt> $crate::model::SegmentModel<$lt> for $name<$lt> {
            type Static = $name<'static>;

            const ID: &'static str = $id;

            $(
                fn is(segment: &$crate::Segment<'_>) -> bool {
                    segment.is($id) || segment.is($other)
                }
            )?

            fn read(segment: &$crate::Segment<$lt>) -> Self {
                let delimiters = segment.delimiters();
                Self {
                    at: $crate::model::At(segment.position),
                    $(other_id: segment.is($other),)?
                    $($field: $crate::model::Value::read(segment.value($place), delimiters),)*
                    surplus: $crate::model::Surplus::after(Self::LAST, segment),
                }
            }

            fn write(
                &self,
                tx: &mut $crate::write::TransactionWriter,
                _: &$crate::model::Levels,
            ) -> Result<(), $crate::write::WriteError> {
                let id = $id;
                $(let id = if self.other_id { $other } else { id };)?
                tx.build(id, Self::LAST + self.surplus.len(), |element, out| match element {
                    $($place => $crate::model::Value::write(&self.$field, out),)*
                    _ => self.surplus.write(element.saturating_sub(Self::LAST), out),
                })
            }

            fn into_static(self) -> Self::Static {
                $name {
                    at: self.at,
                    $(other_id: $crate::model::segment::stands(self.other_id, $other),)?
                    $($field: $crate::model::Value::into_static(self.$field),)*
                    surplus: self.surplus.into_static(),
                }
            }

            fn pin(&mut self, element: usize, code: &'static str) {
                match element {
                    $($place => $crate::model::Value::pin(&mut self.$field, code),)*
                    _ => {}
                }
            }

            #[cfg(test)]
            fn sample(dice: &mut $crate::model::sample::Dice) -> Self {
                Self {
                    at: $crate::model::At(0),
                    $(other_id: $crate::model::segment::stands(dice.often(), $other),)?
                    $($field: if $place == 1 || dice.often() { $crate::model::Value::sample(dice) } else { Default::default() },)*
                    surplus: Default::default(),
                }
            }
        }

        impl $name<'_> {
            /// The last element that this kind of segment has.
            const LAST: usize = $crate::model::value::last(&[$($place),*]);
        }

        $crate::model::segment_node!($name);
    )*};
}
pub(crate) use segments;

/// What every typed segment shares, hand-written ones too: it is the smallest node of a loop, and shows nothing.
macro_rules! segment_node {
    ($name:ident) => {
        impl<'a> $crate::model::Node<'a> for $name<'a> {
            type Static = $name<'static>;

            const LOOP: bool = false;
            const LEVEL: bool = <Self as $crate::model::SegmentModel<'a>>::LEVEL;

            fn starts(segment: &$crate::Segment<'_>) -> bool {
                <Self as $crate::model::SegmentModel<'a>>::is(segment)
            }

            fn number(&self) -> &str {
                $crate::model::SegmentModel::number(self)
            }

            #[inline]
            fn read(
                first: &$crate::Segment<'a>,
                _: &mut $crate::model::Cursor<'a>,
                _: &$crate::model::Outer<'_>,
            ) -> Self {
                $crate::model::SegmentModel::read(first)
            }

            fn write(
                &self,
                tx: &mut $crate::write::TransactionWriter,
                levels: &mut $crate::model::Levels,
            ) -> Result<(), $crate::write::WriteError> {
                $crate::model::SegmentModel::write(self, tx, levels)
            }

            fn into_static(self) -> $name<'static> {
                $crate::model::SegmentModel::into_static(self)
            }

            fn pin(&mut self, element: usize, code: &'static str) {
                $crate::model::SegmentModel::pin(self, element, code);
            }

            #[cfg(test)]
            fn sample(dice: &mut $crate::model::sample::Dice) -> Self {
                $crate::model::SegmentModel::sample(dice)
            }
        }

        impl std::fmt::Debug for $name<'_> {
            /// It may hold a patient: only its place is shown.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "(position {})"), self.at.0)
            }
        }
    };
}
pub(crate) use segment_node;

/// For [`segments`]: a macro repeats only what it names.
pub(crate) fn stands(other_id: bool, _: &'static str) -> bool {
    other_id
}

/// One element as it stands: its repeats, their components.
type Parts<'a> = Vec<Vec<Text<'a>>>;

fn parts_of<'a>(segment: &Segment<'a>, element: usize) -> Parts<'a> {
    let delimiters = segment.delimiters();
    let components = |raw: Raw<'a>| raw.split(delimiters.component).map(Raw::text).collect();
    segment.value(element).repeats(delimiters).map(components).collect()
}

fn write_parts(repeats: &Parts<'_>, out: &mut ElementWriter<'_>) -> Result<(), WriteReason> {
    out.repeats(repeats.len(), |at, out| {
        let Some(parts) = repeats.get(at) else { return Ok(()) };
        out.composite(parts.len(), |at, out| parts.get(at).map_or(Ok(()), |part| out.value(part)))
    })
}

fn own_parts(elements: Vec<Parts<'_>>) -> Vec<Parts<'static>> {
    let own = |parts: Vec<Text<'_>>| parts.into_iter().map(Value::into_static).collect();
    elements.into_iter().map(|repeats| repeats.into_iter().map(own).collect()).collect()
}

/// Without the empty ends, which say nothing.
fn said<'t>(elements: &'t [Parts<'_>]) -> Vec<Vec<Vec<&'t str>>> {
    let parts =
        |parts: &'t Vec<Text<'_>>| trimmed(parts.iter().map(AsRef::as_ref).collect(), |part: &&str| part.is_empty());
    let repeats = |repeats: &'t Parts<'_>| trimmed(repeats.iter().map(parts).collect(), Vec::is_empty);
    trimmed(elements.iter().map(repeats).collect(), Vec::is_empty)
}

fn trimmed<T>(mut list: Vec<T>, empty: impl Fn(&T) -> bool) -> Vec<T> {
    while list.last().is_some_and(&empty) {
        list.pop();
    }
    list
}

/// Elements after the last one that a kind of segment has: read, kept and written as they stand. Nearly always empty.
#[derive(Clone, Default)]
#[allow(clippy::box_collection, reason = "one word where it is empty, which it nearly always is")]
pub struct Surplus<'a>(Option<Box<Vec<Parts<'a>>>>);

impl<'a> Surplus<'a> {
    /// The elements of a segment after `last`.
    #[inline]
    pub(crate) fn after(last: usize, segment: &Segment<'a>) -> Self {
        if segment.len() <= last { Self(None) } else { Self::collect(last, segment) }
    }

    #[cold]
    fn collect(last: usize, segment: &Segment<'a>) -> Self {
        Self(Some(Box::new((last + 1..=segment.len()).map(|element| parts_of(segment, element)).collect())))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |elements| elements.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes one of them, counted from 1.
    pub(crate) fn write(&self, place: usize, out: &mut ElementWriter<'_>) -> Result<(), WriteReason> {
        let element = self.0.as_ref().and_then(|elements| elements.get(place.checked_sub(1)?));
        element.map_or(Ok(()), |element| write_parts(element, out))
    }

    pub(crate) fn into_static(self) -> Surplus<'static> {
        Surplus(self.0.map(|elements| Box::new(own_parts(*elements))))
    }

    fn elements(&self) -> &[Parts<'a>] {
        self.0.as_ref().map_or(&[], |elements| elements)
    }
}

impl PartialEq for Surplus<'_> {
    fn eq(&self, other: &Self) -> bool {
        said(self.elements()) == said(other.elements())
    }
}

impl Serialize for Surplus<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.elements().serialize(serializer)
    }
}

impl std::fmt::Debug for Surplus<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Surplus({} elements)", self.len())
    }
}

/// A segment that no field of its loop takes: kept as it stands, and written again after the fields of its loop.
#[derive(Clone)]
pub struct Extra<'a> {
    /// Where it stood.
    pub at: At,
    id: Text<'a>,
    elements: Vec<Parts<'a>>,
}

impl<'a> Extra<'a> {
    pub(crate) fn read(segment: &Segment<'a>) -> Self {
        let elements = (1..=segment.len()).map(|element| parts_of(segment, element)).collect();
        Self { at: At(segment.position), id: segment.id().into(), elements }
    }

    pub(crate) fn write(&self, tx: &mut TransactionWriter) -> Result<(), WriteError> {
        tx.build(&self.id, self.elements.len(), |element, out| {
            let element = element.checked_sub(1).and_then(|at| self.elements.get(at));
            element.map_or(Ok(()), |element| write_parts(element, out))
        })
    }

    pub(crate) fn into_static(self) -> Extra<'static> {
        Extra { at: self.at, id: self.id.into_static(), elements: own_parts(self.elements) }
    }

    /// The identifier.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The first component of the first repeat of an element, from 1; empty where it is not there.
    pub fn text(&self, element: usize) -> &str {
        let element = element.checked_sub(1).and_then(|at| self.elements.get(at));
        element.and_then(|repeats| repeats.first()?.first()).map_or("", |text| text)
    }
}

impl PartialEq for Extra<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && said(&self.elements) == said(&other.elements)
    }
}

impl Serialize for Extra<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.at, &self.id, &self.elements).serialize(serializer)
    }
}

impl std::fmt::Debug for Extra<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Extra(position {}, {} elements)", self.at.0, self.elements.len())
    }
}

/// HL: the start of a level. Its numbers, its parent's and whether it has children are written from where it stands in
/// the model; what was read is kept for those who want to compare.
#[derive(Clone, Default, Serialize)]
pub struct Hl<'a> {
    /// Where it stood.
    #[serde(skip_serializing_if = "At::nowhere")]
    pub at: At,
    /// HL01 as read.
    #[serde(skip_serializing_if = "super::value::not_given")]
    pub id: Text<'a>,
    /// HL02 as read.
    #[serde(skip_serializing_if = "super::value::not_given")]
    pub parent: Text<'a>,
    /// HL03: `20` source, `21` receiver, `22` subscriber, `23` dependent …
    pub level: Text<'a>,
    /// HL04 as read.
    #[serde(skip_serializing_if = "super::value::not_given")]
    pub children: Text<'a>,
}

impl PartialEq for Hl<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.level == other.level
    }
}

impl<'a> SegmentModel<'a> for Hl<'a> {
    type Static = Hl<'static>;

    const ID: &'static str = "HL";
    const LEVEL: bool = true;

    fn number(&self) -> &str {
        &self.id
    }

    fn read(segment: &Segment<'a>) -> Self {
        Self {
            at: At(segment.position),
            id: segment.text(1),
            parent: segment.text(2),
            level: segment.text(3),
            children: segment.text(4),
        }
    }

    fn write(&self, tx: &mut TransactionWriter, levels: &Levels) -> Result<(), WriteError> {
        let (id, parent, children) = levels.current();
        // Where a guide has no level below, most want a 0 all the same; the guides of 276, 277 and 277CA want nothing.
        let last = self.level == "PT" || (self.level == "23" && matches!(tx.id(), "276" | "277"));
        let below = match (children, last) {
            (true, _) => "1",
            (false, true) => "",
            (false, false) => "0",
        };
        tx.segment("HL", &[&id, &parent, &self.level, below]).map(|_| ())
    }

    fn into_static(self) -> Hl<'static> {
        Hl {
            at: self.at,
            id: self.id.into_static(),
            parent: self.parent.into_static(),
            level: self.level.into_static(),
            children: self.children.into_static(),
        }
    }

    fn pin(&mut self, element: usize, code: &'static str) {
        if element == 3 {
            self.level = code.into();
        }
    }

    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice) -> Self {
        Self { level: dice.word().into(), ..Self::default() }
    }
}

segment_node!(Hl);
