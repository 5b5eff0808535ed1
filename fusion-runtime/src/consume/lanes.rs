//! Which records of one partition may run at the same time.
//!
//! Records of one lane run one after the other, in the order they arrived; lanes run beside each other. The loop
//! asks [`Lanes::is_idle`] first: as long as every record completes at once, no lane is ever computed. Otherwise
//! it starts a record whose lane [`Lanes::is_free`], lets the others [`Lanes::wait`], and after each completion
//! calls [`Lanes::release`] and starts what [`Lanes::next_ready`] gives, as permits allow.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

/// Which records of a partition wait for each other: the option `order` of a reactor.
///
/// ```
/// use fusion::Order;
/// assert_eq!(Order::default(), Order::Key);
/// assert_eq!("partition".parse(), Ok(Order::Partition));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// Records with the same key run one after the other; a record without a key waits for none.
    #[default]
    Key,
    /// All records of a partition run one after the other.
    Partition,
    /// No record waits for another.
    None,
}

impl std::str::FromStr for Order {
    type Err = UnknownOrder;

    fn from_str(text: &str) -> Result<Self, UnknownOrder> {
        match text {
            "key" => Ok(Self::Key),
            "partition" => Ok(Self::Partition),
            "none" => Ok(Self::None),
            _ => Err(UnknownOrder),
        }
    }
}

/// A text that names no [`Order`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an order is `key`, `partition` or `none`")]
pub struct UnknownOrder;

/// Records of one lane run one after the other. Two keys may share a lane, one key never has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lane(u64);

/// Keys and offsets do not meet: the lane of an offset has this bit clear, that of a key has it set.
const KEYED: u64 = 1 << 63;

/// The lanes of one partition, for records (or what is left of them) of type `R`.
#[derive(Debug)]
pub(crate) struct Lanes<R> {
    keys: RandomState,
    /// Lanes with a record in flight or with waiting ones; all others have no entry.
    lanes: HashMap<Lane, State<R>, BuildHasherDefault<LaneHasher>>,
    /// Lanes that have waiting records and none in flight, by the arrival of their first.
    ready: BTreeMap<u64, Lane>,
    arrivals: u64,
    in_flight: usize,
    waiting: usize,
    waiting_bytes: usize,
}

#[derive(Debug)]
struct State<R> {
    busy: bool,
    waiting: VecDeque<Waiting<R>>,
}

#[derive(Debug)]
struct Waiting<R> {
    arrival: u64,
    bytes: usize,
    record: R,
}

impl<R> Default for Lanes<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R> Lanes<R> {
    /// No record in flight, none waiting.
    pub(crate) fn new() -> Self {
        Self {
            keys: RandomState::new(),
            lanes: HashMap::default(),
            ready: BTreeMap::new(),
            arrivals: 0,
            in_flight: 0,
            waiting: 0,
            waiting_bytes: 0,
        }
    }

    /// The lane of a record. Within one `Lanes`, always ask with the same order.
    pub(crate) fn lane_of(&self, order: Order, key: Option<&[u8]>, offset: i64) -> Lane {
        match (order, key) {
            (Order::Partition, _) => Lane(KEYED),
            (Order::Key, Some(key)) => Lane(self.keys.hash_one(key) | KEYED),
            (Order::Key, None) | (Order::None, _) => Lane(offset as u64 & !KEYED),
        }
    }

    /// Whether nothing is in flight and nothing waits: then every lane is free, and none need be computed.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Whether a record that arrives now may start: none of its lane is in flight or waits.
    #[inline]
    pub(crate) fn is_free(&self, lane: Lane) -> bool {
        self.lanes.is_empty() || !self.lanes.contains_key(&lane)
    }

    /// Notes that a record is in flight. `false`: the lane was not free, and nothing is changed.
    pub(crate) fn occupy(&mut self, lane: Lane) -> bool {
        match self.lanes.entry(lane) {
            Entry::Occupied(_) => false,
            Entry::Vacant(vacant) => {
                vacant.insert(State { busy: true, waiting: VecDeque::new() });
                self.in_flight += 1;
                true
            }
        }
    }

    /// Notes that the record in flight is done. `false`: there was none, and nothing is changed.
    pub(crate) fn release(&mut self, lane: Lane) -> bool {
        let Entry::Occupied(mut state) = self.lanes.entry(lane) else { return false };
        if !state.get().busy {
            return false;
        }
        self.in_flight -= 1;
        match state.get().waiting.front().map(|first| first.arrival) {
            Some(arrival) => {
                state.get_mut().busy = false;
                self.ready.insert(arrival, lane);
            }
            None => {
                state.remove();
            }
        }
        true
    }

    /// Queues a record behind those of its lane; `bytes` is what it holds in memory. The lane may be free: then the
    /// record waits for a permit.
    pub(crate) fn wait(&mut self, lane: Lane, record: R, bytes: usize) {
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.waiting += 1;
        self.waiting_bytes += bytes;
        let state = self.lanes.entry(lane).or_insert(State { busy: false, waiting: VecDeque::new() });
        if !state.busy && state.waiting.is_empty() {
            self.ready.insert(arrival, lane);
        }
        state.waiting.push_back(Waiting { arrival, bytes, record });
    }

    /// Takes the record that arrived first among those that may start, and occupies its lane.
    pub(crate) fn next_ready(&mut self) -> Option<(Lane, R)> {
        let (_, lane) = self.ready.pop_first()?;
        let state = self.lanes.get_mut(&lane)?;
        let Waiting { bytes, record, .. } = state.waiting.pop_front()?;
        state.busy = true;
        self.in_flight += 1;
        self.waiting -= 1;
        self.waiting_bytes -= bytes;
        Some((lane, record))
    }

    /// Whether a record waits whose lane is free.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// How many records are in flight.
    #[cfg(test)]
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// How many records wait, for their lane or for a permit.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// What the waiting records hold, in bytes.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }
}

/// Lanes are hashes or offsets already. The multiplication spreads offsets over the high bits, which the map uses
/// as well; keys come from a hasher with a random seed, so nobody chooses lanes that meet.
#[derive(Default)]
pub(crate) struct LaneHasher(u64);

impl Hasher for LaneHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        let product = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ (product >> 32);
    }
}

#[cfg(test)]
mod tests;
