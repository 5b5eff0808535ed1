//! A log with transactions, and a client of it whose calls fail when told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode as Code;

use super::super::client::{Client, Failure};
use super::super::handle::{Handle, spawn};
use super::super::owner::Patience;
use super::super::queue::Limits;
use super::super::shared::Shared;
use super::super::slot::Slot;
use super::*;
use crate::broker::Config;
use crate::broker::ffi::transactions::CallError;
use crate::broker::ffi::{Committed, Offsets};
use crate::observe::Counters;

/// What fails.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    Init(CallError),
    Begin(CallError),
    /// The record of this value cannot be queued.
    Produce(String, Code),
    /// Its delivery fails.
    Deliver(String, Code),
    Offsets(CallError),
    /// The commit fails, before or after it took effect.
    Commit {
        happens: bool,
        error: CallError,
    },
    Abort(CallError),
    /// No producer can be made.
    Renew,
    Committed(Code),
}

pub(super) fn error(code: Code, flags: &str) -> CallError {
    let is = |flag| flags == flag;
    let (fatal, abortable, retriable) = (is("fatal"), is("abortable"), is("retriable"));
    CallError { code, text: format!("{code:?}"), fatal, abortable, retriable }
}

type Places = BTreeMap<(String, i32), (i64, Vec<u8>)>;

#[derive(Default)]
struct State {
    faults: VecDeque<Fault>,
    records: Vec<String>,
    offsets: Places,
    commits: usize,
    /// Records and offsets of the transaction that is open.
    open: Option<(Vec<String>, Places)>,
    failures: Vec<Failure>,
    /// Whether this producer was told something after which it must not begin again.
    spent: bool,
    initialised: bool,
    /// What must never happen.
    broken_rules: Vec<&'static str>,
    /// The generation that the group is at; offsets of an older one are refused.
    generation: i32,
    ids: Vec<String>,
    /// What transactions of new producers may take.
    times: Vec<Duration>,
    held: bool,
}

#[derive(Clone)]
pub(super) struct World(Arc<(Mutex<State>, Condvar)>);

/// As long as it lives, no transaction begins.
pub(super) struct Held(World);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.state().held = false;
        self.0.0.1.notify_all();
    }
}

impl World {
    pub(super) fn new() -> World {
        World(Arc::default())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap()
    }

    pub(super) fn start(&self) -> Transactions {
        self.start_after(|_| ())
    }

    /// What is submitted inside waits when the thread starts, and goes into one transaction.
    pub(super) fn start_after(&self, submit: impl FnOnce(&Transactions)) -> Transactions {
        self.start_as(Slot::by_chance("group"), submit)
    }

    pub(super) fn start_as(&self, slot: Slot, submit: impl FnOnce(&Transactions)) -> Transactions {
        let config = Config::new("nowhere:9092").commit_interval(Duration::ZERO);
        let shared = Arc::new(Shared::new(Limits::of(config.settings())));
        let counters = Arc::new(Counters::new());
        let at_once = Duration::ZERO;
        let patience = Patience { call: at_once, first: at_once, most: at_once, renew: at_once };
        let id = slot.id();
        self.state().ids.push(id.clone());
        let handle = Handle { shared: shared.clone(), exactly_once: true, counters: counters.clone(), id };
        let transactions = Transactions { handle: Arc::new(handle) };
        submit(&transactions);
        spawn(Fake(self.clone()), &shared, &counters, slot, patience).unwrap();
        transactions
    }

    pub(super) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.extend(faults);
    }

    /// The group moves on: offsets of earlier generations are refused.
    pub(super) fn regroup(&self, generation: i32) {
        self.state().generation = generation;
    }

    pub(super) fn hold(&self) -> Held {
        self.state().held = true;
        Held(self.clone())
    }

    /// What readers of committed records see.
    pub(super) fn records(&self) -> Vec<String> {
        let state = self.state();
        assert_eq!(state.broken_rules, Vec::<&str>::new());
        state.records.clone()
    }

    pub(super) fn offset(&self, topic: &str, partition: i32) -> Option<i64> {
        self.state().offsets.get(&(topic.to_owned(), partition)).map(|(offset, _)| *offset)
    }

    pub(super) fn text(&self, topic: &str, partition: i32) -> String {
        String::from_utf8(self.state().offsets[&(topic.to_owned(), partition)].1.clone()).unwrap()
    }

    pub(super) fn commits(&self) -> usize {
        self.state().commits
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.state().ids.clone()
    }

    pub(super) fn times(&self) -> Vec<u64> {
        self.state().times.iter().map(Duration::as_secs).collect()
    }

    pub(super) fn faults_left(&self) -> usize {
        self.state().faults.len()
    }
}

impl State {
    /// Takes the next fault if it is of this kind.
    fn fault<T>(&mut self, kind: impl FnOnce(&Fault) -> Option<T>) -> Option<T> {
        let found = kind(self.faults.front()?)?;
        self.faults.pop_front();
        Some(found)
    }

    fn check(&mut self, error: Option<CallError>) -> Result<(), CallError> {
        match error {
            None => Ok(()),
            Some(error) => {
                self.spent |= error.fatal || (!error.abortable && !error.retriable);
                Err(error)
            }
        }
    }

    fn rule(&mut self, kept: bool, rule: &'static str) {
        if !kept {
            self.broken_rules.push(rule);
        }
    }
}

struct Fake(World);

impl Client for Fake {
    fn init(&mut self, _: Duration) -> Result<(), CallError> {
        let mut state = self.0.state();
        let error = state.fault(|fault| match fault {
            Fault::Init(error) => Some(error.clone()),
            _ => None,
        });
        state.check(error)?;
        // Whatever was open is over.
        state.open = None;
        state.initialised = true;
        Ok(())
    }

    fn begin(&mut self) -> Result<(), CallError> {
        let (lock, freed) = &*self.0.0;
        let mut state = freed.wait_while(lock.lock().unwrap(), |state| state.held).unwrap();
        let (spent, open, initialised) = (state.spent, state.open.is_some(), state.initialised);
        state.rule(!spent, "a producer is used again after doubt");
        state.rule(!open, "a transaction begins inside another");
        state.rule(initialised, "a transaction begins without an id");
        let error = state.fault(|fault| match fault {
            Fault::Begin(error) => Some(error.clone()),
            _ => None,
        });
        state.check(error)?;
        state.open = Some(Default::default());
        Ok(())
    }

    fn produce(&mut self, record: &Outgoing<'_>, job: usize) -> Result<(), Code> {
        let mut state = self.0.state();
        let value = String::from_utf8(record.value.unwrap().to_vec()).unwrap();
        let code = state.fault(|fault| match fault {
            Fault::Produce(which, code) if *which == value => Some(*code),
            _ => None,
        });
        if let Some(code) = code {
            return Err(code);
        }
        let failed = state.fault(|fault| match fault {
            Fault::Deliver(which, code) if *which == value => Some(*code),
            _ => None,
        });
        if let Some(code) = failed {
            state.spent |= code == Code::MessageTimedOut;
            state.failures.push(Failure { job, code, topic: record.topic.to_owned() });
        }
        state.open.as_mut().unwrap().0.push(value);
        Ok(())
    }

    fn offsets(&mut self, offsets: Offsets, group: &GroupMetadata, _: Duration) -> Result<(), CallError> {
        let mut state = self.0.state();
        let error = state.fault(|fault| match fault {
            Fault::Offsets(error) => Some(error.clone()),
            _ => None,
        });
        state.check(error)?;
        if group.generation() < state.generation {
            return Err(super::world::error(Code::IllegalGeneration, "abortable"));
        }
        let offsets = offsets
            .iter()
            .map(|(topic, partition, offset, text)| ((topic.to_owned(), partition), (offset, text.to_vec())));
        let offsets: Places = offsets.collect();
        state.open.as_mut().unwrap().1.extend(offsets);
        Ok(())
    }

    fn flush(&mut self, _: Duration) -> bool {
        true
    }

    fn failures(&mut self) -> Vec<Failure> {
        std::mem::take(&mut self.0.state().failures)
    }

    fn commit(&mut self, _: Duration) -> Result<(), CallError> {
        let mut state = self.0.state();
        let fault = state.fault(|fault| match fault {
            Fault::Commit { happens, error } => Some((*happens, error.clone())),
            _ => None,
        });
        if fault.as_ref().is_none_or(|(happens, _)| *happens)
            && let Some((records, offsets)) = state.open.take()
        {
            state.rule(!offsets.is_empty(), "a transaction without offsets is committed");
            state.records.extend(records);
            state.offsets.extend(offsets);
            state.commits += 1;
        }
        match fault {
            None => Ok(()),
            Some((_, error)) => {
                // Whatever is said of a commit, except that deliveries failed, leaves doubt.
                state.spent |= !error.retriable && error.code != Code::Inconsistent;
                Err(error)
            }
        }
    }

    fn abort(&mut self, _: Duration) -> Result<(), CallError> {
        let mut state = self.0.state();
        let error = state.fault(|fault| match fault {
            Fault::Abort(error) => Some(error.clone()),
            _ => None,
        });
        state.check(error)?;
        state.open = None;
        Ok(())
    }

    fn renew(&mut self, id: &str, time: Duration) -> Result<(), String> {
        let mut state = self.0.state();
        state.times.push(time);
        if state.fault(|fault| matches!(fault, Fault::Renew).then_some(())).is_some() {
            return Err("no".into());
        }
        (state.spent, state.initialised) = (false, false);
        state.failures.clear();
        if state.ids.last().map(String::as_str) != Some(id) {
            state.ids.push(id.to_owned());
        }
        Ok(())
    }

    fn committed(&mut self, places: &[(&str, i32)], _: Duration) -> Result<Vec<Committed>, Code> {
        let mut state = self.0.state();
        let code = state.fault(|fault| match fault {
            Fault::Committed(code) => Some(*code),
            _ => None,
        });
        if let Some(code) = code {
            return Err(code);
        }
        let open = state.open.is_some();
        state.rule(!open, "committed offsets are read while a transaction is open");
        let committed = places.iter().map(|&(topic, partition)| {
            let known = state.offsets.get(&(topic.to_owned(), partition)).cloned();
            let (offset, metadata) = known.map_or((None, Vec::new()), |(at, text)| (Some(at), text));
            Committed { topic: topic.to_owned(), partition, offset, metadata, error: None }
        });
        Ok(committed.collect())
    }

    fn serve(&mut self) {}
}
