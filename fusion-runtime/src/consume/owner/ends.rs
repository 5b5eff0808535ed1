//! How far partitions reach, for those who say how far behind they are.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer as _},
};

use crate::{
    broker::ffi,
    consume::{rebalance::Place, shared::Assignment},
};

use super::Owner;

/// How often leaders are asked.
const EVERY: Duration = Duration::from_secs(2);
/// How long one may take.
const LIMIT: Duration = Duration::from_secs(1);

/// Asks leaders, on a thread that begins with the first question and ends with this.
#[derive(Default)]
pub(super) struct Ends {
    /// For a client of the thread's own; `None` if nobody wants to know.
    observer: Option<ClientConfig>,
    questions: Option<SyncSender<Vec<Question>>>,
    next: Option<Instant>,
}

type Question = (Place, Arc<Assignment>);

impl Ends {
    pub(super) fn new(observer: Option<ClientConfig>) -> Ends {
        Ends { observer, ..Ends::default() }
    }

    fn ask(&mut self, app: &str, questions: Vec<Question>) {
        let Some(observer) = &self.observer else { return };
        let sender = match &self.questions {
            Some(sender) => sender,
            None => {
                let (sender, receiver) = sync_channel(1);
                let observer = observer.clone();
                let thread = thread::Builder::new().name(format!("{app}-lag"));
                if let Err(error) = thread.spawn(move || answer(&observer, &receiver)) {
                    return tracing::warn!(%error, "nobody can ask how far partitions reach");
                }
                self.questions.insert(sender)
            }
        };
        // If it is still at the last ones, a leader does not answer, and none of these is urgent.
        if let Err(TrySendError::Disconnected(_)) = sender.try_send(questions) {
            self.questions = None;
        }
    }
}

impl Owner {
    /// Each answer to a fetch says how far its partition reaches. Where nothing is fetched, because not all is taken that
    /// was, the leader is asked.
    pub(super) fn look_at_ends(&mut self) {
        let is_due = self.ends.next.is_none_or(|next| next <= Instant::now());
        let mut unfetched = Vec::new();
        for (place, partition) in self.partitions.iter().filter(|(_, one)| one.service.commits()) {
            if let Some(end) = ffi::known_end(&self.client, &place.0, place.1) {
                partition.assignment.reaches(end);
            }
            let is_fetched = partition.next >= partition.assignment.known_end();
            if is_due && !is_fetched && !partition.assignment.is_stopping() {
                unfetched.push((place.clone(), partition.assignment.clone()));
            }
        }
        if !unfetched.is_empty() {
            self.ends.next = Some(Instant::now() + EVERY);
            self.ends.ask(&self.core.app, unfetched);
        }
    }
}

fn answer(observer: &ClientConfig, questions: &Receiver<Vec<Question>>) {
    let client: BaseConsumer = match observer.create() {
        Ok(client) => client,
        Err(error) => return tracing::warn!(%error, "nobody can ask how far partitions reach"),
    };
    for ((topic, partition), assignment) in questions.iter().flatten() {
        if assignment.has_ended() {
            continue;
        }
        match client.fetch_watermarks(&topic, partition, LIMIT) {
            Ok((_, end)) => assignment.reaches(end),
            Err(error) => {
                tracing::debug!(%error, topic, partition, "its leader does not say how far it reaches")
            }
        }
    }
}
