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
pub(super) struct Members<W: WindowReactor> {
    pub(super) origins: Vec<Origin>,
    pub(super) gathered: Result<W::Gathered, Broken>,
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

    fn over(doing: &str, topic: &str, at: &Place, panic: &str) -> Self {
        let Place { partition, offset, .. } = at;
        Broken::new(
            format_args!("{doing} the record of topic `{topic}`, partition {partition}, offset {offset}"),
            panic,
        )
    }
}

/// What one record gives, or what the panic said when it was copied.
pub(super) type Item<W> = Result<<<W as WindowReactor>::Gathered as Gathered>::Item, Box<str>>;

impl<W: WindowReactor> Default for Members<W> {
    fn default() -> Self {
        let gathered = guarded(W::Gathered::default).map_err(|panic| Broken::new("`Default`", &panic));
        Members { origins: Vec::new(), gathered }
    }
}

impl<W: WindowReactor> Members<W> {
    /// Does something to what was gathered, unless that is broken, or is now.
    fn change(&mut self, change: impl FnOnce(&mut W::Gathered) -> Result<(), Broken>) {
        if let Ok(gathered) = &mut self.gathered
            && let Err(broken) = change(gathered)
        {
            let left = std::mem::replace(&mut self.gathered, Err(broken));
            // It may not be what its `Drop` counts on.
            let _ = guarded(|| drop(left));
        }
    }
}

impl<W: WindowReactor> Aggregate for Members<W> {
    type Item = Item<W>;

    fn add(&mut self, item: Self::Item, at: &Place) {
        self.origins.push(at.into());
        let topic = W::SPEC.topics.get(usize::from(at.topic)).copied().unwrap_or_default();
        self.change(|gathered| {
            let item = item.map_err(|panic| Broken::over("copying", topic, at, &panic))?;
            let cx = Context::gathered(W::SPEC.name, topic, at.partition, at.offset, Some(at.time));
            guarded(|| gathered.add(item, at, &cx))
                .map_err(|panic| Broken::over("gathering", topic, at, &panic))
        });
    }
}

/// What each kind of window can do with what is gathered.
pub(super) fn ways<W: WindowReactor>() -> Ways<Members<W>> {
    Ways {
        copy_item: |item| copied(item, W::Strategy::copy, |panic| panic.into()),
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
fn copied<T, B: Clone>(
    one: &Result<T, B>,
    copy: fn(&T) -> Option<T>,
    broken: impl FnOnce(&str) -> B,
) -> Option<Result<T, B>> {
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
    (size + 2 * (size_of::<Item<W>>() + size_of::<Place>() + size_of::<Origin>()) + needed) as u64
}

/// About how many bytes an open window takes besides its records. A table that grows holds for a moment what it was and
/// twice of that.
pub(super) fn window_bytes<W: WindowReactor>() -> u64 {
    // Its key, and what tables keep beside what is in them.
    const KEY: usize = 64;
    const ENTRY: usize = 96;
    (KEY + 3 * (ENTRY + size_of::<Members<W>>())) as u64
}
