#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Trigger {
    id: String,
    time: i64,
}

#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
struct Plate(String);

struct Approval;

#[reactor(
    window! < triggers: "brake" by id; others: "lidar" by identifier at moment; plates: "plates" by |plate| plate.clone() >,
    hopping = 30s, advance = 10s, grace = 2s, to = "approvals"
)]
fn approve(plate: Key<Plate>, triggers: Trigger, others: Vec<Trigger>, plates: Vec<Plate>) -> Approval {
    Approval
}

fn list() {
    reactors![approve];
}

fn main() {}
