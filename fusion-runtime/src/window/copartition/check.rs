//! What must be true of the sources of a copartitioned window before it begins.

use crate::{Error, window::typed::Declared};

/// All sources have the same partitions.
///
/// # Errors
/// When they have not: keys would meet elsewhere.
pub(crate) fn check(declared: &Declared) -> Result<(), Error> {
    let counts: Vec<String> =
        declared.sources.iter().map(|topic| format!("`{}` {}", topic.0, topic.1)).collect();
    if declared.sources.iter().all(|topic| topic.1 == declared.partitions) {
        return Ok(());
    }
    Err(Error::Window {
        name: declared.spec.name,
        partition: 0,
        offset: 0,
        reason: format!(
            "`copartitioned` sources must have the same number of partitions, but there are {}. Remove `copartitioned`",
            counts.join(", ")
        ),
    })
}
