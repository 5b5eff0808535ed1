//! Topics that a test answers itself: at once, or when it releases them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use fusion::CallError;
use fusion_runtime::{
    dag::{Caller, Delivered, PendingReply, Reply, Request, Route},
    failure::Code,
    record::codec::Format,
};
use serde_json::{Value, json};
use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

/// Answers as the topics would, and writes down what it was asked.
#[derive(Default)]
pub(crate) struct Services {
    asked: Mutex<Vec<(String, Value)>>,
    held: Mutex<Option<Vec<Held>>>,
    failures: Mutex<HashMap<String, u32>>,
}

struct Held {
    reply: oneshot::Sender<Result<Reply, CallError>>,
    answer: Result<Reply, CallError>,
}

impl Services {
    /// The next `times` requests to `topic` fail.
    pub(crate) fn failing(self, topic: &str, times: u32) -> Self {
        self.failures.lock().unwrap().insert(topic.to_owned(), times);
        self
    }

    /// Nothing is answered until it is released.
    pub(crate) fn holding(self) -> Self {
        *self.held.lock().unwrap() = Some(Vec::new());
        self
    }

    pub(crate) fn caller(self) -> (Caller, Arc<Services>) {
        let services = Arc::new(self);
        let deadline = Instant::now() + Duration::from_secs(30);
        (Caller::new(services.clone(), deadline, 0), services)
    }

    /// What was asked, in order.
    pub(crate) fn asked(&self) -> Vec<(String, Value)> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn asked_of(&self, topic: &str) -> Vec<Value> {
        self.asked().into_iter().filter(|(asked, _)| asked == topic).map(|(_, arguments)| arguments).collect()
    }

    /// How many answers are held back.
    pub(crate) fn waiting(&self) -> usize {
        self.held.lock().unwrap().as_ref().map_or(0, Vec::len)
    }

    /// Lets one of the answers go that are held back.
    pub(crate) fn release(&self, which: usize) {
        let held = self.held.lock().unwrap().as_mut().unwrap().remove(which);
        // Nobody may wait for it any more.
        let _ = held.reply.send(held.answer);
    }

    fn fails(&self, topic: &str) -> bool {
        let mut failures = self.failures.lock().unwrap();
        let Some(left) = failures.get_mut(topic).filter(|left| **left > 0) else { return false };
        *left -= 1;
        true
    }
}

/// What each topic answers.
pub(crate) fn answer(topic: &str, arguments: &Value) -> Option<Value> {
    let numbers = || match arguments {
        Value::Array(all) => all.iter().filter_map(Value::as_i64).collect::<Vec<_>>(),
        one => one.as_i64().into_iter().collect(),
    };
    Some(match topic {
        "add" => json!(numbers().iter().fold(0_i64, |sum, n| sum.wrapping_add(*n))),
        "subtract" => json!(numbers()[0].wrapping_sub(numbers()[1])),
        "negate" => json!(numbers()[0].wrapping_neg()),
        "is_even" => json!(numbers()[0] % 2 == 0),
        "greet" => json!(format!("hello {}", arguments.as_str().or_else(|| arguments[0].as_str()).unwrap())),
        "touch" => Value::Null,
        "echo" => arguments.clone(),
        _ => return None,
    })
}

impl Route for Services {
    fn format(&self) -> Format {
        Format::Json
    }

    fn id(&self) -> Uuid {
        Uuid::new_v4()
    }

    fn send(&self, request: Request) -> PendingReply {
        let topic = &*request.topic;
        let arguments: Value = serde_json::from_slice(&request.value).unwrap();
        let offset = self.asked.lock().unwrap().len() as i64;
        self.asked.lock().unwrap().push((topic.to_owned(), arguments.clone()));
        let answer = match answer(topic, &arguments) {
            _ if self.fails(topic) => Err(CallError::new(Code::Handler, topic, "broken")),
            Some(value) => Ok(Reply { value: value.to_string().into_bytes(), format: Format::Json }),
            None => Err(CallError::new(Code::UnknownTopic, topic, "nobody here")),
        };
        let (reply, pending) = oneshot::channel();
        match &mut *self.held.lock().unwrap() {
            Some(held) => held.push(Held { reply, answer }),
            None => reply.send(answer).unwrap(),
        }
        let (told, delivered) = oneshot::channel();
        told.send(Delivered { partition: 0, offset }).unwrap();
        PendingReply::new(pending).with_delivery(delivered)
    }
}
