//! A window without its types: what the workers of its partitions call.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::sync::broadcast;

use crate::{
    Error,
    app::Produced,
    failure::{Code, Failure},
    reactor::HandIns,
};

use super::{
    Emit, Kind, RecordKey, Unread, WindowReactor, WindowSpec, clock,
    core::{self, RulesError},
    declaration::Declaration,
    drain::Drains,
    gathering::{Env, Gathering, Left, gathering},
    intake::Pace,
    log::{Topic, failures_topic, log_topic},
    metrics::WindowMetrics,
    observed::Observed,
};

/// A window of an app, and where its records meet.
pub(crate) struct Declared {
    pub(crate) window: Box<dyn AnyWindow>,
    pub(crate) spec: &'static WindowSpec,
    /// What of it commits remember.
    pub(crate) declaration: Declaration,
    /// Its re-keyed log.
    pub(crate) log: String,
    /// How many partitions that has.
    pub(crate) partitions: i32,
    /// Its source topics, and how many partitions they have.
    pub(crate) sources: Vec<Topic<'static>>,
    /// Where its failures go.
    pub(crate) failures: String,
    /// Who listens to `results`.
    pub(crate) results: broadcast::Sender<Produced>,
    pub(crate) observed: Arc<Observed>,
    /// How far its sources have come, as far as this instance reads them.
    pub(crate) pace: Pace,
    /// Who can be asked to fire everything.
    pub(crate) drains: Drains,
}

impl Declared {
    /// `partitions` says how many a topic has.
    pub(crate) fn new(
        app: &str,
        window: Box<dyn AnyWindow>,
        partitions: impl Fn(&str) -> i32,
        results: broadcast::Sender<Produced>,
    ) -> Self {
        let spec = window.spec();
        let sources: Vec<Topic<'static>> =
            spec.topics.iter().map(|&topic| Topic(topic.into(), partitions(topic))).collect();
        Declared {
            declaration: Declaration::of(spec),
            log: log_topic(app, spec.name),
            failures: failures_topic(app, spec.name),
            partitions: sources.iter().map(|Topic(_, partitions)| *partitions).max().unwrap_or(1),
            sources,
            observed: Arc::new(Observed::new(spec.topics.len())),
            pace: Pace::new(),
            drains: Drains::default(),
            results,
            spec,
            window,
        }
    }

    pub(crate) fn kind(&self) -> core::Kind {
        kind(self.spec)
    }

    /// What is seen of it now.
    pub(crate) fn metrics(&self) -> WindowMetrics {
        let spec = self.spec;
        self.observed.read(spec.name, spec.topics, clock::now(), |topic| self.pace.lag(topic))
    }

    pub(crate) fn is_listened(&self) -> bool {
        self.results.receiver_count() > 0
    }

    /// Whether what is claimed of a source partition can be committed before it has expired.
    ///
    /// # Errors
    /// With what helps, when it cannot.
    pub(crate) fn check_idle(&self, interval: Duration) -> Result<(), Error> {
        let Some(idle) = self.spec.idle.filter(|idle| *idle < interval * 3) else { return Ok(()) };
        let reason = format!(
            "`idle` is {idle:?}, less than three commit intervals of {interval:?}: what is said of a quiet partition would \
             have expired before the next word of it is committed. Make `idle` longer, or `Config::commit_interval` shorter"
        );
        Err(Error::WindowStart { name: self.spec.name, reason })
    }

    /// How long a claim of a source partition holds, in milliseconds: as long as it takes to be called idle.
    pub(crate) fn lease(&self) -> i64 {
        self.spec.idle.map_or(LEASE, millis)
    }
}

/// How long claims hold where nothing is ever idle, in milliseconds.
const LEASE: i64 = 10_000;

fn kind(spec: &WindowSpec) -> core::Kind {
    match spec.kind {
        Kind::Tumbling { size } => core::Kind::Tumbling { size: millis(size) },
        Kind::Hopping { size, advance } => {
            core::Kind::Hopping { size: millis(size), advance: millis(advance) }
        }
        Kind::Sliding { size } => core::Kind::Sliding { size: millis(size) },
        Kind::Session { gap, longest } => core::Kind::Session { gap: millis(gap), longest: millis(longest) },
    }
}

/// What the core is told of a declaration.
pub(crate) fn rules<A: core::Aggregate>(spec: &WindowSpec, ways: core::Ways<A>) -> core::Rules<A> {
    let mut rules = core::Rules::new(kind(spec), millis(spec.grace), ways);
    if spec.complete {
        rules = rules.complete(u32::try_from(spec.topics.len()).unwrap_or(u32::MAX));
    }
    match spec.emit {
        Emit::Final => rules,
        Emit::Updates => rules.updates(),
    }
}

/// Lengths of time as event time counts them.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Where a record belongs.
pub(crate) struct Sorted {
    pub(crate) key: Option<RecordKey>,
    pub(crate) time: Option<i64>,
}

/// A window reactor of an app.
pub(crate) trait AnyWindow: Send + Sync {
    fn spec(&self) -> &'static WindowSpec;
    /// Whether its handler has a graph, and needs a caller.
    fn calls(&self) -> bool;
    /// Reads where a record of the topic at this place belongs.
    fn sort(&self, topic: usize, value: Unread<'_>, time: Option<i64>) -> Result<Sorted, Failure>;
    /// The open windows of one partition of its log, empty or as the last owner left them.
    fn gathering(&self, env: Env, left: Left<'_>) -> Result<Box<dyn Gathering>, RulesError>;
}

/// The only implementation of [`AnyWindow`].
pub(crate) struct Typed<W>(std::marker::PhantomData<fn() -> W>);

impl<W> Typed<W> {
    pub(crate) const fn new() -> Self {
        Typed(std::marker::PhantomData)
    }
}

impl<W: WindowReactor> AnyWindow for Typed<W> {
    fn spec(&self) -> &'static WindowSpec {
        &W::SPEC
    }

    fn calls(&self) -> bool {
        W::HandIns::CALLS
    }

    fn sort(&self, topic: usize, value: Unread<'_>, time: Option<i64>) -> Result<Sorted, Failure> {
        read::<W>(topic, value, time).map(|read| Sorted { key: read.key, time: read.time })
    }

    fn gathering(&self, env: Env, left: Left<'_>) -> Result<Box<dyn Gathering>, RulesError> {
        gathering::<W>(env, left)
    }
}

/// Reads a record. What the declaration says of key and time is the user's code, and so is `Deserialize`.
pub(crate) fn read<W: WindowReactor>(
    topic: usize,
    value: Unread<'_>,
    time: Option<i64>,
) -> Result<super::Read<W>, Failure> {
    guarded(|| W::read(topic, value, time)).unwrap_or_else(|panic| {
        Err(Failure::new(Code::Decode, format!("reading the record panicked: {panic}")))
    })
}

/// Calls code of the user's, which may panic.
///
/// # Errors
/// With what the panic said.
pub(crate) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        text.unwrap_or("(no text)").to_owned()
    })
}
