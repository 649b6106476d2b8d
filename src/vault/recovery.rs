//! The recovery code: 256 random bits on paper. Thirteen groups of four letters and digits and a check letter each, so
//! that a slip of the pen is found in its group. Letters that look like digits are read as those (Crockford's Base32).

use zeroize::Zeroizing;

use super::error::VaultError;
use super::sealing::{KEY_BYTES, KeyBytes, expand, random};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters of a group that carry bits; one more checks them.
const CARRYING: usize = 4;
/// 256 bits at five for each letter need 52 letters.
const GROUPS: usize = 13;
/// Longest text that is read.
const TEXT_MAX: usize = 256;

/// A new code as people write it down.
///
/// # Errors
/// [`VaultError::BadSecret`] when the system gives no random numbers.
pub(super) fn new_code() -> Result<Zeroizing<String>, VaultError> {
    let bits = random::<KEY_BYTES>().map_err(|_| bad("the system gives no random numbers"))?;
    Ok(write(&bits))
}

/// The key that a code stands for.
pub(super) fn key(code: &str) -> Result<KeyBytes, VaultError> {
    let bits = read(code)?;
    expand(&bits, &[b"portico recovery v1"]).map_err(VaultError::from)
}

fn bad(problem: &'static str) -> VaultError {
    VaultError::BadSecret { problem }
}

fn letter(value: usize) -> char {
    ALPHABET.get(value % ALPHABET.len()).map_or('0', |byte| char::from(*byte))
}

/// Odd weights: every single letter that is wrong changes the sum.
fn check(group: usize, values: &[usize]) -> usize {
    values.iter().enumerate().map(|(place, value)| (2 * place + 1) * value).sum::<usize>() + 9 * group
}

fn write(bits: &KeyBytes) -> Zeroizing<String> {
    let mut values = Zeroizing::new(vec![0_usize; GROUPS * CARRYING]);
    for (place, value) in values.iter_mut().enumerate() {
        for bit in place * 5..place * 5 + 5 {
            let byte = bits.get(bit / 8).copied().unwrap_or(0);
            *value = *value << 1 | usize::from(byte >> (7 - bit % 8) & 1);
        }
    }
    let mut text = Zeroizing::new(String::with_capacity(GROUPS * (CARRYING + 2)));
    for (group, values) in values.chunks(CARRYING).enumerate() {
        if group > 0 {
            text.push('-');
        }
        values.iter().for_each(|value| text.push(letter(*value)));
        text.push(letter(check(group, values)));
    }
    text
}

fn read(code: &str) -> Result<KeyBytes, VaultError> {
    if code.len() > TEXT_MAX {
        return Err(bad("this is no recovery code: it is too long"));
    }
    let mut values = Zeroizing::new(Vec::with_capacity(GROUPS * (CARRYING + 1)));
    for sign in code.chars().filter(|sign| !sign.is_whitespace() && *sign != '-') {
        let sign = match sign.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let value = ALPHABET.iter().position(|byte| char::from(*byte) == sign);
        values.push(value.ok_or(bad("a recovery code has letters and digits only, and no U"))?);
    }
    if values.len() != GROUPS * (CARRYING + 1) {
        return Err(bad("a recovery code has thirteen groups of five letters and digits"));
    }
    let mut bits = Zeroizing::new([0_u8; KEY_BYTES]);
    for (group, values) in values.chunks(CARRYING + 1).enumerate() {
        let (values, checked) = values.split_at_checked(CARRYING).ok_or(bad("a group is too short"))?;
        if checked != [check(group, values) % ALPHABET.len()] {
            return Err(VaultError::BadRecoveryGroup { group: group + 1 });
        }
        for (place, value) in values.iter().enumerate() {
            for bit in 0..5 {
                let at = (group * CARRYING + place) * 5 + bit;
                if let Some(byte) = bits.get_mut(at / 8) {
                    *byte |= ((value >> (4 - bit) & 1) as u8) << (7 - at % 8);
                }
            }
        }
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_however_it_is_copied() {
        let bits = random::<KEY_BYTES>().unwrap();
        let text = write(&bits);
        assert_eq!((text.len(), text.split('-').count()), (77, GROUPS));
        assert_eq!(*read(&text).unwrap(), *bits);
        let copied = text.to_lowercase().replace('-', "  ").replace('0', "o").replace('1', "l");
        assert_eq!(*read(&format!("{copied}\n")).unwrap(), *bits);
        assert_ne!(*new_code().unwrap(), *new_code().unwrap());
    }

    #[test]
    fn every_wrong_letter_is_found_in_its_group() {
        let text = write(&random::<KEY_BYTES>().unwrap());
        let mut tried = 0;
        for (place, right) in text.char_indices().filter(|(_, sign)| *sign != '-') {
            for wrong in ALPHABET.iter().map(|byte| char::from(*byte)).filter(|wrong| *wrong != right) {
                let mut changed = text.to_string();
                changed.replace_range(place..=place, &wrong.to_string());
                assert_eq!(read(&changed).unwrap_err(), VaultError::BadRecoveryGroup { group: place / 6 + 1 });
                tried += 1;
            }
        }
        for no_code in ["", "U", "0000-1111", &"0".repeat(1000)] {
            assert!(matches!(read(no_code), Err(VaultError::BadSecret { .. })));
        }
        println!("{tried} slips found");
    }
}
