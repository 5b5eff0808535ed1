#![allow(unused)]

use fusion::prelude::*;

#[reactor(
    window! <
        a: "a" || "b" by id;
        b: "b" or "c" by id;
        c: "c" & "d" by id;
        d: ["d", "e"] by id;
        e: ("e" | "f") by id;
        f: "f"(1) by id;
        g: Vec<u8> by id
    >,
    tumbling = 30s, grace = 2s
)]
fn approve() {}

fn main() {}
