//! Running reactors and graphs without a broker.

use std::{
    borrow::Cow,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    consume::Typed,
    contract::{Answers, Args, Contract, Fits, Wire},
    dag::{CallError, Caller, shape},
    failure::{Code, Failure},
    reactor::Reactor,
    record::codec::{Codec, Format},
};

use super::{
    Arguments, TestRun,
    arguments::read,
    doubles::{Double, Doubles, lock},
};

/// How long a graph may take by itself.
const WITHIN: Duration = Duration::from_secs(30);

/// Runs reactors and graphs in this process, without a broker: their requests go to what the test put in place of the
/// other services. A clone may get other answers; what was asked is kept together.
///
/// What is between a graph and its answers is the same as with a broker: arguments and answers are written and read in
/// their form on the wire, and deadlines, `within`, `retry` and `else` do what they always do. What comes before and
/// after, such as retries of whole runs, order, replies and dead letters, is a matter of records, and so of
/// [`App`](crate::app::App) on an embedded broker. So are windows, which no tester runs: their handlers are functions,
/// to be called with what they would have gathered.
///
/// ```
/// use fusion::{Code, prelude::*, testing::Tester};
///
/// #[contract(topic = "stock")]
/// fn stock(article: u64, place: String) -> u64;
///
/// #[reactor(topic = "double")]
/// fn double(number: u64, by: State<u64>) -> u64 { number * *by }
///
/// #[reactor(
///     topic = "order",
///     deps! < stock: "stock"(article, "Lisbon"); double: "double"() <- stock >
/// )]
/// fn order(article: u64, stock: u64, double: u64) -> String {
///     format!("{article}: {stock}, or {double}")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let tester = Tester::new()
///     .try_answer::<stock>(|(article, _place)| match article {
///         0 => Err(Failure::new("no_such_article", "there is no article 0").not_retryable()),
///         article => Ok(article + 1),
///     })
///     .serve::<double>()
///     .state(2_u64);
/// assert_eq!(tester.run::<order>((7,)).await.unwrap(), "7: 8, or 16");
/// assert_eq!(tester.run::<order>((0,)).await.unwrap_err().code(), &Code::Dependency);
/// assert_eq!(tester.asked::<stock>(), [(7, "Lisbon".to_owned()), (0, "Lisbon".to_owned())]);
///
/// let answers = tester.run_graph(deps! { two: "double"(4) }).await.unwrap();
/// assert_eq!(answers.two, 8);
/// # }
/// ```
///
/// Time is tokio's, so a test that pauses it waits for nothing:
///
/// ```
/// use fusion::{Code, prelude::*, testing::Tester};
///
/// #[contract(topic = "price")]
/// fn price(article: u64) -> u64;
///
/// #[reactor(topic = "offer", deps! < price: "price"(article) within 5s else 100 >)]
/// fn offer(article: u64, price: u64) -> u64 { article * price }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// // #[tokio::test(start_paused = true)]
/// let tester = Tester::new().silence::<price>();
/// assert_eq!(tester.run::<offer>((3,)).await.unwrap(), 300);
/// # });
/// ```
#[derive(Clone, Default)]
#[must_use = "a tester does nothing before it runs something"]
pub struct Tester {
    doubles: Arc<Doubles>,
}

impl Tester {
    /// A tester in which nothing is answered: a request fails with [`Code::UnknownTopic`].
    pub fn new() -> Tester {
        Tester::default()
    }

    /// Answers requests to the topic of contract `C`. The closure gets the arguments: a `Vec` for a list, the value
    /// itself for one parameter, a tuple for several. What it panics with ends the test.
    pub fn answer<C: Answers>(
        self,
        mut answer: impl FnMut(<C::Params as Arguments>::Values) -> C::Reply + Send + 'static,
    ) -> Tester
    where
        C::Params: Arguments,
        C::Reply: Serialize,
    {
        self.try_answer::<C>(move |arguments| Ok(answer(arguments)))
    }

    /// Answers requests to the topic of contract `C`, or fails them: the graph sees a [`CallError`] with the failure's
    /// code, which is retried if the failure says so.
    pub fn try_answer<C: Answers>(
        self,
        mut answer: impl FnMut(<C::Params as Arguments>::Values) -> Result<C::Reply, Failure> + Send + 'static,
    ) -> Tester
    where
        C::Params: Arguments,
        C::Reply: Serialize,
    {
        self.closure(C::TOPIC, move |value| {
            let arguments =
                read::<C>(value).map_err(|error| Failure::new(Code::Decode, error.to_string()))?;
            encode(&answer(arguments)?)
        })
    }

    /// Answers requests to a topic that no contract declares. The closure gets what goes over the wire: nothing is
    /// `null`, several arguments are an array.
    ///
    /// ```
    /// use fusion::{prelude::*, testing::Tester};
    /// use serde_json::json;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let tester = Tester::new().answer_value("weather", |place| match place.as_str() {
    ///     Some("Lisbon") => Ok(json!("sun")),
    ///     _ => Err(Failure::new("nowhere", format!("there is no {place}"))),
    /// });
    /// let answers = tester.run_graph(deps! { weather: "weather"("Lisbon") -> String }).await.unwrap();
    /// assert_eq!(answers.weather, "sun");
    /// # }
    /// ```
    pub fn answer_value(
        self,
        topic: impl Into<Cow<'static, str>>,
        mut answer: impl FnMut(Value) -> Result<Value, Failure> + Send + 'static,
    ) -> Tester {
        self.closure(topic, move |value| {
            let arguments = Format::Json.decode(value);
            encode(&answer(arguments.map_err(|error| Failure::new(Code::Decode, error.to_string()))?)?)
        })
    }

    /// Leaves requests to the topic of contract `C` without an answer, until their time is over.
    pub fn silence<C: Contract>(self) -> Tester {
        self.double(C::TOPIC, Double::Silent)
    }

    /// Has another reactor answer the requests to its topic, its own graph included. A panic of it is an error answer.
    pub fn serve<R: Reactor>(self) -> Tester {
        self.double(R::SPEC.topic, Double::Reactor(Arc::new(Typed::<R>::new())))
    }

    /// Provides what handlers take as [`State<T>`](crate::reactor::State).
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Tester {
        Arc::make_mut(&mut self.doubles).state.insert(value);
        self
    }

    /// Runs reactor `R` once, graph included, on a record with these arguments. The outcome is the handler's: its value,
    /// or the failure for which the record would be tried again or given up.
    pub fn run<R: Reactor>(&self, args: impl Fits<<R::Contract as Contract>::Params>) -> TestRun<R::Value> {
        let mut buffer = Args::new(Format::Json);
        args.write(&mut buffer);
        let value = buffer.finish(shape::<R::Contract>(), <R::Contract as Contract>::Params::COUNT);
        let value = value.map_err(|error| Failure::new(Code::Decode, error.to_string()));
        TestRun::new::<R>(self.doubles.clone(), value)
    }

    /// Runs a graph by itself, `tester.run_graph(deps! { .. })`, within 30 seconds.
    ///
    /// # Errors
    /// That of the first node that failed without an `else`.
    pub async fn run_graph<F, A, T>(&self, deps: F) -> Result<T, CallError>
    where
        F: FnOnce(Caller) -> A,
        A: Future<Output = Result<T, CallError>>,
    {
        deps(Caller::new(self.doubles.clone(), Instant::now() + WITHIN, 0)).await
    }

    /// The arguments of all requests to the topic of contract `C` so far, in the order in which they were asked; further
    /// attempts count. Those that do not fit the contract are left out.
    pub fn asked<C: Contract>(&self) -> Vec<<C::Params as Arguments>::Values>
    where
        C::Params: Arguments,
    {
        self.doubles.log.values(C::TOPIC).iter().filter_map(|value| read::<C>(value).ok()).collect()
    }

    fn closure(
        self,
        topic: impl Into<Cow<'static, str>>,
        answer: impl FnMut(&[u8]) -> Result<Vec<u8>, Failure> + Send + 'static,
    ) -> Tester {
        let answer = Mutex::new(answer);
        self.double(topic, Double::Closure(Arc::new(move |value| (*lock(&answer))(value))))
    }

    fn double(mut self, topic: impl Into<Cow<'static, str>>, double: Double) -> Tester {
        Arc::make_mut(&mut self.doubles).by_topic.insert(topic.into(), double);
        self
    }
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let encoded = Format::Json.encode(value, &mut bytes);
    encoded.map_err(|error| Failure::new(Code::Handler, error.to_string()).not_retryable())?;
    Ok(bytes)
}

impl std::fmt::Debug for Tester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut topics: Vec<_> = self.doubles.by_topic.keys().collect();
        topics.sort_unstable();
        f.debug_struct("Tester").field("answers", &topics).finish_non_exhaustive()
    }
}
