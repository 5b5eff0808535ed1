#![allow(unused)]

use fusion::prelude::*;

#[reactor(
    window! <
        a: "a" by;
        b: "b" by at time;
        c: "c" by trigger.id();
        d: "d" by || 1;
        e: "e" by async |t| 1;
        f: "f" id;
        g: "g" bye id;
        h: "h" at time by id;
        i: "i" by .id;
        j: "j" by id.;
        k: "k" by type;
        l: "l" by (id, time);
        m: "m" by id at
    >,
    tumbling = 30s, grace = 2s
)]
fn approve() {}

fn main() {}
