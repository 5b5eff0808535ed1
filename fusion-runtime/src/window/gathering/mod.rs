//! Reading a window's log: what each partition gathers, and what becomes of the windows that fire.
//!
//! A partition is a function of its log. Time moves only by control records that are read from it, also where the clock
//! moves it: the partition's owner writes a tick and acts when it reads it back. Results, late records and failures go
//! out with the offset behind everything that caused them, in one transaction; an offset says from where the next owner
//! reads again, and beside it stands up to where it does so silently.
//!
//! The offsets of one log, as the code calls them. In brackets the field of the commit's metadata:
//!
//! ```text
//!   trimmed     committed            needed (n)             high (h)            cut_at        next       end
//! ─────┼────────────┼───────────────────┼──────────────────────┼───────────────────┼────────────┼──────────┼──▶
//!      │ deleted,   │ claims are read,  │ decided again with   │ decided, and told │ told, not  │ not read │
//!      │ or soon    │ records are not   │ the time (t) that    │ of: results, late │ in a cut   │ yet      │
//!      │            │                   │ was there, silently  │ records, letters  │ yet        │          │
//! ```
//!
//! `high` is the `cut_at` of the commit that this owner began with, and `decides` the `needed` of it. Every cut has a
//! `needed` of its own, the lowest offset that an open window needs, at most its `high`, which is `next` at that moment; and
//! it commits the offset from which the claims in force there can be read. Sessions that outgrew `longest` (s) are known to a
//! replay by their ends. The sources of a copartitioned window have a `Part` each, `needed` and `high`, one time for all
//! of them, and nothing between committed and needed.

mod clocks;
mod drain;
mod emit;
mod left;
mod look;
mod outbox;
mod splits;
mod typed;
mod worker;

use std::sync::Arc;

use crate::{
    consume::{Service, Serving, Taken},
    produce::transactions::Transactions,
};

use super::{trim::Trims, typed::Declared};
pub(super) use emit::Emit;
pub(crate) use left::check_declaration;
pub(super) use look::Look;
pub(super) use outbox::{Commit, Ended, Outbox};
pub(super) use typed::{Direct, Judged, Sorted};
pub(crate) use typed::{Env, Gathering, Left, gathering};
use worker::Worker;

/// Serves the log of one window.
pub(crate) struct Gatherings {
    shared: Arc<Shared>,
}

struct Shared {
    declared: Arc<Declared>,
    transactions: Transactions,
    trims: Trims,
}

impl Gatherings {
    pub(crate) fn new(declared: Arc<Declared>, transactions: Transactions, trims: Trims) -> Self {
        Gatherings { shared: Arc::new(Shared { declared, transactions, trims }) }
    }
}

impl Service for Gatherings {
    fn name(&self) -> &str {
        self.shared.declared.spec.name
    }

    fn topic(&self) -> &str {
        &self.shared.declared.log
    }

    fn commits(&self) -> bool {
        true
    }

    fn sees_ends(&self) -> bool {
        true
    }

    fn is_log(&self) -> bool {
        true
    }

    fn serve(&self, partition: Taken) -> Serving {
        match Worker::new(self.shared.clone(), partition) {
            Some(worker) => Box::pin(worker.run()),
            None => Box::pin(std::future::ready(())),
        }
    }
}
