//! Four topics of a car, and one approval for each id: events out of order, some broken, some without an id, one topic
//! silent, and a service that is killed in the middle and started again.
//!
//! `cargo run --example approvals` runs it on a broker inside this process; with `KAFKA_BOOTSTRAP_SERVERS` set, on that
//! cluster. The service is this program once more, as a child, so that it can be killed. At the end stands a table, and
//! the program fails unless each id has exactly one approval with everything in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufRead, BufReader, Read},
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use fusion::{Reason, Start, Window, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use uuid::Uuid;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

// The service.

/// What a sensor of the car saw.
#[derive(Serialize, Deserialize)]
struct Trigger {
    trigger_event_id: Option<Uuid>,
    sensor: String,
    /// Milliseconds since 1970.
    happened_at: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Approval {
    triggers: usize,
    sensors: BTreeSet<String>,
    window: u64,
    reason: String,
}

/// Sends one approval for each id, when its window closes, or before that if all four topics have spoken for it.
#[reactor(
    window! < triggers: "brake" | "lidar" | "camera" | "radar" by trigger_event_id at happened_at >,
    tumbling = 2s, grace = 1s, complete = all, idle = 2s,
    to = "approvals",
)]
async fn approve(id: Key<Uuid>, triggers: Vec<Trigger>, window: Window) -> Approval {
    println!("{} has {} triggers: {}", *id, triggers.len(), because(window.reason()));
    Approval {
        triggers: triggers.len(),
        sensors: triggers.into_iter().map(|trigger| trigger.sensor).collect(),
        window: window.start_millis().unsigned_abs(),
        reason: window.reason().to_string(),
    }
}

fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::Closed => "later events closed the window",
        Reason::Idle => "nothing comes any more, the clock closed the window",
        Reason::Complete => "all topics have spoken",
        _ => "the window fired",
    }
}

/// What the child does, until the one that started it closes its input or is gone.
async fn serve(config: Config) -> Result<()> {
    let app = App::new("cars", config).reactors(reactors![approve]).start().await?;
    app.assigned().await;
    println!("{READY}");
    let input = tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
    tokio::select! {
        closed = input => drop(closed??),
        error = app.failed() => return Err(error.to_string().into()),
    }
    Ok(app.shutdown().await?)
}

// The child process.

const READY: &str = "has its partitions";

struct Service {
    process: Child,
    ready: oneshot::Receiver<()>,
}

impl Service {
    fn start(number: u32, config: &Config) -> Result<Service> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        if config.is_embedded() {
            command.arg(config.bootstrap());
        }
        let mut process = command.spawn()?;
        let output = process.stdout.take().ok_or("the child has no output")?;
        let (tell, ready) = oneshot::channel();
        thread::spawn(move || {
            let mut tell = Some(tell);
            for line in BufReader::new(output).lines().map_while(io::Result::ok) {
                println!("  service {number}: {line}");
                if line == READY
                    && let Some(tell) = tell.take()
                {
                    let _ = tell.send(());
                }
            }
        });
        Ok(Service { process, ready })
    }

    async fn ready(&mut self) -> Result<()> {
        Ok(timeout(LIMIT, &mut self.ready).await??)
    }

    /// `SIGKILL`: it has no chance to say goodbye.
    fn kill(mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Closes its input and waits until it has ended.
    fn stop(mut self) -> Result<()> {
        drop(self.process.stdin.take());
        let status = self.process.wait()?;
        status.success().then_some(()).ok_or_else(|| format!("the service ended with {status}").into())
    }
}

// The car.

const WINDOW: u64 = 2_000;
const WINDOWS: u64 = 3;
const IDS: usize = 4;
/// Events may be on their way for so long; less than the window's grace.
const DELAY: u64 = 600;
/// The fourth, `radar`, never says a word.
const SENSORS: [&str; 3] = ["brake", "lidar", "camera"];

/// An event on its way: when it is sent, to which topic, and what it is.
type Event = (u64, &'static str, Value);

/// What happens from `start` on, in the order in which it is sent, and how many events each id has.
fn drive(start: u64) -> (Vec<Event>, BTreeMap<Uuid, usize>) {
    let mut events: Vec<Event> = Vec::new();
    let mut ids = BTreeMap::new();
    let mut happens = |window: u64, value: &dyn Fn(&str, u64) -> Value| {
        let sensor = SENSORS[random(SENSORS.len() as u64) as usize];
        let time = start + window * WINDOW + random(WINDOW);
        events.push((time + random(DELAY), sensor, value(sensor, time)));
    };
    for window in 0..WINDOWS {
        for id in std::iter::repeat_with(Uuid::new_v4).take(IDS) {
            let count = 2 + random(4) as usize;
            for _ in 0..count {
                happens(
                    window,
                    &|sensor, time| json!({ "trigger_event_id": id, "sensor": sensor, "happened_at": time }),
                );
            }
            ids.insert(id, count);
        }
        for _ in 0..2 {
            happens(window, &|_, _| json!("\u{0}not a trigger"));
            happens(window, &|sensor, time| json!({ "sensor": sensor, "happened_at": time }));
        }
    }
    events.sort_by_key(|(sent, ..)| *sent);
    (events, ids)
}

async fn send(pipeline: Pipeline, start: u64, events: Vec<Event>) -> fusion::Result<()> {
    let began = Instant::now();
    for (sent, topic, value) in events {
        sleep_until(began + Duration::from_millis(sent.saturating_sub(start))).await;
        // One car is one partition of each topic.
        pipeline.send_value(topic, value).key("car-7").await?;
    }
    Ok(())
}

fn random(below: u64) -> u64 {
    Uuid::new_v4().as_u64_pair().1 % below
}

fn now() -> Result<u64> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

// The table.

/// What came for one id, by emit id: how often, and what it was.
type Arrived = BTreeMap<String, (u32, Approval)>;
type Table = BTreeMap<Uuid, Arrived>;

/// Writes down what arrives.
#[reactor(topic = "approvals")]
fn record(approval: Approval, id: Key<Uuid>, headers: Headers, table: State<watch::Sender<Table>>) {
    let emit_id = headers.get_str("fusion-emit-id").unwrap_or_default().to_owned();
    table.send_modify(|table| {
        let (times, _) = table.entry(*id).or_default().entry(emit_id).or_insert((0, approval));
        *times += 1;
    });
}

/// Prints the table, and says whether each id has exactly one approval with all that was sent for it.
fn print(table: &Table, ids: &BTreeMap<Uuid, usize>, start: u64) -> bool {
    println!("\n{:<36}  window    reason    triggers  approvals  copies  sensors", "id");
    let mut rows = BTreeSet::new();
    let mut good = true;
    for (id, sent) in ids {
        let Some(arrived) = table.get(id) else {
            println!("{id}  MISSING");
            good = false;
            continue;
        };
        good &= arrived.len() == 1;
        for (copies, approval) in arrived.values() {
            good &= approval.triggers == *sent;
            let Approval { triggers, sensors, window, reason } = approval;
            let from = window.saturating_sub(start) / 1_000;
            let sensors = sensors.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
            let row = format!(
                "{id}  {from} s-{} s   {reason:<8}  {triggers} of {sent}    {:<9}  {copies:<6}  {sensors}",
                from + WINDOW / 1_000,
                arrived.len(),
            );
            rows.insert((*window, row));
        }
    }
    rows.iter().for_each(|(_, row)| println!("{row}"));
    let copies: u32 =
        ids.keys().filter_map(|id| table.get(id)).flat_map(Arrived::values).map(|row| row.0).sum();
    println!("\n{} ids, {copies} records on `approvals`", ids.len());
    good
}

const LIMIT: Duration = Duration::from_secs(40);

async fn play() -> Result<bool> {
    let config = Config::from_env_or_embedded()?;
    let run = Uuid::new_v4().simple();
    let (tell, mut table) = watch::channel(Table::new());
    // On a cluster there may be approvals of other days.
    let ledger = App::new(format!("approvals-{run}"), config.clone().start(Start::Latest))
        .state(tell)
        .reactors(reactors![record])
        .start()
        .await?;
    ledger.assigned().await;
    let mut service = Service::start(1, &config)?;
    service.ready().await?;

    let pipeline = Pipeline::connect("car", config.clone()).await?;
    let start = now()?.next_multiple_of(WINDOW);
    sleep(Duration::from_millis(start.saturating_sub(now()?))).await;
    let (events, ids) = drive(start);
    println!("the car sends {} events for {} ids, some broken, some without an id", events.len(), ids.len());
    let sending = tokio::spawn(send(pipeline.clone(), start, events));

    timeout(LIMIT, table.wait_for(|table| table.keys().any(|id| ids.contains_key(id)))).await??;
    service.kill()?;
    println!("the service was killed, with windows open, and is started again; the car drives on");
    let service = Service::start(2, &config)?;
    sending.await??;
    println!("the car is silent");

    let all = timeout(LIMIT, table.wait_for(|table| ids.keys().all(|id| table.contains_key(id)))).await;
    drop(all);
    service.stop()?;
    // A second approval of some id, if there is one, is on its way by now.
    sleep(Duration::from_secs(1)).await;
    let good = print(&table.borrow(), &ids, start);
    if config.is_embedded() {
        println!(
            "the embedded broker has no transactions: after a kill, a result may be sent again, with the same"
        );
        println!("`fusion-emit-id`; on a real one it is sent once");
    }
    pipeline.close().await?;
    ledger.shutdown().await?;
    Ok(good)
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let done = match (arguments.next().as_deref(), arguments.next()) {
        (Some("serve"), Some(bootstrap)) => serve(Config::embedded_at(bootstrap)).await.map(|()| true),
        (Some("serve"), None) => match Config::from_env() {
            // Or the killed one would be waited for a minute.
            Ok(config) => serve(config.consumer_set("session.timeout.ms", "6000")).await.map(|()| true),
            Err(error) => Err(error.into()),
        },
        _ => play().await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("not every id has exactly one approval with everything in it");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
