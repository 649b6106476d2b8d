//! What the machine could do: no parser, only the work that no parser can leave out.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

/// Stores the offset of every `~` and `*`, 64 bytes at a time with the best instruction set there is, in pieces of
/// 64 KB into a vector that is used again. Returns how many there are.
///
/// `unrolled`: the bits are written out eight at a time instead of one by one, as our reader does it; one by one is how
/// the limit of 4.3 GB/s was measured that the goal was set by.
pub fn bitmask(bytes: &[u8], unrolled: bool, marks: &mut Vec<u32>) -> usize {
    let level = Level::new();
    marks.resize((64 << 10) + 64, 0);
    bytes.chunks(64 << 10).map(|piece| dispatch!(level, simd => store(simd, piece, unrolled, marks))).sum()
}

#[inline(always)]
fn store<S: Simd>(simd: S, bytes: &[u8], unrolled: bool, marks: &mut [u32]) -> usize {
    let (element, segment) = (u8x64::splat(simd, b'*'), u8x64::splat(simd, b'~'));
    let mut count = 0;
    for (at, block) in bytes.as_chunks::<64>().0.iter().enumerate() {
        let block = u8x64::simd_from(simd, *block);
        let mut bits = block.simd_eq(element).to_bitmask() | block.simd_eq(segment).to_bitmask();
        let Some(room) = marks.get_mut(count..).and_then(<[u32]>::first_chunk_mut::<64>) else { return count };
        let base = (at * 64) as u32;
        let here = bits.count_ones() as usize;
        count += here;
        let mut next = 0;
        while next < here {
            if unrolled {
                for ahead in 0..8 {
                    room[(next + ahead) & 63] = base.wrapping_add(bits.trailing_zeros());
                    bits &= bits.wrapping_sub(1);
                }
                next += 8;
            } else {
                room[next & 63] = base + bits.trailing_zeros();
                bits &= bits - 1;
                next += 1;
            }
        }
    }
    count
}

/// A search for each separator with `memchr2`.
pub fn memchr(bytes: &[u8]) -> usize {
    memchr::memchr2_iter(b'~', b'*', bytes).fold(0, |sum, at| sum ^ at)
}

/// The least that a program has to do to know that an 835 comes out even: split, money in cents, sums of claims and
/// lines against each other and against BPR02, SE counted. Written for these files alone; it trusts every byte.
/// Returns how many claims come out even, or `None` where a sum or count does not.
pub fn floor_walk(bytes: &[u8]) -> Option<u64> {
    let mut elements: Vec<&[u8]> = Vec::with_capacity(32);
    let (mut claims, mut count) = (0, 0u64);
    let (mut total, mut charge, mut paid, mut adjusted, mut line_charge, mut line_paid) = (0, 0, 0, 0, 0, 0);
    let mut rest = bytes;
    let even =
        |charge: i64, paid: i64, adjusted: i64, lines: (i64, i64)| charge - adjusted == paid && lines == (charge, paid);
    let mut open = false;
    while !rest.is_empty() {
        elements.clear();
        let mut from = 0;
        let mut end = rest.len();
        for at in memchr::memchr2_iter(b'~', b'*', rest) {
            elements.push(&rest[from..at]);
            from = at + 1;
            if rest[at] == b'~' {
                end = from;
                break;
            }
        }
        rest = &rest[end..];
        count += 1;
        let cents = |at: usize| cents(elements.get(at).copied().unwrap_or(b""));
        match elements.first().copied() {
            Some(b"ST") => count = 1,
            Some(b"BPR") => total = cents(2),
            Some(b"CLP" | b"SE") => {
                if open {
                    even(charge, paid, adjusted, (line_charge, line_paid)).then_some(())?;
                    total -= paid;
                    claims += 1;
                }
                (charge, paid, adjusted, line_charge, line_paid) = (cents(3), cents(4), 0, 0, 0);
                open = elements[0] == b"CLP";
                if !open {
                    (total == 0 && cents(1) == count as i64 * 100).then_some(())?;
                }
            }
            Some(b"SVC") => (line_charge, line_paid) = (line_charge + cents(2), line_paid + cents(3)),
            Some(b"CAS") => adjusted += elements.iter().skip(3).step_by(3).map(|money| self::cents(money)).sum::<i64>(),
            _ => {}
        }
    }
    Some(claims)
}

/// An amount in cents.
fn cents(text: &[u8]) -> i64 {
    let (mut value, mut decimals) = (0, None);
    for byte in text {
        match byte {
            b'0'..=b'9' if decimals != Some(2) => {
                value = value * 10 + i64::from(byte - b'0');
                decimals = decimals.map(|count| count + 1);
            }
            b'.' => decimals = Some(0),
            _ => {}
        }
    }
    match decimals {
        Some(2) => value,
        Some(1) => value * 10,
        _ => value * 100,
    }
}
