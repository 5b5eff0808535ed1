//! The routes that replies can take.

/// Where the replies to an app's or a pipeline's requests go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Replies {
    /// A topic of its own with one partition, `fusion.inbox.<name>.<uuid>`, deleted at shutdown; what a crash leaves
    /// behind holds no reply for longer than an hour.
    #[default]
    Inbox,
    /// A partition of a topic that exists already, for clusters where topics cannot be created. Several may share it:
    /// everybody reads all replies and takes their own.
    Shared {
        /// The topic.
        topic: String,
        /// Its partition.
        partition: i32,
    },
    /// A topic for each request, created for it and deleted behind it, as fusion-clj did. Slow, and hard on the
    /// cluster; the only way to tell replies apart that carry no correlation id.
    Ephemeral,
}
