//! Windows over two topics: ours beside a raw loop that adds up by key, and beside Kafka Streams.

mod load;
mod ours;
mod raw;
mod results;
mod streams;

use crate::report::{Side, interleave};
use crate::{Options, Result};
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
        Side::new("raw loop and map", || raw::raw(load, raw::From::First)),
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
