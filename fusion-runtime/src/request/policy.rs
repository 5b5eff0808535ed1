//! Where a caller may have its reply sent.

use std::collections::HashSet;

/// A request names the topic of its reply, and anybody may send one: without a rule, anybody could make a reactor
/// write anywhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReplyPolicy {
    own: HashSet<String>,
}

impl ReplyPolicy {
    /// No internal topic, and none of the app's own.
    pub(crate) fn new(own: impl IntoIterator<Item = String>) -> Self {
        ReplyPolicy { own: own.into_iter().collect() }
    }

    /// # Errors
    /// Says why the topic is refused.
    pub(crate) fn check(&self, topic: &str) -> Result<(), String> {
        if topic.starts_with("__") {
            return Err(format!("a reply may not go to `{topic}`, a topic of Kafka's own"));
        }
        if self.own.contains(topic) {
            return Err(format!("a reply may not go to `{topic}`, which this app serves itself"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_kafkas_topics_nor_ours() {
        let policy = ReplyPolicy::new(["orders".to_owned()]);
        assert!(policy.check("__consumer_offsets").is_err());
        assert!(policy.check("orders").is_err());
        assert_eq!(policy.check("orders.replies"), Ok(()));
    }
}
