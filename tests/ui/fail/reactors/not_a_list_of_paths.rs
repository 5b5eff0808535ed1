#![allow(unused)]

use fusion::prelude::*;

fn main() {
    reactors!["add", sum];
}
