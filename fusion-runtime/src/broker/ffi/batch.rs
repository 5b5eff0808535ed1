//! Messages on their way through a worker.

use std::mem::ManuallyDrop;
use std::sync::atomic::Ordering;

use super::Message;

/// Messages of one partition, looked at and destroyed one by one.
///
/// What is alive is counted in one place for all threads, and a shared counter that every message touches costs more
/// than the message; so a batch settles its count once, at its end.
#[derive(Default)]
pub struct Batch {
    messages: std::vec::IntoIter<Message>,
    /// Destroyed, and not subtracted yet.
    destroyed: usize,
    core: Option<std::ptr::NonNull<super::queue::Core>>,
}

// SAFETY: `core` is `Sync` and lives as long as the queue does, which outlives what is counted as alive.
unsafe impl Send for Batch {}

impl From<Vec<Message>> for Batch {
    fn from(messages: Vec<Message>) -> Batch {
        let core = messages.first().map(|message| message.core);
        Batch { messages: messages.into_iter(), destroyed: 0, core }
    }
}

impl Batch {
    /// How many messages are left.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether none are left.
    pub fn is_empty(&self) -> bool {
        self.messages.len() == 0
    }

    /// The next message, which stays where it is.
    pub fn peek(&self) -> Option<&Message> {
        self.messages.as_slice().first()
    }

    /// Those that are left, which stay where they are.
    pub fn iter(&self) -> impl Iterator<Item = &Message> {
        self.messages.as_slice().iter()
    }

    /// Shows the next message to `look` and destroys it. `None`: there is none left.
    pub fn next<R>(&mut self, look: impl FnOnce(&Message) -> R) -> Option<R> {
        let message = self.messages.next()?;
        // If it panics, the message is dropped as any other: one that is left would keep the client open for ever.
        let seen = look(&message);
        // All come from one queue, so all are counted in one place.
        let message = ManuallyDrop::new(message);
        // SAFETY: it is never dropped, and counted until the batch ends.
        unsafe { message.destroy() }
        self.destroyed += 1;
        Some(seen)
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if let Some(core) = self.core.filter(|_| self.destroyed > 0) {
            // SAFETY: the destroyed messages are still counted as alive, and so the queue with its count is.
            unsafe { core.as_ref() }.live.fetch_sub(self.destroyed, Ordering::Release);
        }
    }
}
