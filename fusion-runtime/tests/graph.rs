//! A graph as `deps!` expands it (which binds topics by `match`), written out by hand, over a route that a test answers.
#![allow(non_camel_case_types)]

use std::sync::{Arc, Mutex};

use fusion_runtime::{
    __private as p,
    contract::{Answers, Contract, Declared, Least, List, TopicId},
    dag::{Answer, CallError, Caller, PendingReply, Reply, Request, Route},
    failure::{Code, Failure},
    record::codec::Format,
};
use serde_json::{Value, json};
use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

struct add {}
impl Contract for add {
    const TOPIC: &'static str = "add";
    type Params = List<i64>;
    type Reply = i64;
    type Least = Least<Self, 0>;
}
impl Answers for add {}
impl Declared<add> for TopicId<1> {
    type Contract = add;
}
struct subtract {}
impl Contract for subtract {
    const TOPIC: &'static str = "subtract";
    type Params = (i64, i64);
    type Reply = i64;
    type Least = Least<Self, 2>;
}
impl Answers for subtract {}
impl Declared<subtract> for TopicId<2> {
    type Contract = subtract;
}
struct greet {}
impl Contract for greet {
    const TOPIC: &'static str = "greet";
    type Params = (String, Option<i64>);
    type Reply = String;
    type Least = Least<Self, 1>;
}
impl Answers for greet {}
impl Declared<greet> for TopicId<3> {
    type Contract = greet;
}

struct Order {
    name: String,
    amount: i64,
    express: bool,
    items: Vec<i64>,
}

fn twice(args: (i64,), answer: i64) -> (i64, i64) {
    (answer * 2, args.0)
}

async fn sum(
    order: Order,
    one: i64,
    hi: Option<String>,
    all: Vec<Answer<i64>>,
    two: Result<i64, CallError>,
    four: i64,
) -> String {
    let all: Vec<_> =
        all.iter().map(|answer| (answer.value, answer.sent.as_ref().unwrap().arguments())).collect();
    let two = two.map_err(|error| error.code().to_string());
    format!("{} {one} {hi:?} {all:?} {two:?} {four}", order.name)
}

// deps! <
//     one: "add"(1, order.amount) else 0;
//     hi: "greet"(order.name) if order.express && one > 5;
//     all: "add"(item, one) for item in order.items;
//     two: "subtract"(2) <- cons(one);
//     four: "subtract"(9) <- twice(one);
//     late: "greet"("x") -> String after four
// >
fn run(caller: Caller, order: Order) -> impl Future<Output = Result<String, Failure>> + Send {
    use p::{AscribedDeclared as _, SeenByCopy as _};
    async move {
        let t_one = p::topic::<<<TopicId<1> as Declared<_>>::Contract as Contract>::Least>().asked();
        let t_hi = p::topic::<<<TopicId<3> as Declared<_>>::Contract as Contract>::Least>().asked();
        let t_all = p::topic::<<<TopicId<1> as Declared<_>>::Contract as Contract>::Least>().asked();
        let t_two = p::topic::<<<TopicId<2> as Declared<_>>::Contract as Contract>::Least>().asked();
        let t_four = p::topic::<<<TopicId<2> as Declared<_>>::Contract as Contract>::Least>().asked();
        let t_late = (&&p::Ascribed::<3, String>::new(TopicId, "greet")).topic().answers::<String>().asked();
        let (s_one, s_hi, s_all) = (t_one.one("one"), t_hi.maybe("hi"), t_all.each("all"));
        let (s_two, s_four, s_late) = (t_two.one("two"), t_four.one("four"), t_late.one("late"));
        let (k_one, k_hi, k_all) = (s_one.taken_as::<i64>(), s_hi.taken_as(), s_all.taken_as());
        let (k_two, k_four) = (s_two.taken_as::<Result<i64, CallError>>(), s_four.taken_as());
        {
            let n_one = p::node(&s_one, async {
                let mut args = caller.args();
                t_one.at::<0>().put(&mut args, &(1));
                t_one.at::<1>().put(&mut args, &(order.amount));
                t_one.enough::<2>();
                match caller.ask(t_one, args, s_one.terms(0)).await {
                    Ok(answer) => Ok(answer),
                    Err(_) => Ok(p::Stored::otherwise(0)),
                }
            });
            let n_hi = p::node(&s_hi, async {
                let one = (&&p::Seen(s_one.get().await?)).seen();
                if !(order.express && one > 5) {
                    return Ok(p::Stored::none());
                }
                let mut args = caller.args();
                t_hi.at::<0>().put(&mut args, &(order.name));
                t_hi.enough::<1>();
                Ok(caller.ask(t_hi, args, s_hi.terms(1)).await?.some())
            });
            let n_all = p::node(&s_all, async {
                let one = (&&p::Seen(s_one.get().await?)).seen();
                p::each(&(order.items), |n, item| {
                    let mut args = caller.args();
                    t_all.at::<0>().put(&mut args, &(item));
                    t_all.at::<1>().put(&mut args, &(one));
                    caller.ask(t_all, args, s_all.terms(2).item(n))
                })
                .await
            });
            let n_two = p::node(&s_two, async {
                let one = (&&p::Seen(s_one.get().await?)).seen();
                let mut args = caller.args();
                t_two.at::<0>().put(&mut args, &(one));
                t_two.at::<1>().put(&mut args, &(2));
                t_two.enough::<2>();
                caller.ask(t_two, args, s_two.terms(3)).await
            });
            let n_four = p::node(&s_four, async {
                let one = (&&p::Seen(s_one.get().await?)).seen();
                let mut args = caller.args();
                t_four.args(&mut args, &twice(((&&p::Seen(&(9))).seen(),), one));
                caller.ask(t_four, args, s_four.terms(4)).await
            });
            let n_late = p::node(&s_late, async {
                s_four.get().await?;
                let mut args = caller.args();
                t_late.at::<0>().put(&mut args, &("x"));
                caller.ask(t_late, args, s_late.terms(5)).await
            });
            p::ran(
                p::join(p::join(n_one, p::join(n_hi, n_all)), p::join(n_two, p::join(n_four, n_late))).await,
            )?;
        }
        let answer = sum(
            order,
            k_one.take(s_one)?,
            k_hi.take(s_hi)?,
            k_all.take(s_all)?,
            k_two.take(s_two)?,
            k_four.take(s_four)?,
        );
        Ok(answer.await)
    }
}

/// Answers at once, as the topics would; what is asked is written down.
#[derive(Default)]
struct Services {
    asked: Mutex<Vec<(String, Value)>>,
    broken: Option<&'static str>,
}

impl Route for Services {
    fn format(&self) -> Format {
        Format::Json
    }

    fn id(&self) -> Uuid {
        Uuid::new_v4()
    }

    fn send(&self, request: Request) -> PendingReply {
        let (reply, pending) = oneshot::channel();
        let arguments: Value = serde_json::from_slice(&request.value).unwrap();
        self.asked.lock().unwrap().push((request.topic.to_string(), arguments.clone()));
        let numbers = || arguments.as_array().unwrap().iter().filter_map(Value::as_i64).collect::<Vec<_>>();
        let answer = match &*request.topic {
            topic if Some(topic) == self.broken => {
                Err(CallError::new(Code::Handler, topic, "broken").with_retryable(false))
            }
            "add" => Ok(json!(numbers().iter().sum::<i64>())),
            "subtract" => Ok(json!(numbers()[0] - numbers()[1])),
            "greet" => Ok(json!(format!("hello {}", arguments[0]))),
            topic => Err(CallError::new(Code::UnknownTopic, topic, "nobody here")),
        };
        let answer =
            answer.map(|value| Reply { value: value.to_string().into_bytes(), format: Format::Json });
        reply.send(answer).unwrap();
        let (told, delivered) = oneshot::channel();
        told.send(fusion_runtime::dag::Delivered { partition: 0, offset: 7 }).unwrap();
        PendingReply::new(pending).with_delivery(delivered)
    }
}

fn order() -> Order {
    Order { name: "bo".into(), amount: 7, express: true, items: vec![10, 20] }
}

fn caller(services: Services) -> (Caller, Arc<Services>) {
    let services = Arc::new(services);
    (Caller::new(services.clone(), Instant::now() + std::time::Duration::from_secs(30), 0), services)
}

#[tokio::test(start_paused = true)]
async fn answers_flow_through_the_graph() {
    let (caller, services) = caller(Services::default());
    let answer = run(caller, order()).await.unwrap();
    assert_eq!(
        answer,
        r#"bo 8 Some("hello \"bo\"") [(18, Array [Number(10), Number(8)]), (28, Array [Number(20), Number(8)])] Ok(6) 7"#
    );
    assert_eq!(services.asked.lock().unwrap().len(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_failed_node_ends_the_run_unless_it_is_taken_as_a_result() {
    let (caller, services) = caller(Services { broken: Some("subtract"), ..Services::default() });
    let failure = run(caller, order()).await.unwrap_err();
    assert_eq!(failure.code(), &Code::Dependency);
    assert_eq!(failure.message(), "node `four` asked `subtract`: broken (handler)");
    // Both were asked, and the one with the `Result` did not end the run.
    assert_eq!(services.asked.lock().unwrap().iter().filter(|(topic, _)| topic == "subtract").count(), 2);
}
