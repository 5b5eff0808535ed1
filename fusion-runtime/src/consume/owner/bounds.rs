//! How much partitions may hold.

use crate::consume::shared::Load;

/// Bytes that may wait for their lanes, per partition.
const WAITING_BYTES: usize = 16 * 1024 * 1024;
/// With very many partitions, each still has enough records for its lanes.
const LEAST_SHARE: usize = 64;

/// How much the workers of all partitions may hold that is not finished.
///
/// One half is divided evenly, so that nobody starves behind partitions that are stuck; the other half is for whoever
/// needs it, so that one busy partition among many has much.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    records: Divided,
    /// That the workers have not come to.
    bytes: Divided,
}

#[derive(Clone, Copy, Debug)]
struct Divided {
    common: usize,
    share: usize,
}

/// How much of the common halves is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    records: usize,
    bytes: usize,
}

impl Bounds {
    pub(super) fn new(records: usize, bytes: usize, partitions: usize) -> Self {
        let mut bounds =
            Bounds { records: Divided::new(records, partitions), bytes: Divided::new(bytes, partitions) };
        bounds.records.share = bounds.records.share.max(LEAST_SHARE.min(records / 2)).max(1);
        bounds
    }

    pub(super) fn used(&self, loads: impl Iterator<Item = Load>) -> Used {
        loads.fold(Used::default(), |used, load| Used {
            records: used.records + self.records.excess(load.records),
            bytes: used.bytes + self.bytes.excess(load.batched_bytes),
        })
    }

    /// A partition was given more.
    pub(super) fn add(&self, used: &mut Used, before: Load, after: Load) {
        used.records += self.records.excess(after.records) - self.records.excess(before.records);
        used.bytes += self.bytes.excess(after.batched_bytes) - self.bytes.excess(before.batched_bytes);
    }

    /// How many more records a partition may be given that holds `load`. `used` is of all, with this one.
    pub(super) fn room(&self, load: Load, used: Used) -> usize {
        let is_heavy = load.waiting_bytes >= WAITING_BYTES
            || load.batched_bytes >= self.bytes.allowed(load.batched_bytes, used.bytes);
        if is_heavy {
            return 0;
        }
        self.records.allowed(load.records, used.records).saturating_sub(load.records)
    }

    /// What a partition without room must have come down to until it is given more. Half of what it may have: each time
    /// costs a wake-up.
    pub(super) fn low(&self, load: Load, used: Used) -> Load {
        Load {
            records: self.records.allowed(load.records, used.records) / 2,
            waiting_bytes: WAITING_BYTES / 2,
            batched_bytes: self.bytes.allowed(load.batched_bytes, used.bytes) / 2,
        }
    }
}

impl Divided {
    fn new(all: usize, partitions: usize) -> Self {
        let share = (all / 2 / partitions.max(1)).max(1);
        Divided { common: all / 2, share }
    }

    fn excess(&self, own: usize) -> usize {
        own.saturating_sub(self.share)
    }

    fn allowed(&self, own: usize, used: usize) -> usize {
        let others = used.saturating_sub(self.excess(own));
        self.share + self.common.saturating_sub(others)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn load(records: usize) -> Load {
        Load { records, waiting_bytes: 0, batched_bytes: records * 10 }
    }

    #[test]
    fn one_partition_may_have_everything() {
        let bounds = Bounds::new(10_000, 100_000, 1);
        let room = |own| bounds.room(load(own), bounds.used([load(own)].into_iter()));
        assert_eq!((room(0), room(9_999), room(10_000), room(20_000)), (10_000, 1, 0, 0));
        let waiting = Load { waiting_bytes: WAITING_BYTES, ..load(1) };
        assert_eq!(bounds.room(waiting, Used::default()), 0);
        let bytes = Load { batched_bytes: 100_000, ..load(1) };
        assert_eq!(bounds.room(bytes, bounds.used([bytes].into_iter())), 0);
        assert_eq!(Bounds::new(1, 1, 100).room(load(0), Used::default()), 1, "or nothing would ever be read");
    }

    proptest! {
        #[test]
        fn nobody_starves_and_all_is_bounded(
            records in 1_usize..20_000,
            partitions in 1_usize..200,
            turns in prop::collection::vec((0_usize..200, any::<bool>()), 1..400),
        ) {
            let bounds = Bounds::new(records, 1_000_000, partitions);
            let mut held = vec![0; partitions];
            for (partition, finishes) in turns {
                let partition = partition % partitions;
                let used = bounds.used(held.iter().map(|held| load(*held)));
                let mut added = used;
                bounds.add(&mut added, load(held[partition]), load(held[partition] + 7));
                let mut more = held.clone();
                more[partition] += 7;
                prop_assert_eq!(added, bounds.used(more.iter().map(|held| load(*held))));
                let room = bounds.room(load(held[partition]), used);
                let low = bounds.low(load(held[partition]), used);
                if finishes {
                    held[partition] = 0;
                } else {
                    prop_assert!(room > 0 || held[partition] > low.records, "it would never be woken");
                    prop_assert!(room > 0 || held[partition] >= bounds.records.share, "a share is one's own");
                    held[partition] += room;
                }
            }
            let most = records / 2 + partitions * bounds.records.share;
            prop_assert!(held.iter().sum::<usize>() <= most);
        }
    }
}
