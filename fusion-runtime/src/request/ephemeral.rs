//! The topics of `Replies::Ephemeral`: one for each attempt.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

use crate::record::wire::correlation_id;

const PREFIX: &str = "fusion.reply.";
/// The length of an id as text.
const ID: usize = 36;

/// Which topics serve a request, and which are to be deleted.
///
/// An attempt after a time-out has the id of the one before, whose topic is being deleted meanwhile; and the name of a
/// deleted topic must not be used again (librdkafka #4898). So each attempt has a name of its own.
#[derive(Debug, Default)]
pub(super) struct Topics(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    serving: HashMap<Uuid, String>,
    condemned: HashSet<String>,
}

impl Topics {
    /// A name for this attempt. The one that its request had before is to be deleted.
    pub(super) fn open(&self, id: Uuid) -> String {
        let topic = format!("{PREFIX}{id}.{}", Uuid::new_v4().simple());
        self.lock().serving.insert(id, topic.clone());
        topic
    }

    /// Whether an attempt still waits on this topic.
    pub(super) fn serves(&self, id: Uuid, topic: &str) -> bool {
        self.lock().serving.get(&id).is_some_and(|serving| serving == topic)
    }

    /// Nobody waits any more: the topic is to be deleted.
    pub(super) fn close(&self, id: Uuid) -> Option<String> {
        let mut state = self.lock();
        let topic = state.serving.remove(&id)?;
        state.condemned.insert(topic.clone());
        Some(topic)
    }

    /// The topic is gone.
    pub(super) fn deleted(&self, topic: &str) {
        self.lock().condemned.remove(topic);
    }

    /// Everything that there may be.
    pub(super) fn all(&self) -> Vec<String> {
        let state = self.lock();
        state.serving.values().chain(&state.condemned).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request that a topic serves.
pub(super) fn id(topic: &str) -> Option<u128> {
    correlation_id(topic.strip_prefix(PREFIX)?.as_bytes().get(..ID)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_has_a_topic_of_its_own() {
        let (topics, request) = (Topics::default(), Uuid::new_v4());
        let first = topics.open(request);
        assert_eq!(id(&first), Some(request.as_u128()));
        assert!(topics.serves(request, &first));
        assert_eq!(topics.close(request).as_ref(), Some(&first));
        assert!(!topics.serves(request, &first));
        let second = topics.open(request);
        assert_ne!(first, second);
        assert_eq!(id(&second), Some(request.as_u128()));
        assert_eq!(topics.all().len(), 2);
        topics.deleted(&first);
        assert_eq!(topics.all(), [second]);
    }

    #[test]
    fn no_other_topic_serves_a_request() {
        assert_eq!(id("fusion.reply."), None);
        assert_eq!(id("orders"), None);
    }
}
