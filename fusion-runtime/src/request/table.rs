//! Which requests wait for a reply.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasherDefault, Hasher},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Waiting requests by id. Each is taken out once: by its reply, by the failure to send it, or by its caller, who
/// waits no longer. Whoever comes later finds nothing.
#[derive(Debug)]
pub(super) struct Table<W> {
    waiting: Mutex<HashMap<u128, W, BuildHasherDefault<IdHasher>>>,
}

impl<W> Table<W> {
    pub(super) fn new() -> Self {
        Table { waiting: Mutex::default() }
    }

    /// `false`: the id waits already, and nothing is changed.
    pub(super) fn insert(&self, id: u128, waiter: W) -> bool {
        match self.lock().entry(id) {
            Entry::Occupied(_) => false,
            Entry::Vacant(vacant) => {
                vacant.insert(waiter);
                true
            }
        }
    }

    pub(super) fn take(&self, id: u128) -> Option<W> {
        self.lock().remove(&id)
    }

    /// Takes out all, when the route closes.
    pub(super) fn take_all(&self) -> Vec<W> {
        self.lock().drain().map(|(_, waiter)| waiter).collect()
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u128, W, BuildHasherDefault<IdHasher>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids begin at a random number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u128(&mut self, id: u128) {
        // Those of one route follow each other; the multiplication spreads them over the high bits, too.
        self.0 = (id as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u8),
        Take(u8),
    }

    proptest! {
        #[test]
        fn every_request_completes_at_most_once(
            steps in prop::collection::vec(
                prop_oneof![any::<u8>().prop_map(Step::Insert), any::<u8>().prop_map(Step::Take)],
                0..400,
            )
        ) {
            let table = Table::new();
            let mut model = std::collections::BTreeSet::new();
            for step in steps {
                match step {
                    Step::Insert(id) => prop_assert_eq!(table.insert(id.into(), id), model.insert(id)),
                    Step::Take(id) => prop_assert_eq!(table.take(id.into()).is_some(), model.remove(&id)),
                }
                prop_assert_eq!(table.len(), model.len());
            }
            prop_assert_eq!(table.take_all().len(), model.len());
        }
    }
}
