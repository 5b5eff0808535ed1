//! What an app with windows needs besides: their logs, and who reads sources and logs.

use std::{
    any::TypeId,
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::{consumer::BaseConsumer, error::KafkaError};
use tokio::sync::broadcast;

use crate::{
    Error,
    broker::{
        Config, TopicInfo, TopicSpec,
        ffi::{self, Committed},
        topics,
    },
    consume::{Served, Service},
    produce::transactions::{CommitMetadata, MOST_BYTES, Transactions},
    window::{
        AnyWindow, Copartition, Declared, Ends, Gatherings, Intake, Target, Trims, check, check_declaration,
        check_keeps, check_log, log_config, too_many,
    },
};

use super::{Produced, results::CAPACITY};

/// Creates the windows' logs, whose partitions depend on those of the sources.
pub(super) async fn declare(
    app: &str,
    config: &Config,
    windows: Vec<(TypeId, Box<dyn AnyWindow>)>,
    known: &[TopicInfo],
    results: &mut HashMap<TypeId, broadcast::Sender<Produced>>,
) -> Result<Vec<Arc<Declared>>, Error> {
    let partitions = |topic: &str| {
        let info = known.iter().find(|info| info.name == topic);
        info.map_or(0, |info| info.partitions)
    };
    let declared: Vec<Declared> = windows
        .into_iter()
        .map(|(id, window)| {
            let sender = broadcast::channel(CAPACITY).0;
            results.insert(id, sender.clone());
            Declared::new(app, window, partitions, sender)
        })
        .collect();
    let mut wanted = Vec::new();
    for declared in &declared {
        wanted.push(TopicSpec::named(&declared.failures));
        if declared.spec.copartitioned {
            check(declared)?;
            continue;
        }
        declared.check_idle(config.settings().commit_interval)?;
        wanted.push(TopicSpec {
            name: declared.log.clone(),
            partitions: Some(declared.partitions),
            config: log_config(config.settings()),
        });
    }
    check_sources(config, &declared).await?;
    check_former_logs(app, config, &declared).await?;
    let (asking, policy) = (config.clone(), config.settings().topics);
    let ensured = tokio::task::spawn_blocking(move || topics::ensure(&asking, &wanted, policy));
    let logs = ensured.await.map_err(|_| Error::Stopped)??;
    for declared in declared.iter().filter(|declared| !declared.spec.copartitioned) {
        let found = logs.iter().find(|info| info.name == declared.log).map_or(0, |info| info.partitions);
        if found != declared.partitions {
            return Err(Error::WindowStart {
                name: declared.spec.name,
                reason: format!(
                    "its log `{}` has {found} partitions, but the largest of its sources has {}: keys would meet \
                     elsewhere. Give the window another `name` to begin anew",
                    declared.log, declared.partitions
                ),
            });
        }
    }
    check_logs(config, &declared).await?;
    Ok(declared.into_iter().map(Arc::new).collect())
}

/// Whether logs that were there before keep what windows need.
async fn check_logs(config: &Config, declared: &[Declared]) -> Result<(), Error> {
    let windows: Vec<_> = declared.iter().filter(|declared| !declared.spec.copartitioned).collect();
    let names: Vec<String> = windows.iter().map(|declared| declared.log.clone()).collect();
    let asking = config.clone();
    let asked = tokio::task::spawn_blocking(move || {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        topics::keeps(&asking, &names)
    });
    let keeps = asked.await.map_err(|_| Error::Stopped)??.unwrap_or_default();
    for (declared, keeps) in windows.into_iter().zip(&keeps) {
        check_log(declared, keeps, config.settings(), config.bootstrap())?;
    }
    Ok(())
}

/// Whether the sources of copartitioned windows keep what these need.
async fn check_sources(config: &Config, declared: &[Declared]) -> Result<(), Error> {
    for declared in declared.iter().filter(|declared| declared.spec.copartitioned) {
        let (asking, names) = (config.clone(), declared.spec.topics);
        let asked = tokio::task::spawn_blocking(move || topics::keeps(&asking, names));
        if let Some(keeps) = asked.await.map_err(|_| Error::Stopped)?? {
            check_keeps(declared, &keeps, config.settings().downtime)?;
        }
    }
    Ok(())
}

/// Whether what a copartitioned window's name has in a log was closed: it reads none.
async fn check_former_logs(app: &str, config: &Config, declared: &[Declared]) -> Result<(), Error> {
    for declared in declared.iter().filter(|declared| declared.spec.copartitioned) {
        let (app, config, log) = (app.to_owned(), config.clone(), declared.log.clone());
        let asked = tokio::task::spawn_blocking(move || committed(&app, &config, &log));
        for (partition, left) in asked.await.map_err(|_| Error::Stopped)?? {
            check_declaration(&left, &declared.declaration).map_err(|reason| Error::Window {
                name: declared.spec.name,
                partition,
                offset: left.offset(),
                reason,
            })?;
        }
    }
    Ok(())
}

/// What a group has committed for the partitions of a topic, as far as it counts. Blocks.
fn committed(group: &str, config: &Config, topic: &str) -> Result<Vec<(i32, CommitMetadata)>, Error> {
    let Some(partitions) = topics::partitions(config, topic)? else { return Ok(Vec::new()) };
    let client: Result<BaseConsumer, _> = config.assigned_consumer(group)?.create();
    let client = client.map_err(|error| Error::client("observer", error))?;
    let until = Instant::now() + config.settings().connect_limit;
    loop {
        let wanted = (0..partitions).map(|partition| (topic, partition));
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        // Only for as long as it takes brokers to answer: offsets of transactions that have not ended are waited for.
        let asked = ffi::committed(&client, wanted, left);
        let unknown = |committed: &[Committed]| committed.iter().find_map(|one| one.error);
        let error = match asked.as_deref().map(unknown) {
            Ok(None) => return Ok(asked.unwrap_or_default().iter().filter_map(accept).collect()),
            Ok(Some(error)) | Err(&error) => error,
        };
        if Instant::now() >= until {
            return Err(Error::client("observer", KafkaError::OffsetFetch(error)));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Where the log ends is not asked: at worst it is believed of a log that was made anew that windows are open in it.
fn accept(committed: &Committed) -> Option<(i32, CommitMetadata)> {
    let metadata = CommitMetadata::accept(&committed.metadata, committed.offset?, i64::MAX);
    Some((committed.partition, metadata.ok()?))
}

/// Who reads the sources, and who reads the logs. Of the reactors, those are taken out whose topic windows gather.
pub(super) fn services(
    app: &str,
    config: &Config,
    declared: &[Arc<Declared>],
    reactors: &mut Vec<Arc<Served>>,
    transactions: &Transactions,
) -> Result<Vec<Arc<dyn Service>>, Error> {
    let (ends, trims) = (Ends::start(config, app)?, Trims::start(config, app)?);
    let mut sources: BTreeMap<&str, Vec<Target>> = BTreeMap::new();
    for window in declared.iter().filter(|window| !window.spec.copartitioned) {
        for (topic, name) in window.spec.topics.iter().enumerate() {
            sources.entry(*name).or_default().push(Target { window: window.clone(), topic });
        }
    }
    let mut services: Vec<Arc<dyn Service>> = Vec::new();
    for (topic, targets) in sources {
        let served = reactors.iter().position(|served| served.spec.topic == topic);
        let served = served.map(|index| reactors.remove(index));
        let names: Vec<&'static str> = targets.iter().map(|target| target.window.spec.name).collect();
        // What a reactor has finished out of order needs room, too.
        let limit = if served.is_some() { MOST_BYTES / 2 } else { MOST_BYTES };
        if let Some(reason) = too_many(topic, &names, limit) {
            return Err(Error::WindowStart { name: names[0], reason });
        }
        services.push(Arc::new(Intake::new(topic, targets, served, transactions.clone(), ends.clone())));
    }
    for window in declared {
        if window.spec.copartitioned {
            for source in Copartition::all(window, transactions, &ends) {
                services.push(Arc::new(source));
            }
        } else {
            services.push(Arc::new(Gatherings::new(window.clone(), transactions.clone(), trims.clone())));
        }
    }
    Ok(services)
}
