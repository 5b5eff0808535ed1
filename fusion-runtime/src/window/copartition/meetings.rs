//! Where the partitions of one number meet.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::mpsc;

use crate::consume::Assignment;

/// The first of each number, who wait for the others.
pub(super) struct Meetings<J>(Mutex<HashMap<i32, Meeting<J>>>);

struct Meeting<J> {
    first: Arc<Assignment>,
    others: mpsc::UnboundedSender<J>,
}

impl<J> Meetings<J> {
    pub(super) fn new() -> Self {
        Meetings(Mutex::default())
    }

    /// A partition comes to the one that waits for it; if there is none it gets itself back, and where the others come to.
    pub(super) fn come(
        &self,
        number: i32,
        assignment: &Arc<Assignment>,
        mut one: J,
    ) -> Option<(J, mpsc::UnboundedReceiver<J>)> {
        let mut meetings = self.lock();
        // One that is given back may be long in noticing, and ends all that came to it: also what came back since.
        if let Some(meeting) = meetings.get(&number).filter(|meeting| !meeting.first.is_stopping()) {
            match meeting.others.send(one) {
                Ok(()) => return None,
                // They have given up.
                Err(refused) => one = refused.0,
            }
        }
        let (sender, others) = mpsc::unbounded_channel();
        meetings.insert(number, Meeting { first: assignment.clone(), others: sender });
        Some((one, others))
    }

    /// Nobody else comes to this first one.
    pub(super) fn close(&self, number: i32, first: &Arc<Assignment>) {
        let mut meetings = self.lock();
        if meetings.get(&number).is_some_and(|meeting| Arc::ptr_eq(&meeting.first, first)) {
            meetings.remove(&number);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i32, Meeting<J>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assignment() -> Arc<Assignment> {
        Arc::new(Assignment::new(0, std::thread::current()))
    }

    #[test]
    fn those_of_one_number_come_to_the_first() {
        let (meetings, first) = (Meetings::new(), assignment());
        let (own, mut others) = meetings.come(0, &first, "brake").unwrap();
        assert_eq!(own, "brake");
        assert!(meetings.come(0, &assignment(), "lidar").is_none());
        assert!(meetings.come(1, &assignment(), "brake 1").is_some());
        assert_eq!(others.try_recv(), Ok("lidar"));
        meetings.close(0, &first);
        assert!(meetings.come(0, &assignment(), "radar").is_some(), "nobody waits any more");
        drop(others);
        assert!(meetings.come(1, &assignment(), "lidar 1").is_some(), "who has gone waits for nobody");
    }

    /// Where all threads of a runtime are busy, partitions come and go before anybody begins with them.
    #[test]
    fn what_comes_back_does_not_go_with_what_was_given_back() {
        let (meetings, before, now) = (Meetings::new(), assignment(), assignment());
        let (_, mut gone) = meetings.come(0, &before, "brake").unwrap();
        before.stop();
        let (_, mut others) = meetings.come(0, &now, "brake again").unwrap();
        meetings.close(0, &before);
        assert!(meetings.come(0, &assignment(), "lidar again").is_none());
        assert_eq!((others.try_recv(), gone.try_recv().ok()), (Ok("lidar again"), None));
    }
}
