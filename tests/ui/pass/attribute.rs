//! Every option, every kind of parameter, every form of return.

use std::{collections::HashMap, time::Duration};

use fusion::{Envelope, HandIn, Order, Reactor, ReactorSpec, Run, prelude::*};

#[reactor(
    topic = "attribute.every",
    name = "every",
    contract = EveryContract,
    to = "attribute.out",
    within = 1.5m,
    retry = 0,
    order = partition,
    concurrency = 8,
    envelope = json,
    crate = ::fusion,
)]
async fn every_option(value: u64) -> Option<u64> {
    Some(value)
}

#[reactor(topic = "attribute.defaults")]
fn defaults() {}

/// The tenant of a record.
struct Tenant;

impl HandIn for Tenant {
    fn hand_in(_: &Run<'_>) -> Result<Self, Failure> {
        Ok(Tenant)
    }
}

#[derive(serde::Deserialize)]
struct Window {
    width: u32,
}

#[reactor(topic = "attribute.hand_ins")]
async fn hand_ins(
    state: State<HashMap<String, u64>>,
    cx: Context,
    #[hand_in] _tenant: Tenant,
    key: Key<String>,
    headers: Headers,
    #[payload] window: Window,
    other: fusion::State<u8>,
) -> Result<u64, Failure> {
    drop((headers, other));
    let length = state.get(&*key).copied().unwrap_or_default();
    Ok(length + u64::from(window.width) + u64::from(cx.attempt()))
}

/// What an app hands in may live for ever.
#[reactor(topic = "attribute.statics")]
#[allow(clippy::type_complexity)]
fn statics(
    name: State<&'static str>,
    names: State<HashMap<&'static str, &'static [u8]>>,
    shorten: State<for<'a> fn(&'a str) -> &'a str>,
    count: State<Box<dyn Fn(&str) -> usize + Send + Sync>>,
    #[hand_in] _region: &'static Region,
) -> usize {
    names.len() + count(shorten(*name))
}

struct Region;

impl HandIn for &'static Region {
    fn hand_in(_: &Run<'_>) -> Result<Self, Failure> {
        Ok(&Region)
    }
}

#[reactor(topic = "attribute.patterns")]
fn patterns((a, b): (u8, u8), mut sum: u16, _: bool, #[payload] Window { width }: Window) -> u32 {
    sum += u16::from(a) + u16::from(b);
    width + u32::from(sum)
}

#[reactor(topic = "attribute.mutable", deps! < one: "attribute.options"(sum) >)]
fn mutable(mut sum: u8, mut one: u8, cx: Context) -> u8 {
    one += u8::from(cx.attempt() > 1);
    sum += one;
    sum
}

#[reactor(topic = "attribute.options")]
fn options(a: u8, b: Option<u8>, c: Option<u8>) -> u8 {
    a + b.unwrap_or_default() + c.unwrap_or_default()
}

#[reactor(topic = "attribute.option")]
fn option(only: Option<u8>) -> u8 {
    only.unwrap_or_default()
}

#[reactor(topic = "attribute.io", deps! { a: "attribute.options"(1); b: "attribute.option"(); c: "attribute.options"(1, a) })]
async fn io(a: u8, b: Answer<u8>, c: Result<Answer<u8>, CallError>) -> std::io::Result<u8> {
    Ok(a + b.value + c.map(|c| c.value).unwrap_or_default())
}

/// What is handed in has its name in the nodes too; failures may come with their requests.
#[reactor(
    topic = "attribute.all_answers",
    deps! <
        place: "attribute.place"(cx.topic()) -> String;
        one: "attribute.options"(u8::from(key.is_empty())) -> u8 if cx.attempt() > 1;
        each: "attribute.option"(n) for n in 0..3;
        some: "attribute.option"(n) if cx.attempt() > 1 for n in [1, 2]
    >
)]
fn all_answers(
    cx: Context,
    key: Key<String>,
    place: Result<Answer<String>, CallError>,
    one: Result<Option<Answer<u8>>, CallError>,
    each: Result<Vec<Answer<u8>>, CallError>,
    some: Result<Option<Vec<Answer<u8>>>, CallError>,
) -> bool {
    drop(key);
    place.is_ok() && one.is_ok() && each.is_ok() && some.is_ok() && cx.hops() > 1
}

#[reactor(topic = "attribute.text", deps!(a: "attribute.options"(1)))]
async fn text(a: u8) -> Result<(), String> {
    if a > 1 { Err("too much".to_owned()) } else { Ok(()) }
}

#[reactor(topic = "attribute.unit", deps![a: "attribute.options"(1); _b: "attribute.options"(2)])]
fn unit(a: u8) -> () {
    let _ = a;
}

#[reactor(topic = "attribute.twelve")]
#[allow(clippy::too_many_arguments)]
fn twelve(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8) -> [u8; 12] {
    [a, b, c, d, e, f, g, h, i, j, k, l]
}

#[cfg(any())]
#[reactor(topic = "attribute.defaults")]
fn never() {}

#[reactor(topic = "attribute.unit")]
#[cfg(any())]
fn neither() {}

/// An error is only told, so it need not be owned.
#[reactor(topic = "attribute.borrowed_error")]
fn borrowed_error(number: u8) -> Result<u8, &'static str> {
    number.checked_add(1).ok_or("too large")
}

#[test]
fn the_attribute_says_what_it_says() {
    let ReactorSpec { name, topic, to, optional, within, retry, order, concurrency, envelope, .. } =
        EveryContract::SPEC;
    assert_eq!((name, topic, to, optional), ("every", "attribute.every", Some("attribute.out"), true));
    assert_eq!((within, retry, concurrency), (Duration::from_secs(90), 0, 8));
    assert!(matches!((order, envelope), (Order::Partition, Envelope::Json)));
    let ReactorSpec { name, asks, to, optional, within, retry, order, concurrency, envelope, .. } =
        defaults::SPEC;
    assert_eq!((name, asks.len(), to, optional), ("defaults", 0, None, false));
    assert_eq!((within, retry, concurrency), (Duration::from_secs(30), 3, 64));
    assert!(matches!((order, envelope), (Order::Key, Envelope::Headers)));
    assert_eq!(io::SPEC.asks, ["attribute.options", "attribute.option", "attribute.options"]);
    reactors![
        EveryContract,
        defaults,
        hand_ins,
        patterns,
        mutable,
        options,
        option,
        io,
        all_answers,
        text,
        unit,
        twelve,
        borrowed_error,
        statics
    ];
}
