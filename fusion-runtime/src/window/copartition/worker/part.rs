//! Giving back the partitions of one number, which go together as they came.

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::{broker::ffi, consume::Taken};

use super::{TOGETHER, Worker};

impl Worker {
    /// Ends what is to be given back. A partition that this member is to keep without the others can be read by nobody as
    /// it should, and the app ends with the reason.
    pub(super) async fn part(&mut self) {
        let stops = |taken: &Taken| taken.assignment.is_stopping();
        for input in self.inputs.iter_mut().filter(|input| stops(&input.taken)) {
            input.held = ffi::Batch::default();
            input.taken.end();
        }
        // A stop tells one after the other.
        let stopped = join_all(self.inputs.iter().map(|input| input.taken.assignment.stopped()));
        if timeout(TOGETHER, stopped).await.is_ok() {
            return;
        }
        let kept: Vec<&str> =
            self.inputs.iter().filter(|input| !stops(&input.taken)).map(|input| &*input.topic).collect();
        let (offset, reason) = (self.inputs[0].taken.start, super::join::apart(&kept));
        self.inputs[0].taken.fail(self.error(offset, reason));
    }
}
