//! A set of offsets from the committed one on: as runs or as a bitmap, whichever is shorter.

use std::ops::Range;

const RUNS: u8 = 0;
const BITMAP: u8 = 1;
/// Bitmaps of more bytes fit into no commit.
const MOST_BITMAP: usize = 4096;

/// What can be written: ascending, disjoint, not touching, from `base` on.
pub(super) fn tidy(base: i64, runs: &[Range<i64>]) -> Vec<Range<i64>> {
    let mut tidy: Vec<Range<i64>> = Vec::with_capacity(runs.len());
    for run in runs.iter().filter(|run| run.start >= base && run.start < run.end) {
        match tidy.last_mut() {
            Some(last) if run.start < last.start => {}
            Some(last) if run.start <= last.end => last.end = last.end.max(run.end),
            _ => tidy.push(run.clone()),
        }
    }
    tidy
}

pub(super) fn encode(base: i64, runs: &[Range<i64>]) -> Vec<u8> {
    let mut listed = vec![RUNS];
    let mut from = base;
    for run in runs {
        push(&mut listed, run.start.abs_diff(from));
        push(&mut listed, run.end.abs_diff(run.start));
        from = run.end;
    }
    let span = runs.last().map_or(0, |last| last.end.abs_diff(base));
    if span.div_ceil(8) + 1 >= listed.len().min(MOST_BITMAP) as u64 {
        return listed;
    }
    let mut bitmap = vec![0; span.div_ceil(8) as usize + 1];
    bitmap[0] = BITMAP;
    for bit in runs.iter().flat_map(|run| run.start.abs_diff(base)..run.end.abs_diff(base)) {
        bitmap[1 + bit as usize / 8] |= 1 << (bit % 8);
    }
    bitmap
}

pub(super) fn decode(base: i64, bytes: &[u8]) -> Option<Vec<Range<i64>>> {
    let (&form, mut rest) = bytes.split_first()?;
    let mut runs: Vec<Range<i64>> = Vec::new();
    match form {
        RUNS => {
            let mut from = base;
            while !rest.is_empty() {
                let (gap, length) = (pull(&mut rest)?, pull(&mut rest)?);
                if length == 0 || (gap == 0 && !runs.is_empty()) {
                    return None;
                }
                let start = from.checked_add_unsigned(gap)?;
                let end = start.checked_add_unsigned(length)?;
                runs.push(start..end);
                from = end;
            }
        }
        BITMAP if rest.len() <= MOST_BITMAP => {
            let set = |bit: &usize| rest[bit / 8] >> (bit % 8) & 1 == 1;
            for bit in (0..rest.len() * 8).filter(set) {
                let offset = base.checked_add_unsigned(bit as u64)?;
                let end = offset.checked_add(1)?;
                match runs.last_mut() {
                    Some(last) if last.end == offset => last.end = end,
                    _ => runs.push(offset..end),
                }
            }
        }
        _ => return None,
    }
    Some(runs)
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7F {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn pull(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7F);
        // The tenth byte has room for one bit.
        if bits << shift >> shift != bits {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
