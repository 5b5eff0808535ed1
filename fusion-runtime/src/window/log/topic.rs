//! The topic that a log is: as it is made, and what must be true of one that was there before.

use crate::{
    Error,
    broker::{Settings, topics::Keeps},
    window::typed::Declared,
};

/// What brokers take where nothing else is said.
const USUAL: usize = 1024 * 1024 + 12;

/// How a log is made. Nothing is deleted by age or by size: what an open window needs may be old. What no window needs any
/// more is deleted by us.
pub(crate) fn log_config(settings: &Settings) -> Vec<(String, String)> {
    let config = [
        ("cleanup.policy", "delete".to_owned()),
        ("retention.ms", "-1".to_owned()),
        ("retention.bytes", "-1".to_owned()),
        ("message.timestamp.type", "CreateTime".to_owned()),
        // Whatever this app may send, its logs take.
        ("max.message.bytes", settings.largest_message().max(USUAL).to_string()),
    ];
    config.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whether a log loses nothing that an open window needs, and takes what the app sends.
///
/// # Errors
/// When it does not.
pub(crate) fn check_log(
    declared: &Declared,
    keeps: &Keeps,
    settings: &Settings,
    brokers: &str,
) -> Result<(), Error> {
    wrong(&declared.log, keeps, settings.largest_message(), brokers)
        .map_or(Ok(()), |reason| Err(Error::WindowStart { name: declared.spec.name, reason }))
}

fn wrong(log: &str, keeps: &Keeps, largest: usize, brokers: &str) -> Option<String> {
    let (mut wrong, mut mend) = (Vec::new(), Vec::new());
    if keeps.compacted {
        wrong.push(
            "is compacted (`cleanup.policy`), of each key all but the last record would be lost".to_owned(),
        );
        mend.push("cleanup.policy=delete".to_owned());
    }
    for (name, limit) in [("retention.ms", keeps.retention), ("retention.bytes", keeps.retention_bytes)] {
        if let Some(limit) = limit {
            wrong.push(format!("has `{name}` = {limit}, what open windows need would be deleted"));
            mend.push(format!("{name}=-1"));
        }
    }
    if let Some(taken) =
        keeps.largest.filter(|taken| usize::try_from(*taken).is_ok_and(|taken| taken < largest))
    {
        wrong.push(format!(
            "has `max.message.bytes` = {taken}, and with this `Config::largest_value` {largest} are needed"
        ));
        mend.push(format!("max.message.bytes={largest}"));
    }
    if wrong.is_empty() {
        return None;
    }
    Some(format!(
        "its log `{log}` {}. Mend it with `kafka-configs.sh --bootstrap-server {brokers} --alter --entity-type topics \
         --entity-name {log} --add-config {}`",
        wrong.join("; it "),
        mend.join(",")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(keeps: Keeps) -> Option<String> {
        super::wrong("app.w.repartition", &keeps, 2_000, "kafka:9092")
    }

    #[test]
    fn a_log_as_it_is_made_is_good() {
        let settings = Settings::default();
        let config = log_config(&settings);
        let value =
            |name: &str| config.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
        assert_eq!((value("retention.ms"), value("retention.bytes")), (Some("-1"), Some("-1")));
        assert_eq!((value("cleanup.policy"), value("max.message.bytes")), (Some("delete"), Some("1048588")));
        let large = Settings { largest_value: 5_000_000, ..settings };
        let largest = large.largest_message().to_string();
        assert!(log_config(&large).contains(&("max.message.bytes".to_owned(), largest)));
        assert_eq!(wrong(Keeps { largest: Some(2_000), ..Keeps::default() }), None);
    }

    #[test]
    fn what_is_wrong_comes_with_what_mends_it() {
        let reason = wrong(Keeps {
            retention: Some(604_800_000),
            retention_bytes: Some(0),
            compacted: true,
            compaction_lag: 0,
            largest: Some(1_999),
        });
        assert_eq!(
            reason.unwrap(),
            "its log `app.w.repartition` is compacted (`cleanup.policy`), of each key all but the last record would be lost; \
             it has `retention.ms` = 604800000, what open windows need would be deleted; it has `retention.bytes` = 0, what \
             open windows need would be deleted; it has `max.message.bytes` = 1999, and with this `Config::largest_value` \
             2000 are needed. Mend it with `kafka-configs.sh --bootstrap-server kafka:9092 --alter --entity-type topics \
             --entity-name app.w.repartition --add-config \
             cleanup.policy=delete,retention.ms=-1,retention.bytes=-1,max.message.bytes=2000`"
        );
        assert!(
            wrong(Keeps { retention: Some(1), ..Keeps::default() })
                .unwrap()
                .ends_with("--add-config retention.ms=-1`")
        );
    }
}
