//! Sessions that outgrew `longest`, in few bytes: what stands beside an offset is short.
//!
//! In the order of offsets they nearly are in the order of their ends, and all are nearly as long as `longest`. So of each
//! three differences are written, as in protocol buffers seven bits a byte: of the offset and of the end to those before
//! it, and of the length to the largest one, which comes first. Keys that send every few seconds, in sessions of an hour,
//! take seven bytes each.

use crate::window::core::Split;

/// More bytes than one commonly takes.
pub(super) const COMMON_BYTES: usize = 8;

pub(super) fn encode(splits: &[Split]) -> Vec<u8> {
    let longest = splits.iter().map(length).max().unwrap_or(0);
    let mut bytes = Vec::with_capacity((1 + splits.len()) * COMMON_BYTES);
    put(&mut bytes, longest);
    let (mut offset, mut last) = (0, 0);
    for split in splits {
        put(&mut bytes, split.offset.wrapping_sub(offset).cast_unsigned());
        let later = split.last.wrapping_sub(last);
        // Zigzag: a small difference is a small number, whatever its sign.
        put(&mut bytes, (later << 1 ^ later >> 63).cast_unsigned());
        put(&mut bytes, longest.wrapping_sub(length(split)));
        (offset, last) = (split.offset, split.last);
    }
    bytes
}

/// `None` if these are not bytes of [`encode`].
pub(super) fn decode(mut bytes: &[u8]) -> Option<Vec<Split>> {
    let longest = take(&mut bytes)?;
    let mut splits = Vec::new();
    let (mut offset, mut last) = (0_i64, 0_i64);
    while !bytes.is_empty() {
        offset = offset.wrapping_add_unsigned(take(&mut bytes)?);
        let later = take(&mut bytes)?;
        last = last.wrapping_add((later >> 1).cast_signed() ^ -(later & 1).cast_signed());
        let first = last.wrapping_sub_unsigned(longest.wrapping_sub(take(&mut bytes)?));
        splits.push(Split { offset, first, last });
    }
    Some(splits)
}

fn length(split: &Split) -> u64 {
    split.last.wrapping_sub(split.first).cast_unsigned()
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ends() -> impl Strategy<Value = i64> {
        prop_oneof![-20_i64..20, Just(i64::MIN), Just(i64::MAX), any::<i64>()]
    }

    proptest! {
        #[test]
        fn whatever_there_is_comes_back(splits in prop::collection::vec((ends(), ends(), ends()), 0..20)) {
            let splits =
                splits.into_iter().map(|(offset, first, last)| Split { offset, first, last }).collect::<Vec<_>>();
            prop_assert_eq!(decode(&encode(&splits)), Some(splits));
        }

        #[test]
        fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Some(splits) = decode(&bytes) {
                prop_assert_eq!(decode(&encode(&splits)), Some(splits));
            }
        }
    }
}
