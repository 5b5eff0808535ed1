#![allow(unused)]

use fusion::prelude::*;

#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
struct Plate(String);

#[reactor(window! < plates: "plates" by |plate| plate.clone() >, tumbling = 30s, grace = 2s)]
fn approve(plate: Key<Plate>, plates: Vec<Plate>) {}

fn main() {}
