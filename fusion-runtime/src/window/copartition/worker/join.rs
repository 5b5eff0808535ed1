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
        gathering::{Commit, Env, Left, Look, Outbox},
        intake::Silence,
        typed::millis,
    },
};

use super::super::{Joining, Shared, input::Input, left::Remembered, partitioner::Sampler};

use super::{TOGETHER, Worker};

impl Worker {
    /// Waits for all partitions of the number. `None` if they do not all come.
    pub(in super::super) async fn gather(
        shared: Arc<Shared>,
        first: Joining,
        mut others: mpsc::UnboundedReceiver<Joining>,
    ) -> Option<Self> {
        let number = first.taken.partition;
        let topics = shared.declared.spec.topics.len();
        let limit = tokio::time::Instant::now() + TOGETHER;
        let mut joined = Joined(vec![first]);
        while joined.0.len() < topics {
            let stopped = joined.0[0].taken.assignment.clone();
            tokio::select! {
                () = stopped.stopped() => {
                    shared.complete(number);
                    return None;
                }
                other = timeout_at(limit, others.recv()) => match other {
                    Ok(Some(other)) => joined.0.push(other),
                    Ok(None) | Err(_) => {
                        shared.complete(number);
                        joined.fail(&shared, number);
                        return None;
                    }
                },
            }
        }
        shared.complete(number);
        Worker::new(shared, joined, number)
    }

    fn new(shared: Arc<Shared>, mut joined: Joined, number: i32) -> Option<Self> {
        let declared = shared.declared.clone();
        let spec = declared.spec;
        let now = clock::now();
        joined.0.sort_by_key(|joining| joining.topic);
        let remembered: Option<Vec<Remembered>> = joined
            .0
            .iter()
            .map(|joining| joining.taken.left.as_ref().and_then(Remembered::from_metadata))
            .collect();
        if remembered.is_none() && joined.0.iter().any(|joining| joining.taken.left.is_some()) {
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
            None => Left::Nothing { logs: joined.0.len() },
        };
        let core = joined.0[0].taken.core.clone();
        let topic: Arc<str> = spec.name.into();
        let env =
            Env { core: core.clone(), declared: declared.clone(), topic: topic.clone(), partition: number };
        let gathering = match declared.window.gathering(env, left) {
            Ok(gathering) => gathering,
            Err(error) => {
                let reason = error.to_string();
                let offset = joined.0[0].taken.start;
                joined.0[0].taken.fail(Error::Window { name: spec.name, partition: number, offset, reason });
                return None;
            }
        };
        let mut sources = Sources::new(spec.idle.map(millis), spec.max_future.map(millis));
        sources.restore(time);
        let mut inputs = Vec::new();
        for (log, joining) in std::mem::take(&mut joined.0).into_iter().enumerate() {
            let remembered = remembered.as_ref().map(|all| all[log]);
            let newest = remembered.map(|one| one.newest).unwrap_or_default();
            sources.assign(newest.time, now);
            if let Some(time) = newest.time {
                sources.arrived(log, time, newest.arrived);
            }
            let taken = joining.taken;
            inputs.push(Input {
                topic: spec.topics[joining.topic].into(),
                high: remembered.map_or(taken.start, |one| one.part.high),
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
            next_cut: 0,
            turn: 0,
            draining: declared.drains.join(number, epoch),
            look: Look::default(),
            ends,
            shared,
        })
    }
}

/// Those that have come so far. Whatever becomes of them, their assignments end.
struct Joined(Vec<Joining>);

impl Joined {
    fn fail(&self, shared: &Shared, number: i32) {
        let spec = shared.declared.spec;
        let came: Vec<&str> = self.0.iter().map(|joining| spec.topics[joining.topic]).collect();
        let reason = format!(
            "of the partitions of this number, this member was given only those of {}: members must be given all. Leave \
             `partition.assignment.strategy` at `range`, or with the group protocol `consumer` set \
             `group.remote.assignor` to `range`",
            came.join(", ")
        );
        let (name, offset) = (spec.name, self.0[0].taken.start);
        self.0[0].taken.fail(Error::Window { name, partition: number, offset, reason });
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|joining| joining.taken.end());
    }
}
