//! Whether a source partition is silent.

/// Whether a partition is silent: everything up to its end was read, and nothing that speaks of time came for a while. What
/// windows skip, or do not let move time, is no word: else a topic of bytes that nobody can read would hold time for ever.
/// Windows that share a partition skip different records, so each says itself since when it heard nothing.
///
/// Where the end is only the leader knows: a fetch says nothing while a broker is away, and librdkafka tells of an end only
/// if nothing came behind it for `fetch.wait.max.ms`, which on a noisy partition is never. So the leader is asked, of all
/// that is written and not only of what is committed, and says E. Once the next record is E or one behind it
///
/// - nothing below E is unread: records come in the order of their offsets, and where a transaction is open below E, none
///   comes from there on until it ends;
/// - so, as of the asking, nothing was unread at all: whatever is at E or behind it was written later.
///
/// If moreover no record moved time since before the asking, and none did for `idle`, the partition is silent. What was
/// written after the asking is not known until it is read, whether anything was read since or not: that is why a word holds
/// for a while only, and why the next answer that is beyond what was read takes it back at once.
#[derive(Debug)]
pub(crate) struct Silence {
    /// The offset of the record that comes next.
    next: i64,
    /// What the leader said last.
    word: Option<Word>,
}

/// What a leader said.
#[derive(Clone, Copy, Debug)]
struct Word {
    end: i64,
    /// When it was asked.
    asked: i64,
}

/// What a leader is asked on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    asked: i64,
    /// The offset of the record that came next then.
    next: i64,
}

impl Silence {
    pub(crate) fn new(next: i64) -> Self {
        Silence { next, word: None }
    }

    /// A record arrived.
    pub(crate) fn record(&mut self, offset: i64) {
        self.next = offset + 1;
    }

    /// The end of the partition was seen at `offset`, behind markers of transactions too.
    pub(crate) fn end(&mut self, offset: i64) {
        self.next = self.next.max(offset);
    }

    /// The offset of the record that comes next.
    pub(crate) fn next(&self) -> i64 {
        self.next
    }

    /// When its leader has to be asked next, or it stops to be silent because it was not: as long as nothing arrives, what is
    /// said here changes at no other moment after `now`. `heard` is when a record last spoke of time.
    pub(crate) fn changes(&self, heard: i64, idle: i64, now: i64) -> Option<i64> {
        let word = self.word.map(|word| word.asked);
        let again = word.map(|asked| asked.saturating_add(idle));
        let over = word.map(|asked| asked.saturating_add(idle.saturating_mul(2)));
        let all = [Some(heard.saturating_add(idle)), again, over];
        all.into_iter().flatten().filter(|change| *change > now).min()
    }

    /// Whether its leader has to be asked before it can be called silent now.
    pub(crate) fn is_unconfirmed(&self, heard: i64, idle: i64, now: i64) -> bool {
        let fresh = |word: Word| word.asked > heard && now - word.asked < idle;
        now.saturating_sub(heard) >= idle && !self.word.is_some_and(fresh)
    }

    /// The question that is put to the leader now.
    pub(crate) fn ask(&self, now: i64) -> Question {
        Question { asked: now, next: self.next }
    }

    /// The leader said where the partition ends. One that does not even have what was read when it was asked is no leader
    /// any more, or has lost records: what it says means nothing.
    pub(crate) fn confirm(&mut self, end: Option<i64>, question: Question) {
        let end = end.filter(|end| *end >= question.next);
        self.word = end.map(|end| Word { end, asked: question.asked });
    }

    /// Whether it is silent now.
    pub(crate) fn is_idle(&self, heard: i64, idle: i64, now: i64) -> bool {
        let holds = |word: Word| {
            self.next >= word.end && word.asked > heard && now - word.asked < idle.saturating_mul(2)
        };
        now.saturating_sub(heard) >= idle && self.word.is_some_and(holds)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{array::uniform8, collection::vec, prelude::*};

    use super::*;

    /// The leader is asked, and answers at once.
    fn confirm(silence: &mut Silence, end: Option<i64>, now: i64) {
        let question = silence.ask(now);
        silence.confirm(end, question);
    }

    #[test]
    fn silence_takes_the_end_the_time_and_the_leaders_word() {
        let mut silence = Silence::new(0);
        silence.record(4);
        silence.end(5);
        assert!(!silence.is_unconfirmed(2_000, 10, 2_009), "not long enough");
        assert_eq!(silence.changes(2_000, 10, 2_009), Some(2_010));
        assert!(
            silence.is_unconfirmed(2_000, 10, 2_010) && !silence.is_idle(2_000, 10, 2_010),
            "nobody was asked"
        );
        assert_eq!(silence.changes(2_000, 10, 2_010), None);
        confirm(&mut silence, Some(5), 2_010);
        assert!(silence.is_idle(2_000, 10, 2_010) && !silence.is_unconfirmed(2_000, 10, 2_019));
        assert_eq!(silence.changes(2_000, 10, 2_010), Some(2_020));
        assert!(silence.is_unconfirmed(2_000, 10, 2_020), "the word holds for as long as the silence has to");
        assert_eq!(silence.changes(2_000, 10, 2_020), Some(2_030));
        assert!(silence.is_idle(2_000, 10, 2_029) && !silence.is_idle(2_000, 10, 2_030));
    }

    #[test]
    fn a_lagging_or_unreachable_partition_is_never_idle() {
        let mut silence = Silence::new(0);
        silence.end(5);
        confirm(&mut silence, Some(6), 100);
        assert!(!silence.is_idle(0, 10, 100), "there is more than we saw");
        confirm(&mut silence, Some(5), 100);
        assert!(silence.is_idle(0, 10, 100));
        confirm(&mut silence, None, 110);
        assert!(!silence.is_idle(0, 10, 110), "the leader does not answer");
        confirm(&mut silence, Some(4), 110);
        assert!(!silence.is_idle(0, 10, 110), "a leader that has lost what we read");
    }

    #[test]
    fn noise_does_not_end_the_silence_and_a_word_about_time_does() {
        let mut silence = Silence::new(0);
        let question = silence.ask(100);
        silence.record(0);
        silence.record(1);
        silence.confirm(Some(3), question);
        assert!(!silence.is_idle(0, 10, 101), "one of those that were there is unread");
        silence.record(2);
        assert!(silence.is_idle(0, 10, 101), "all are read, and none was a word");
        assert!(!silence.is_idle(100, 10, 110), "one was, and may not have been the last of its kind");
        silence.record(3);
        assert!(silence.is_idle(0, 10, 111), "what came later is not below the end that was confirmed");
        assert!(!silence.is_idle(105, 10, 115) && silence.is_unconfirmed(105, 10, 115), "of another window");
        assert_eq!(silence.next(), 4);
    }

    const IDLE: i64 = 10;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// A partition, its leader and its reader, in small steps: the reader is behind, answers travel, transactions hide
        /// what is written, leaders are away, and most records are noise. Of a step's numbers each decides one of these.
        #[test]
        fn it_is_never_idle_while_a_record_that_speaks_of_time_is_unread_below_the_confirmed_end(
            (speaks, reads) in (0..6_u8, 20..100_u8),
            steps in vec(uniform8(0..100_u8), 200),
        ) {
            // Of each offset, whether it speaks, and when it was written.
            let mut log: Vec<(bool, i64)> = Vec::new();
            let (mut stable, mut heard, mut silence) = (0, 0, Silence::new(0));
            let mut asked: Option<(Option<i64>, Question)> = None;
            for (step, now) in steps.iter().zip(1..) {
                if step[0] < 50 {
                    log.push((step[1] < speaks, now));
                }
                // What is written and not stable belongs to an open transaction.
                if step[2] < 75 {
                    stable = log.len() as i64;
                }
                for random in &step[3..6] {
                    let offset = silence.next();
                    if offset < stable && *random < reads {
                        silence.record(offset);
                        if log[offset as usize].0 {
                            heard = now;
                        }
                    }
                }
                if step[6] < 60
                    && let Some((end, question)) = asked.take()
                {
                    silence.confirm(end, question);
                }
                if asked.is_none() && silence.is_unconfirmed(heard, IDLE, now) {
                    asked = Some(((step[7] < 90).then_some(log.len() as i64), silence.ask(now)));
                }
                if silence.is_idle(heard, IDLE, now) {
                    let unread = &log[silence.next() as usize..];
                    let oldest = unread.iter().find(|(speaks, _)| *speaks).map(|(_, written)| *written);
                    prop_assert!(now - heard >= IDLE);
                    // Whatever is unread was written since the leader was asked.
                    prop_assert!(oldest.is_none_or(|written| now - written < 2 * IDLE), "at {now}");
                    let end = silence.word.map_or(0, |word| word.end);
                    prop_assert!(silence.next() >= end, "at {now}");
                }
            }
        }

        /// However many records come that say nothing, and however far behind the reader is, as long as that is less than
        /// the time for which a partition has to be silent.
        #[test]
        fn a_partition_of_noise_becomes_idle(steps in vec((0..20_i64, 0..20_i64), 100)) {
            let mut silence = Silence::new(0);
            let (mut end, mut asked) = (0, None);
            let mut idle = Vec::new();
            for (now, (written, behind)) in (1..).zip(steps) {
                let before = end;
                end += written;
                if let Some((end, question)) = asked.take() {
                    silence.confirm(Some(end), question);
                }
                if silence.is_unconfirmed(0, IDLE, now) {
                    asked = Some((end, silence.ask(now)));
                }
                // What was there a step ago, and some of the rest.
                for offset in silence.next()..before.max(end - behind) {
                    silence.record(offset);
                }
                idle.push(silence.is_idle(0, IDLE, now));
            }
            let settled = &idle[IDLE as usize + 3..];
            let most = settled.iter().filter(|idle| **idle).count();
            prop_assert!(most * 10 >= settled.len() * 8, "{idle:?}");
        }
    }
}
