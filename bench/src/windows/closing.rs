//! From the records with which time passes a window's close to its result.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rdkafka::Message;
use rdkafka::consumer::BaseConsumer;
use rdkafka::producer::{BaseProducer, Producer};

use super::load::{GRACE, Gathered, Load, SIZE, producer};
use super::ours::{self, Idle, Way};
use super::streams::{Promise, Streams};
use crate::load::{PATIENCE, delete_beginning, now};
use crate::report::{Clock, Measure, latencies};
use crate::{Options, Result};

const BEAT: &str = "beat";
/// Of windows, before the clock starts.
const WARM_UP: u64 = 10;

/// Topics through which event time goes on and on, from run to run.
pub(crate) struct Closing {
    load: Load,
    producer: BaseProducer,
    time: Cell<i64>,
}

impl Closing {
    pub(crate) fn create(options: &Options) -> Result<Self> {
        // Far from the brokers' retention, and farther from the clock than all runs together.
        let begin = now() as i64 - 3 * 24 * 3_600_000;
        Ok(Closing {
            load: Load::create(&options.brokers, options.partitions)?,
            producer: producer(&options.brokers, 0)?,
            time: Cell::new(begin - begin.rem_euclid(SIZE)),
        })
    }

    pub(crate) fn ours(&self, way: Way, rounds: u64) -> Result<Measure> {
        self.served(way, Idle::Default, || self.rounds(rounds))
    }

    pub(crate) fn streams(&self, streams: &Streams, way: Way, rounds: u64) -> Result<Measure> {
        let id = streams.begin(way, Promise::Once)?;
        // Of the records before; without any there is nothing to wait for.
        let results = self.results()?;
        self.send(0)?;
        streams.answer("first")?;
        streams.order("cpu")?;
        let before = streams.answer("cpu")?;
        let measure = self.rounds_of(&results, rounds);
        streams.order("stop")?;
        // The warm-up's is in it.
        let cpu = Duration::from_nanos(streams.answer("stopped")? - before);
        streams.answer("closed")?;
        delete_beginning(&self.load.brokers, &id)?;
        Ok(Measure { cpu, ..measure? })
    }

    /// Only time passes.
    pub(crate) fn by_itself(&self, way: Way, rounds: u64) -> Result<Measure> {
        self.served(way, Idle::Soon, || {
            let results = self.results()?;
            let mut took = latencies();
            self.send(0)?;
            let clock = Clock::start();
            for round in 0..rounds + 1 {
                self.time.set(self.time.get() + 3 * SIZE);
                self.send(0)?;
                let sent = self.send(SIZE + GRACE - 1)?;
                let mut wait = latencies();
                self.wait(&results, self.time.get(), sent, &mut wait)?;
                if round > 0 {
                    took.add(wait)?;
                }
            }
            Ok(clock.stop_with(took.len(), took))
        })
    }

    fn served(&self, way: Way, idle: Idle, work: impl FnOnce() -> Result<Measure>) -> Result<Measure> {
        let group = format!("bench-{}", uuid::Uuid::new_v4());
        let runtime = crate::ours::runtime()?;
        let app = runtime.block_on(ours::start(&self.load.brokers, &group, way, idle))?;
        let measure = work();
        let ended = runtime.block_on(app.shutdown());
        delete_beginning(&self.load.brokers, &group)?;
        ended?;
        measure
    }

    fn rounds(&self, rounds: u64) -> Result<Measure> {
        let results = self.results()?;
        self.send(0)?;
        self.rounds_of(&results, rounds)
    }

    fn results(&self) -> Result<BaseConsumer> {
        let results = self.load.results_from(&self.load.result_ends()?)?;
        results.poll(Duration::from_millis(100));
        Ok(results)
    }

    /// In each, time passes the close of the window before.
    fn rounds_of(&self, results: &BaseConsumer, rounds: u64) -> Result<Measure> {
        let mut took = latencies();
        let mut clock = Clock::start();
        let mut pause = 0x2545_f491_u32;
        for round in 0..WARM_UP + rounds {
            if round == WARM_UP {
                clock = Clock::start();
                took.reset();
            }
            // Not in step with what anybody does every 100 ms.
            pause = pause.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            std::thread::sleep(Duration::from_millis(u64::from(pause >> 24)));
            let window = self.time.get();
            self.time.set(window + SIZE);
            let sent = self.send(GRACE)?;
            self.wait(results, window, sent, &mut took)?;
        }
        Ok(clock.stop_with(took.len(), took))
    }

    /// A record for every partition, so much behind the time that it is. When sending began.
    fn send(&self, behind: i64) -> Result<Instant> {
        let began = Instant::now();
        self.load.everywhere(&self.producer, BEAT, self.time.get() + behind)?;
        self.producer.flush(PATIENCE)?;
        Ok(began)
    }

    /// Waits for all results of a window.
    fn wait(
        &self,
        results: &BaseConsumer,
        window: i64,
        sent: Instant,
        took: &mut hdrhistogram::Histogram<u64>,
    ) -> Result<()> {
        let mut found = 0;
        while found < self.load.partitions {
            if sent.elapsed() > PATIENCE {
                return Err(format!("{found} results of the window at {window}").into());
            }
            let Some(record) = results.poll(Duration::from_secs(1)) else { continue };
            let result: Gathered = serde_json::from_slice(record?.payload().unwrap_or_default())?;
            if result.start == window {
                found += 1;
                took.record(sent.elapsed().as_nanos() as u64)?;
            }
        }
        Ok(())
    }
}
