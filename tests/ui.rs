//! What the compiler says. One rule a file, and the file's name is the rule. Beside `fail/` there is `pass/`, whose
//! programs are modules of `tests/language.rs`: these are only checked, and those are linked once.
//!
//! After a change, `TRYBUILD=overwrite cargo test --test ui` writes the messages anew: read them.

use std::{fs, path::Path};

#[test]
fn messages() {
    let mut missing = Vec::new();
    let cases = trybuild::TestCases::new();
    for folder in fs::read_dir("tests/ui/fail").unwrap() {
        let folder = folder.unwrap().path();
        for file in fs::read_dir(&folder).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_some_and(|end| end == "rs") && !file.with_extension("stderr").exists() {
                missing.push(file);
            }
        }
        cases.compile_fail(Path::new(&folder).join("*.rs"));
    }
    let overwrite = std::env::var_os("TRYBUILD").is_some_and(|value| value == "overwrite");
    assert!(missing.is_empty() || overwrite, "these have no .stderr: {missing:#?}");
}
