//! What sessions become when a record comes between them.

use super::Session;

/// What a record makes one session of.
pub(super) struct Joined {
    moment: i64,
    pub(super) first: i64,
    pub(super) last: i64,
    /// The sessions, in the order of time.
    pub(super) parts: Vec<Range>,
}

pub(super) struct Range {
    first: i64,
    last: i64,
    pub(super) id: u64,
}

impl Joined {
    pub(super) fn alone(moment: i64) -> Self {
        Joined { moment, first: moment, last: moment, parts: Vec::new() }
    }

    pub(super) fn new<A>(sessions: &[Session<A>], moment: i64, gap: i64) -> Self {
        let open = sessions.iter().filter(|session| session.held.is_some() && session.is_near(moment, gap));
        let mut parts = open
            .map(|session| Range { first: session.first, last: session.last, id: session.id })
            .collect::<Vec<_>>();
        parts.sort_unstable_by_key(|part| part.first);
        let mut joined = Joined { parts, ..Joined::alone(moment) };
        joined.measure();
        joined
    }

    fn measure(&mut self) {
        self.first = self.parts.iter().map(|part| part.first).fold(self.moment, i64::min);
        self.last = self.parts.iter().map(|part| part.last).fold(self.moment, i64::max);
    }

    /// Leaves out the oldest until the rest is short enough.
    pub(super) fn shorten(&mut self, longest: i64) -> Vec<u64> {
        let mut outgrown = Vec::new();
        while self.last.saturating_sub(self.first) > longest && !self.parts.is_empty() {
            outgrown.push(self.parts.remove(0).id);
            self.measure();
        }
        outgrown
    }
}
