//! Lists that are nearly always short.

use serde::{Serialize, Serializer};

use super::loops::Slot;
use super::{Cursor, Node, Outer};
use crate::read::Segment;

/// A list that mostly has one member or none: these are kept in place, without an allocation. It reads like a slice.
#[derive(Clone)]
pub enum Few<T> {
    /// Nothing.
    None,
    /// One, in place.
    One(T),
    /// Any number.
    Many(Vec<T>),
}

impl<T> Few<T> {
    /// Adds one at the end.
    pub fn push(&mut self, last: T) {
        *self = match std::mem::take(self) {
            Self::None => Self::One(last),
            Self::One(first) => Self::Many(vec![first, last]),
            Self::Many(mut all) => {
                all.push(last);
                Self::Many(all)
            }
        };
    }
}

impl<T> Default for Few<T> {
    #[inline]
    fn default() -> Self {
        Self::None
    }
}

impl<T> std::ops::Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(all) => all,
        }
    }
}

impl<T: PartialEq> PartialEq for Few<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Self {
        let mut few = Self::None;
        all.into_iter().for_each(|one| few.push(one));
        few
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(all: Vec<T>) -> Self {
        all.into_iter().collect()
    }
}

impl<'f, T> IntoIterator for &'f Few<T> {
    type Item = &'f T;
    type IntoIter = std::slice::Iter<'f, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Serialize> Serialize for Few<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Few<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

impl<'a, N: Node<'a>> Slot<'a> for Few<N> {
    type Static = Few<N::Static>;
    type Node = N;

    #[inline]
    fn room(&self) -> bool {
        true
    }

    #[inline]
    fn take(&mut self, first: &Segment<'a>, cursor: &mut Cursor<'a>, outer: &Outer<'_>) {
        match self {
            Self::None => *self = Self::One(N::read(first, cursor, outer)),
            _ => self.push(N::read(first, cursor, outer)),
        }
    }

    fn all(&self) -> &[N] {
        self
    }

    fn into_static(self) -> Self::Static {
        match self {
            Self::None => Few::None,
            Self::One(one) => Few::One(Node::into_static(one)),
            Self::Many(all) => Few::Many(all.into_iter().map(Node::into_static).collect()),
        }
    }

    #[cfg(test)]
    fn sample(dice: &mut super::sample::Dice, pinned: Option<(usize, &[&'static str])>) -> Self {
        Vec::<N>::sample(dice, pinned).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_list_however_it_is_kept() {
        let mut few = Few::None;
        for length in 0..4 {
            assert_eq!(*few, (0..length).collect::<Vec<_>>()[..]);
            assert_eq!(few, Few::Many((0..length).collect()));
            few.push(length);
        }
        assert!(few != Few::One(0) && Few::from(vec![7]) == Few::One(7));
        assert_eq!(serde_json::to_string(&few).unwrap(), "[0,1,2,3]");
    }
}
