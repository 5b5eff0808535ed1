//! The window core against the cases of `cases.json`, or of the file that `FUSION_WINDOW_CASES` names: one test for each.
//!
//! Each case runs as it stands, then again with a restart before each row, and where its windows could be copartitioned
//! once more with a log for each partition.

#![allow(unreachable_pub, reason = "the modules of one program")]

mod case;
mod drive;
mod expect;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use case::{Case, File};
use drive::Restart;

fn main() -> ExitCode {
    let text = match std::env::var_os("FUSION_WINDOW_CASES") {
        None => include_str!("cases.json").to_owned(),
        Some(path) => match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => return fail(&format!("{}: {error}", path.display())),
        },
    };
    let cases = match serde_json::from_str::<File>(&text) {
        Ok(file) if file.format == 1 => file.cases,
        Ok(file) => return fail(&format!("the cases have format {}, and this reads 1", file.format)),
        Err(error) => return fail(&format!("the cases cannot be read: {error}")),
    };
    let trials = cases
        .into_iter()
        .map(|case| Trial::test(case.name.clone(), move || run(&case).map_err(libtest_mimic::Failed::from)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}

fn run(case: &Case) -> Result<(), String> {
    expect::check(case, &drive::one_log(case, Restart::AsWritten)?)?;
    for row in 0..=case.input.len() {
        expect::check(case, &drive::one_log(case, Restart::AlsoBefore(row))?)
            .map_err(|error| format!("with a restart before row {row}: {error}"))?;
    }
    if case.could_be_copartitioned() {
        expect::check(case, &drive::log_per_partition(case)?)
            .map_err(|error| format!("with a log for each partition: {error}"))?;
    }
    Ok(())
}
