//! The positions of the separators, found 64 bytes at a time.
//!
//! Each block of 64 bytes is compared with the separators in vectors, which gives one bit a byte; the set bits are then
//! written out as offsets. (The method is that of simdjson's first stage: Langdale and Lemire, "Parsing Gigabytes of
//! JSON per Second", 2019.) It is compiled for several instruction sets, of which the best the processor has is taken
//! at run time: no target option is needed.

use fearless_simd::{Level, Simd, SimdBase, SimdMask, dispatch, prelude::*, u8x64};

/// Bytes looked at in one step.
const BLOCK: usize = 64;
/// Most bytes indexed at a time: bytes and offsets then lie in the first-level cache.
pub(super) const STEP: usize = 8 << 10;

/// Where the element separators and segment terminators of some bytes stand.
///
/// [`Index::of`] indexes a slice that is in memory whole. It knows nothing of an interchange: white space, binary
/// segments and a change of separators are the [`Reader`](super::Reader)'s, which works over the same index.
pub struct Index {
    level: Level,
    /// Offsets of separators and terminators; what stands behind `marked` is room.
    marks: Vec<u32>,
    marked: usize,
    /// For each terminator its place in `marks`; what stands behind `ended` is room.
    ends: Vec<u32>,
    ended: usize,
    /// Up to here the bytes are indexed.
    to: usize,
    /// The last byte indexed: bit 0 of each mask, shifted out of the block before.
    carry: Masks,
    /// A segment that begins before this offset may hold bytes outside ASCII, line breaks, or padded elements.
    watch_to: usize,
}

/// One bit for each byte of a block.
#[derive(Clone, Copy, Default)]
struct Masks {
    element: u64,
    segment: u64,
    blank: u64,
    control: u64,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            level: Level::new(),
            marks: Vec::new(),
            marked: 0,
            ends: Vec::new(),
            ended: 0,
            to: 0,
            carry: Masks::default(),
            watch_to: 0,
        }
    }
}

impl Index {
    /// The index of `bytes` under these two separators. Offsets are 32 bits wide: only the first 4 GiB are indexed.
    pub fn of(bytes: &[u8], element: u8, segment: u8) -> Self {
        let mut index = Self::default();
        while index.extend(bytes, element, segment) {}
        index
    }

    /// Offsets of all separators and terminators, in order.
    pub fn marks(&self) -> &[u32] {
        self.marks.get(..self.marked).unwrap_or(&[])
    }

    /// For each terminator its place in [`Index::marks`].
    pub fn ends(&self) -> &[u32] {
        self.ends.get(..self.ended).unwrap_or(&[])
    }

    /// The segments of `bytes`, which are those that were indexed: their bytes without terminator, and the offsets of
    /// their element separators in `bytes`. What stands behind the last terminator is left out.
    pub fn segments<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = (&'a [u8], &'a [u32])> {
        let (mut from, mut first) = (0, 0);
        self.ends().iter().map_while(move |end| {
            let end = *end as usize;
            let marks = self.marks.get(first..end)?;
            let to = *self.marks.get(end)? as usize;
            let segment = bytes.get(from..to)?;
            (from, first) = (to + 1, end + 1);
            Some((segment, marks))
        })
    }

    /// The offset of a separator or terminator by its place.
    #[inline]
    pub(super) fn mark(&self, place: usize) -> Option<usize> {
        self.marks.get(place).filter(|_| place < self.marked).map(|mark| *mark as usize)
    }

    /// The place of a terminator.
    #[inline]
    pub(super) fn end(&self, terminator: usize) -> Option<usize> {
        self.ends.get(terminator).filter(|_| terminator < self.ended).map(|end| *end as usize)
    }

    /// The offsets at these places.
    #[inline]
    pub(super) fn slice(&self, places: std::ops::Range<usize>) -> &[u32] {
        self.marks.get(places).unwrap_or(&[])
    }

    /// How many offsets there are.
    pub(super) fn marked(&self) -> usize {
        self.marked
    }

    /// Up to which offset the bytes are indexed.
    pub(super) fn to(&self) -> usize {
        self.to
    }

    /// Whether a segment that begins here may hold bytes outside ASCII, line breaks, or padded elements.
    #[inline]
    pub(super) fn watched(&self, from: usize) -> bool {
        from < self.watch_to
    }

    /// Forgets everything; indexing begins anew at `at`.
    pub(super) fn restart(&mut self, at: usize) {
        (self.marked, self.ended, self.to) = (0, 0, at);
        self.watch_to = 0;
        self.carry = Masks::default();
    }

    /// The bytes moved down by `by`: what stands before these places is forgotten.
    pub(super) fn shift(&mut self, by: usize, mark: usize, end: usize) {
        let low = u32::try_from(by).unwrap_or(u32::MAX);
        let (mark, end) = (mark.min(self.marked), end.min(self.ended));
        self.marks.copy_within(mark..self.marked, 0);
        self.marked -= mark;
        self.marks.iter_mut().take(self.marked).for_each(|offset| *offset = offset.saturating_sub(low));
        self.ends.copy_within(end..self.ended, 0);
        self.ended -= end;
        let gone = u32::try_from(mark).unwrap_or(u32::MAX);
        self.ends.iter_mut().take(self.ended).for_each(|place| *place = place.saturating_sub(gone));
        self.to = self.to.saturating_sub(by);
        self.watch_to = self.watch_to.saturating_sub(by);
    }

    /// Indexes the next [`STEP`] of `bytes`. `false` where everything is indexed.
    pub(super) fn extend(&mut self, bytes: &[u8], element: u8, segment: u8) -> bool {
        let upto = bytes.len().min(self.to.saturating_add(STEP)).min(u32::MAX as usize);
        let Some(step) = bytes.get(self.to..upto).filter(|step| !step.is_empty()) else { return false };
        let room = step.len() + 2 * BLOCK;
        if self.marks.len() < self.marked + room {
            self.marks.resize(self.marked + room, 0);
        }
        if self.ends.len() < self.ended + room {
            self.ends.resize(self.ended + room, 0);
        }
        let mut run = Run {
            marks: self.marks.get_mut(self.marked..).unwrap_or(&mut []),
            ends: self.ends.get_mut(self.ended..).unwrap_or(&mut []),
            before: self.marked as u32,
            base: self.to as u32,
            carry: self.carry,
            marked: 0,
            ended: 0,
            watch: 0,
        };
        dispatch!(self.level, simd => run.all(simd, step, element, segment));
        let Run { marked, ended, carry, watch, .. } = run;
        (self.to, self.marked, self.ended, self.carry) = (upto, self.marked + marked, self.ended + ended, carry);
        if watch != 0 {
            self.watch_to = upto;
        }
        true
    }
}

/// The state of one step, out of memory's way.
struct Run<'a> {
    marks: &'a mut [u32],
    ends: &'a mut [u32],
    /// Offsets written before this step.
    before: u32,
    base: u32,
    carry: Masks,
    marked: usize,
    ended: usize,
    watch: u64,
}

impl Run<'_> {
    /// Indexes a step.
    #[inline(always)]
    fn all<S: Simd>(&mut self, simd: S, step: &[u8], element: u8, segment: u8) {
        let separators = (u8x64::splat(simd, element), u8x64::splat(simd, segment));
        let (blocks, rest) = step.as_chunks::<BLOCK>();
        for block in blocks {
            self.block(simd, block, BLOCK, separators);
        }
        if !rest.is_empty() {
            let mut block = [0; BLOCK];
            block.iter_mut().zip(rest).for_each(|(slot, byte)| *slot = *byte);
            self.block(simd, &block, rest.len(), separators);
        }
    }

    /// Indexes the first `length` bytes of a block.
    #[inline(always)]
    fn block<S: Simd>(&mut self, simd: S, block: &[u8; BLOCK], length: usize, separators: (u8x64<S>, u8x64<S>)) {
        let masks = Masks::of(simd, block, u64::MAX >> (BLOCK - length), separators, &mut self.watch);
        let both = masks.element | masks.segment;
        if let Some(room) = self.marks.get_mut(self.marked..).and_then(<[u32]>::first_chunk_mut) {
            write_offsets(both, self.base, room);
        }
        if let Some(room) = self.ends.get_mut(self.ended..).and_then(<[u32]>::first_chunk_mut) {
            write_places(masks.segment, both, self.before.wrapping_add(self.marked as u32), room);
        }
        self.marked += both.count_ones() as usize;
        self.ended += masks.segment.count_ones() as usize;
        self.base = self.base.wrapping_add(length as u32);
        self.watch |= masks.loose(&mut self.carry, length);
    }
}

impl Masks {
    #[inline(always)]
    fn of<S: Simd>(
        simd: S,
        block: &[u8; BLOCK],
        valid: u64,
        (element, segment): (u8x64<S>, u8x64<S>),
        high: &mut u64,
    ) -> Self {
        let bytes = u8x64::simd_from(simd, *block);
        *high |= bytes.simd_ge(u8x64::splat(simd, 0x80)).to_bitmask();
        Self {
            element: bytes.simd_eq(element).to_bitmask() & valid,
            segment: bytes.simd_eq(segment).to_bitmask() & valid,
            blank: bytes.simd_eq(u8x64::splat(simd, b' ')).to_bitmask(),
            control: bytes.simd_lt(u8x64::splat(simd, b' ')).to_bitmask() & valid,
        }
    }

    /// Whether a blank stands before a separator, or a control character where no segment has just ended. Both may be
    /// false alarms: the reader looks at the segment.
    #[inline(always)]
    fn loose(self, before: &mut Self, length: usize) -> u64 {
        let both = self.element | self.segment;
        let padded = both & ((self.blank << 1) | before.blank);
        let quiet = self.segment | self.control;
        let broken = self.control & !((quiet << 1) | before.control);
        let last = length.saturating_sub(1) as u32;
        before.blank = (self.blank >> last) & 1;
        before.control = (quiet >> last) & 1;
        padded | (broken & !self.segment)
    }
}

/// Writes the offsets of the set bits. Eight at a time, as many as there may be: what is too much is overwritten later.
#[inline(always)]
fn write_offsets(mut bits: u64, base: u32, room: &mut [u32; BLOCK]) {
    let count = bits.count_ones() as usize;
    let mut at = 0;
    loop {
        for ahead in 0..8 {
            room[(at + ahead) & (BLOCK - 1)] = base.wrapping_add(bits.trailing_zeros());
            bits &= bits.wrapping_sub(1);
        }
        at += 8;
        if at >= count {
            return;
        }
    }
}

/// Writes for each terminator how many separators and terminators stand before it.
#[inline(always)]
fn write_places(mut ends: u64, both: u64, before: u32, room: &mut [u32; BLOCK]) {
    let count = ends.count_ones() as usize;
    let mut at = 0;
    loop {
        for ahead in 0..4 {
            let end = ends & ends.wrapping_neg();
            room[(at + ahead) & (BLOCK - 1)] = before.wrapping_add((both & end.wrapping_sub(1)).count_ones());
            ends ^= end;
        }
        at += 4;
        if at >= count {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn segments_of_a_slice() {
        let file = b"ST*271*0001~EB*1**30~MSG~SE*4";
        let index = Index::of(file, b'*', b'~');
        let segments: Vec<_> = index.segments(file).map(|(bytes, marks)| (bytes, marks.to_vec())).collect();
        assert_eq!(segments, [(&file[..11], vec![2, 6]), (&file[12..20], vec![14, 16, 17]), (&file[21..24], vec![])]);
    }

    proptest! {
        #[test]
        fn the_index_is_what_a_search_byte_by_byte_finds(
            bytes in prop::collection::vec(prop::sample::select(b"*~A \n\xc3".to_vec()), 0..400),
            cuts in prop::collection::vec(0usize..400, 0..5),
        ) {
            let mut index = Index::default();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([bytes.len()]).collect();
            cuts.sort_unstable();
            for cut in cuts {
                while index.extend(&bytes[..cut], b'*', b'~') {}
            }
            let marks: Vec<u32> = (0..bytes.len() as u32).filter(|at| b"*~".contains(&bytes[*at as usize])).collect();
            let ends: Vec<u32> =
                (0..marks.len() as u32).filter(|at| bytes[marks[*at as usize] as usize] == b'~').collect();
            prop_assert_eq!(index.marks(), &marks);
            prop_assert_eq!(index.ends(), &ends);
            let blank_before = bytes.windows(2).any(|pair| pair[0] == b' ' && b"*~".contains(&pair[1]));
            let inside = bytes.iter().enumerate().any(|(at, byte)| {
                *byte == b'\n' && at.checked_sub(1).is_none_or(|before| !b"~\n".contains(&bytes[before]))
            });
            prop_assert_eq!(index.watched(0), blank_before || inside || !bytes.is_ascii());
        }

        #[test]
        fn a_shifted_index_is_that_of_the_rest(bytes in prop::collection::vec(prop::sample::select(b"*~AB".to_vec()), 1..300), by in 0usize..300) {
            let by = by.min(bytes.len());
            let mut index = Index::of(&bytes, b'*', b'~');
            let mark = index.marks().iter().filter(|mark| (**mark as usize) < by).count();
            let end = index.ends().iter().filter(|end| (**end as usize) < mark).count();
            index.shift(by, mark, end);
            let rest = Index::of(&bytes[by..], b'*', b'~');
            prop_assert_eq!(index.marks(), rest.marks());
            prop_assert_eq!(index.ends(), rest.ends());
        }
    }
}
