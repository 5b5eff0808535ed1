//! Answers that outlive a failed attempt.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use super::{Reply, request::Delivered};

/// A run's retry does not ask again what was answered: by node and item, the arguments and the reply.
///
/// The arguments are compared, since a retry may have computed others.
#[derive(Clone, Debug, Default)]
pub(super) struct Memo(Arc<Mutex<HashMap<(u32, u32), Remembered>>>);

#[derive(Clone, Debug)]
pub(super) struct Remembered {
    pub(super) arguments: Vec<u8>,
    pub(super) reply: Reply,
    pub(super) delivered: Option<Delivered>,
}

impl Memo {
    pub(super) fn recall(&self, node: u32, item: u32, arguments: &[u8]) -> Option<Remembered> {
        let memo = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        memo.get(&(node, item)).filter(|known| known.arguments == arguments).cloned()
    }

    pub(super) fn remember(&self, node: u32, item: u32, answer: Remembered) {
        let mut memo = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        memo.insert((node, item), answer);
    }
}
