//! A crate of contracts needs no runtime: this compiles with `--no-default-features` as well.

use fusion::{Answers, Contract, Envelope, prelude::*};

mod contracts {
    use fusion::prelude::*;

    /// Adds any number of integers.
    #[contract(topic = "add")]
    pub fn add(numbers: Vec<i64>) -> i64;

    /// Reserves some of an article.
    #[contract(topic = "stock.reserve", contract = Reserve, envelope = json)]
    pub fn reserve(article: Article, count: Option<u32>) -> bool;

    /// An article was sold.
    #[contract(topic = "stock.sold")]
    pub fn sold(article: u64);

    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct Article {
        pub id: u64,
    }
}

fn topic_of_what_answers<C: Answers>() -> (&'static str, Envelope) {
    (C::TOPIC, C::ENVELOPE)
}

#[test]
fn contracts_need_no_runtime() {
    let _: Headers = Headers::new();
    assert_eq!(topic_of_what_answers::<contracts::add>(), ("add", Envelope::Headers));
    assert_eq!(topic_of_what_answers::<contracts::Reserve>(), ("stock.reserve", Envelope::Json));
    assert_eq!(contracts::sold::TOPIC, "stock.sold");
}
