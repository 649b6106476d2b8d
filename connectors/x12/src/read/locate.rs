//! The long way to a segment: interchanges begin, white space and junk are passed over, binary data is measured.

use std::io::Read;

use super::{
    Extent, Gap, Here, MAX_BINARY_BYTES, MAX_PREAMBLE_BYTES, MAX_SEARCHED_BYTES, MAX_SEGMENT_BYTES, ReadError, Reader,
    scan,
};
use crate::delimiters::{self, Delimiters, Detected, MAX_ISA_BYTES};
use crate::finding::Oddity;

impl<R: Read> Reader<R> {
    /// Finds the next segment and makes sure that it lies in the window whole.
    pub(super) fn locate(&mut self) -> Result<Option<Extent>, ReadError> {
        loop {
            if self.outside {
                if !self.begin()? {
                    return Ok(None);
                }
                self.outside = false;
                self.gap = Gap::Unknown;
            }
            if !self.skip_space()? {
                return Ok(None);
            }
            if let Some(extent) = self.isa()? {
                return Ok(Some(extent));
            }
            let delimiters = self.delimiters;
            if let Some(extent) = self.binary(delimiters)? {
                return Ok(Some(extent));
            }
            if let Some(extent) = self.plain(delimiters)? {
                return Ok(Some(extent));
            }
        }
    }

    /// Finds the start of an interchange. `false` where nothing (more) is there.
    fn begin(&mut self) -> Result<bool, ReadError> {
        let first = !self.begun;
        self.want(4)?;
        if first && self.input.unread().starts_with(b"\xef\xbb\xbf") {
            self.findings.push(Oddity::ByteOrderMark.at(0, 0));
            self.input.start += 3;
        }
        if !self.skip_space()? {
            return if first { Err(ReadError::Empty) } else { Ok(false) };
        }
        self.want(4)?;
        if !first && scan::starts_with_id(self.input.unread(), self.delimiters.element, false) {
            return Ok(true); // more segments under the same separators
        }
        // No further than this, whatever is in the window: nothing may depend on how much the source gave at a time.
        self.want(MAX_SEARCHED_BYTES)?;
        let offset = self.place();
        let unread = self.input.unread();
        let unread = unread.get(..MAX_SEARCHED_BYTES).unwrap_or(unread);
        if let Some((at, detected)) = scan::find_isa(unread, 0..MAX_PREAMBLE_BYTES) {
            if at > 0 {
                let oddity = if first { Oddity::TextBefore } else { Oddity::TextAfter };
                self.findings.push(oddity.at(self.number, offset));
            }
            self.input.start += at;
            self.adopt(detected.delimiters);
            return Ok(true);
        }
        if !first {
            self.findings.push(Oddity::TextAfter.at(self.number, offset));
            self.input.stop();
            return Ok(false);
        }
        if let Some((at, guessed)) = scan::find_first_segment(unread) {
            self.findings.push(Oddity::NoIsa.at(0, offset));
            if at > 0 {
                self.findings.push(Oddity::TextBefore.at(0, offset));
            }
            self.input.start += at;
            self.adopt(guessed);
            return Ok(true);
        }
        Err(if scan::has_isa(unread) { ReadError::NoSeparators } else { ReadError::NotX12 })
    }

    /// An ISA may bring other separators than the interchange before it. The extent is given only where it names no
    /// segment terminator: then it is the last segment that can be told.
    fn isa(&mut self) -> Result<Option<Extent>, ReadError> {
        self.want(4)?;
        if !self.input.unread().starts_with(b"ISA") {
            return Ok(None);
        }
        self.want(MAX_ISA_BYTES)?;
        let Some(detected) = delimiters::from_isa(self.input.unread()) else { return Ok(None) };
        self.adopt(detected.delimiters);
        let (number, offset) = (self.number + 1, self.place());
        for (oddity, there) in oddities(&detected) {
            if there {
                self.findings.push(oddity.at(number, offset));
            }
        }
        if detected.terminated {
            self.index_isa(detected.fixed);
            return Ok(None);
        }
        self.sync();
        while self.extend() {}
        let (from, first) = (self.input.start, self.next_mark);
        let here = Here {
            from,
            to: from + delimiters::ISA_BYTES,
            first,
            last: first + delimiters::ISA_ELEMENTS,
            ..Here::default()
        };
        self.input.stop();
        Ok(Some(Extent { here, next: self.input.start, binary: false }))
    }

    /// Indexes an ISA of the usual length by itself: it is padded, and the segments indexed with it would all be looked
    /// at twice for that. A short file has no others.
    fn index_isa(&mut self, fixed: bool) {
        self.sync();
        let start = self.input.start;
        if fixed && self.index.to() == start {
            let end = (start + delimiters::ISA_BYTES + 1).min(self.input.window().len());
            let Delimiters { element, segment, .. } = self.delimiters;
            self.index.extend(self.input.window().get(..end).unwrap_or(&[]), element, segment);
        }
    }

    /// The extent of an ordinary segment. `None`: it was left out, look again.
    fn plain(&mut self, delimiters: Delimiters) -> Result<Option<Extent>, ReadError> {
        loop {
            self.sync();
            if let Some((end, to)) = self.index.end(self.next_end).and_then(|end| Some((end, self.index.mark(end)?))) {
                if to - self.input.start > MAX_SEGMENT_BYTES {
                    self.leave_out();
                    self.input.start = to + 1;
                    return Ok(None);
                }
                return Ok(self.cut(to, Some(end), delimiters));
            }
            if self.extend() {
                continue;
            }
            if self.input.left() > MAX_SEGMENT_BYTES {
                self.leave_out();
                self.skip_past(delimiters.segment)?;
                return Ok(None);
            }
            if !self.fill()? {
                // A file that ends without its last line break is whole.
                if !matches!(delimiters.segment, b'\n' | b'\r') {
                    self.findings.push(Oddity::Unterminated.at(self.number + 1, self.place()));
                }
                let to = self.input.window().len();
                return Ok(self.cut(to, None, delimiters));
            }
        }
    }

    /// Drops what is around the segment that ends at `to`: junk before its identifier, a carriage return at its end.
    /// `end` is the place of its terminator in the index; without one the file ends here.
    fn cut(&mut self, to: usize, end: Option<usize>, delimiters: Delimiters) -> Option<Extent> {
        let (mut from, mut last) = (self.input.start, to);
        let next = if end.is_some() { to + 1 } else { to };
        let bytes = self.input.window().get(from..to).unwrap_or(&[]);
        if let Some(junk) = scan::junk_before_id(bytes, delimiters.element) {
            self.findings.push(Oddity::TextInside.at(self.number + 1, self.place()));
            from += junk;
        }
        let bytes = self.input.window().get(from..to).unwrap_or(&[]);
        if end.is_none() {
            last = from + bytes.trim_ascii_end().len();
        } else if delimiters.segment == b'\n' && bytes.last() == Some(&b'\r') {
            last -= 1;
        }
        if from == last {
            // Two terminators in a row: nothing is lost.
            self.input.start = next;
            return None;
        }
        let end = end.unwrap_or(self.index.marked());
        let before = self.index.slice(self.next_mark..end).iter().filter(|mark| (**mark as usize) < from).count();
        let here = Here { from, to: last, first: self.next_mark + before, last: end, ..Here::default() };
        Some(Extent { here, next, binary: false })
    }

    /// The extent of a BIN or BDS segment at the read position; `None` where there is none.
    fn binary(&mut self, delimiters: Delimiters) -> Result<Option<Extent>, ReadError> {
        self.want(64)?;
        let Some(header) = scan::binary_header(self.input.unread(), delimiters) else { return Ok(None) };
        let offset = self.place();
        if let Some(length) = header.length.filter(|length| *length <= MAX_BINARY_BYTES) {
            let whole = header.data + length;
            self.want(whole + 1)?;
            let unread = self.input.unread();
            if unread.get(whole) == Some(&delimiters.segment) || (unread.len() == whole && self.input.at_end()) {
                return Ok(Some(self.cut_binary(header.data, whole)));
            }
        }
        self.findings.push(Oddity::BinaryLength.at(self.number + 1, offset));
        let mut searched = header.data;
        loop {
            let unread = self.input.unread();
            if let Some(at) = scan::end_of_binary(unread, searched, delimiters, self.input.at_end()) {
                return Ok(Some(self.cut_binary(header.data, at)));
            }
            // The end is a terminator and the identifier after it: keep a few bytes to see both at once.
            searched = unread.len().saturating_sub(16).max(header.data);
            if unread.len() > MAX_BINARY_BYTES {
                self.leave_out();
                self.skip_past(delimiters.segment)?;
                self.skip_space()?;
                return Ok(None);
            }
            if !self.fill()? && scan::end_of_binary(self.input.unread(), searched, delimiters, true).is_none() {
                let whole = self.input.left();
                return Ok(Some(self.cut_binary(header.data, whole)));
            }
        }
    }

    /// The extent of a binary segment of `whole` bytes, whose data begins at `data`: nothing in it is split.
    fn cut_binary(&mut self, data: usize, whole: usize) -> Extent {
        self.sync();
        let from = self.input.start;
        while self.index.to() < from + data && self.extend() {}
        let mut last = self.next_mark;
        while self.index.mark(last).is_some_and(|mark| mark < from + data) {
            last += 1;
        }
        let to = from + whole;
        let next = (to + 1).min(self.input.window().len());
        Extent { here: Here { from, to, first: self.next_mark, last, ..Here::default() }, next, binary: true }
    }

    /// Tells of a segment that is longer than the limit.
    fn leave_out(&mut self) {
        self.findings.push(Oddity::SegmentLength.at(self.number + 1, self.place()));
    }

    /// Drops bytes up to and including the next `terminator`.
    fn skip_past(&mut self, terminator: u8) -> Result<(), ReadError> {
        loop {
            if let Some(at) = self.input.unread().iter().position(|byte| *byte == terminator) {
                self.input.start += at + 1;
                return Ok(());
            }
            self.input.start += self.input.left();
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    /// Drops white space before a segment and tells of it. `false` at the end of the file.
    fn skip_space(&mut self) -> Result<bool, ReadError> {
        self.want(3)?;
        let (number, offset) = (self.number + 1, self.place());
        let gap = match self.input.unread() {
            [b'\n', after, ..] if !blank(*after) => Gap::LineFeed,
            [b'\r', b'\n', after, ..] if !blank(*after) => Gap::CarriageReturnLineFeed,
            [first, ..] if blank(*first) => Gap::Other,
            _ => Gap::Nothing,
        };
        let (mut breaks, mut indented) = (matches!(gap, Gap::LineFeed | Gap::CarriageReturnLineFeed), false);
        loop {
            let unread = self.input.unread();
            let space = unread.iter().take_while(|byte| blank(**byte)).count();
            let skipped = unread.get(..space).unwrap_or(&[]);
            breaks |= skipped.iter().any(|byte| matches!(byte, b'\n' | b'\r'));
            indented |= skipped.iter().any(|byte| matches!(byte, b' ' | b'\t'));
            let more = space < unread.len();
            self.input.start += space;
            if !more && self.fill()? {
                continue;
            }
            if !more {
                return Ok(false);
            }
            break;
        }
        if indented {
            self.once(Oddity::Indented, number, offset);
        }
        let ends_lines = self.begun && matches!(self.delimiters.segment, b'\n' | b'\r');
        if breaks && !ends_lines && self.number > 0 {
            self.once(Oddity::LineBreaks, number, offset);
        }
        if gap != self.gap {
            if self.gap != Gap::Unknown && !self.outside && !ends_lines {
                self.once(Oddity::MixedBreaks, number, offset);
            }
            // The first segment of an interchange has nothing before it that would say how lines end.
            if !self.outside && !self.input.unread().starts_with(b"ISA") {
                self.gap = gap;
            }
        }
        Ok(true)
    }

    /// New separators: what was indexed under others is worth nothing.
    fn adopt(&mut self, delimiters: Delimiters) {
        let before = std::mem::replace(&mut self.delimiters, delimiters);
        let same = (before.element, before.segment) == (delimiters.element, delimiters.segment);
        if !(same && self.begun) {
            self.index.restart(self.input.start);
            (self.next_mark, self.next_end) = (0, 0);
        }
        self.begun = true;
    }

    /// Offset in the file of the read position.
    fn place(&self) -> u64 {
        self.input.offset(self.input.start)
    }

    /// Goes on in the index to the read position.
    pub(super) fn sync(&mut self) {
        let start = self.input.start;
        if start > self.index.to() {
            self.index.restart(start);
            (self.next_mark, self.next_end) = (0, 0);
        }
        while self.index.mark(self.next_mark).is_some_and(|mark| mark < start) {
            self.next_mark += 1;
        }
        while self.index.end(self.next_end).is_some_and(|end| end < self.next_mark) {
            self.next_end += 1;
        }
    }

    /// Indexes more of the window. `false` where it is indexed whole.
    fn extend(&mut self) -> bool {
        let Delimiters { element, segment, .. } = self.delimiters;
        if self.next_mark > self.index.marked() / 2 {
            self.index.shift(0, self.next_mark, self.next_end);
            (self.next_mark, self.next_end) = (0, 0);
        }
        self.index.extend(self.input.window(), element, segment)
    }

    /// Tries to have at least `count` unread bytes.
    fn want(&mut self, count: usize) -> Result<(), ReadError> {
        while self.input.left() < count && self.fill()? {}
        Ok(())
    }

    /// Reads more. `false` at the end of the source.
    fn fill(&mut self) -> Result<bool, ReadError> {
        self.sync();
        let by = self.input.make_room();
        if by > 0 {
            self.index.shift(by, self.next_mark, self.next_end);
            (self.next_mark, self.next_end) = (0, 0);
        }
        self.input.read().map_err(ReadError::Io)
    }
}

/// White space around segments; some files are padded with zero bytes.
fn blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0
}

/// What an ISA tells that is odd.
fn oddities(isa: &Detected) -> [(Oddity, bool); 6] {
    [
        (Oddity::IsaLength, !isa.fixed),
        (Oddity::SharedSeparator, isa.shared()),
        (Oddity::NoRepetition, isa.no_repetition),
        (Oddity::NoComponent, isa.no_component),
        (Oddity::NewlineTerminator, matches!(isa.delimiters.segment, b'\n' | b'\r')),
        (Oddity::NoTerminator, !isa.terminated),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_padding_of_an_isa_makes_no_other_segment_looked_at_twice() {
        let isa = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*1200*^*00501*000000001*0*P*:~";
        let file = [isa, "GS*HB*A*B*20260101*1200*7*X*005010X279A1~ST*271*0001~"].concat();
        let mut reader = Reader::new(file.as_bytes());
        for id in ["ISA", "GS"] {
            assert_eq!(reader.next_segment().unwrap().unwrap().id(), id);
            assert!(!reader.index.watched(reader.input.start), "{id}");
        }
    }
}
