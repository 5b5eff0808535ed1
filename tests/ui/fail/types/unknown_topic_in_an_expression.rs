#![allow(unused)]

use fusion::prelude::*;

fn main() {
    let _ = deps! { one: "ad"(1, 2); two: "subtract"(one) if one > 2 };
}
