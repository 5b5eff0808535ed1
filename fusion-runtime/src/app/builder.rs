//! Putting an app together.

use std::{any::TypeId, collections::HashMap, marker::PhantomData, sync::Arc};

use tokio::sync::broadcast;

use crate::{
    Error,
    broker::{Config, TopicSpec, topics},
    consume::{AnyReactor, Consumer, Core, GroupClient, Served, Service, Typed},
    failure::RetryPolicy,
    observe::Counters,
    produce::Producer,
    reactor::{Reactor, ReactorList, Set, StateMap, Visitor},
    record::{codec::Format, wire::dead_letter_topic},
    request::{Replies, ReplyPolicy, Requests},
    window::{self, AnyWindow, WindowReactor, WindowSpec},
};

use super::{Running, results::CAPACITY, windows};

/// A service made of reactors.
///
/// Its name is its consumer group: instances of one name share the work, and go on where the last one stopped. `S` is
/// the list of types that [`state`](App::state) gave.
///
/// ```no_run
/// use fusion::prelude::*;
///
/// #[reactor(topic = "add")]
/// async fn add(numbers: Vec<i64>) -> i64 {
///     numbers.iter().sum()
/// }
///
/// #[tokio::main]
/// async fn main() -> fusion::Result<()> {
///     App::new("math", Config::from_env_or_embedded()?).reactors(reactors![add]).run().await
/// }
/// ```
#[must_use = "an app does nothing before it is started: call `.run()` or `.start()`"]
pub struct App<S = ()> {
    name: String,
    config: Config,
    state: StateMap,
    reactors: Vec<(TypeId, Box<dyn AnyReactor>)>,
    windows: Vec<(TypeId, Box<dyn AnyWindow>)>,
    replies: Replies,
    format: Format,
    provides: PhantomData<fn() -> S>,
}

impl App {
    /// An app of this name, without reactors yet.
    pub fn new(name: impl Into<String>, config: Config) -> App {
        App {
            name: name.into(),
            config,
            state: StateMap::default(),
            reactors: Vec::new(),
            windows: Vec::new(),
            replies: Replies::default(),
            format: Format::default(),
            provides: PhantomData,
        }
    }
}

impl<S> App<S> {
    /// Provides a value that handlers take as [`State<T>`](crate::reactor::State). One value per type; a second one of
    /// the same type replaces the first.
    ///
    /// ```
    /// use fusion::prelude::*;
    ///
    /// struct Prices {
    ///     tea: u64,
    /// }
    ///
    /// #[reactor(topic = "price")]
    /// fn price(article: String, prices: State<Prices>) -> Option<u64> {
    ///     (article == "tea").then_some(prices.tea)
    /// }
    ///
    /// # fn main() -> fusion::Result<()> {
    /// let app = App::new("shop", Config::embedded()?)
    ///     .state(Prices { tea: 450 })
    ///     .reactors(reactors![price]);
    /// # let _ = app;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Without `.state(..)`, or with it behind `.reactors(..)`, this does not compile.
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> App<(T, S)> {
        self.state.insert(value);
        let App { name, config, state, reactors, windows, replies, format, .. } = self;
        App { name, config, state, reactors, windows, replies, format, provides: PhantomData }
    }

    /// Adds reactors, `reactors![add, subtract, sum]`. The state they take must have been provided before.
    pub fn reactors<L, I>(mut self, _: Set<L>) -> App<S>
    where
        L: ReactorList<S, I>,
    {
        L::visit(&mut Collect(&mut self.reactors, &mut self.windows));
        self
    }

    /// The way that replies to the reactors' own requests take. Default [`Replies::Inbox`]. It matters only to reactors
    /// with `deps!`.
    pub fn replies(mut self, replies: Replies) -> App<S> {
        self.replies = replies;
        self
    }

    /// The format in which this app writes what nobody asked for in another one. Default JSON.
    pub fn format(mut self, format: Format) -> App<S> {
        self.format = format;
        self
    }

    /// Starts to serve and returns. See [`Running`] for what comes then.
    ///
    /// All topics are there when it returns: the reactors' and their dead letters', and those they ask and send to.
    /// Partitions come a moment later, [`Running::assigned`] waits for them.
    ///
    /// # Errors
    /// When there are no reactors, the configuration is wrong, no broker answers within `connect_limit`, or topics
    /// are missing and may not be created.
    pub async fn start(self) -> Result<Running, Error> {
        let App { name, config, state, reactors, windows, replies, format, .. } = self;
        check(&name, &reactors, &windows)?;
        config.check()?;
        let specs: Vec<_> = reactors.iter().map(|(_, reactor)| reactor.spec()).collect();
        let mut wanted: Vec<String> = Vec::new();
        for spec in &specs {
            wanted.extend([spec.topic.to_owned(), dead_letter_topic(spec.topic)]);
            wanted.extend(spec.to.iter().chain(spec.asks).map(|&topic| topic.to_owned()));
        }
        for (_, window) in &windows {
            let spec = window.spec();
            for topic in spec.topics {
                wanted.extend([(*topic).to_owned(), dead_letter_topic(topic)]);
            }
            let others = spec.to.iter().chain(&spec.late).chain(spec.asks);
            wanted.extend(others.map(|&topic| topic.to_owned()));
        }
        wanted.sort_unstable();
        wanted.dedup();
        let (asking, policy) = (config.clone(), config.settings().topics);
        // Before the subscription: a topic that comes later is noticed only minutes later.
        let ensured = tokio::task::spawn_blocking(move || {
            let wanted: Vec<_> = wanted.iter().map(TopicSpec::named).collect();
            topics::ensure(&asking, &wanted, policy)
        });
        let known = ensured.await.map_err(|_| Error::Stopped)??;
        let mut results = HashMap::new();
        let declared = windows::declare(&name, &config, windows, &known, &mut results).await?;

        let producer = Producer::start(&config)?;
        let counters = Arc::new(Counters::new());
        let calls = reactors.iter().any(|(_, reactor)| reactor.calls())
            || declared.iter().any(|declared| declared.window.calls());
        let requests = if calls {
            let requests =
                Requests::connect(&config, &name, producer.clone(), counters.clone(), format, replies)
                    .await?;
            requests.know(known.iter().map(|topic| topic.name.as_str()));
            Some(requests)
        } else {
            None
        };
        let settings = config.settings().clone();
        let back_off = RetryPolicy {
            first: settings.backoff.first,
            max: settings.backoff.most,
            factor: f64::from(settings.backoff.factor),
            ..RetryPolicy::default()
        };
        let core = Arc::new(Core {
            app: name.as_str().into(),
            settings,
            producer: producer.clone(),
            route: requests.as_ref().map(Requests::route),
            state,
            counters: counters.clone(),
            replies: ReplyPolicy::new(
                specs
                    .iter()
                    .map(|spec| spec.topic)
                    .chain(declared.iter().flat_map(|declared| declared.spec.topics.iter().copied()))
                    .map(str::to_owned),
            ),
            format,
            back_off,
        });
        let read = |topic: &str| {
            specs.iter().any(|spec| spec.topic == topic)
                || declared.iter().any(|declared| declared.spec.topics.contains(&topic))
        };
        let sources = known.iter().filter(|topic| read(&topic.name)).map(|topic| topic.partitions);
        let logs = declared.iter().filter(|declared| !declared.spec.copartitioned);
        let partitions: i32 = sources.chain(logs.map(|declared| declared.partitions)).sum();
        let partitions = usize::try_from(partitions).unwrap_or(1);
        let together = declared.iter().any(|declared| declared.spec.copartitioned);
        let client = GroupClient::new(&config, &name, partitions, !declared.is_empty(), together)?;
        let transactions = if declared.is_empty() {
            None
        } else {
            Some(client.transactions(&config, &name, counters.clone()).await?)
        };
        let mut served: Vec<Arc<Served>> = reactors
            .into_iter()
            .map(|(id, reactor)| {
                let (sender, _) = broadcast::channel(CAPACITY);
                results.insert(id, sender.clone());
                Arc::new(Served::new(reactor, sender))
            })
            .collect();
        let mut services = match &transactions {
            Some(transactions) => windows::services(&name, &config, &declared, &mut served, transactions)?,
            None => Vec::new(),
        };
        services.extend(served.into_iter().map(|served| Arc::new(served) as Arc<dyn Service>));
        let count = specs.len() + declared.len();
        let consumer = Consumer::start(&config, client, core, services, transactions.clone())?;
        tracing::info!(app = name, reactors = count, "started");
        Ok(Running::new(config, consumer, requests, producer, transactions, counters, results, declared))
    }

    /// Serves until SIGINT or SIGTERM, then shuts down within the configuration's `stop_limit`.
    ///
    /// # Errors
    /// Those of [`start`](App::start), and whatever ends the app before a signal does.
    pub async fn run(self) -> Result<(), Error> {
        let running = self.start().await?;
        let failed = tokio::select! {
            () = signalled() => None,
            error = running.failed() => Some(error),
        };
        let stopped = running.shutdown().await;
        failed.map_or(stopped, |error| Err(Error::Shared(error)))
    }
}

impl<S> std::fmt::Debug for App<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let reactors: Vec<_> = self.reactors.iter().map(|(_, reactor)| reactor.spec().name).collect();
        f.debug_struct("App").field("name", &self.name).field("reactors", &reactors).finish_non_exhaustive()
    }
}

struct Collect<'a>(&'a mut Vec<(TypeId, Box<dyn AnyReactor>)>, &'a mut Vec<(TypeId, Box<dyn AnyWindow>)>);

impl Visitor for Collect<'_> {
    fn reactor<R: Reactor>(&mut self) {
        self.0.push((TypeId::of::<R>(), Box::new(Typed::<R>::new())));
    }

    fn window<W: WindowReactor>(&mut self) {
        self.1.push((TypeId::of::<W>(), Box::new(window::Typed::<W>::new())));
    }
}

/// `reactors![..]` proves this for one list; there may be several.
fn check(
    app: &str,
    reactors: &[(TypeId, Box<dyn AnyReactor>)],
    windows: &[(TypeId, Box<dyn AnyWindow>)],
) -> Result<(), Error> {
    if reactors.is_empty() && windows.is_empty() {
        return Err(Error::NoReactors { app: app.to_owned() });
    }
    let mut topics = std::collections::HashSet::new();
    let mut names = std::collections::HashSet::new();
    for (_, reactor) in reactors {
        let spec = reactor.spec();
        for (what, name, seen) in [("topic", spec.topic, &mut topics), ("name", spec.name, &mut names)] {
            if !seen.insert(name) {
                return Err(Error::Twice { app: app.to_owned(), what, name: name.to_owned() });
            }
        }
    }
    for (_, window) in windows {
        let spec = window.spec();
        if !names.insert(spec.name) {
            return Err(Error::Twice { app: app.to_owned(), what: "name", name: spec.name.to_owned() });
        }
        // The const check of `reactors![..]` sees one list; there may be several.
        let alone = |one: &WindowSpec, other: &WindowSpec| {
            one.copartitioned && other.topics.iter().any(|topic| one.topics.contains(topic))
        };
        let others = windows.iter().map(|(_, other)| other.spec()).filter(|other| other.name != spec.name);
        if let Some(other) = others.into_iter().find(|other| alone(spec, other)) {
            return Err(Error::NotAlone { app: app.to_owned(), window: spec.name, other: other.name });
        }
        let served = reactors.iter().find(|(_, reactor)| spec.topics.contains(&reactor.spec().topic));
        let served = served.filter(|_| spec.copartitioned);
        if let Some((_, reactor)) = served {
            return Err(Error::ServedAndGathered {
                app: app.to_owned(),
                topic: reactor.spec().topic.to_owned(),
                reactor: reactor.spec().name,
                window: spec.name,
            });
        }
    }
    Ok(())
}

/// Waits for SIGINT or SIGTERM.
async fn signalled() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            },
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be listened to");
                let _ = tokio::signal::ctrl_c().await;
            }
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}
