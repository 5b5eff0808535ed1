//! What a reactor produced, as a local stream: fusion-clj's channel.

use std::{marker::PhantomData, sync::Arc};

use serde::de::DeserializeOwned;
use tokio::sync::broadcast;

use crate::record::{
    RecordRef,
    codec::{Codec, CodecError, Format},
};

/// How many results wait for a slow reader before it misses the oldest.
pub(super) const CAPACITY: usize = 1024;

/// A value that a reactor produced, and the record it was produced for. [`Results::next`] gives them.
#[derive(Clone, Debug)]
pub struct Produced<T = Arc<[u8]>> {
    /// The value.
    pub value: T,
    /// The record's topic. Of a window's result, this and the following say where in its log it fired; where it is
    /// `copartitioned` and has none, this is the reactor's name. Key and window are in the value if the handler puts them
    /// there.
    pub topic: Arc<str>,
    /// The record's partition.
    pub partition: i32,
    /// The record's offset; -1 of a `copartitioned` window that no record closed.
    pub offset: i64,
    format: Format,
}

impl Produced {
    pub(crate) fn new(record: &RecordRef<'_>, value: Vec<u8>, format: Format) -> Self {
        let RecordRef { topic, partition, offset, .. } = *record;
        Produced { value: value.into(), topic: topic.into(), partition, offset, format }
    }
}

/// Why [`Results::next`] has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missed {
    /// The reader was too slow, and this many values are gone. The next call goes on behind them.
    #[error("{0} results were missed: the reader is slower than the reactor")]
    Slow(u64),
    /// The value does not read as the type that was asked for.
    #[error(transparent)]
    Unreadable(#[from] CodecError),
}

/// Everything that one reactor produces from now on, in this process.
///
/// It is bounded: a reader that falls behind by more than 1,024 values is told how many it missed, and the reactor is
/// never held up. [`Running::results`](super::Running::results) makes one.
///
/// ```
/// use fusion::{Missed, Results};
///
/// async fn watch(mut results: Results<i64>) {
///     while let Some(next) = results.next().await {
///         match next {
///             Ok(produced) => println!("{} for offset {}", produced.value, produced.offset),
///             Err(Missed::Slow(missed)) => println!("{missed} values were missed"),
///             Err(error) => println!("{error}"),
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Results<T> {
    receiver: broadcast::Receiver<Produced>,
    value: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Results<T> {
    pub(super) fn new(receiver: broadcast::Receiver<Produced>) -> Self {
        Results { receiver, value: PhantomData }
    }

    /// Waits for the next value; `None` when the app has been shut down.
    ///
    /// # Errors
    /// When values were missed, or this one cannot be read. The stream goes on either way.
    pub async fn next(&mut self) -> Option<Result<Produced<T>, Missed>> {
        let Produced { value, topic, partition, offset, format } = match self.receiver.recv().await {
            Ok(produced) => produced,
            Err(broadcast::error::RecvError::Lagged(missed)) => return Some(Err(Missed::Slow(missed))),
            Err(broadcast::error::RecvError::Closed) => return None,
        };
        let read = format.decode(&value).map(|value| Produced { value, topic, partition, offset, format });
        Some(read.map_err(Missed::from))
    }
}
