#![allow(unused)]

use fusion::prelude::*;

mod targets {
    use fusion::prelude::*;

    #[contract(topic = "text")]
    pub fn text(text: String);

    #[contract(topic = "list")]
    pub fn list(numbers: Vec<i64>);

    #[contract(topic = "two")]
    pub fn two(text: String, number: i64, more: Option<bool>);

    #[contract(topic = "nothing")]
    pub fn nothing();
}

#[reactor(topic = "by_path", to = targets::text)]
fn by_path(number: i64) -> i64 {
    number
}

#[reactor(topic = "by_name", to = "text")]
fn by_name(number: i64) -> i64 {
    number
}

#[reactor(topic = "optional", to = "text")]
async fn optional(number: i64) -> Result<Option<i64>, String> {
    Ok(Some(number))
}

#[reactor(topic = "one_item", to = "list")]
fn one_item(number: i64) -> i64 {
    number
}

#[reactor(topic = "one_of_several", to = targets::two)]
fn one_of_several(text: String) -> String {
    text
}

#[reactor(topic = "wrong_in_a_tuple", to = "two")]
fn wrong_in_a_tuple(text: String) -> (String, String) {
    (text.clone(), text)
}

#[reactor(topic = "ignored", to = targets::nothing)]
fn ignored(number: i64) -> i64 {
    number
}

#[reactor(topic = "no_contract", to = String)]
fn no_contract(number: i64) -> i64 {
    number
}

fn main() {}
