//! Whatever the order in which answers arrive, the graph computes what its declaration says.

use std::task::{Context, Poll, Waker};

use fusion::prelude::*;
use proptest::prelude::*;
use serde_json::json;

use crate::{run, services::Services};

#[derive(Clone, Debug, serde::Deserialize)]
struct Input {
    x: i64,
    items: Vec<i64>,
    express: bool,
}

#[derive(Debug, PartialEq, serde::Serialize)]
struct Output {
    a: i64,
    b: i64,
    c: i64,
    d: i64,
    e: bool,
    f: i64,
    g: Option<i64>,
    each: Vec<i64>,
    last: i64,
}

#[reactor(
    topic = "order",
    deps! <
        last: "add"(..each) <- f after d;
        each: "add"(n, f) for n in input.items;
        f: "negate"(d) if e else input.x;
        e: "is_even"(c);
        d: "subtract"(a) <- b;
        c: "add"(b, ..input.items);
        b: "negate"(a);
        a: "add"(input.x, 1);
        g: "subtract"(c) <- cons(d) if input.express
    >
)]
#[allow(clippy::too_many_arguments)]
fn order(
    input: Input,
    a: i64,
    b: i64,
    c: i64,
    d: i64,
    e: bool,
    f: i64,
    g: Option<i64>,
    each: Vec<i64>,
    last: i64,
) -> Output {
    assert_eq!(input.items.len(), each.len());
    Output { a, b, c, d, e, f, g, each, last }
}

/// One request after the other.
fn model(Input { x, items, express }: &Input) -> Output {
    let a = x.wrapping_add(1);
    let b = a.wrapping_neg();
    let c = items.iter().fold(b, |sum, n| sum.wrapping_add(*n));
    let d = a.wrapping_sub(b);
    let e = c % 2 == 0;
    let f = if e { d.wrapping_neg() } else { *x };
    let g = express.then(|| d.wrapping_sub(c));
    let each: Vec<i64> = items.iter().map(|n| n.wrapping_add(f)).collect();
    let last = each.iter().fold(f, |sum, n| sum.wrapping_add(*n));
    Output { a, b, c, d, e, f, g, each, last }
}

proptest! {
    #[test]
    fn evaluation_is_the_model(
        x in -1000_i64..1000,
        items in proptest::collection::vec(-1000_i64..1000, 0..5),
        express: bool,
        order in proptest::collection::vec(any::<prop::sample::Index>(), 40),
    ) {
        // For the clock of the requests; the graph is polled by hand.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let _clock = runtime.enter();
        let input = Input { x, items, express };
        let expected = model(&input);
        let (caller, services) = Services::default().holding().caller();
        let mut evaluated = std::pin::pin!(run::<order>((input.clone(),), caller));
        let mut cx = Context::from_waker(Waker::noop());
        let mut releases = order.iter();
        let output = loop {
            match evaluated.as_mut().poll(&mut cx) {
                Poll::Ready(output) => break output.unwrap(),
                // The graph is stuck only if nothing is asked.
                Poll::Pending => {
                    prop_assert!(services.waiting() > 0);
                    services.release(releases.next().unwrap().index(services.waiting()));
                }
            }
        };
        prop_assert_eq!(output, expected);
        // Everything was asked once, and nothing that a condition excludes.
        let asked = services.asked();
        prop_assert_eq!(asked.len(), 6 + input.items.len() + usize::from(model(&input).e) + usize::from(express));
        prop_assert_eq!(&asked[0], &("add".to_owned(), json!([x, 1])));
    }
}
