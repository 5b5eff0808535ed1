//! fusion against raw librdkafka and against what most people write. `bench/README.md` says how to repeat it.

mod hops;
mod load;
mod ours;
mod raw_ask;
mod raw_consume;
mod report;
mod stream_spawn;
mod windows;

use std::process::ExitCode;
use std::sync::Arc;

use load::Load;
use raw_ask::UNBOUNDED;
use report::{Side, interleave};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const USAGE: &str = "usage: fusion-bench SCENARIO [KEY=VALUE]..

consume  reads a topic filled with small JSON records, in a group, committing
         messages=1000000 partitions=4 headers=1 (unrelated ones on each record)
ask      sends requests and takes their replies
         messages=5000 in_flight=1 (messages=100000 by default if more are in flight)
chain    graphs of ten nodes that ask in turn, beside ten requests in turn
         messages=300 (graphs)
fan      graphs of ten nodes that ask at once, beside one request and ten at once
         messages=300 (graphs)
hops     chain, then fan
windows  gathers two topics by key in windows, beside a raw loop and Kafka Streams
         messages=1000000 partitions=4 keys=10000 each=10 (records of a key in a window)
         streams=2 (threads of Kafka Streams; 0 goes without)
closing  from the record that closes a window to its result
         messages=100 (windows) streams=2
back     from the assignment until everything open is open again, after a kill
         messages=1000000 each=10

rounds=5 of each side in turn, in every scenario
only=N   runs the Nth side alone, for a profiler";

/// What a scenario may be told; each one reads what concerns it.
struct Options {
    brokers: String,
    rounds: usize,
    messages: Option<u64>,
    partitions: i32,
    headers: usize,
    in_flight: u64,
    keys: u64,
    each: u64,
    streams: u32,
    only: Option<usize>,
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let scenario = arguments.next().ok_or(USAGE)?;
    if scenario == "count" {
        return windows::count(arguments);
    }
    if scenario == "gather" {
        return windows::gather(arguments);
    }
    let options = Options::read(arguments)?;
    match scenario.as_str() {
        "consume" => consume(&options),
        "ask" => ask(&options),
        "hops" => chain(&options).and_then(|()| fan(&options)),
        "chain" => chain(&options),
        "fan" => fan(&options),
        "windows" => windows::windows(&options),
        "closing" => windows::closing(&options),
        "back" => windows::back(&options),
        _ => Err(USAGE.into()),
    }
}

impl Options {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let brokers = std::env::var("KAFKA_BOOTSTRAP_SERVERS")
            .map_err(|_| r#"set KAFKA_BOOTSTRAP_SERVERS, for example with: eval "$(scripts/kafka start)""#)?;
        let mut options = Options {
            brokers,
            rounds: 5,
            messages: None,
            partitions: 4,
            headers: 1,
            in_flight: 1,
            keys: 10_000,
            each: 10,
            streams: 2,
            only: None,
        };
        for argument in arguments {
            let (key, value) = argument.split_once('=').ok_or(USAGE)?;
            let number: u32 = value.parse().map_err(|error| format!("{argument}: {error}"))?;
            match key {
                "headers" => options.headers = number as usize,
                "streams" => options.streams = number,
                _ if number == 0 => return Err(format!("{argument}: at least 1").into()),
                "rounds" => options.rounds = number as usize,
                "messages" => options.messages = Some(number.into()),
                "partitions" => options.partitions = number as i32,
                "in_flight" => options.in_flight = number.into(),
                "keys" => options.keys = number.into(),
                "each" => options.each = number.into(),
                "only" => options.only = Some(number as usize - 1),
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}

fn consume(options: &Options) -> Result<()> {
    let messages = options.messages.unwrap_or(1_000_000);
    let (load, filled) = Load::fill(&options.brokers, messages, options.partitions, options.headers)?;
    let load = Arc::new(load);
    eprintln!("filled {} with {messages} messages in {:.1?}", load.topic.name, filled.wall);
    interleave(
        &format!("consume: {messages} messages, {} partitions, {} headers", load.partitions, options.headers),
        options,
        &[
            Side::new("raw batch loop", || raw_consume::raw_consume(&load)),
            Side::new("fusion", || ours::consume(&load)),
            Side::new("StreamConsumer and spawn", || stream_spawn::stream_spawn(&load)),
        ],
    )
}

fn ask(options: &Options) -> Result<()> {
    let in_flight = options.in_flight;
    let requests = options.messages.unwrap_or(if in_flight == 1 { 5_000 } else { 100_000 });
    interleave(
        &format!("ask: {requests} requests, {in_flight} in flight"),
        options,
        &[
            Side::new("raw, one produce at a time", || {
                raw_ask::raw_ask(&options.brokers, requests, in_flight, 1)
            }),
            Side::new("raw, produces unbounded", || {
                raw_ask::raw_ask(&options.brokers, requests, in_flight, raw_ask::UNBOUNDED)
            }),
            Side::new("fusion", || ours::ask(&options.brokers, requests, in_flight)),
        ],
    )
}

/// A chain of ten nodes beside ten raw requests in turn.
fn chain(options: &Options) -> Result<()> {
    let graphs = options.messages.unwrap_or(300);
    let brokers = &options.brokers;
    interleave(
        &format!("chain: {graphs} graphs of ten nodes in turn"),
        options,
        &[
            Side::new("raw requests in turn", || hops::raw_hops(brokers, graphs, 10)),
            Side::new("fusion, chain", || ours::graphs(brokers, graphs, ours::Graph::Chain)),
        ],
    )
}

/// A fan of ten nodes beside one raw request, and beside ten that are sent together.
fn fan(options: &Options) -> Result<()> {
    let graphs = options.messages.unwrap_or(300);
    let brokers = &options.brokers;
    interleave(
        &format!("fan: {graphs} graphs of ten nodes at once"),
        options,
        &[
            Side::new("raw, one request", || hops::raw_hops(brokers, graphs, 1)),
            Side::new("raw, ten at once", || hops::raw_fans(brokers, graphs, 10, UNBOUNDED)),
            Side::new("raw, ten, one produce", || hops::raw_fans(brokers, graphs, 10, 1)),
            Side::new("fusion, fan", || ours::graphs(brokers, graphs, ours::Graph::Fan)),
        ],
    )
}
