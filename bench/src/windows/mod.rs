//! Windows over two topics: ours beside a raw loop that adds up by key, and beside Kafka Streams.

mod back;
mod closing;
mod load;
mod ours;
mod raw;
mod results;
mod streams;

use crate::report::{Side, interleave};
use crate::{Options, Result};
pub(crate) use back::gather;
use load::Load;
use ours::Way;
pub(crate) use results::count;
use streams::{Promise, Streams};

/// How fast windows gather, from the first record to the last result.
pub(crate) fn windows(options: &Options) -> Result<()> {
    let (keys, each) = (options.keys, options.each);
    let windows = options.messages.unwrap_or(1_000_000).div_ceil(keys * each);
    let load = Load::create(&options.brokers, options.partitions)?.fill(windows, keys, each, true)?;
    let load = &load;
    let streams =
        (options.streams > 0).then(|| Streams::start(&options.brokers, options.streams)).transpose()?;
    let mut sides = vec![
        Side::new("raw loop and map", || raw::raw(load, raw::From::First, false)),
        Side::new("raw loop, map and send", || raw::raw(load, raw::From::First, true)),
        Side::new("fusion, copartitioned", || ours::windows(load, Way::Copartitioned)),
        Side::new("fusion, re-keyed", || ours::windows(load, Way::Rekeyed)),
    ];
    if let Some(streams) = &streams {
        let of = |way, promise| move || streams.windows(load, way, promise);
        sides.push(Side::new("Streams, once", of(Way::Copartitioned, Promise::Once)));
        sides.push(Side::new("Streams, once, re-keyed", of(Way::Rekeyed, Promise::Once)));
        sides.push(Side::new("Streams, defaults", of(Way::Copartitioned, Promise::Defaults)));
    }
    interleave(
        &format!(
            "windows: {} messages, {} topics of {} partitions, {keys} keys, {each} records a window, {} results",
            load.messages,
            load::SOURCES.len(),
            load.partitions,
            load.results()
        ),
        options,
        &sides,
    )
}

/// How long after its close a window's result can be read.
pub(crate) fn closing(options: &Options) -> Result<()> {
    let rounds = options.messages.unwrap_or(100);
    let closing = &closing::Closing::create(options)?;
    let streams =
        (options.streams > 0).then(|| Streams::start(&options.brokers, options.streams)).transpose()?;
    let mut sides = vec![
        Side::new("fusion, copartitioned", || closing.ours(Way::Copartitioned, rounds)),
        Side::new("fusion, re-keyed", || closing.ours(Way::Rekeyed, rounds)),
    ];
    if let Some(streams) = &streams {
        sides.push(Side::new("Streams, once", || closing.streams(streams, Way::Copartitioned, rounds)));
        sides.push(Side::new("Streams, once, re-keyed", || closing.streams(streams, Way::Rekeyed, rounds)));
    }
    interleave(&format!("closing: {rounds} windows, one after the other"), options, &sides)?;
    let rounds = rounds.div_ceil(5);
    interleave(
        &format!(
            "closing by themselves: {rounds} windows, after a second of silence, which is part of the delay"
        ),
        options,
        &[
            Side::new("fusion, copartitioned", || closing.by_itself(Way::Copartitioned, rounds)),
            Side::new("fusion, re-keyed", || closing.by_itself(Way::Rekeyed, rounds)),
        ],
    )
}

/// How long after a kill everything that was open is open again.
pub(crate) fn back(options: &Options) -> Result<()> {
    let each = options.each;
    let keys = options.messages.unwrap_or(1_000_000).div_ceil(each);
    let load = &Load::create(&options.brokers, options.partitions)?.fill(1, keys, each, false)?;
    interleave(
        &format!("back: {} open records of {keys} keys, read again from the assignment on", load.messages),
        options,
        &[
            Side::new("raw loop and map", || raw::raw(load, raw::From::Assignment, false)),
            Side::new("fusion, copartitioned", || back::back(load, Way::Copartitioned)),
            Side::new("fusion, re-keyed", || back::back(load, Way::Rekeyed)),
        ],
    )
}
