//! Unguessable names for sessions and tokens, and a small repeatable generator for seeded faults.

use ring::rand::{SecureRandom, SystemRandom};

/// 32 hexadecimal digits.
pub(crate) fn token() -> String {
    let mut bytes = [0_u8; 16];
    // Without randomness every name is the same, which ends sessions but does no harm in a simulation.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The `number`th value of the sequence that belongs to `seed` (SplitMix64): the same on every run.
pub(crate) fn seeded(seed: u64, number: u64) -> u64 {
    let mut mixed = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_seeds_repeat() {
        assert_ne!(token(), token());
        assert_eq!(token().len(), 32);
        assert_eq!(seeded(7, 3), seeded(7, 3));
        assert_ne!(seeded(7, 3), seeded(8, 3));
    }
}
