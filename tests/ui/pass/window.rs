//! Windows, with every construct of their language; what they say is asked of the reactors themselves.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fusion::__private::window::{Gathered, Place, Unread};
use fusion::{Emit, Format, Gather, KeyBytes, Kind, Merge, Window, WindowReactor, prelude::*};

#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq)]
struct Trigger {
    id: Option<String>,
    car: Car,
    time: i64,
}

#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
struct Car {
    plate: String,
    built: u64,
}

impl KeyBytes for Car {}

#[contract(topic = "window.lidar")]
fn lidar(trigger: Trigger);

#[contract(topic = "window.steps", envelope = json)]
fn steps(numbers: Vec<u32>);

#[contract(topic = "window.pairs")]
fn pairs(plate: String, count: u32, more: Option<bool>);

#[contract(topic = "window.price")]
fn price(triggers: u64) -> f64;

#[reactor(
    window! < triggers: "window.brake" | lidar | "window.camera" by id >,
    tumbling = 30s, grace = 2s, complete = all, to = "window.approvals", late = "window.late", copartitioned,
    name = "approvals"
)]
async fn approve(id: Key<String>, triggers: Vec<Trigger>, window: Window) -> Option<u64> {
    (!id.is_empty() && triggers.len() > 1).then(|| window.count())
}

#[reactor(
    window! {
        last: "window.lidar" by car at time;
        counts: "window.pairs" by |(plate, count, _)| Some(Car { plate: plate.clone(), built: u64::from(*count) })
            at |(_, count, more)| more.is_none().then(|| UNIX_EPOCH + Duration::from_millis((*count).into()));
    },
    hopping = 1m, advance = 20s, grace = 0s, emit = updates, idle = never, max_future = 1h, retry = 0, within = 5s,
    max_open(keys = 1_000, bytes = 64_000_000)
)]
fn overlap(mut last: Option<Trigger>, counts: Vec<(String, u32, Option<bool>)>) -> Result<(), String> {
    last.take().map(drop).ok_or_else(|| format!("no trigger, {} counts", counts.len()))
}

#[reactor(
    window! (steps: steps by |numbers: &Vec<u32>| -> Option<u32> { numbers.first().copied() }),
    sliding = 10s, grace = 1s,
)]
fn slide(Key(first): Key<u32>, steps: Steps) {
    assert!(steps.sum >= first);
}

/// The sum of all, and when the first was taken.
#[derive(Default, Clone, Debug, PartialEq)]
struct Steps {
    sum: u32,
    first: Option<SystemTime>,
}

impl Gather for Steps {
    type Item = Vec<u32>;
    fn add(&mut self, item: Vec<u32>, cx: &Context) {
        self.sum += item.iter().sum::<u32>();
        self.first = self.first.or(cx.timestamp());
    }
}

impl Merge for Steps {
    fn merge(&mut self, other: Self) {
        self.sum += other.sum;
    }
}

/// Not `Clone`, so a run of it is not repeated.
#[derive(Default)]
struct Total(u64);

impl Gather for Total {
    type Item = u64;
    fn add(&mut self, item: u64, _: &Context) {
        self.0 += item;
    }
}

impl Merge for Total {
    fn merge(&mut self, other: Self) {
        self.0 += other.0;
    }
}

#[reactor(
    window! [steps: "window.steps" by |_| 1; r#type: "window.total" by |total| *total % 2 + 1_u64 - 1],
    session = 500ms, longest = 10s, grace = 0.5s,
    crate = ::fusion
)]
fn sessions(steps: Option<Vec<u32>>, r#type: Total, cx: Context) -> Result<(), std::io::Error> {
    assert!(r#type.0 > 0 || steps.is_some() || cx.attempt() > 0);
    Ok(())
}

#[reactor(
    window! < triggers: "window.brake" | "window.lidar" by id at |t| u64::try_from(t.time).ok(); totals: "window.total" by |t| format!("{t}") >,
    deps! < price: "window.price"(triggers.len() as u64 + totals.0 + *state);
            other: price(price.to_bits()) if window.count() > 1 && id.len() > 1 >,
    tumbling = 1.5m, grace = 1h, to = price
)]
async fn ask(
    id: Key<String>,
    triggers: Vec<Trigger>,
    totals: Total,
    state: State<u64>,
    window: Window,
    price: f64,
    other: Option<f64>,
) -> Result<Option<u64>, String> {
    if *state > window.count() + totals.0 {
        return Err(format!("{} {price} {other:?}", *id));
    }
    Ok(triggers.first().map(|_| totals.0))
}

/// What an app hands in may live for ever, and so may what is kept of records. (The names are those of what the attribute
/// makes, too.)
#[reactor(window! < item: "window.total" by |total| total.to_string(); gathered: "window.radar" by id >, tumbling = 1s, grace = 1s)]
fn statics(item: Labelled<&'static str>, gathered: Vec<Trigger>, names: State<&'static [&'static str]>) {
    assert!(names.first() == item.0.as_ref() || gathered.is_empty());
}

#[derive(Default, Clone)]
struct Labelled<L>(Option<L>);

impl Gather for Labelled<&'static str> {
    type Item = u64;
    fn add(&mut self, _: u64, _: &Context) {
        self.0 = Some("some");
    }
}

#[test]
fn lists() {
    let _ = reactors![approve, sessions, statics];
    let _ = reactors![ask, overlap, slide];
}

#[test]
fn what_is_said() {
    let spec = approve::SPEC;
    assert_eq!(
        (spec.name, spec.topics),
        ("approvals", &["window.brake", "window.lidar", "window.camera"][..])
    );
    assert_eq!(
        (spec.kind, spec.grace),
        (Kind::Tumbling { size: Duration::from_secs(30) }, Duration::from_secs(2))
    );
    assert_eq!((spec.complete, spec.copartitioned, spec.emit), (true, true, Emit::Final));
    assert_eq!((spec.to, spec.optional, spec.late), (Some("window.approvals"), true, Some("window.late")));
    assert_eq!((spec.idle, spec.max_future), (Some(Duration::from_secs(10)), Some(Duration::from_mins(5))));
    let spec = overlap::SPEC;
    let kind = Kind::Hopping { size: Duration::from_mins(1), advance: Duration::from_secs(20) };
    assert_eq!((spec.name, spec.kind, spec.grace), ("overlap", kind, Duration::ZERO));
    assert_eq!((spec.emit, spec.idle, spec.max_future), (Emit::Updates, None, Some(Duration::from_hours(1))));
    assert_eq!((spec.max_open.keys, spec.max_open.bytes), (Some(1_000), Some(64_000_000)));
    assert_eq!((spec.within, spec.retry, spec.to, spec.complete), (Duration::from_secs(5), 0, None, false));
    assert_eq!(slide::SPEC.kind, Kind::Sliding { size: Duration::from_secs(10) });
    let kind = Kind::Session { gap: Duration::from_millis(500), longest: Duration::from_secs(10) };
    assert_eq!((sessions::SPEC.kind, sessions::SPEC.topics), (kind, &["window.steps", "window.total"][..]));
    assert_eq!(ask::SPEC.asks, ["window.price", "window.price"]);
    assert_eq!((ask::SPEC.to, ask::SPEC.optional), (Some("window.price"), true));
}

/// Key and time of a record, or the code of the failure.
fn read<W: WindowReactor>(topic: usize, value: &str) -> Result<(Option<String>, Option<i64>), String> {
    let read = W::read(topic, Unread::new(Some(value.as_bytes()), Format::Json), Some(7));
    let text = |key: &[u8]| String::from_utf8(key.to_vec()).unwrap();
    read.map(|read| (read.key.as_deref().map(text), read.time)).map_err(|failure| failure.code().to_string())
}

fn said(key: &str, time: i64) -> Result<(Option<String>, Option<i64>), String> {
    Ok((Some(key.into()), Some(time)))
}

const TRIGGER: &str = r#"{"id": "a", "car": {"plate": "P", "built": 3}, "time": 5}"#;

#[test]
fn keys_and_times() {
    for topic in 0..3 {
        assert_eq!(read::<approve>(topic, TRIGGER), said("a", 7));
    }
    assert_eq!(read::<approve>(0, &TRIGGER.replace(r#""a""#, "null")), Ok((None, Some(7))));
    for broken in ["{", "[]", "", r#"{"id": "a"}"#] {
        assert_eq!(read::<approve>(1, broken), Err("decode".into()), "{broken}");
    }
    assert_eq!(read::<approve>(3, TRIGGER), Err("decode".into()));
    assert_eq!(read::<overlap>(0, TRIGGER), said(r#"{"plate":"P","built":3}"#, 5));
    // A trailing `Option` may be left out.
    assert_eq!(read::<overlap>(1, r#"["P", 9]"#), said(r#"{"plate":"P","built":9}"#, 9));
    assert_eq!(read::<overlap>(1, r#"["P", 9, true]"#).unwrap().1, None);
    assert_eq!(read::<overlap>(1, r#"["P"]"#), Err("decode".into()));
    // The contract has fusion-clj's envelope.
    assert_eq!(read::<slide>(0, r#"{"data": [4, 5]}"#), said("4", 7));
    assert_eq!(read::<slide>(0, r#"{"data": [[6, 5]]}"#), said("6", 7));
    assert_eq!(read::<slide>(0, r#"{"data": []}"#), Ok((None, Some(7))));
    assert_eq!(read::<slide>(0, "[4, 5]"), Err("decode".into()));
    assert_eq!(read::<ask>(1, TRIGGER), said("a", 5));
    assert_eq!(read::<ask>(1, &TRIGGER.replace('5', "-5")), Ok((Some("a".into()), None)));
    assert_eq!(read::<ask>(2, "12"), said("12", 7));
}

/// All these records of a topic, gathered.
fn gather<W: WindowReactor>(gathered: &mut W::Gathered, topic: u16, records: &[(i64, &str)]) {
    for (offset, (time, value)) in (0..).zip(records) {
        let unread = Unread::new(Some(value.as_bytes()), Format::Json);
        let item = W::read(topic.into(), unread, Some(*time)).unwrap().item;
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(*time).unwrap());
        let cx = fusion::testing::context().topic(W::SPEC.topics[usize::from(topic)]);
        let cx = cx.reactor(W::SPEC.name).offset(offset).timestamp(at).build();
        gathered.add(item, &Place { time: *time, topic, partition: 0, offset }, &cx);
    }
}

#[tokio::test]
async fn what_is_gathered_is_handed_over() {
    let mut gathered = <approve as WindowReactor>::Gathered::default();
    gather::<approve>(&mut gathered, 2, &[(3, TRIGGER), (1, TRIGGER)]);
    let copy = approve::copy(&gathered).unwrap();
    gather::<approve>(&mut gathered, 0, &[(3, TRIGGER)]);
    let run = |gathered, id: &str| {
        let window = Window::new(0, 1, fusion::Reason::Closed, 3);
        approve::run(gathered, (Key(id.to_owned()), window))
    };
    assert_eq!(run(gathered, "a").await.unwrap(), Some(3));
    assert_eq!(run(copy, "").await.unwrap(), None);
}

#[tokio::test]
async fn what_cannot_be_copied_is_not() {
    let mut gathered = <sessions as WindowReactor>::Gathered::default();
    gather::<sessions>(&mut gathered, 1, &[(3, "5")]);
    assert!(sessions::copy(&gathered).is_none());
    let cx = fusion::testing::context().reactor("sessions").build();
    sessions::run(gathered, (cx,)).await.unwrap();
}

#[tokio::test]
async fn sessions_become_one() {
    use fusion::__private::window::Strategy;
    let (mut one, mut other) = Default::default();
    gather::<sessions>(&mut one, 1, &[(3, "0")]);
    gather::<sessions>(&mut other, 0, &[(3, r#"{"data": [1]}"#)]);
    <sessions as WindowReactor>::Strategy::merge(&mut one, other);
    let cx = fusion::testing::context().reactor("sessions").build();
    sessions::run(one, (cx,)).await.unwrap();
}
