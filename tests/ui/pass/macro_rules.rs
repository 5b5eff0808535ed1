//! What a `macro_rules!` passes on arrives in invisible groups.

use fusion::prelude::*;

macro_rules! service {
    ($name:ident, $topic:literal, $other:literal, $ty:ty, $value:expr, $within:literal, $path:path) => {
        /// Made by a macro.
        #[reactor(
                                    topic = $topic,
                                    within = $within,
                                    deps! <
                                        one: $other($value) -> $ty;
                                        two: $other(one + $value) within $within;
                                        three: $path($value) else $value
                                    >
                                )]
        fn $name(payload: $ty, one: $ty, two: $ty, three: $ty) -> Result<$ty, String> {
            Ok(payload + one + two + three)
        }

        #[reactor(topic = $path)]
        fn other(value: $ty) -> $ty {
            value
        }
    };
}

#[contract(topic = "macro_rules.number")]
fn number(number: i64) -> i64;

service!(add, "macro_rules.add", "macro_rules.number", i64, 1 + 2, 30s, number);

macro_rules! graph {
    ($one:ident = $value:expr; $($rest:tt)*) => {
        deps! { $one: "macro_rules.number"($value); local: "macro_rules.number"($one + $value); $($rest)* }
    };
}

#[test]
fn all() {
    let outer = 3;
    let _ = graph!(one = outer; two: "macro_rules.number"(one + local));
    reactors![add, other];
}
