#![allow(unused)]

use fusion::prelude::*;

#[derive(serde::Deserialize)]
struct Bid {
    auction: u64,
    lot: u64,
}

#[reactor(window! < bids: "bids" by |bid| (bid.auction, bid.lot) >, tumbling = 30s, grace = 2s)]
fn taken(lot: Key<(u64, u64)>, bids: Vec<Bid>) {}

#[reactor(window! < bids: "bids" by |bid| (bid.auction, bid.lot) >, tumbling = 30s, grace = 2s)]
fn not_taken(bids: Vec<Bid>) {}

fn main() {}
