#![allow(unused)]

use fusion::prelude::*;

#[reactor(
    window! <
        a "a" by id;
        "b" by id;
        c: by id;
        d: "d" | by id;
        e: "e", "f" by id;
        g: "g" by id until time;
        h: "h" by id, i: "i" by id;
        j: 1 by id;;
        k: "k" by id l: "l" by id
    >,
    tumbling = 30s, grace = 2s
)]
fn approve() {}

fn main() {}
