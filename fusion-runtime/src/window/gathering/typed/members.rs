//! What a window keeps: what its sources gather, and where it came from.

use std::fmt;

use crate::{
    reactor::Context,
    window::{
        Gathered, Kind, Place, Strategy, WindowReactor,
        core::{Aggregate, Ways},
        typed::guarded,
    },
};

use super::Origin;

/// What is gathered, and from where.
pub(super) struct Members<G> {
    pub(super) origins: Vec<Origin>,
    pub(super) gathered: Result<G, Broken>,
}

/// What the user's own code said when it panicked over a window: `Gather`, `Merge`, `Clone`. Nobody knows what it left of
/// what was gathered, so nothing more is done with that, and the window fails when it fires. Records go on to be counted
/// for it: what is open, and when it fires, does not depend on what is gathered.
#[derive(Clone, Debug)]
pub(super) struct Broken(pub(super) Box<str>);

impl Broken {
    fn new(doing: impl fmt::Display, panic: &str) -> Self {
        Broken(format!("{doing} panicked: {panic}").into())
    }

    fn over(doing: &str, cx: &Context, panic: &str) -> Self {
        let (topic, partition, offset) = (cx.topic(), cx.partition(), cx.offset());
        let doing =
            format_args!("{doing} the record of topic `{topic}`, partition {partition}, offset {offset}");
        Broken::new(doing, panic)
    }
}

/// What one record gives, unless copying it has panicked.
pub(super) type Item<G> = Result<<G as Gathered>::Item, Broken>;

impl<G: Gathered> Default for Members<G> {
    fn default() -> Self {
        let gathered = guarded(G::default).map_err(|panic| Broken::new("`Default`", &panic));
        Members { origins: Vec::new(), gathered }
    }
}

impl<G> Members<G> {
    /// Does something to what was gathered, unless that is broken, or is now.
    fn change(&mut self, change: impl FnOnce(&mut G) -> Result<(), Broken>) {
        if let Ok(gathered) = &mut self.gathered
            && let Err(broken) = change(gathered)
        {
            let left = std::mem::replace(&mut self.gathered, Err(broken));
            // It may not be what its `Drop` counts on.
            let _ = guarded(|| drop(left));
        }
    }
}

impl<G: Gathered> Aggregate for Members<G> {
    type Item = (Item<G>, Context);

    fn add(&mut self, (item, cx): Self::Item, at: &Place) {
        self.origins.push(at.into());
        self.change(|gathered| {
            let item = item?;
            guarded(|| gathered.add(item, at, &cx)).map_err(|panic| Broken::over("gathering", &cx, &panic))
        });
    }
}

/// What each kind of window can do with what is gathered.
pub(super) fn ways<W: WindowReactor>() -> Ways<Members<W::Gathered>> {
    Ways {
        copy_item: |(item, cx)| {
            let copy = copied(item, W::Strategy::copy, |panic| Broken::over("copying", cx, panic))?;
            Some((copy, cx.clone()))
        },
        copy: |members| {
            let copy =
                copied(&members.gathered, W::copy, |panic| Broken::new("copying what was gathered", panic))?;
            Some(Members { origins: members.origins.clone(), gathered: copy })
        },
        merge: |members, mut other| {
            members.origins.append(&mut other.origins);
            members.change(|gathered| {
                let other = other.gathered?;
                guarded(|| W::Strategy::merge(gathered, other))
                    .map_err(|panic| Broken::new("merging what two sessions gathered", &panic))
            });
        },
    }
}

/// A second one, if there can be one.
fn copied<T>(
    one: &Result<T, Broken>,
    copy: fn(&T) -> Option<T>,
    broken: impl FnOnce(&str) -> Broken,
) -> Option<Result<T, Broken>> {
    match one {
        Ok(one) => guarded(|| copy(one)).map_err(|panic| broken(&panic)).transpose(),
        Err(broken) => Some(Err(broken.clone())),
    }
}

/// About how many bytes of memory a record takes while it is open, `size` of its own among them. Vectors hold up to twice
/// what is in them.
pub(super) fn record_bytes<W: WindowReactor>(size: usize) -> u64 {
    // What is remembered of it besides, to know what is still needed; of windows that begin together, once for all.
    let needed = match W::SPEC.kind {
        Kind::Tumbling { .. } | Kind::Hopping { .. } => 0,
        Kind::Sliding { .. } | Kind::Session { .. } => 120,
    };
    (size + 2 * (size_of::<Item<W::Gathered>>() + size_of::<Place>() + size_of::<Origin>()) + needed) as u64
}

/// About how many bytes an open window takes besides its records. A table that grows holds for a moment what it was and
/// twice of that.
pub(super) fn window_bytes<W: WindowReactor>() -> u64 {
    // Its key, and what tables keep beside what is in them.
    const KEY: usize = 64;
    const ENTRY: usize = 96;
    (KEY + 3 * (ENTRY + size_of::<Members<W::Gathered>>())) as u64
}
