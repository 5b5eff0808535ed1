//! Names that could get into each other's way.

use fusion::prelude::*;

#[contract(topic = "names.ask")]
fn ask(text: String) -> String;

#[contract(topic = "names.number")]
fn number(number: i64) -> i64;

/// A node and a parameter have the function's name, and names of ours.
#[reactor(
    topic = "names.handler",
    deps! <
        handler: "names.ask"(caller);
        args: "names.ask"(payload) <- with(handler);
        t_args: "names.ask"("a") after args;
        s_args: "names.ask"(format!("{t_args}{args}"));
        n: "names.number"(n) for n in [1, 2]
    >
)]
#[allow(clippy::too_many_arguments)]
fn handler(
    caller: String,
    payload: String,
    handler: String,
    args: String,
    t_args: String,
    s_args: String,
    n: Vec<i64>,
) -> usize {
    [caller, payload, handler, args, t_args, s_args].concat().len() + n.len()
}

fn with(args: (&String,), answer: &str) -> (String,) {
    (format!("{}{answer}", args.0),)
}

#[reactor(topic = "names.outcome")]
fn outcome(outcome: u8) -> Result<u8, String> {
    Ok(outcome)
}

/// Raw identifiers are the names that they write.
#[reactor(
    topic = "names.raw",
    deps! < r#type: "names.number"(1); r#loop: "names.number"(r#type + 1) after r#type; plain: "names.number"() <- r#loop if r#type > 0 else 0 >
)]
fn r#fn(r#type: i64, r#plain: i64) -> i64 {
    r#type + plain
}

/// Scopes: only free names are answers.
#[reactor(
    topic = "names.scopes",
    deps! <
        one: "names.number"(1);
        two: "names.number"([1, 2].iter().map(|one| one + 1).sum::<i64>());
        three: "names.number"(match Some(2) { Some(one) => one, None => two });
        four: "names.number"({ let one = 4; one });
        five: "names.ask"(format!("{one} {{two}}"));
        six: "names.number"(point.one);
        seven: "names.number"(one(7))
    >
)]
#[allow(clippy::too_many_arguments)]
fn scopes(
    point: Point,
    one: i64,
    two: i64,
    three: i64,
    four: i64,
    five: String,
    six: i64,
    seven: i64,
) -> i64 {
    point.one + one + two + three + four + six + seven + i64::try_from(five.len()).unwrap_or_default()
}

#[derive(serde::Deserialize)]
struct Point {
    one: i64,
}

fn one(number: i64) -> i64 {
    number
}

/// A type of a name that generics have.
#[derive(serde::Deserialize)]
struct D(u8);

#[reactor(topic = "names.types")]
fn types(d: D, de: Vec<D>) -> usize {
    de.len() + usize::from(d.0)
}

pub(crate) mod services {
    use fusion::prelude::*;

    /// Serves.
    #[reactor(topic = "names.deep.er")]
    pub(crate) async fn deep(number: i64) -> i64 {
        number
    }
}

use services::deep;

#[reactor(topic = "names.paths", deps! < a: deep(1); b: services::deep(a); c: self::services::deep(b); d: crate::names::deep(c); e: "names.deep.er"(d) >)]
fn paths(e: i64) -> i64 {
    e
}

#[tokio::test]
async fn all() {
    assert_eq!(deep(1).await, 1);
    reactors![handler, outcome, r#fn, scopes, types, paths, services::deep,];
    let empty: fusion_runtime::reactor::Set<_> = reactors![];
    let _: fusion_runtime::reactor::Set<()> = empty;
    reactors![crate = ::fusion, paths];
}
