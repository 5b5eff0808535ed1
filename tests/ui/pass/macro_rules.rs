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

pub(crate) mod framework {
    pub(crate) mod reexports {
        pub(crate) use ::fusion as messages;
    }
}

/// What a framework would write, for users who do not know `fusion` by its name.
macro_rules! framework {
    ($name:ident, $topic:expr_2021) => {
        #[reactor(
            topic = "macro_rules.framework",
            crate = $crate::macro_rules::framework::reexports::messages,
            deps! < one: "macro_rules.number"($topic); two: number(one) if one > 1 else 2 >
        )]
        fn $name(one: i64, two: i64) -> i64 {
            one + two
        }

        fn reactors() -> impl Sized {
            reactors![crate = $crate::macro_rules::framework::reexports::messages; $name]
        }

        fn graph() -> impl Sized {
            deps! { crate = $crate::macro_rules::framework::reexports::messages; one: "macro_rules.number"($topic) }
        }
    };
}

framework!(framed, 1 + 1);

macro_rules! graph {
    ($one:ident = $value:expr; $($rest:tt)*) => {
        deps! { $one: "macro_rules.number"($value); local: "macro_rules.number"($one + $value); $($rest)* }
    };
}

#[test]
fn all() {
    let outer = 3;
    let _ = graph!(one = outer; two: "macro_rules.number"(one + local));
    let _ = (reactors(), graph());
    reactors![add, other];
}
