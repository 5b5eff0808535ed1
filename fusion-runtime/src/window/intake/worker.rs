//! The work on one source partition, for one assignment.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture, stream::FuturesUnordered, stream::StreamExt};
use tokio::time::{Instant, sleep_until};

use crate::{
    broker::ffi::{self, Message},
    consume::{Membership, Taken, content_type_of},
    failure::Failure,
    produce::{
        Outgoing,
        transactions::{Batch, CommitMetadata, Outcome, Pending, TransactionError},
    },
    record::{
        HeadersRef, RecordRef,
        wire::{DeadLetter, HeaderBuf, dead_letter_topic},
    },
    window::{
        Unread, clock,
        log::{CONTROL, Claim, Control, SOURCE, Source},
        observed::Skipped,
    },
};

use super::{
    Shared,
    clock::{Judged, Newest, Silence},
};

/// A batch is handed over when it is this large, or this old.
const MOST_RECORDS: usize = 8_192;
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Batches on their way to a transaction; beyond them nothing more is read.
const MOST_PENDING: usize = 2;
/// How often the claims of a partition are repeated where they never expire.
const REPEAT: i64 = 3_000;
