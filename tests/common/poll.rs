//! The tests' only polls. Nothing here waits for a time to pass and hopes: each asks for a state, again and again until
//! a deadline, because whoever has that state tells nobody when it changes: brokers, counters, files, processes.

use std::{
    fmt::Display,
    future::Future,
    panic::Location,
    time::{Duration, Instant},
};

use super::SOON;

/// Between two looks. A test takes as long as what it looks at, and this.
const PAUSE: Duration = Duration::from_millis(2);

/// Waits until a condition holds, and panics where it was called when that takes longer than `limit`.
#[track_caller]
pub fn eventually(limit: Duration, mut condition: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let caller = Location::caller();
    async move {
        let until = Instant::now() + limit;
        while !condition() {
            pause(limit, until, caller).await;
        }
    }
}

/// The same for a condition that is awaited itself.
#[track_caller]
pub fn eventually_async(
    limit: Duration,
    mut condition: impl AsyncFnMut() -> bool,
) -> impl Future<Output = ()> {
    let caller = Location::caller();
    async move {
        let until = Instant::now() + limit;
        while !condition().await {
            pause(limit, until, caller).await;
        }
    }
}

async fn pause(limit: Duration, until: Instant, caller: &Location<'_>) {
    assert!(Instant::now() < until, "not within {limit:?}, at {caller}");
    tokio::time::sleep(PAUSE).await;
}

/// Asks until there is an answer, on a thread that may block, and panics with the last error when there is none soon.
#[track_caller]
pub fn patiently<T, E: Display>(mut ask: impl FnMut() -> Result<T, E>) -> T {
    let until = Instant::now() + SOON;
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
        std::thread::sleep(PAUSE);
    }
}
