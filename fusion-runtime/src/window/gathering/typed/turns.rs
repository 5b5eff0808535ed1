//! Updates of one key run one after the other, in the order in which their records came.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use crate::window::RecordKey;

/// The keys whose handlers are running, and the runs that wait for them. Only what does not end at once comes here.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<Running>>);

type Running = HashMap<RecordKey, VecDeque<oneshot::Sender<()>>>;

/// A run of a key. When it ends, however it does, the next one of that key begins.
pub(super) struct Turn {
    turns: Turns,
    key: RecordKey,
}

/// What a run waits for whose key has another one.
pub(super) struct Wait {
    turns: Turns,
    key: RecordKey,
    told: oneshot::Receiver<()>,
}

impl Wait {
    /// The turn, when it has come.
    pub(super) async fn over(self) -> Turn {
        // An error would say that nobody is before it any more.
        let _ = self.told.await;
        Turn { turns: self.turns, key: self.key }
    }
}

impl Turns {
    /// Whether another run of this key goes on: then what is to be waited for.
    pub(super) fn wait(&self, key: &[u8]) -> Option<Wait> {
        let mut running = self.running();
        let waiting = running.get_mut(key)?;
        let (tell, told) = oneshot::channel();
        waiting.push_back(tell);
        Some(Wait { turns: self.clone(), key: key.into(), told })
    }

    /// The turn of a run that has begun, where [`wait`](Self::wait) found no other.
    pub(super) fn begin(&self, key: &[u8]) -> Turn {
        self.running().insert(key.into(), VecDeque::new());
        Turn { turns: self.clone(), key: key.into() }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut running = self.turns.running();
        let Some(waiting) = running.get_mut(&self.key) else { return };
        // Whoever gave up waiting lets the one behind it go on.
        while let Some(next) = waiting.pop_front() {
            if next.send(()).is_ok() {
                return;
            }
        }
        running.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn the_runs_of_a_key_follow_each_other() {
        let turns = Turns::default();
        assert!(turns.wait(b"a").is_none());
        let first = turns.begin(b"a");
        assert!(turns.wait(b"b").is_none(), "of another key");
        let gone = turns.wait(b"a").unwrap();
        let [mut second, mut third] = [(); 2].map(|()| Box::pin(turns.wait(b"a").unwrap().over()));
        drop(gone);
        assert!(second.as_mut().now_or_never().is_none() && third.as_mut().now_or_never().is_none());
        drop(first);
        assert!(third.as_mut().now_or_never().is_none());
        let second = second.now_or_never().unwrap();
        assert!(third.as_mut().now_or_never().is_none());
        drop(second);
        let third = third.now_or_never().unwrap();
        assert!(turns.wait(b"a").is_some(), "it is still running");
        drop(third);
        // What nobody waits for any more is skipped.
        assert!(turns.running().is_empty());
    }
}
