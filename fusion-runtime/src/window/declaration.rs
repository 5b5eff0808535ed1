//! What of a declaration decides, as commits remember it.
//!
//! What is open is decided again by whoever has the partition next, and nothing is told of what was told. That holds only
//! if it is decided as before: a window that closes earlier than it did would close where nobody speaks.

use std::fmt;

use crate::produce::transactions::CommitMetadata;

use super::{Emit, Kind, WindowSpec, short_hash, typed::millis};

/// The name of its field.
const FIELD: &str = "d";

/// In few bytes: `t30000,g2000,c,5f3a01c2` is tumbling by 30 s, with 2 s of grace, complete, over topics with that hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declaration(String);

impl Declaration {
    pub(crate) fn of(spec: &WindowSpec) -> Self {
        let kind = match spec.kind {
            Kind::Tumbling { size } => format!("t{}", millis(size)),
            Kind::Hopping { size, advance } => format!("h{}.{}", millis(size), millis(advance)),
            Kind::Sliding { size } => format!("s{}", millis(size)),
            Kind::Session { gap, longest } => format!("n{}.{}", millis(gap), millis(longest)),
        };
        let mut words = vec![kind, format!("g{}", millis(spec.grace))];
        if spec.complete {
            words.push("c".to_owned());
        }
        if spec.emit == Emit::Updates {
            words.push("u".to_owned());
        }
        if spec.copartitioned {
            words.push(copartitioned(spec.name));
        }
        words.push(format!("{:08x}", short_hash(&spec.topics.join(","))));
        Declaration(words.join(","))
    }

    pub(crate) fn remember(&self, metadata: &mut CommitMetadata) {
        metadata.set_text(FIELD, self.0.as_str());
    }

    /// That of a commit. Earlier versions did not remember it.
    pub(crate) fn recall(metadata: &CommitMetadata) -> Option<Self> {
        metadata.text(FIELD).map(|text| Declaration(text.to_owned()))
    }

    /// Whether it is that of a copartitioned window of this name. Their commits stand beside those of others' sources, so
    /// only the name says whose they are.
    pub(crate) fn is_copartitioned(&self, name: &str) -> bool {
        let wanted = copartitioned(name);
        self.0.split(',').any(|word| word == wanted)
    }

    /// Why windows that this one left open cannot go on as that one.
    pub(crate) fn differs(&self, now: &Declaration) -> Option<String> {
        if self == now {
            return None;
        }
        let topics =
            if self.topics() == now.topics() { "" } else { ", over other topics or in another order" };
        Some(format!(
            "windows are open that were declared as `{self}`{topics}, and are now declared as `{now}`. They are decided again \
             from the log, so results would get lost. Deploy the declaration that they were opened with once more and \
             `drain` them, or give the window another `name`"
        ))
    }

    /// The time with which windows that are declared like this go on from a commit at `time`. They may stay open for longer
    /// than they did: then time goes on by as much, so that what had closed stays so. It would fire once more, with what
    /// comes late.
    pub(crate) fn resumes_at(&self, time: Option<i64>, metadata: &CommitMetadata) -> Option<i64> {
        let longer = Declaration::recall(metadata).map_or(0, |before| self.stays_open_longer(&before));
        time.map(|time| time.saturating_add(longer))
    }

    /// How much longer windows stay open than they did, behind their ends or their last records; in milliseconds.
    fn stays_open_longer(&self, before: &Declaration) -> i64 {
        let longer = |before: i64| Some(self.stays_open()?.saturating_sub(before).max(0));
        before.stays_open().and_then(longer).unwrap_or(0)
    }

    fn stays_open(&self) -> Option<i64> {
        let mut words = self.0.split(',');
        let gap = match words.next()?.strip_prefix('n') {
            Some(lengths) => lengths.split('.').next()?.parse().ok()?,
            None => 0_i64,
        };
        let grace = words.next()?.strip_prefix('g')?.parse().ok()?;
        Some(gap.saturating_add(grace))
    }

    fn topics(&self) -> Option<&str> {
        self.0.rsplit(',').next()
    }
}

fn copartitioned(name: &str) -> String {
    format!("p{:08x}", short_hash(name))
}

/// As the attribute has it.
impl fmt::Display for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, word) in self.0.split(',').enumerate() {
            let (sign, value) = word.split_at_checked(1).unwrap_or((word, ""));
            let (first, second) = value.split_once('.').unwrap_or((value, ""));
            let (first, second) = (Length(first), Length(second));
            match (sign, place) {
                ("t", 0) => write!(f, "tumbling = {first}")?,
                ("h", 0) => write!(f, "hopping = {first}, advance = {second}")?,
                ("s", 0) => write!(f, "sliding = {first}")?,
                ("n", 0) => write!(f, "session = {first}, longest = {second}")?,
                ("g", 1) => write!(f, ", grace = {first}")?,
                ("c", _) if value.is_empty() => write!(f, ", complete = all")?,
                ("u", _) if value.is_empty() => write!(f, ", emit = updates")?,
                ("p", _) => write!(f, ", copartitioned")?,
                // The topics, of which only a hash is known, or a word of a later version.
                _ => {}
            }
        }
        Ok(())
    }
}

/// Milliseconds, as attributes have them.
struct Length<'a>(&'a str);

impl fmt::Display for Length<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.strip_suffix("000") {
            Some(seconds) if !seconds.is_empty() => write!(f, "{seconds}s"),
            _ if self.0 == "0" => f.write_str("0s"),
            _ => write!(f, "{}ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn spec(kind: Kind) -> WindowSpec {
        WindowSpec::new("gather", &["brake", "lidar"], kind, 2 * SECOND)
    }

    #[test]
    fn it_reads_as_it_was_declared() {
        let size = Duration::from_millis(30_500);
        for (kind, text) in [
            (Kind::Tumbling { size }, "tumbling = 30500ms, grace = 2s"),
            (Kind::Hopping { size, advance: SECOND }, "hopping = 30500ms, advance = 1s, grace = 2s"),
            (Kind::Sliding { size }, "sliding = 30500ms, grace = 2s"),
            (Kind::Session { gap: SECOND, longest: size }, "session = 1s, longest = 30500ms, grace = 2s"),
        ] {
            assert_eq!(Declaration::of(&spec(kind)).to_string(), text);
        }
        let all = WindowSpec {
            complete: true,
            emit: Emit::Updates,
            copartitioned: true,
            grace: Duration::ZERO,
            ..spec(Kind::Tumbling { size: SECOND })
        };
        let all = Declaration::of(&all);
        assert_eq!(
            all.to_string(),
            "tumbling = 1s, grace = 0s, complete = all, emit = updates, copartitioned"
        );
        assert!(all.is_copartitioned("gather") && !all.is_copartitioned("other"));
    }

    #[test]
    fn whatever_decides_makes_it_another() {
        let before = spec(Kind::Tumbling { size: SECOND });
        let first = Declaration::of(&before);
        let others = [
            WindowSpec { kind: Kind::Tumbling { size: 2 * SECOND }, ..before },
            WindowSpec { kind: Kind::Sliding { size: SECOND }, ..before },
            WindowSpec { grace: SECOND, ..before },
            WindowSpec { complete: true, ..before },
            WindowSpec { emit: Emit::Updates, ..before },
            WindowSpec { copartitioned: true, ..before },
            WindowSpec { topics: &["lidar", "brake"], ..before },
            WindowSpec { topics: &["brake"], ..before },
        ];
        for other in others {
            assert!(first.differs(&Declaration::of(&other)).is_some(), "{other:?}");
        }
        let same = WindowSpec { idle: None, max_future: None, retry: 9, late: Some("late"), ..before };
        assert_eq!(first.differs(&Declaration::of(&same)), None);
    }

    #[test]
    fn how_long_windows_stay_open_is_grace_and_gap() {
        let of = |kind| Declaration::of(&spec(kind));
        let tumbling = of(Kind::Tumbling { size: 30 * SECOND });
        let session = of(Kind::Session { gap: 5 * SECOND, longest: 60 * SECOND });
        assert_eq!((tumbling.stays_open(), session.stays_open()), (Some(2_000), Some(7_000)));
        assert_eq!(session.stays_open_longer(&tumbling), 5_000);
        assert_eq!(tumbling.stays_open_longer(&session), 0);
        assert_eq!(Declaration("of a later version".to_owned()).stays_open(), None);
    }

    #[test]
    fn a_commit_remembers_it() {
        let declaration = Declaration::of(&spec(Kind::Tumbling { size: SECOND }));
        let mut metadata = CommitMetadata::new(5);
        assert_eq!(Declaration::recall(&metadata), None);
        declaration.remember(&mut metadata);
        let read = CommitMetadata::accept(metadata.encode().as_bytes(), 5, 5).unwrap();
        assert_eq!(Declaration::recall(&read), Some(declaration));
    }
}
