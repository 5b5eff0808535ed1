//! A chain of requests, one after another: the least that a graph of that depth can take.

use std::time::Instant;

use crate::Result;
use crate::raw_ask::{Pair, UNBOUNDED};
use crate::report::{Clock, Measure, latencies};

const WARM_UP: u64 = 50;

/// Runs `chains` chains of `path` requests, each sent when the one before is answered. A graph's longest path is
/// what to compare it with. Latencies and messages are of chains.
pub(crate) fn raw_hops(brokers: &str, chains: u64, path: u64) -> Result<Measure> {
    let mut pair = Pair::start(brokers, UNBOUNDED)?;
    pair.ask(WARM_UP * path, 1, &mut latencies())?;
    let mut took = latencies();
    let clock = Clock::start();
    for _ in 0..chains {
        let started = Instant::now();
        pair.ask(path, 1, &mut latencies())?;
        took.record(started.elapsed().as_nanos() as u64)?;
    }
    Ok(clock.stop_with(chains, took))
}

/// Asks `width` times at once and waits for all the answers, `fans` times: the least that a graph of that width can
/// take. Latencies and messages are of fans.
pub(crate) fn raw_fans(brokers: &str, fans: u64, width: u64, produce_requests: u64) -> Result<Measure> {
    let mut pair = Pair::start(brokers, produce_requests)?;
    let mut took = latencies();
    for _ in 0..WARM_UP {
        pair.ask_at_once(width)?;
    }
    let clock = Clock::start();
    for _ in 0..fans {
        let started = Instant::now();
        pair.ask_at_once(width)?;
        took.record(started.elapsed().as_nanos() as u64)?;
    }
    Ok(clock.stop_with(fans, took))
}
