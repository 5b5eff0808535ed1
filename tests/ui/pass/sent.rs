//! What may be sent where with `to`.

use fusion::prelude::*;

pub(crate) mod targets {
    use fusion::prelude::*;

    /// Takes a text.
    #[contract(topic = "sent.text")]
    pub(crate) fn text(text: String) -> i64;

    /// Takes a number, or none.
    #[contract(topic = "sent.maybe")]
    pub(crate) fn maybe(number: Option<i64>);

    /// Takes any number of them.
    #[contract(topic = "sent.list")]
    pub(crate) fn list(numbers: Vec<i64>);

    /// Takes several.
    #[contract(topic = "sent.several")]
    pub(crate) fn several(text: String, number: i64, more: Option<bool>);

    /// Is told that it is time.
    #[contract(topic = "sent.tick")]
    pub(crate) fn tick();

    /// A tuple is one parameter.
    #[reactor(topic = "sent.point")]
    pub(crate) fn point(_: (f64, f64)) {}
}

#[reactor(topic = "sent.from.tupleer", to = "sent.text")]
fn pointer() -> Option<Box<str>> {
    None
}

#[reactor(topic = "sent.from.failing", to = targets::text)]
fn failing() -> Result<String, String> {
    Err(String::new())
}

#[reactor(topic = "sent.from.optional", to = "sent.maybe")]
fn optional() -> Option<i64> {
    None
}

#[reactor(topic = "sent.from.list", to = "sent.list")]
fn list() -> Vec<i64> {
    vec![]
}

#[reactor(topic = "sent.from.array", to = targets::list)]
fn array() -> [i64; 3] {
    [1, 2, 3]
}

#[reactor(topic = "sent.from.tuple_for_a_list", to = "sent.list")]
fn tuple_for_a_list() -> (i64, i64) {
    (1, 2)
}

#[reactor(topic = "sent.from.every", to = targets::several)]
fn every() -> (String, i64, bool) {
    (String::new(), 1, true)
}

#[reactor(topic = "sent.from.beginning", to = "sent.several")]
fn beginning() -> Result<Option<(String, i64)>, String> {
    Ok(None)
}

#[reactor(topic = "sent.from.nothing", to = targets::tick)]
fn nothing() -> () {}

#[reactor(topic = "sent.from.tuple", to = "sent.point")]
fn tuple() -> (f64, f64) {
    (0.0, 0.0)
}

#[reactor(topic = "sent.from.undeclared", to = "sent.undeclared")]
fn undeclared() -> u8 {
    0
}

#[test]
fn they_are_reactors() {
    reactors![
        pointer,
        failing,
        optional,
        list,
        array,
        tuple_for_a_list,
        every,
        beginning,
        nothing,
        tuple,
        undeclared,
        targets::point
    ];
    assert_eq!(<nothing as fusion::Reactor>::SPEC.to, Some("sent.tick"));
    assert_eq!(<undeclared as fusion::Reactor>::SPEC.to, Some("sent.undeclared"));
}
