//! The language of `deps!`, clause by clause, in a reactor and as an expression.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use fusion::prelude::*;

#[contract(topic = "deps.add")]
fn add(numbers: Vec<i64>) -> i64;

#[contract(topic = "deps.pair")]
fn pair(left: i64, right: i64) -> i64;

#[contract(topic = "deps.greet")]
fn greet(name: String, times: Option<u8>) -> String;

#[contract(topic = "deps.tags")]
fn tags(tags: Vec<String>, more: Option<Vec<u8>>, item: Option<Item>) -> bool;

#[contract(topic = "deps.nothing")]
fn nothing() -> ();

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Item {
    name: String,
    price: i64,
}

#[derive(serde::Deserialize)]
struct Order {
    items: Vec<Item>,
    prices: BTreeMap<String, i64>,
    note: Option<String>,
    limit: Box<i64>,
}

fn twice(args: (i64,), answer: i64) -> (i64, i64) {
    (answer * 2, args.0)
}

fn none((): (), answer: i64) -> (i64,) {
    (answer,)
}

mod own {
    pub(crate) fn named<'a>(args: (&'a String,), answer: &String) -> (&'a String, u8) {
        (args.0, u8::from(answer.is_empty()))
    }
}

#[reactor(
    topic = "deps.all",
    deps! <
        // Arguments.
        one: "deps.add"(1, 2, 3,);
        list: "deps.add"(..order.prices.values(), 1, ..[2, 3], ..0..4);
        text: "deps.greet"("a");
        owned: "deps.greet"(String::from("a"), 3);
        borrowed: "deps.greet"(order.items[0].name, Some(3));
        vec: "deps.tags"(["a", "b"]);
        slice: "deps.tags"(&["a".to_owned()][..], vec![1], order.items[0].clone());
        pointer: "deps.pair"(order.limit, Arc::new(2));
        cow: "deps.greet"(Cow::Borrowed("a"));
        // Injections.
        last: "deps.pair"(1) <- one;
        first: "deps.pair"(1) <- cons(one);
        both: "deps.pair"() <- one, list;
        chain: "deps.pair"() <- one <- cons(list);
        function: "deps.pair"(1) <- twice(one);
        deep: "deps.greet"(order.items[0].name) <- own::named(text);
        three: "deps.add"(1) <- twice(one) <- cons(list) <- conj(first);
        from_none: "deps.add"() <- none(one);
        // Clauses.
        late: "deps.nothing"() after one, two;
        two: "deps.add"(one) if one > 1 && order.limit > Box::new(3);
        maybe: "deps.add"(two.unwrap_or(3)) if is_there(order.note.as_ref()) else 5;
        each: "deps.greet"(item.name) for item in order.items;
        pairs: "deps.greet"(name, u8::from(*price > 1)) for (name, price) in &order.prices;
        range: "deps.add"(i, one) if one != 2 for i in 0..one within 2s retry 1 else i * 2;
        again: "deps.greet"(name) for name in each;
        stated: "deps.elsewhere"(1, "a", order.items[0]) -> BTreeMap<String, Vec<i64>> within 500ms;
        same: "deps.add"(i64::from(one < -1)) -> i64;
        path: pair(1, 2) -> i64 retry 2
    >
)]
#[allow(clippy::too_many_arguments)]
fn all(
    order: Order,
    one: i64,
    two: Option<i64>,
    each: Vec<Answer<String>>,
    range: Option<Vec<Answer<i64>>>,
    maybe: Result<i64, CallError>,
    stated: Result<BTreeMap<String, Vec<i64>>, CallError>,
    again: Result<Vec<String>, CallError>,
    text: Answer<String>,
    pairs: Vec<String>,
    late: (),
) -> i64 {
    let () = late;
    drop((each, range, maybe, stated, again, text, pairs));
    one + two.unwrap_or_default() + *order.limit
}

fn is_there(note: Option<&String>) -> bool {
    note.is_some()
}

#[test]
fn expressions() {
    let order = Item { name: "a".to_owned(), price: 2 };
    let items: &[i64] = &[1, 2];
    let name = &order.name;
    let graph = deps! {
        crate = ::fusion;
        one: "deps.add"(order.price, 1);
        two: "deps.greet"(name);
        three: "deps.greet"(two, 3u8) if !name.is_empty();
        each: "deps.add"(*item) for item in items
    };
    let _ = graph;
    let _ = deps!(< one: "deps.add"(..items) >);
    let _ = deps! { one: "deps.nothing"() };
    assert_eq!(order.price, 2);
    reactors![all];
}
