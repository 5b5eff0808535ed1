//! The same program as another process.

use std::{
    path::Path,
    process::{Child as Process, Command, ExitCode, ExitStatus},
    time::{Duration, Instant},
};

use fusion::Start;

use crate::{common::eventually, runtime, served, story, windows, work};

const ROLE: &str = "FUSION_REAL_KAFKA_ROLE";

/// What this process is to do if it is a child, and what came of it.
pub fn run() -> Option<ExitCode> {
    let role = std::env::var(ROLE).ok()?;
    let words: Vec<&str> = role.split(' ').collect();
    let served = runtime().block_on(async {
        match &words[..] {
            ["serve", service, group] => story::serve(service, group).await,
            ["work", worker, group, member, stop, log] => {
                let log = work::Log::open(Path::new(log), member);
                let stop = Duration::from_millis(stop.parse().unwrap());
                let config = work::config().start(Start::Earliest).stop_limit(stop);
                work::app(worker, group, config, log).run().await
            }
            ["served", group, slow, log] => {
                served::serve(group, slow.parse().unwrap(), work::Log::open(Path::new(log), slow)).await
            }
            ["windows", variant, group, protocol] => windows::serve(variant, group, protocol).await,
            _ => panic!("no role `{role}`"),
        }
    });
    Some(match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{role}: {error}");
            ExitCode::FAILURE
        }
    })
}

/// A process that ends with the test.
pub struct Child(Process);

impl Child {
    /// Words without spaces.
    pub fn start(role: &[&str]) -> Child {
        let program = std::env::current_exe().unwrap();
        Child(Command::new(program).env(ROLE, role.join(" ")).spawn().unwrap())
    }

    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Has the process stand still, without an end of its connections.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let told = Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// How it ended, and how long that took from now on.
    pub async fn ended(&mut self, limit: Duration) -> (ExitStatus, Duration) {
        let began = Instant::now();
        let mut ended = None;
        eventually(limit, || {
            ended = self.0.try_wait().unwrap();
            ended.is_some()
        })
        .await;
        (ended.unwrap(), began.elapsed())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
