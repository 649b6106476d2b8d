//! Made-up models for property tests: whatever a model can hold must be read back as it was written.

use crate::envelope::Walker;
use crate::read::Block;
use crate::write::{Envelope, TransactionWriter, WriteError};
use crate::{Delimiters, Item};

/// Repeatable chance (xorshift).
pub struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) % u64::from(bound.max(1))) as u32
    }

    pub(crate) fn often(&mut self) -> bool {
        self.below(3) > 0
    }

    /// Few of a kind: loops inside loops multiply.
    pub(crate) fn few(&mut self) -> u32 {
        [0, 0, 1, 1, 2][self.below(5) as usize]
    }

    /// Four to eight letters: never a code, which has at most three.
    pub(crate) fn word(&mut self) -> String {
        (0..4 + self.below(5)).map(|_| char::from(b'A' + self.below(26) as u8)).collect()
    }
}

/// A transaction set that property tests make up.
pub(crate) trait Sampled: Sized {
    type Read<'r>;

    fn sample(dice: &mut Dice) -> Self;
    fn write(&self) -> Result<TransactionWriter, WriteError>;
    fn is_read_from(&self, block: &Block) -> bool;
}

/// Writes made-up transaction sets and reads them back: equal, without a finding.
pub(crate) fn round_trips<T: Sampled>(rounds: u64) {
    for seed in 1..=rounds {
        let made = T::sample(&mut Dice::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        let bytes = Envelope::new("HX", "V").wrap(&Delimiters::default(), vec![made.write().unwrap()]).unwrap();
        let mut walker = Walker::new(bytes.as_slice());
        let Some(Item::Transaction(transaction)) = walker.next_item().unwrap() else { panic!("seed {seed}: nothing") };
        assert!(transaction.findings.is_empty(), "seed {seed}: {:?}", transaction.findings);
        assert!(made.is_read_from(&transaction.segments), "seed {seed}: {}", String::from_utf8_lossy(&bytes));
    }
}
