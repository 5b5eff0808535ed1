//! Windows, with every construct.

use fusion::Window;
use fusion::prelude::*;

#[derive(serde::Serialize, serde::Deserialize, Clone)]
pub(crate) struct Trigger {
    id: String,
    time: i64,
}

#[reactor(
    window! < triggers: "window.brake" | "window.lidar" by id >,
    tumbling = 30s, grace = 2s, complete = all, to = "window.approvals"
)]
async fn approve(id: Key<String>, triggers: Vec<Trigger>, window: Window) -> Option<u64> {
    (!id.is_empty() && triggers.len() > 1).then(|| window.count())
}

#[test]
fn all() {
    let _ = reactors![approve];
}
