//! Where a log does not hold the record that comes next any more: the app ends, or goes on with the oldest there is.

use std::time::{Duration, Instant};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{Consumer as _, RebalanceProtocol},
};

use crate::{
    Error,
    broker::OnGap,
    consume::rebalance::{self, Place},
    observe::Count,
};

use super::{Owner, WATERMARKS_LIMIT};

/// How long a broker may take to say what a partition holds, while all others wait for it, and how long they go on before it
/// is asked again.
const LIMIT: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_millis(200);

/// Partitions whose place is gone, each with the place, and when something is done about them.
#[derive(Default)]
pub(super) struct Gaps {
    found: Vec<(Place, i64)>,
    at: Option<Instant>,
}

impl Owner {
    /// The log of a partition does not hold the offset that was asked for. librdkafka does not read on in it.
    pub(super) fn found_gap(&mut self, place: Place, offset: i64) -> Result<(), Error> {
        let Some(partition) = self.partitions.get(&place) else { return Ok(()) };
        let offset = if offset >= 0 { offset } else { partition.next };
        if self.core.settings.on_gap == OnGap::Fail {
            let (topic, partition) = place;
            let (start, end) =
                self.client.fetch_watermarks(&topic, partition, WATERMARKS_LIMIT).unwrap_or((-1, -1));
            return Err(Error::Gap { topic, partition, offset, start, end });
        }
        if self.gaps.found.iter().all(|(known, _)| *known != place) {
            self.gaps.found.push((place, offset));
        }
        Ok(())
    }

    /// Goes on with the oldest records that there are.
    pub(super) fn serve_gaps(&mut self) -> Result<(), Error> {
        let waits = self.gaps.at.is_some_and(|at| Instant::now() < at);
        // Whatever is assigned or revoked meanwhile takes its place from the committed offset.
        let moves = self.revoking.is_some() || self.assigning.is_some() || self.stopping.is_some();
        if self.gaps.found.is_empty() || waits || moves {
            return Ok(());
        }
        self.gaps.at = Some(Instant::now() + AGAIN);
        let mut skipped = Vec::new();
        for (place, offset) in &self.gaps.found {
            let (topic, partition) = (&*place.0, place.1);
            let Some(known) = self.partitions.get_mut(place) else { continue };
            let (start, end) = match self.client.fetch_watermarks(topic, partition, LIMIT) {
                Ok(watermarks) => watermarks,
                Err(error) => {
                    tracing::warn!(%error, topic, partition, "what the log still has is not known yet");
                    return Ok(());
                }
            };
            let offset = *offset;
            if offset > end {
                return Err(Error::Gap { topic: topic.to_owned(), partition, offset, start, end });
            }
            known.next = offset.max(start);
            skipped.push((place.clone(), offset, known.next));
        }
        self.assign_again(&skipped)?;
        self.gaps = Gaps::default();
        for ((topic, partition), offset, next) in skipped {
            if offset < next {
                self.core.counters.one(Count::Gaps);
                let records = next - offset;
                tracing::warn!(topic, partition, offset, next, records, "{GONE}");
            }
        }
        Ok(())
    }

    /// Has librdkafka read these from where they go on. A seek does not help: after such an error a partition counts as
    /// stopped for librdkafka 2.12 (`rd_kafka_offset_reset`), which refuses to seek in it (`rd_kafka_toppar_seek`). Under an
    /// eager protocol an assignment is only changed as a whole, so all others begin again there, too, each where it was.
    fn assign_again(&mut self, skipped: &[(Place, i64, i64)]) -> Result<(), Error> {
        let failed = |error| Error::client("consumer", error);
        let one = matches!(self.client.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let places: Vec<Place> = if one {
            skipped.iter().map(|(place, ..)| place.clone()).collect()
        } else {
            self.partitions.keys().cloned().collect()
        };
        // Those that hold too much are paused again as soon as they are handed more.
        self.resume_before_unassign(&places);
        if one {
            rebalance::unassign(&self.client, &rebalance::list(&places));
        }
        let forwarder = self.queue.forwarder();
        let mut list = TopicPartitionList::new();
        for place in &places {
            let Some(partition) = self.partitions.get(place) else { continue };
            let (topic, number) = (&*place.0, place.1);
            // Where only the first record tells, none has come yet.
            let next = if partition.next < 0 { Offset::Beginning } else { Offset::Offset(partition.next) };
            list.add_partition_offset(topic, number, next).map_err(failed)?;
            if !forwarder.forward(&self.client, topic, number) {
                tracing::error!(topic, partition = number, "the partition could not be forwarded");
            }
        }
        rebalance::assign(&self.client, &list).map_err(failed)?;
        Ok(())
    }
}

pub(super) const GONE: &str =
    "records were deleted before they were read: the partition goes on with the oldest one there is";
