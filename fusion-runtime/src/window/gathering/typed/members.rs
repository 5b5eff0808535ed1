//! What a window keeps: what its sources gather, and where it came from.

use crate::{
    reactor::Context,
    window::{
        Gathered, Kind, Place, Strategy, WindowReactor,
        core::{Aggregate, Ways},
    },
};

use super::{Item, Origin};

/// What is gathered, and from where.
pub(super) struct Members<G> {
    pub(super) origins: Vec<Origin>,
    pub(super) gathered: G,
}

impl<G: Gathered> Default for Members<G> {
    fn default() -> Self {
        Members { origins: Vec::new(), gathered: G::default() }
    }
}

impl<G: Gathered> Aggregate for Members<G> {
    type Item = (G::Item, Context);

    fn add(&mut self, (item, cx): Self::Item, at: &Place) {
        self.origins.push(at.into());
        self.gathered.add(item, at, &cx);
    }
}

/// What each kind of window can do with what is gathered.
pub(super) fn ways<W: WindowReactor>() -> Ways<Members<W::Gathered>> {
    Ways {
        copy_item: |(item, cx)| Some((W::Strategy::copy(item)?, cx.clone())),
        copy: |members| {
            Some(Members { origins: members.origins.clone(), gathered: W::copy(&members.gathered)? })
        },
        merge: |members, mut other| {
            members.origins.append(&mut other.origins);
            W::Strategy::merge(&mut members.gathered, other.gathered);
        },
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
    (KEY + 3 * (ENTRY + size_of::<Members<W::Gathered>>())) as u64
}
