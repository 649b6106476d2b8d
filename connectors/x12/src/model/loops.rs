//! Loops: structs of segments and further loops, read by position and written in the order of their fields.
//!
//! Reading takes segments one by one. The innermost loop that has a place for a segment takes it; where it has none, the
//! loops around it are asked, which end the inner one if the segment begins something of theirs; where nobody has a
//! place, the innermost loop keeps it as an [`Extra`]. So nothing is lost, and a segment out of order inside its loop is
//! still found. HL never stays inside a loop that has no place for it: a level nobody knows ends all of them. HL02 decides
//! between two open levels that both have a place for a third.

use super::{Cursor, Outer};
use crate::read::Segment;
use crate::write::{TransactionWriter, WriteError};

/// The numbers of HL segments while a transaction set is written.
#[derive(Debug, Default)]
pub struct Levels {
    written: u32,
    /// The levels that are open: number, and whether others stand below it.
    open: Vec<(u32, bool)>,
}

impl Levels {
    /// Begins a level below the one that is open.
    pub fn open(&mut self, children: bool) {
        self.written = self.written.saturating_add(1);
        self.open.push((self.written, children));
    }

    /// Ends the innermost one.
    pub fn close(&mut self) {
        self.open.pop();
    }

    /// HL01, HL02 and whether there are children, of the innermost one.
    pub fn current(&self) -> (String, String, bool) {
        let mut open = self.open.iter().rev();
        let (number, children) = open.next().copied().unwrap_or_default();
        (number.to_string(), open.next().map(|(number, _)| number.to_string()).unwrap_or_default(), children)
    }
}

/// What a loop is made of: a segment or a loop.
pub trait Node<'a>: Clone + Default + PartialEq {
    /// The same with nothing borrowed.
    type Static: Node<'static>;

    /// A loop rather than a segment.
    const LOOP: bool;

    /// Begins with HL.
    const LEVEL: bool;

    /// Whether it begins with this segment.
    fn starts(segment: &Segment<'_>) -> bool;

    /// The number of its level as read (HL01).
    fn number(&self) -> &str {
        ""
    }

    /// Reads it: `first`, which begins it, and for a loop what follows at the cursor.
    fn read(first: &Segment<'a>, cursor: &mut Cursor<'a>, outer: &Outer<'_>) -> Self;

    /// Writes it.
    ///
    /// # Errors
    /// A value that X12 cannot carry.
    fn write(&self, tx: &mut TransactionWriter, levels: &mut Levels) -> Result<(), WriteError>;

    /// A copy that borrows nothing.
    fn into_static(self) -> Self::Static;

    /// Puts a code into an element of its first segment.
    fn pin(&mut self, element: usize, code: &'static str);

    /// One that can be written, for property tests.
    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice) -> Self;
}

/// What stands seldom takes little room in a `Box` where it does not.
impl<'a, N: Node<'a>> Node<'a> for Box<N> {
    type Static = Box<N::Static>;

    const LOOP: bool = N::LOOP;
    const LEVEL: bool = N::LEVEL;

    fn starts(segment: &Segment<'_>) -> bool {
        N::starts(segment)
    }

    fn read(first: &Segment<'a>, cursor: &mut Cursor<'a>, outer: &Outer<'_>) -> Self {
        Self::new(N::read(first, cursor, outer))
    }

    fn write(&self, tx: &mut TransactionWriter, levels: &mut Levels) -> Result<(), WriteError> {
        (**self).write(tx, levels)
    }

    fn into_static(self) -> Self::Static {
        Box::new(Node::into_static(*self))
    }

    fn pin(&mut self, element: usize, code: &'static str) {
        (**self).pin(element, code);
    }

    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice) -> Self {
        Self::new(N::sample(dice))
    }
}

/// How often a node may stand in its loop: a node itself (exactly once, the first one), `Option` (of a `Box` where it is
/// seldom there) or `Vec`.
pub trait Slot<'a>: Default {
    /// The same with nothing borrowed.
    type Static;

    /// What stands in it.
    type Node: Node<'a>;

    /// Whether there is room for one more.
    fn room(&self) -> bool;

    /// Reads one into it, as [`Node::read`] does.
    fn take(&mut self, first: &Segment<'a>, cursor: &mut Cursor<'a>, outer: &Outer<'_>);

    /// Those that stand in it.
    fn all(&self) -> &[Self::Node];

    /// Whether nothing stands in it.
    fn vacant(&self) -> bool {
        self.all().is_empty()
    }

    /// A copy that borrows nothing.
    fn into_static(self) -> Self::Static;

    /// Some content, with a code pinned where the field asks for one.
    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice, pinned: Option<(usize, &[&'static str])>) -> Self;
}

/// For property tests: one node with its code.
#[cfg(test)]
pub(crate) fn sample_one<'a, N: Node<'a>>(
    dice: &mut super::sample::Dice,
    pinned: Option<(usize, &[&'static str])>,
) -> N {
    let mut node = N::sample(dice);
    if let Some((element, codes)) = pinned {
        node.pin(element, codes[dice.below(codes.len() as u32) as usize]);
    }
    node
}

/// Exactly once: the segment a loop begins with.
impl<'a, N: Node<'a>> Slot<'a> for N {
    type Static = N::Static;
    type Node = N;

    fn room(&self) -> bool {
        false
    }

    #[inline]
    fn take(&mut self, first: &Segment<'a>, cursor: &mut Cursor<'a>, outer: &Outer<'_>) {
        *self = N::read(first, cursor, outer);
    }

    fn all(&self) -> &[N] {
        std::slice::from_ref(self)
    }

    fn into_static(self) -> Self::Static {
        Node::into_static(self)
    }

    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice, pinned: Option<(usize, &[&'static str])>) -> Self {
        sample_one(dice, pinned)
    }
}

impl<'a, N: Node<'a>> Slot<'a> for Option<N> {
    type Static = Option<N::Static>;
    type Node = N;

    fn room(&self) -> bool {
        self.is_none()
    }

    #[inline]
    fn take(&mut self, first: &Segment<'a>, cursor: &mut Cursor<'a>, outer: &Outer<'_>) {
        *self = Some(N::read(first, cursor, outer));
    }

    fn all(&self) -> &[N] {
        self.as_slice()
    }

    fn into_static(self) -> Self::Static {
        self.map(Node::into_static)
    }

    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice, pinned: Option<(usize, &[&'static str])>) -> Self {
        dice.often().then(|| sample_one(dice, pinned))
    }
}

impl<'a, N: Node<'a>> Slot<'a> for Vec<N> {
    type Static = Vec<N::Static>;
    type Node = N;

    fn room(&self) -> bool {
        true
    }

    #[inline]
    fn take(&mut self, first: &Segment<'a>, cursor: &mut Cursor<'a>, outer: &Outer<'_>) {
        // Segments are big and few: a `Vec` would begin with room for four.
        if !N::LOOP && self.len() == self.capacity() {
            self.reserve_exact(self.len().max(2));
        }
        self.push(N::read(first, cursor, outer));
    }

    fn all(&self) -> &[N] {
        self
    }

    fn into_static(self) -> Self::Static {
        self.into_iter().map(Node::into_static).collect()
    }

    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice, pinned: Option<(usize, &[&'static str])>) -> Self {
        (0..dice.few()).map(|_| sample_one(dice, pinned)).collect()
    }
}

/// Writes what stands in a slot.
pub(crate) fn write_all<'a, S: Slot<'a>>(
    slot: &S,
    tx: &mut TransactionWriter,
    levels: &mut Levels,
) -> Result<(), WriteError> {
    slot.all().iter().try_for_each(|node| node.write(tx, levels))
}

/// For `skip_serializing_if`.
pub(crate) fn vacant<'a, S: Slot<'a>>(slot: &S) -> bool {
    slot.vacant()
}

/// Declares loops. The first field is the segment that begins the loop, with the codes that tell it from others; the
/// other fields are `Option` or `Vec` of segments and loops, in the order they are written. `where 1 = "QC" | "IL"` asks for
/// a code in an element (of a loop: in an element of its first segment). Segments declared after a loop are closers: they
/// end the loops before them.
///
/// ```text
/// loops! {
///     /// Loop 2100: one claim.
///     pub struct ClaimPayment<'a> {
///         /// CLP
///         claim: Clp<'a>,
///         /// NM1*QC
///         patient: Option<Nm1<'a>> where 1 = "QC",
///         /// Loop 2110
///         lines: Vec<ServicePayment<'a>>,
///     }
/// }
/// ```
macro_rules! loops {
    ($($(#[$doc:meta])* pub struct $name:ident<$lt:lifetime> {
        $(#[$first_doc:meta])* $first:ident: $first_ty:ty $(where $first_element:literal = $($first_code:literal)|+)?,
        $($(#[$field_doc:meta])* $field:ident: $ty:ty $(where $element:literal = $($code:literal)|+)?,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, serde::Serialize)]
        pub struct $name<$lt> {
            $(#[$first_doc])*
            pub $first: $first_ty,
            $($(#[$field_doc])* #[serde(skip_serializing_if = "crate::model::loops::vacant")] pub $field: $ty,)*
            /// Segments that have no place in this loop, as they stood.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            pub extra: Vec<$crate::model::Extra<$lt>>,
        }

        impl<$lt> $crate::model::Node<$lt> for $name<$lt> {
            type Static = $name<'static>;

            const LOOP: bool = true;
            const LEVEL: bool = <$first_ty as $crate::model::Node<$lt>>::LEVEL;

            fn starts(segment: &$crate::Segment<'_>) -> bool {
                <$first_ty as $crate::model::Node<$lt>>::starts(segment)
                    $(&& segment.has($first_element, &[$($first_code),+]))?
            }

            fn read(
                first: &$crate::Segment<$lt>,
                cursor: &mut $crate::model::Cursor<$lt>,
                outer: &$crate::model::Outer<'_>,
            ) -> Self {
                let mut read = Self {
                    $first: $crate::model::Node::read(first, cursor, outer),
                    $($field: Default::default(),)*
                    extra: Vec::new(),
                };
                let number = $crate::model::Node::number(&read.$first);
                let here = $crate::model::Outer { owns: Self::owns, number, up: Some(outer) };
                while let Some(segment) = cursor.peek() {
                    $crate::model::loops::fields!(read, segment, cursor, here, $($field: $ty $(where $element = $($code)|+)?,)*);
                    if outer.takes(&segment) {
                        break;
                    }
                    cursor.step();
                    read.extra.push($crate::model::Extra::read(&segment));
                }
                read
            }

            fn write(
                &self,
                tx: &mut $crate::write::TransactionWriter,
                levels: &mut $crate::model::Levels,
            ) -> Result<(), $crate::write::WriteError> {
                if Self::LEVEL {
                    levels.open($($crate::model::loops::below(&self.$field) ||)* false);
                }
                $crate::model::Node::write(&self.$first, tx, levels)?;
                let mut extra = Some(&self.extra);
                $(
                    // What has no place goes before the loops inside this one, so that it is read back here.
                    if $crate::model::loops::is_loop(&self.$field) && let Some(extra) = extra.take() {
                        extra.iter().try_for_each(|segment| segment.write(tx))?;
                    }
                    $crate::model::loops::write_all(&self.$field, tx, levels)?;
                )*
                if let Some(extra) = extra {
                    extra.iter().try_for_each(|segment| segment.write(tx))?;
                }
                if Self::LEVEL {
                    levels.close();
                }
                Ok(())
            }

            fn into_static(self) -> $name<'static> {
                $name {
                    $first: $crate::model::Node::into_static(self.$first),
                    $($field: $crate::model::Slot::into_static(self.$field),)*
                    extra: self.extra.into_iter().map($crate::model::Extra::into_static).collect(),
                }
            }

            fn pin(&mut self, element: usize, code: &'static str) {
                $crate::model::Node::pin(&mut self.$first, element, code);
            }

            #[cfg(test)]
            #[allow(unused_mut, unused_assignments, reason = "a first segment without a code needs no pin")]
            fn sample(dice: &mut $crate::model::sample::Dice) -> Self {
                let mut first = None;
                $(first = Some(($first_element, &[$($first_code),+][..]));)?
                Self {
                    $first: $crate::model::loops::sample_one(dice, first),
                    $($field: $crate::model::Slot::sample(dice, $crate::model::loops::pinned!($($element = $($code)|+)?)),)*
                    extra: Vec::new(),
                }
            }
        }

        impl<$lt> $name<$lt> {
            /// Whether a segment begins a loop inside this one, or closes them.
            fn owns(segment: &$crate::Segment<'_>) -> bool {
                $crate::model::loops::owns!(segment, $($ty $(where $element = $($code)|+)?,)*)
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
pub(crate) use loops;

/// Whether a level stands in a slot.
pub(crate) fn below<'a, S: Slot<'a>>(slot: &S) -> bool {
    <S::Node as Node<'a>>::LEVEL && !slot.vacant()
}

/// Whether a slot is for loops.
pub(crate) fn is_loop<'a, S: Slot<'a>>(_: &S) -> bool {
    <S::Node as Node<'a>>::LOOP
}

/// Lets the first field that has a place for the segment read it, and goes on with the next segment.
macro_rules! fields {
    ($read:ident, $segment:ident, $cursor:ident, $here:ident,
     $($field:ident: $ty:ty $(where $element:literal = $($code:literal)|+)?,)*) => {$(
        if <<$ty as $crate::model::Slot>::Node as $crate::model::Node>::starts(&$segment)
            $(&& $segment.has($element, &[$($code),+]))?
            && $crate::model::Slot::room(&$read.$field)
            && (!<<$ty as $crate::model::Slot>::Node as $crate::model::Node>::LEVEL || $here.adopts(&$segment))
        {
            $cursor.step();
            $crate::model::Slot::take(&mut $read.$field, &$segment, $cursor, &$here);
            continue;
        }
    )*};
}
pub(crate) use fields;

/// Whether a segment begins one of the loops, or is a segment declared after one.
macro_rules! owns {
    ($segment:ident, $($ty:ty $(where $element:literal = $($code:literal)|+)?,)*) => {{
        let mut after_loop = false;
        $(
            after_loop |= <<$ty as $crate::model::Slot>::Node as $crate::model::Node>::LOOP;
            if after_loop
                && <<$ty as $crate::model::Slot>::Node as $crate::model::Node>::starts($segment)
                $(&& $segment.has($element, &[$($code),+]))?
            {
                return true;
            }
        )*
        let _ = after_loop;
        false
    }};
}
pub(crate) use owns;

/// The codes a field asks for.
#[cfg(test)]
macro_rules! pinned {
    () => {
        None
    };
    ($element:literal = $($code:literal)|+) => {
        Some(($element, &[$($code),+][..]))
    };
}
#[cfg(test)]
pub(crate) use pinned;

/// Declares transaction sets: like a loop, but what begins them is ST, and SE ends them. `= "835", "005010X221A1"` gives
/// ST01 and the guide that is written where the model names none.
macro_rules! transactions {
    ($($(#[$doc:meta])* pub struct $name:ident<$lt:lifetime> = $id:literal, $guide:literal {
        $($(#[$field_doc:meta])* $field:ident: $ty:ty $(where $element:literal = $($code:literal)|+)?,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, serde::Serialize)]
        pub struct $name<$lt> {
            /// ST02
            pub control: $crate::model::Text<$lt>,
            /// ST03; empty where it is not given (004010): the guide then stands in GS08.
            #[serde(skip_serializing_if = "crate::model::value::not_given")]
            pub implementation: $crate::model::Text<$lt>,
            $($(#[$field_doc])* #[serde(skip_serializing_if = "crate::model::loops::vacant")] pub $field: $ty,)*
            /// Segments that have no place in this transaction set, as they stood.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            pub extra: Vec<$crate::model::Extra<$lt>>,
        }

        impl<$lt> $name<$lt> {
            /// ST01
            pub const ID: &'static str = $id;
            /// The guide that is written by custom: ST03 and GS08.
            pub const GUIDE: &'static str = $guide;

            /// Reads a whole transaction set, ST to SE. It never fails: a segment without a place is kept in the
            /// `extra` of the loop it stood in.
            pub fn read(block: &$lt $crate::read::Block) -> Self {
                let mut cursor = $crate::model::Cursor::new(block, 0);
                let mut read = Self::default();
                if let Some(st) = cursor.peek().filter(|segment| segment.is("ST")) {
                    read.control = st.text(2);
                    read.implementation = st.text(3);
                    cursor.step();
                }
                let here = $crate::model::Outer { owns: Self::owns, number: "", up: None };
                let cursor = &mut cursor;
                while let Some(segment) = cursor.peek() {
                    $crate::model::loops::fields!(read, segment, cursor, here, $($field: $ty $(where $element = $($code)|+)?,)*);
                    cursor.step();
                    if !segment.is("SE") {
                        read.extra.push($crate::model::Extra::read(&segment));
                    }
                }
                read
            }

            /// Writes it. Wrap the result in an [`Envelope`](crate::write::Envelope).
            ///
            /// # Errors
            /// A value that X12 cannot carry: segment and element are named, the value is not.
            pub fn write(
                &self,
                delimiters: &$crate::Delimiters,
                charset: $crate::write::Charset,
            ) -> Result<$crate::write::TransactionWriter, $crate::write::WriteError> {
                let guide = Some(&*self.implementation).filter(|guide| !guide.is_empty());
                let mut writer = $crate::write::TransactionWriter::with_charset(
                    delimiters, charset, $id, &self.control, guide,
                )?;
                let (tx, levels) = (&mut writer, &mut $crate::model::Levels::default());
                let mut extra = Some(&self.extra);
                $(
                    if $crate::model::loops::is_loop(&self.$field) && let Some(extra) = extra.take() {
                        extra.iter().try_for_each(|segment| segment.write(tx))?;
                    }
                    $crate::model::loops::write_all(&self.$field, tx, levels)?;
                )*
                if let Some(extra) = extra {
                    extra.iter().try_for_each(|segment| segment.write(tx))?;
                }
                Ok(writer)
            }

            /// A copy that borrows nothing.
            pub fn into_static(self) -> $name<'static> {
                $name {
                    control: $crate::model::Value::into_static(self.control),
                    implementation: $crate::model::Value::into_static(self.implementation),
                    $($field: $crate::model::Slot::into_static(self.$field),)*
                    extra: self.extra.into_iter().map($crate::model::Extra::into_static).collect(),
                }
            }

            /// Whether a segment begins a loop of the transaction set, or closes them.
            fn owns(segment: &$crate::Segment<'_>) -> bool {
                segment.is("SE") || $crate::model::loops::owns!(segment, $($ty $(where $element = $($code)|+)?,)*)
            }
        }

        #[cfg(test)]
        impl $crate::model::sample::Sampled for $name<'static> {
            type Read<'r> = $name<'r>;

            fn sample(dice: &mut $crate::model::sample::Dice) -> Self {
                Self {
                    control: "0001".into(),
                    implementation: $guide.into(),
                    $($field: $crate::model::Slot::sample(dice, $crate::model::loops::pinned!($($element = $($code)|+)?)),)*
                    extra: Vec::new(),
                }
            }

            fn write(&self) -> Result<$crate::write::TransactionWriter, $crate::write::WriteError> {
                $name::write(self, &$crate::Delimiters::default(), $crate::write::Charset::Extended)
            }

            fn is_read_from(&self, block: &$crate::read::Block) -> bool {
                $name::read(block).into_static() == *self
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
pub(crate) use transactions;
