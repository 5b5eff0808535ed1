//! Windows of every kind whose members are killed at any moment, and of which much comes late and some cannot be read: each
//! record is in a result, late or a dead letter, and each result is what the window's log says.

use std::time::Duration;

use fusion::{Window, prelude::*};
use fusion_runtime::window::core::{Kind, Rules};

use crate::{
    window_replay::{Fired, ways},
    window_sliding,
    window_soak::Story,
    windows::{Members, Reading, Variant},
};

pub fn fired(id: Key<String>, readings: Vec<Reading>, window: Window) -> Fired {
    let mut numbers: Vec<u64> = readings.into_iter().map(|reading| reading.number).collect();
    numbers.sort_unstable();
    let reason = window.reason().as_str().to_owned();
    Fired { id: id.0, start: window.start_millis(), end: window.end_millis(), reason, numbers }
}

#[reactor(
    window! < readings: "soak.runs.brake" | "soak.runs.lidar" | "soak.runs.camera" | "soak.runs.radar" by id at time >,
    session = 1s, longest = 4s, grace = 500ms, idle = 3s,
    late = "soak.runs.late", to = "soak.runs.results",
)]
pub fn sessions(id: Key<String>, readings: Vec<Reading>, window: Window) -> Fired {
    fired(id, readings, window)
}

#[reactor(
    window! < readings: "soak.hops.brake" | "soak.hops.lidar" | "soak.hops.camera" | "soak.hops.radar" by id at time >,
    hopping = 2s, advance = 1s, grace = 500ms, idle = 3s, emit = updates,
    late = "soak.hops.late", to = "soak.hops.results",
)]
pub fn updates(id: Key<String>, readings: Vec<Reading>, window: Window) -> Fired {
    fired(id, readings, window)
}

/// Long ones: they take much that is too late for the window that ends at it.
#[reactor(
    window! < readings: "soak.slides.brake" | "soak.slides.lidar" | "soak.slides.camera" | "soak.slides.radar"
              by id at time >,
    sliding = 3s, grace = 500ms, idle = 3s,
    late = "soak.slides.late", to = "soak.slides.results",
)]
pub fn slides(id: Key<String>, readings: Vec<Reading>, window: Window) -> Fired {
    fired(id, readings, window)
}

/// Short ones: each record is in all that begin behind the ones before it, and each of these is sent again.
#[reactor(
    window! < readings: "soak.moves.brake" | "soak.moves.lidar" | "soak.moves.camera" | "soak.moves.radar"
              by id at time >,
    sliding = 250ms, grace = 500ms, idle = 3s, emit = updates,
    late = "soak.moves.late", to = "soak.moves.results",
)]
pub fn moves(id: Key<String>, readings: Vec<Reading>, window: Window) -> Fired {
    fired(id, readings, window)
}

/// Less than transactions take on a bad day.
#[reactor(
    window! < readings: "soak.brief.brake" | "soak.brief.lidar" | "soak.brief.camera" | "soak.brief.radar" by id at time >,
    tumbling = 1s, grace = 200ms, idle = 300ms,
    late = "soak.brief.late", to = "soak.brief.results",
)]
pub fn brief(id: Key<String>, readings: Vec<Reading>, window: Window) -> Fired {
    fired(id, readings, window)
}

const SESSIONS: Variant = Variant {
    name: "sessions",
    sources: ["soak.runs.brake", "soak.runs.lidar", "soak.runs.camera", "soak.runs.radar"],
    results: "soak.runs.results",
};

const UPDATES: Variant = Variant {
    name: "updates",
    sources: ["soak.hops.brake", "soak.hops.lidar", "soak.hops.camera", "soak.hops.radar"],
    results: "soak.hops.results",
};

const SLIDES: Variant = Variant {
    name: "slides",
    sources: ["soak.slides.brake", "soak.slides.lidar", "soak.slides.camera", "soak.slides.radar"],
    results: "soak.slides.results",
};

const MOVES: Variant = Variant {
    name: "moves",
    sources: ["soak.moves.brake", "soak.moves.lidar", "soak.moves.camera", "soak.moves.radar"],
    results: "soak.moves.results",
};

const BRIEF: Variant = Variant {
    name: "brief",
    sources: ["soak.brief.brake", "soak.brief.lidar", "soak.brief.camera", "soak.brief.radar"],
    results: "soak.brief.results",
};

pub async fn each_record_is_in_a_session_or_late_however_members_die() {
    let rules = Rules::new(Kind::Session { gap: 1_000, longest: 4_000 }, 500, ways());
    let mut story = Story::begin(&SESSIONS, rules, 3_000).await;
    story.load(Members::kill_some).await;
    let outcome = story.end().await;
    outcome.check_sum();
    outcome.check_time();
    assert!(outcome.has("closed") && outcome.has("longest"), "not all that can happen did");
}

pub async fn each_update_is_sent_once_and_in_order_however_members_die() {
    let rules = Rules::new(Kind::Hopping { size: 2_000, advance: 1_000 }, 500, ways()).updates();
    let mut story = Story::begin(&UPDATES, rules, 3_000).await;
    story.load(Members::kill_some).await;
    story.end().await.check_time();
}

pub async fn each_record_is_in_its_sliding_windows_or_late_however_members_die() {
    let rules = Rules::new(Kind::Sliding { size: 3_000 }, 500, ways());
    let mut story = Story::begin(&SLIDES, rules, 3_000).await;
    story.load(Members::kill_some).await;
    let outcome = story.end().await;
    outcome.check_time();
    window_sliding::check(&outcome, 3_000);
    assert!(outcome.has("closed"));
}

pub async fn each_sliding_update_is_sent_once_and_in_order_however_members_die() {
    let rules = Rules::new(Kind::Sliding { size: 250 }, 500, ways()).updates();
    let mut story = Story::begin(&MOVES, rules, 3_000).await;
    story.load(Members::kill_some).await;
    let outcome = story.end().await;
    outcome.check_time();
    window_sliding::check(&outcome, 250);
}

/// Again and again, because each silence is a chance to close too early, or never.
pub async fn windows_close_with_an_idle_that_is_shorter_than_transactions_take() {
    let rules = Rules::new(Kind::Tumbling { size: 1_000 }, 200, ways());
    let mut story = Story::begin(&BRIEF, rules, 300).await;
    for _ in 0..4 {
        story.load(async |_| tokio::time::sleep(Duration::from_millis(1_500)).await).await;
        story.close().await;
    }
    let outcome = story.end().await;
    outcome.check_sum();
    assert!(outcome.has("idle"));
}
