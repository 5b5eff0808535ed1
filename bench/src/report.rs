//! What a side measured, and sides put beside each other.
//!
//! Sides take turns (A B A B ..) in one process on one broker, and ratios are taken within a round: what the
//! machine does to one side in a round it does to the other as well. Absolute numbers belong to the machine.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::{Options, Result};

/// What one run of one side cost.
pub(crate) struct Measure {
    /// Messages handled, or requests answered.
    pub(crate) messages: u64,
    /// From the first message to the last one's end.
    pub(crate) wall: Duration,
    /// CPU time of the whole process over the same span: librdkafka's threads are part of what a side costs.
    pub(crate) cpu: Duration,
    /// In nanoseconds, for sides that answer one by one.
    pub(crate) latencies: Option<Histogram<u64>>,
}

impl Measure {
    fn wall_per_message(&self) -> f64 {
        self.wall.as_nanos() as f64 / self.messages as f64
    }

    fn cpu_per_message(&self) -> f64 {
        self.cpu.as_nanos() as f64 / self.messages as f64
    }

    fn latency(&self, quantile: f64) -> f64 {
        self.latencies.as_ref().map_or(f64::NAN, |all| all.value_at_quantile(quantile) as f64)
    }
}

/// Wall and CPU time since a side's first message.
pub(crate) struct Clock {
    started: Instant,
    cpu: Duration,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Clock { cpu: process_cpu(), started: Instant::now() }
    }

    pub(crate) fn stop(&self, messages: u64) -> Measure {
        let wall = self.started.elapsed();
        Measure { messages, wall, cpu: process_cpu() - self.cpu, latencies: None }
    }

    pub(crate) fn stop_with(&self, messages: u64, latencies: Histogram<u64>) -> Measure {
        Measure { latencies: Some(latencies), ..self.stop(messages) }
    }
}

/// Nanoseconds at three significant digits.
pub(crate) fn latencies() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are within what a histogram takes")
}

#[expect(unsafe_code, reason = "getrusage has no safe wrapper in std")]
fn process_cpu() -> Duration {
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    // SAFETY: rusage is plain numbers, and getrusage fills it.
    let usage = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// One way of doing the scenario's work.
pub(crate) struct Side<'a> {
    pub(crate) name: &'static str,
    pub(crate) run: Box<dyn Fn() -> Result<Measure> + 'a>,
}

impl<'a> Side<'a> {
    pub(crate) fn new(name: &'static str, run: impl Fn() -> Result<Measure> + 'a) -> Self {
        Side { name, run: Box::new(run) }
    }
}

/// Runs every side `rounds` times in turn, after one round that only warms broker and caches, and prints the
/// medians, and each side's cost over the first one's: median, least and most of the rounds.
pub(crate) fn interleave(title: &str, options: &Options, sides: &[Side<'_>]) -> Result<()> {
    let rounds = options.rounds;
    let sides = match options.only {
        Some(only) => sides.get(only..=only).ok_or("there is no such side")?,
        None => sides,
    };
    let mut measured: Vec<Vec<Measure>> = sides.iter().map(|_| Vec::with_capacity(rounds)).collect();
    for round in 0..=rounds {
        for (side, measures) in sides.iter().zip(&mut measured) {
            let measure = (side.run)().map_err(|error| format!("{}: {error}", side.name))?;
            if round > 0 {
                measures.push(measure);
            }
        }
    }
    println!("\n{title}, {rounds} rounds; x is over {}", sides[0].name);
    println!(
        "{:<28}{:>12}{:>24}{:>12}{:>24}{:>11}{:>24}{:>11}{:>24}",
        "", "per second", "wall x", "cpu ns", "cpu x", "p50 us", "p50 x", "p99 us", "p99 x"
    );
    for (side, measures) in sides.iter().zip(&measured) {
        let of = |cost: fn(&Measure) -> f64| spread(measures.iter().map(cost));
        let over = |cost: fn(&Measure) -> f64| {
            let (mid, least, most) =
                spread(measures.iter().zip(&measured[0]).map(|(m, base)| cost(m) / cost(base)));
            if mid.is_nan() { "-".to_owned() } else { format!("{mid:.2} ({least:.2}..{most:.2})") }
        };
        println!(
            "{:<28}{:>12.0}{:>24}{:>12.0}{:>24}{:>11}{:>24}{:>11}{:>24}",
            side.name,
            1e9 / of(Measure::wall_per_message).0,
            over(Measure::wall_per_message),
            of(Measure::cpu_per_message).0,
            over(Measure::cpu_per_message),
            micros(of(|m| m.latency(0.5)).0),
            over(|m| m.latency(0.5)),
            micros(of(|m| m.latency(0.99)).0),
            over(|m| m.latency(0.99)),
        );
    }
    Ok(())
}

/// Median, least and most.
fn spread(values: impl Iterator<Item = f64>) -> (f64, f64, f64) {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], values[0], values[values.len() - 1])
}

fn micros(nanos: f64) -> String {
    if nanos.is_nan() { "-".to_owned() } else { format!("{:.0}", nanos / 1000.0) }
}
