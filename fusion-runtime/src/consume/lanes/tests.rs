use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[test]
fn only_keys_in_key_order_share_a_lane() {
    let lanes = Lanes::<()>::new();
    let key = Some(&b"a"[..]);
    assert_eq!(lanes.lane_of(Order::Key, key, 1), lanes.lane_of(Order::Key, key, 2));
    assert_ne!(lanes.lane_of(Order::Key, key, 1), lanes.lane_of(Order::Key, Some(b"b"), 1));
    assert_ne!(lanes.lane_of(Order::Key, None, 1), lanes.lane_of(Order::Key, None, 2));
    assert_ne!(lanes.lane_of(Order::Key, Some(b""), 1), lanes.lane_of(Order::Key, None, 1));
    assert_eq!(lanes.lane_of(Order::Partition, key, 1), lanes.lane_of(Order::Partition, None, 2));
    assert_ne!(lanes.lane_of(Order::None, key, 1), lanes.lane_of(Order::None, key, 2));
}

#[test]
fn nothing_in_flight_keeps_no_entry() {
    let mut lanes = Lanes::<()>::new();
    let lane = lanes.lane_of(Order::Key, Some(b"a"), 1);
    assert!(lanes.is_idle() && lanes.is_free(lane));
    assert!(lanes.occupy(lane));
    assert!(!lanes.is_idle() && !lanes.is_free(lane));
    assert!(lanes.release(lane));
    assert!(lanes.is_idle());
}

#[test]
fn a_waiting_record_is_not_overtaken() {
    let mut lanes = Lanes::new();
    let lane = lanes.lane_of(Order::Key, Some(b"a"), 1);
    lanes.wait(lane, "for a permit", 10);
    assert!(!lanes.is_free(lane) && !lanes.occupy(lane));
    assert_eq!((lanes.waiting(), lanes.waiting_bytes(), lanes.in_flight()), (1, 10, 0));
    assert_eq!(lanes.next_ready(), Some((lane, "for a permit")));
    assert_eq!((lanes.waiting(), lanes.waiting_bytes(), lanes.in_flight()), (0, 0, 1));
    assert_eq!(lanes.next_ready(), None);
}

#[test]
fn lanes_take_turns_by_arrival() {
    let mut lanes = Lanes::new();
    let [a, b] = [b"a", b"b"].map(|key| lanes.lane_of(Order::Key, Some(key), 0));
    lanes.occupy(a);
    lanes.wait(a, "a1", 1);
    lanes.wait(b, "b1", 1);
    lanes.wait(a, "a2", 1);
    assert_eq!(lanes.next_ready(), Some((b, "b1")));
    lanes.wait(b, "b2", 1);
    assert_eq!(lanes.next_ready(), None);
    lanes.release(b);
    lanes.release(a);
    assert_eq!(lanes.next_ready(), Some((a, "a1")));
    assert_eq!(lanes.next_ready(), Some((b, "b2")));
}

#[test]
fn impossible_calls_change_nothing() {
    let mut lanes = Lanes::new();
    let lane = lanes.lane_of(Order::Partition, None, 0);
    assert!(!lanes.release(lane));
    lanes.wait(lane, (), 1);
    assert!(!lanes.release(lane), "it waits, but is not in flight");
    assert_eq!(lanes.next_ready(), Some((lane, ())));
    assert!(!lanes.occupy(lane));
    assert_eq!(lanes.in_flight(), 1);
    assert!(lanes.release(lane) && !lanes.release(lane));
    assert_eq!(lanes.in_flight(), 0);
}

#[test]
fn orders_are_read_by_their_names() {
    let all = [("key", Order::Key), ("partition", Order::Partition), ("none", Order::None)];
    for (text, order) in all {
        assert_eq!(text.parse(), Ok(order));
    }
    assert_eq!("Key".parse::<Order>(), Err(UnknownOrder));
}

/// A record of the simulation below: its place in the order of arrival, and its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrived {
    offset: i64,
    key: Option<u8>,
}

/// A consumer loop with a number of permits, and what it started in which order.
struct Simulation {
    lanes: Lanes<Arrived>,
    order: Order,
    permits: usize,
    running: Vec<(Lane, Arrived)>,
    waiting: BTreeSet<Arrived>,
    started: Vec<Arrived>,
}

impl Simulation {
    fn new(order: Order, permits: usize) -> Self {
        let (running, waiting, started) = (Vec::new(), BTreeSet::new(), Vec::new());
        Self { lanes: Lanes::new(), order, permits, running, waiting, started }
    }

    /// Which records must not overtake each other.
    fn group(&self, record: Arrived) -> Option<u8> {
        match self.order {
            Order::Key => record.key,
            Order::Partition => Some(0),
            Order::None => None,
        }
    }

    fn arrive(&mut self, record: Arrived) {
        let key = record.key.map(|key| [key]);
        let lane = self.lanes.lane_of(self.order, key.as_ref().map(<[u8; 1]>::as_slice), record.offset);
        if self.running.len() < self.permits && self.lanes.is_free(lane) {
            assert!(self.lanes.occupy(lane));
            self.start(lane, record);
        } else {
            self.lanes.wait(lane, record, record.offset as usize);
            self.waiting.insert(record);
        }
    }

    fn start(&mut self, lane: Lane, record: Arrived) {
        let group = self.group(record);
        let together = self.running.iter().any(|(_, other)| group.is_some() && self.group(*other) == group);
        assert!(!together, "at most one of a key is in flight");
        self.running.push((lane, record));
        self.started.push(record);
    }

    fn complete(&mut self, which: usize) {
        if self.running.is_empty() {
            return;
        }
        let (lane, _) = self.running.swap_remove(which % self.running.len());
        assert!(self.lanes.release(lane));
        self.start_waiting();
    }

    fn start_waiting(&mut self) {
        while self.running.len() < self.permits {
            let Some((lane, record)) = self.lanes.next_ready() else { break };
            // Of all that wait, it is the first one whose key is not in flight. (Keys may share a lane, but
            // 64 bits of hash do not meet in a test.)
            let free = |other: &&Arrived| {
                let group = self.group(**other);
                group.is_none() || !self.running.iter().any(|(_, running)| self.group(*running) == group)
            };
            assert_eq!(self.waiting.iter().find(free), Some(&record));
            self.waiting.remove(&record);
            self.start(lane, record);
        }
    }

    fn check(&self) {
        assert_eq!(self.lanes.in_flight(), self.running.len());
        assert_eq!(self.lanes.waiting(), self.waiting.len());
        let bytes: usize = self.waiting.iter().map(|record| record.offset as usize).sum();
        assert_eq!(self.lanes.waiting_bytes(), bytes);
        assert_eq!(self.lanes.is_idle(), self.running.is_empty() && self.waiting.is_empty());
    }
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![3 => Just(Order::Key), 1 => Just(Order::Partition), 1 => Just(Order::None)]
}

proptest! {
    #[test]
    fn keys_keep_their_order_and_every_record_starts_once(
        order in order(),
        permits in 1..6usize,
        steps in prop::collection::vec((any::<bool>(), prop::option::weighted(0.9, 0..5u8), any::<usize>()), 1..300),
    ) {
        let mut simulation = Simulation::new(order, permits);
        let mut arrived = Vec::new();
        for (arrives, key, which) in steps {
            if arrives {
                let record = Arrived { offset: arrived.len() as i64, key };
                arrived.push(record);
                simulation.arrive(record);
            } else {
                simulation.complete(which);
            }
            simulation.check();
        }
        while !simulation.running.is_empty() {
            simulation.complete(0);
            simulation.check();
        }
        prop_assert!(simulation.lanes.is_idle(), "every waiting record is started once completions allow it");

        let mut started = simulation.started.clone();
        let mut by_group: BTreeMap<u8, Vec<i64>> = BTreeMap::new();
        for record in &started {
            if let Some(group) = simulation.group(*record) {
                by_group.entry(group).or_default().push(record.offset);
            }
        }
        prop_assert!(by_group.values().all(|offsets| offsets.is_sorted()), "in the order of arrival");
        started.sort();
        prop_assert_eq!(started, arrived, "nothing is lost or doubled");
    }
}
