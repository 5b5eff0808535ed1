//! The arguments and keys that a pipeline takes.

use fusion::prelude::*;

/// Something to send.
#[derive(serde::Serialize, serde::Deserialize)]
struct Order {
    id: i64,
}

impl fusion::KeyBytes for Order {}

#[contract(topic = "asks.place")]
fn place(order: Order) -> i64;

#[contract(topic = "asks.several")]
fn several(text: String, number: i64, more: Option<bool>, most: Option<String>) -> i64;

#[contract(topic = "asks.options")]
fn options(number: Option<i64>, more: Option<bool>);

#[contract(topic = "asks.number")]
fn number(number: i64) -> i64;

#[contract(topic = "asks.option")]
fn option(number: Option<u8>) -> i64;

#[contract(topic = "asks.text")]
fn text(text: String) -> i64;

#[contract(topic = "asks.list")]
fn list(numbers: Vec<i64>) -> i64;

#[contract(topic = "asks.point")]
fn point(point: (f64, f64)) -> i64;

fn tuples(to: &Pipeline, order: &Order) {
    drop((to.ask::<place>((order,)), to.ask::<number>((1,)), to.ask::<point>(((1.0, 2.0),))));
    drop((
        to.ask::<several>(("a", 1)),
        to.ask::<several>(("a", 1, true)),
        to.ask::<several>(("a", 1, None, "x")),
    ));
    drop((to.send::<options>(()), to.send::<options>((1,)), to.send::<options>((None, true))));
}

fn alone(to: &Pipeline, order: &Order, name: &String) {
    drop((to.ask::<place>(order), to.send::<number>(1), to.ask::<number>(&2), to.ask::<point>(&(1.0, 2.0))));
    drop((to.ask::<text>("a"), to.ask::<text>(name), to.ask::<text>(name.clone())));
    drop((to.ask::<option>(1), to.ask::<option>(()), to.ask::<option>(&None)));
}

fn lists(to: &Pipeline, numbers: &[i64]) {
    drop((to.ask::<list>(()), to.ask::<list>((1, 2)), to.ask::<list>([1, 2]), to.ask::<list>(&[1, 2])));
    drop((to.ask::<list>(numbers), to.ask::<list>(numbers.to_vec()), to.ask::<list>(&numbers.to_vec())));
}

fn keys(to: &Pipeline, order: &Order, name: &String) {
    let asked = to.ask::<number>(1).key("a").key(name).key(name.clone()).key(&**name);
    let asked = asked.key(7).key(order.id).key(order).key(Some(7)).key(&[1_u8][..]);
    drop((asked, to.send::<number>(1).key("a").key(name)));
}

#[test]
fn all() {
    // They would connect if they ran.
    let _: [fn(&Pipeline, &Order); 1] = [tuples];
    let _: [fn(&Pipeline, &Order, &String); 2] = [alone, keys];
    let _: [fn(&Pipeline, &[i64]); 1] = [lists];
}
