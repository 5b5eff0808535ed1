//! What is on its way from windows that fired to transactions.
//!
//! A cut is a place in the log. Its transaction holds the results of everything that fired up to there, and is complete
//! only when all of them are known; what fires behind the cut goes into the next one meanwhile. So a slow handler holds
//! its own cut up, and what follows it, but never the reading.

use std::collections::VecDeque;

/// Results `R`, and cuts at places `P`.
#[derive(Debug)]
pub(crate) struct Cuts<R, P> {
    /// Complete up to their places, but for what is still outstanding; the first is the oldest.
    waiting: VecDeque<Cut<R, P>>,
    /// What has fired since the last cut.
    open: Results<R>,
    /// The number of the first of `waiting`, or of `open` if there is none.
    first: u64,
    /// How many results all of these hold, or expect.
    held: usize,
}

#[derive(Debug)]
struct Cut<R, P> {
    results: Results<R>,
    place: P,
}

#[derive(Debug)]
struct Results<R> {
    /// In the order in which they were expected: a key's windows fire in the order of their ends, and so they are sent.
    slots: Vec<Option<R>>,
    outstanding: usize,
}

/// Where a result goes that is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    cut: u64,
    index: usize,
}

impl<R> Default for Results<R> {
    fn default() -> Self {
        Results { slots: Vec::new(), outstanding: 0 }
    }
}

impl<R, P> Cuts<R, P> {
    pub(crate) fn new() -> Self {
        Cuts { waiting: VecDeque::new(), open: Results::default(), first: 0, held: 0 }
    }

    /// Adds a result that is known.
    pub(crate) fn push(&mut self, result: R) {
        self.open.slots.push(Some(result));
        self.held += 1;
    }

    /// Expects a result that a handler is still at.
    pub(crate) fn expect(&mut self) -> Slot {
        self.open.slots.push(None);
        self.open.outstanding += 1;
        self.held += 1;
        Slot { cut: self.first + self.waiting.len() as u64, index: self.open.slots.len() - 1 }
    }

    /// Takes in a result that was expected; `None`: there is nothing to send.
    pub(crate) fn fill(&mut self, slot: Slot, result: Option<R>) {
        let behind = slot.cut.checked_sub(self.first).and_then(|behind| usize::try_from(behind).ok());
        let results = match behind {
            Some(behind) if behind < self.waiting.len() => &mut self.waiting[behind].results,
            Some(behind) if behind == self.waiting.len() => &mut self.open,
            // A cut leaves only when it is complete, so nobody fills it any more.
            _ => return,
        };
        results.slots[slot.index] = result;
        results.outstanding -= 1;
    }

    /// Cuts at `place`.
    pub(crate) fn cut(&mut self, place: P) {
        let results = std::mem::take(&mut self.open);
        self.waiting.push_back(Cut { results, place });
    }

    /// The oldest cut, if it is complete.
    pub(crate) fn take(&mut self) -> Option<(Vec<R>, P)> {
        if self.waiting.front()?.results.outstanding > 0 {
            return None;
        }
        let Cut { results, place } = self.waiting.pop_front()?;
        self.first += 1;
        self.held -= results.slots.len();
        Some((results.slots.into_iter().flatten().collect(), place))
    }

    /// How many cuts have not been taken.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many results were not taken, known or not.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Whether anything has fired since the last cut.
    pub(crate) fn has_open(&self) -> bool {
        !self.open.slots.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_complete_when_everything_up_to_it_is_known() {
        let mut cuts = Cuts::new();
        cuts.push("late");
        let slow = cuts.expect();
        let quick = cuts.expect();
        cuts.fill(quick, Some("quick"));
        cuts.cut(10);
        assert_eq!(cuts.take(), None);
        let behind = cuts.expect();
        cuts.fill(behind, Some("behind"));
        cuts.cut(20);
        assert_eq!((cuts.take(), cuts.waiting(), cuts.held()), (None, 2, 4), "not before the first one");
        cuts.fill(slow, Some("slow"));
        assert_eq!(cuts.take(), Some((vec!["late", "slow", "quick"], 10)), "in the order of firing");
        assert_eq!(cuts.held(), 1);
        assert_eq!(cuts.take(), Some((vec!["behind"], 20)));
        assert_eq!((cuts.take(), cuts.held()), (None, 0));
    }

    #[test]
    fn nothing_to_send_completes_a_cut_too() {
        let mut cuts = Cuts::<&str, i64>::new();
        let slot = cuts.expect();
        assert!(cuts.has_open());
        cuts.cut(5);
        assert!(!cuts.has_open());
        cuts.fill(slot, None);
        assert_eq!(cuts.take(), Some((vec![], 5)));
    }

    #[test]
    fn results_find_their_cut_while_others_leave() {
        let mut cuts = Cuts::new();
        let mut slots = Vec::new();
        for place in 0..5 {
            slots.push(cuts.expect());
            cuts.cut(place);
        }
        let open = cuts.expect();
        cuts.fill(slots[0], Some(0));
        assert_eq!(cuts.take(), Some((vec![0], 0)));
        cuts.fill(slots[3], Some(3));
        cuts.fill(open, Some(9));
        assert_eq!(cuts.take(), None);
        cuts.fill(slots[1], Some(1));
        cuts.fill(slots[2], Some(2));
        cuts.fill(slots[4], Some(4));
        cuts.cut(5);
        let rest: Vec<_> = std::iter::from_fn(|| cuts.take()).collect();
        assert_eq!(rest, [(vec![1], 1), (vec![2], 2), (vec![3], 3), (vec![4], 4), (vec![9], 5)]);
    }
}
