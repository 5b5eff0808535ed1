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

/// Partitions whose place is gone, if there are any, and when something is done about them.
#[derive(Default)]
pub(super) struct Gaps {
    pub(super) found: bool,
    at: Option<Instant>,
}

impl Owner {
    /// Ends the app, or goes on with the oldest records that there are. librdkafka reads nothing where the place was gone.
    pub(super) fn serve_gaps(&mut self) -> Result<(), Error> {
        let waits = self.gaps.at.is_some_and(|at| Instant::now() < at);
        // Whatever is assigned or revoked meanwhile takes its place from the committed offset.
        let moves = self.revoking.is_some() || self.assigning.is_some() || self.stopping.is_some();
        if !self.gaps.found || waits || moves {
            return Ok(());
        }
        self.gaps.at = Some(Instant::now() + AGAIN);
        let partial = self.core.settings.on_gap == OnGap::Partial;
        let limit = if partial { LIMIT } else { WATERMARKS_LIMIT };
        let mut behind = Vec::new();
        for (place, known) in &mut self.partitions {
            let Some(offset) = known.gap else { continue };
            let (topic, partition) = (&*place.0, place.1);
            let (start, end) = match self.client.fetch_watermarks(topic, partition, limit) {
                Ok(watermarks) => watermarks,
                Err(error) if partial => {
                    tracing::warn!(%error, topic, partition, "what the log still has is not known yet");
                    return Ok(());
                }
                Err(_) => (-1, -1),
            };
            if !partial || offset > end {
                return Err(Error::Gap { topic: topic.to_owned(), partition, offset, start, end });
            }
            known.next = offset.max(start);
            behind.push(place.clone());
        }
        self.gaps = Gaps::default();
        self.assign_again(&behind)?;
        for place in behind {
            let Some(partition) = self.partitions.get_mut(&place) else { continue };
            let (offset, next) = (partition.gap.take().unwrap_or(partition.next), partition.next);
            if offset < next {
                self.core.counters.one(Count::Gaps);
                let (topic, partition, records) = (&*place.0, place.1, next - offset);
                tracing::warn!(topic, partition, offset, next, records, "{GONE}");
            }
        }
        Ok(())
    }

    /// Has librdkafka read these from where they go on. A seek does not help: after such an error a partition counts as
    /// stopped for librdkafka 2.12 (`rd_kafka_offset_reset`), which refuses to seek in it (`rd_kafka_toppar_seek`). Under an
    /// eager protocol an assignment is only changed as a whole, so all others begin again there, too, each where it was. Their
    /// queues stay apart from the consumer's: that this was asked for once is remembered (`RD_KAFKA_Q_F_FWD_APP`).
    fn assign_again(&self, behind: &[Place]) -> Result<(), Error> {
        let failed = |error| Error::client("consumer", error);
        let single = matches!(self.client.rebalance_protocol(), RebalanceProtocol::Cooperative);
        if single {
            rebalance::unassign(&self.client, &rebalance::list(behind));
        }
        let mut list = TopicPartitionList::new();
        for (place, partition) in &self.partitions {
            if single && !behind.contains(place) {
                continue;
            }
            // Where only the first record tells, none has come yet.
            let next = if partition.next < 0 { Offset::Beginning } else { Offset::Offset(partition.next) };
            list.add_partition_offset(&place.0, place.1, next).map_err(failed)?;
        }
        rebalance::assign(&self.client, &list).map_err(failed)
    }
}

pub(super) const GONE: &str =
    "records were deleted before they were read: the partition goes on with the oldest one there is";
