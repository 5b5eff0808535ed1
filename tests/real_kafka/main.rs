//! What only a real cluster can show: several processes, several members, topics that are deleted.
//!
//! Without `KAFKA_BOOTSTRAP_SERVERS` every test is ignored. Topics and groups live on in that cluster, so groups are
//! new in each run, and apps begin at the end of their topics.

#![allow(unreachable_pub, reason = "the modules of one program")]

#[path = "../common/mod.rs"]
mod common;

mod child;
mod group;
mod kill;
mod look;
mod offsets;
mod replies;
mod restart;
mod served;
mod story;
mod topics;
mod transactions;
mod window_check;
mod window_drains;
mod window_kinds;
mod window_logs;
mod window_pairs;
mod window_partitions;
mod window_replay;
mod window_sliding;
mod window_soak;
mod window_troubles;
mod windows;
mod work;

use std::{future::Future, pin::Pin, process::ExitCode};

use libtest_mimic::{Arguments, Completion, Trial};

type Test = fn() -> Pin<Box<dyn Future<Output = ()>>>;

macro_rules! tests {
    ($($module:ident :: { $($name:ident),* $(,)? })*) => {
        &[$($((
            concat!(stringify!($module), "::", stringify!($name)),
            || Box::pin($module::$name()),
        )),*),*]
    };
}

const TESTS: &[(&str, Test)] = tests! {
    group::{
        every_record_is_handled_while_members_come_and_go_classic,
        every_record_is_handled_while_members_come_and_go_consumer,
        a_partition_that_was_paused_is_read_again_when_it_comes_back,
        a_member_that_stops_while_it_joins_is_gone_at_once,
    }
    kill::{
        sigterm_under_load_finishes_and_commits,
        a_handler_that_does_not_end_is_left_uncommitted,
        the_survivor_takes_over_from_a_killed_member,
        a_member_that_stood_still_commits_nothing_of_what_it_lost,
    }
    offsets::{
        a_gap_ends_the_app_and_says_where,
        a_partition_that_is_overtaken_goes_on_behind_the_gap_classic,
        a_partition_that_is_overtaken_goes_on_behind_the_gap_consumer,
        a_group_begins_where_it_was_told,
        the_end_is_chosen_once,
        partitions_that_come_later_are_read_from_their_beginning,
    }
    replies::{
        an_inbox_is_deleted_and_keeps_nothing_for_long,
        ephemeral_topics_do_not_disturb_each_other,
        nobody_asks_a_closed_pipeline,
    }
    story::{three_services_answer_in_whatever_order_they_start}
    topics::{missing_topics_are_created_as_configured, missing_topics_are_named}
    windows::{
        a_log_loses_what_no_window_needs,
        copartitioned_sources_keep_what_windows_need,
        one_result_per_copartitioned_window_however_members_die,
        one_result_per_window_however_members_die,
    }
    window_kinds::{
        each_record_is_in_a_session_or_late_however_members_die,
        each_update_is_sent_once_and_in_order_however_members_die,
        each_record_is_in_its_sliding_windows_or_late_however_members_die,
        each_sliding_update_is_sent_once_and_in_order_however_members_die,
        windows_close_with_an_idle_that_is_shorter_than_transactions_take,
    }
    window_drains::{a_drain_is_over_once_however_members_die}
    window_partitions::{
        what_roundrobin_gives_is_refused,
        what_the_uniform_assignor_gives_is_refused,
        a_source_that_grows_ends_the_app,
        a_source_that_grew_ends_the_next_app,
        copartitioned_sources_that_grow_end_the_app,
    }
    window_pairs::{a_window_is_complete_once_however_members_die}
    served::{
        what_was_finished_beyond_a_slow_record_survives_a_kill,
        what_was_finished_beyond_a_slow_record_survives_a_revoke,
        one_result_per_window_beside_a_reactor_however_members_die,
        members_with_a_reactor_beside_a_window_come_and_go,
    }
    window_logs::{
        a_log_is_made_to_keep_everything,
        a_log_that_would_lose_records_is_refused_until_it_is_mended,
    }
    window_troubles::{
        members_of_a_copartitioned_window_come_and_go_every_second_classic,
        members_of_a_copartitioned_window_come_and_go_every_second_consumer,
        a_graph_behind_a_window_is_asked_however_members_die,
        members_come_and_go_every_second_classic,
        members_come_and_go_every_second_consumer,
        what_an_idle_member_leaves_unread_is_not_late,
        a_member_that_lags_closes_nothing_early,
        a_member_that_stood_still_sends_no_result_again,
    }
    transactions::{
        what_is_committed_counts_once,
        an_abort_repeats_the_same_batch,
        a_zombie_commits_nothing,
        an_open_outcome_ends_with_one_copy,
        a_restart_ends_what_was_left_open,
        the_metadata_of_others_is_read_and_refused,
    }
};

/// What nobody else may be disturbed by: one by one, when all others have ended.
const ALONE: &[(&str, Test)] = tests! {
    restart::{asks_and_work_go_on_when_nodes_restart}
    window_troubles::{brokers_that_are_away_close_nothing_early}
};

fn main() -> ExitCode {
    if let Some(code) = child::run() {
        return code;
    }
    let mut arguments = Arguments::from_args();
    // They wait most of the time.
    arguments.test_threads.get_or_insert(4);
    let trials = |tests: &[(&'static str, Test)], run: fn(Test) -> Completion| {
        tests.iter().map(|&(name, test)| Trial::ignorable_test(name, move || Ok(run(test)))).collect()
    };
    let together = libtest_mimic::run(&arguments, trials(TESTS, on_real));
    arguments.test_threads = Some(1);
    let alone = libtest_mimic::run(&arguments, trials(ALONE, on_ours));
    if together.has_failed() { together.exit_code() } else { alone.exit_code() }
}

fn on_real(test: Test) -> Completion {
    if !common::on_real() {
        return Completion::ignored_with("needs a real Kafka");
    }
    run(test)
}

fn on_ours(test: Test) -> Completion {
    if !restart::is_ours() {
        return Completion::ignored_with("needs the cluster of scripts/kafka");
    }
    run(test)
}

fn run(test: Test) -> Completion {
    runtime().block_on(test());
    Completion::Completed
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
