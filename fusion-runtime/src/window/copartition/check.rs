//! What must be true of the sources of a copartitioned window before it begins.

use std::time::Duration;

use crate::{
    Error,
    broker::topics::Keeps,
    window::typed::{Declared, millis},
};

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
    Err(error(
        declared,
        format!(
            "`copartitioned` sources must have the same number of partitions, but there are {}. Remove `copartitioned`",
            counts.join(", ")
        ),
    ))
}

/// The sources are the window's log: they keep records for as long as an open window may need them. `keeps` is of each
/// source, in the order of the declaration.
///
/// # Errors
/// When one does not.
pub(crate) fn check_keeps(declared: &Declared, keeps: &[Keeps], downtime: Duration) -> Result<(), Error> {
    let (size, grace) = (declared.kind().size(), millis(declared.spec.grace));
    let needed = Needed { size, grace, downtime: millis(downtime) };
    for (topic, keeps) in declared.spec.topics.iter().zip(keeps) {
        needed.check(topic, keeps).map_err(|reason| error(declared, reason))?;
    }
    Ok(())
}

fn error(declared: &Declared, reason: String) -> Error {
    Error::WindowStart { name: declared.spec.name, reason }
}

/// For how long a window needs a record, in milliseconds.
struct Needed {
    size: i64,
    grace: i64,
    downtime: i64,
}

impl Needed {
    fn check(&self, topic: &str, keeps: &Keeps) -> Result<(), String> {
        let all = self.size.saturating_add(self.grace).saturating_add(self.downtime);
        let why = || {
            format!(
                "a window needs its records for {all} ms (size {}, grace {}, `Config::downtime` {})",
                self.size, self.grace, self.downtime
            )
        };
        if let Some(retention) = keeps.retention.filter(|retention| *retention < all) {
            return Err(format!(
                "topic `{topic}` deletes records after `retention.ms` = {retention}, and {}. Set it to {all} or more, or \
                 to -1, or remove `copartitioned`",
                why()
            ));
        }
        if keeps.compacted && keeps.compaction_lag < all {
            return Err(format!(
                "topic `{topic}` is compacted (`cleanup.policy`) with `min.compaction.lag.ms` = {}, and {}. Set the lag \
                 to {all} or more, or remove `copartitioned`",
                keeps.compaction_lag,
                why()
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDED: Needed = Needed { size: 1_000, grace: 20, downtime: 3 };

    fn reason(keeps: Keeps) -> String {
        NEEDED.check("brake", &keeps).unwrap_err()
    }

    #[test]
    fn records_are_kept_for_size_grace_and_downtime() {
        let keeps = |retention| Keeps { retention, ..Keeps::default() };
        assert_eq!(NEEDED.check("brake", &keeps(None)), Ok(()));
        assert_eq!(NEEDED.check("brake", &keeps(Some(1_023))), Ok(()));
        let reason = reason(keeps(Some(1_022)));
        for part in ["`brake`", "`retention.ms` = 1022", "1023 or more", "downtime` 3"] {
            assert!(reason.contains(part), "{reason}");
        }
    }

    #[test]
    fn what_is_compacted_waits_as_long() {
        let keeps = |compaction_lag| Keeps { compacted: true, compaction_lag, ..Keeps::default() };
        assert_eq!(NEEDED.check("brake", &keeps(1_023)), Ok(()));
        let reason = reason(keeps(0));
        assert!(
            reason.contains("`min.compaction.lag.ms` = 0") && reason.contains("1023 or more"),
            "{reason}"
        );
    }
}
