//! Contracts, and reactors that implement one.

use fusion::{Contract, prelude::*};

pub(crate) mod services {
    use fusion::prelude::*;

    /// Adds any number of integers.
    #[contract(topic = "contracts.add", envelope = json)]
    pub(crate) fn add(numbers: Vec<i64>) -> i64;

    /// Ships an article, if there is one.
    #[contract(topic = "contracts.ship", contract = Ship)]
    pub(crate) fn ship(article: String, to: String, express: Option<bool>) -> Option<u64>;

    /// It is done.
    #[contract(topic = "contracts.done", crate = ::fusion)]
    pub(crate) fn done(id: u64);

    /// It is time.
    #[contract(topic = "contracts.tick")]
    pub(crate) fn tick();
}

#[reactor(topic = services::add)]
async fn fake_add(numbers: Vec<i64>) -> i64 {
    numbers.len().try_into().unwrap_or_default()
}

#[reactor(topic = services::Ship, contract = FakeShip, name = "shipping")]
fn ship(article: String, to: String, _: Option<bool>) -> Result<Option<u64>, std::num::ParseIntError> {
    format!("{article}{to}").parse().map(Some)
}

#[reactor(topic = services::done, to = services::tick)]
fn done(id: u64) -> () {
    let _ = id;
}

#[test]
fn a_contract_says_what_it_is() {
    assert_eq!(services::add::TOPIC, "contracts.add");
    assert_eq!(services::add::ENVELOPE, fusion::Envelope::Json);
    assert_eq!(services::Ship::TOPIC, "contracts.ship");
    assert_eq!(<fake_add as fusion::Reactor>::SPEC.topic, "contracts.add");
    assert_eq!(<fake_add as fusion::Reactor>::SPEC.envelope, fusion::Envelope::Json);
    assert_eq!(<FakeShip as fusion::Reactor>::SPEC.name, "shipping");
    assert_eq!(<done as fusion::Reactor>::SPEC.to, Some("contracts.tick"));
    assert_eq!(services::done::TOPIC, "contracts.done");
    reactors![fake_add, FakeShip, done];
}
