//! Bringing the partitions of one number together.

use std::sync::Arc;

use futures_util::stream::FuturesUnordered;

use tokio::{sync::mpsc, time::timeout_at};

use crate::{
    Error,
    broker::ffi::{self},
    produce::transactions::CommitMetadata,
    window::{
        clock,
        core::{Part, Sources},
        due::Due,
        gathering::{Commit, Env, Left, Look, Outbox},
        intake::Silence,
        typed::millis,
    },
};

use super::super::{
    Joining, Shared,
    input::Input,
    left::{Remembered, check_declaration},
    partitioner::Sampler,
};

use super::{TOGETHER, Worker};

impl Worker {
    /// Waits for all partitions of the number. `None` if they do not all come.
    pub(in super::super) async fn gather(
        shared: Arc<Shared>,
        first: Joining,
        others: mpsc::UnboundedReceiver<Joining>,
    ) -> Option<Self> {
        let number = first.taken.partition;
        let topics = shared.declared.spec.topics.len();
        let assignment = first.taken.assignment.clone();
        let mut joined = Joined { all: vec![first], others };
        let together = joined.wait(topics).await;
        // From here on nobody comes any more.
        shared.meetings.close(number, &assignment);
        match together {
            Together::All => Worker::new(shared, joined, number),
            Together::Stopped => None,
            Together::Missing => {
                joined.fail(&shared, number);
                None
            }
        }
    }

    fn new(shared: Arc<Shared>, mut joined: Joined<Joining>, number: i32) -> Option<Self> {
        let declared = shared.declared.clone();
        let spec = declared.spec;
        let now = clock::now();
        joined.all.sort_by_key(|joining| joining.topic);
        for joining in &joined.all {
            let taken = &joining.taken;
            let left = taken.left.as_ref();
            let checked =
                left.map_or(Ok(()), |left| check_declaration(left, spec.name, &declared.declaration));
            if let Err(reason) = checked {
                let (name, offset) = (spec.name, taken.start);
                taken.fail(Error::Window { name, partition: number, offset, reason });
                return None;
            }
        }
        let remembered: Option<Vec<Remembered>> = joined
            .all
            .iter()
            .map(|joining| {
                let left = joining.taken.left.as_ref()?;
                Remembered::resumed(left, spec.name, &declared.declaration)
            })
            .collect();
        if remembered.is_none() && joined.all.iter().any(|joining| joining.taken.left.is_some()) {
            // Of a window over all of them, a part says nothing.
            tracing::warn!(
                window = spec.name,
                number,
                "not all partitions of the number have valid metadata: their windows begin empty"
            );
        }
        let parts: Option<Vec<Part>> =
            remembered.as_ref().map(|all| all.iter().map(|one| one.part).collect());
        let time = remembered.iter().flatten().filter_map(|one| one.time).max();
        let left = match &parts {
            Some(parts) => Left::Parts { time, parts },
            None => Left::Nothing { logs: joined.all.len() },
        };
        let core = joined.all[0].taken.core.clone();
        let topic: Arc<str> = spec.name.into();
        let env =
            Env { core: core.clone(), declared: declared.clone(), topic: topic.clone(), partition: number };
        let gathering = match declared.window.gathering(env, left) {
            Ok(gathering) => gathering,
            Err(error) => {
                let reason = error.to_string();
                let offset = joined.all[0].taken.start;
                joined.all[0].taken.fail(Error::Window {
                    name: spec.name,
                    partition: number,
                    offset,
                    reason,
                });
                return None;
            }
        };
        let mut sources = Sources::new(spec.idle.map(millis), spec.max_future.map(millis));
        sources.restore(time);
        let mut inputs = Vec::new();
        for (log, joining) in std::mem::take(&mut joined.all).into_iter().enumerate() {
            let taken = joining.taken;
            let remembered = remembered.as_ref().map(|all| &all[log]);
            sources.assign(remembered.and_then(|one| one.newest), now);
            let high = remembered.map_or(taken.start, |one| one.part.high);
            sources.resume(log, high, remembered.map(|one| one.far.clone()).unwrap_or_default());
            inputs.push(Input {
                topic: spec.topics[joining.topic].into(),
                high,
                silence: Silence::new(taken.start),
                held: ffi::Batch::default(),
                asking: false,
                ask_at: 0,
                taken,
            });
        }
        let epoch = inputs[0].taken.epoch;
        let ends = inputs.iter().map(|input| input.taken.assignment.clone()).collect();
        let committed = inputs.iter().map(|input| Commit {
            topic: input.topic.clone(),
            partition: number,
            epoch: input.taken.epoch,
            metadata: input.taken.left.clone().unwrap_or_else(|| CommitMetadata::new(input.taken.start)),
        });
        let outbox = Outbox::new(
            core,
            declared.clone(),
            shared.transactions.clone(),
            (topic, number),
            committed.collect(),
        );
        Some(Worker {
            // Where a group begins is committed at once: whoever has the partitions next begins there, too.
            cut_at: match &parts {
                Some(parts) => parts.iter().map(|part| part.high).collect(),
                None => Vec::new(),
            },
            sampler: Sampler::new(declared.partitions),
            number,
            inputs,
            sources,
            gathering,
            outbox,
            asking: FuturesUnordered::new(),
            cut_open: 0,
            due: Due::default(),
            turn: 0,
            draining: declared.drains.join(number, epoch),
            look: Look::default(),
            ends,
            shared,
        })
    }
}

/// Why nothing can be done with the partitions of these topics alone.
pub(super) fn apart(topics: &[&str]) -> String {
    format!(
        "of the partitions of this number, this member was given only those of {}: members must be given all. Leave \
         `partition.assignment.strategy`, or with the group protocol `consumer` `group.remote.assignor`, at `range`",
        topics.join(", ")
    )
}

/// Those that have come so far. Whatever becomes of them, their assignments end, also of those that came unseen.
struct Joined<J: End> {
    all: Vec<J>,
    others: mpsc::UnboundedReceiver<J>,
}

/// What a revoke waits for.
trait End {
    fn end(&mut self);
}

impl End for Joining {
    fn end(&mut self) {
        self.taken.end();
    }
}

/// What became of the wait for all.
enum Together {
    All,
    Missing,
    /// The partitions are to be given back before all have come.
    Stopped,
}

impl Joined<Joining> {
    async fn wait(&mut self, topics: usize) -> Together {
        let limit = tokio::time::Instant::now() + TOGETHER;
        let assignment = self.all[0].taken.assignment.clone();
        while self.all.len() < topics {
            tokio::select! {
                biased;
                () = assignment.stopped() => return Together::Stopped,
                other = timeout_at(limit, self.others.recv()) => match other {
                    Ok(Some(other)) => self.all.push(other),
                    Ok(None) | Err(_) => return Together::Missing,
                },
            }
        }
        Together::All
    }

    fn fail(&self, shared: &Shared, number: i32) {
        let spec = shared.declared.spec;
        let came: Vec<&str> = self.all.iter().map(|joining| spec.topics[joining.topic]).collect();
        let reason = apart(&came);
        let (name, offset) = (spec.name, self.all[0].taken.start);
        self.all[0].taken.fail(Error::Window { name, partition: number, offset, reason });
    }
}

impl<J: End> Drop for Joined<J> {
    fn drop(&mut self) {
        self.others.close();
        while let Ok(joining) = self.others.try_recv() {
            self.all.push(joining);
        }
        self.all.iter_mut().for_each(End::end);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    struct Fake(Arc<AtomicU32>);

    impl End for Fake {
        fn end(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn those_that_came_unseen_end_as_well() {
        let ended = Arc::new(AtomicU32::new(0));
        let (sender, others) = mpsc::unbounded_channel();
        let joined = Joined { all: vec![Fake(ended.clone())], others };
        for _ in 0..2 {
            assert!(sender.send(Fake(ended.clone())).is_ok());
        }
        drop(joined);
        assert_eq!(ended.load(Ordering::Relaxed), 3);
        assert!(sender.send(Fake(ended)).is_err(), "nobody comes too late unseen");
    }
}
