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
pub(super) struct Members<W: WindowReactor> {
    pub(super) origins: Vec<Origin>,
    pub(super) gathered: W::Gathered,
}

impl<W: WindowReactor> Default for Members<W> {
    fn default() -> Self {
        Members { origins: Vec::new(), gathered: W::Gathered::default() }
    }
}

impl<W: WindowReactor> Aggregate for Members<W> {
    type Item = Item<W>;

    fn add(&mut self, item: Self::Item, at: &Place) {
        self.origins.push(at.into());
        let topic = W::SPEC.topics.get(usize::from(at.topic)).copied().unwrap_or_default();
        let cx = Context::gathered(W::SPEC.name, topic, at.partition, at.offset, Some(at.time));
        self.gathered.add(item, at, &cx);
    }
}

/// What each kind of window can do with what is gathered.
pub(super) fn ways<W: WindowReactor>() -> Ways<Members<W>> {
    Ways {
        copy_item: W::Strategy::copy,
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
    (KEY + 3 * (ENTRY + size_of::<Members<W>>())) as u64
}
