//! What is kept for each key, at a place that stays while the key does: what is due later is found again by it.

use std::{collections::HashMap, hash::Hash};

#[derive(Debug)]
pub(super) struct Slots<K, S> {
    places: HashMap<K, u32>,
    slots: Vec<Option<(K, S)>>,
    free: Vec<u32>,
}

impl<K, S> Default for Slots<K, S> {
    fn default() -> Self {
        Slots { places: HashMap::new(), slots: Vec::new(), free: Vec::new() }
    }
}

impl<K: Eq + Hash + Clone, S: Default> Slots<K, S> {
    pub(super) fn find(&self, key: &K) -> Option<u32> {
        self.places.get(key).copied()
    }

    pub(super) fn find_or_add(&mut self, key: &K) -> u32 {
        if let Some(place) = self.find(key) {
            return place;
        }
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 keys fit into memory")
        });
        self.slots[place as usize] = Some((key.clone(), S::default()));
        self.places.insert(key.clone(), place);
        place
    }

    pub(super) fn get(&self, place: u32) -> Option<&(K, S)> {
        self.slots[place as usize].as_ref()
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut (K, S)> {
        self.slots[place as usize].as_mut()
    }

    /// Forgets a key of which nothing is kept any more.
    pub(super) fn remove(&mut self, place: u32) {
        if let Some((key, _)) = self.slots[place as usize].take() {
            self.places.remove(&key);
            self.free.push(place);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(K, S)> {
        self.slots.iter().flatten()
    }
}
