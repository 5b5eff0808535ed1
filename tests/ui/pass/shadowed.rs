//! Where every name that an expansion could have meant is something else.
#![allow(non_camel_case_types, dead_code, clippy::items_after_statements)]

macro_rules! strangers {
    ($($name:ident)*) => { $(#[allow(dead_code)] struct $name;)* };
}

strangers! {
    Result Option Ok Err Some None String Vec Box Send Sync Sized Future Into From Clone Copy Debug IntoIterator Default
    Contract Answers Declared Topic TopicId Reactor Caller Failure CallError Seen Stored Declaration Nil Cons
}

mod fusion {}
mod std {}
mod core {}
mod alloc {}

mod macros {
    #![allow(unused_macros)]
    macro_rules! panic {
        ($($t:tt)*) => {
            compile_error!("captured")
        };
    }
    macro_rules! unreachable {
        ($($t:tt)*) => {
            compile_error!("captured")
        };
    }
    macro_rules! assert {
        ($($t:tt)*) => {
            compile_error!("captured")
        };
    }
    macro_rules! stringify {
        ($($t:tt)*) => {
            compile_error!("captured")
        };
    }
    macro_rules! join {
        ($($t:tt)*) => {
            compile_error!("captured")
        };
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Order {
        id: i64,
        items: Vec<i64>,
    }

    #[::fusion::reactor(topic = "shadowed.add")]
    async fn add(numbers: Vec<i64>) -> i64 {
        numbers.iter().sum()
    }

    #[::fusion::reactor(
        topic = "shadowed.sum",
        deps! <
            one: "shadowed.add"(1, order.id);
            two: "shadowed.add"(2) <- cons(one) else 3;
            all: "shadowed.add"(item) if one > 2 for item in order.items
        >,
        to = "shadowed.out", within = 3s, retry = 1, order = none, concurrency = 2
    )]
    async fn sum(order: Order, one: i64, two: i64, all: Option<Vec<i64>>) -> i64 {
        order.id + one + two + all.iter().flatten().sum::<i64>()
    }

    #[allow(dead_code)]
    fn all() {
        ::fusion::reactors![add, sum];
    }
}

#[::fusion::contract(topic = "shadowed.negate")]
fn negate(number: i64) -> i64;

#[::fusion::reactor(topic = "shadowed.ask", deps! < one: "shadowed.negate"(number) retry 2; two: negate(1) after one if *flag >)]
fn ask(number: i64, flag: ::std::boxed::Box<bool>, one: i64, two: ::std::option::Option<i64>) -> i64 {
    number + i64::from(*flag) + one + two.unwrap_or_default()
}

#[::fusion::reactor(topic = negate)]
fn double(number: i64) -> i64 {
    -number
}

fn expression(order: i64) {
    let answers = ::fusion::deps! {
        one: "shadowed.negate"(order) else 0;
        two: "shadowed.negate"() <- one
    };
    let _ = answers;
    ::fusion::reactors![ask, double];
}
