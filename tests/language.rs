//! Programs that use every construct of the language, most of them in unkind surroundings. That they compile
//! without a warning is all that is tested here.
#![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
// What is left is about the handlers, not about what is made of them.
#![allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps, clippy::unused_async)]
#![allow(clippy::many_single_char_names, clippy::ptr_arg, clippy::boxed_local, clippy::let_and_return)]

#[path = "ui/pass/asks.rs"]
mod asks;
#[path = "ui/pass/attribute.rs"]
mod attribute;
#[path = "ui/pass/contracts.rs"]
mod contracts;
#[path = "ui/pass/deps.rs"]
mod deps;
#[path = "ui/pass/macro_rules.rs"]
mod macro_rules;
#[path = "ui/pass/names.rs"]
mod names;
#[path = "ui/pass/sent.rs"]
mod sent;
#[path = "ui/pass/shadowed.rs"]
mod shadowed;
#[path = "ui/pass/story.rs"]
mod story;

#[path = "ui/pass/window.rs"]
mod window;
#[path = "ui/pass/window_names.rs"]
mod window_names;

#[test]
fn all_programs_are_listed() {
    let listed = include_str!("language.rs");
    for program in std::fs::read_dir("tests/ui/pass").unwrap() {
        let name = program.unwrap().file_name().into_string().unwrap();
        assert!(listed.contains(&format!("ui/pass/{name}")), "{name} is not a module of language.rs");
    }
}
