//! The routes that replies can take.

/// Where the replies to an app's or a pipeline's requests go.
///
/// ```
/// use fusion::{EmbeddedKafka, Format, Replies, prelude::*};
/// use std::sync::Arc;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let broker = Arc::new(EmbeddedKafka::start()?);
/// broker.create_topic("our.replies", 6)?;
///
/// let replies = Replies::Shared { topic: "our.replies".to_owned(), partition: 3 };
/// let config = Config::with_embedded(broker);
/// let pipeline = Pipeline::connect_with("caller", config, replies, Format::Json).await?;
/// # pipeline.close().await?;
/// # Ok(())
/// # }
/// ```
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
