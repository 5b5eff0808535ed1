use super::*;
use crate::deps::ast::Expression;

fn names(expression: &Expression) -> String {
    let names: Vec<String> = expression.uses.iter().map(|used| used.name.to_string()).collect();
    names.join(" ")
}

/// The nodes that an argument uses, in the order of the first uses.
fn used(argument: &str) -> String {
    let source = format!("one: \"a\"(); two: \"b\"(); r#type: \"c\"(); asks: \"d\"({argument})");
    let mut report = Report::new();
    let mut dag = read_tokens(tokens(&source), &mut report);
    assert_eq!(report.shown(), [], "{argument}");
    super::super::names::resolve(&mut dag);
    let args = &dag.nodes[3].args;
    assert_eq!(args.len(), 1, "{argument}");
    names(&args[0].value)
}

fn each(cases: &[(&str, &str)]) {
    for (argument, expected) in cases {
        assert_eq!(used(argument), *expected, "{argument}");
    }
}

#[test]
fn plain_uses() {
    each(&[
        ("one", "one"),
        ("..one", "one"),
        ("two + one * two", "two one"),
        ("one.len()", "one"),
        ("&one.field[two]", "one two"),
        ("x.one", ""),
        ("x.one()", ""),
        ("x.f(one)", "one"),
        ("one::f()", ""),
        ("a::one", ""),
        ("one::<u8>", ""),
        ("<one>::f()", ""),
        ("[one; 3]", "one"),
        ("(one, two)", "one two"),
        ("one as u8", "one"),
        ("one..two", "one two"),
        ("async { one }", "one"),
        ("loop { break one }", "one"),
        ("{ one = 5; }", "one"),
        ("f::<[u8; one]>(two)", "two"),
        ("#[allow(one)] two", "two"),
    ]);
}

#[test]
fn calls_are_functions() {
    each(&[
        ("one(3)", ""),
        ("one(two)", "two"),
        ("(one)(3)", "one"),
        ("one(one)", "one"),
        ("one.f(3)", "one"),
    ]);
}

#[test]
fn raw_names_are_the_same_names() {
    each(&[("r#one", "r#one"), ("r#type", "r#type"), ("|r#one| one", ""), ("format!(\"{type}\")", "r#type")]);
}

#[test]
fn struct_literals() {
    each(&[
        ("S { one }", "one"),
        ("S { one: 1 }", ""),
        ("S { a: one, ..two }", "one two"),
        ("one { a: 1 }", ""),
    ]);
}

#[test]
fn closures() {
    each(&[
        ("|one| one + 1", ""),
        ("|a| a + one", "one"),
        ("xs.iter().map(|one| one + two)", "two"),
        ("xs.iter().map(|one| one).chain(one)", "one"),
        ("|(one, S { two, .. }): (u8, S)| one + two", ""),
        ("|S { two: one }| one + two", "two"),
        ("async move |one| one", ""),
        ("|a: [u8; one]| a", ""),
    ]);
}

#[test]
fn match_arms() {
    each(&[
        ("match x { Some(one) => one, None => two }", "two"),
        ("match one { one => one }", "one"),
        ("match x { Some(one) if one > two => 1, _ => one }", "two one"),
        ("match x { one @ 1..=5 => one, _ => 0 }", ""),
        ("match x { A(one) | B(one) => one, [one, ..] => one, &one => one }", ""),
        ("match x { a if let Some(one) = two => one, _ => 1 }", "two"),
    ]);
}

#[test]
fn lets() {
    each(&[
        ("{ let one = 1; one }", ""),
        ("{ let one = one; one }", "one"),
        ("{ f(one); let one = 1; one }", "one"),
        ("{ let (a, one) = two; one }", "two"),
        ("{ let Some(one) = two else { panic!(\"{}\", one) }; one }", "two one"),
        ("{ { let one = 1; one }; one }", "one"),
        ("{ let one; one = 5; one }", ""),
        ("{ let f = |x| one; f(two) }", "one two"),
    ]);
}

#[test]
fn conditions_that_bind() {
    each(&[
        ("if let Some(one) = two { one } else { 0 }", "two"),
        ("if let Some(one) = two { one } else { one }", "two one"),
        ("if let Some(one) = x && one > 1 && let Some(two) = one { two } else { 0 }", ""),
        ("if one > 1 && let Some(one) = x { one } else { 0 }", "one"),
        ("if let Some(one) = x { 1 } else if one { 2 } else { 3 }", "one"),
        ("{ while let Some(one) = two.pop() { f(one) } }", "two"),
        ("{ while let Some(one) = x.pop() { f(one) } one }", "one"),
        ("{ for one in two { f(one) } one }", "two one"),
        ("{ for x in one { f(x) } }", "one"),
    ]);
}

#[test]
fn items() {
    each(&[
        ("{ fn one() -> u8 { 1 } one() + two }", "two"),
        ("{ f(one); const one: u8 = 1; one }", ""),
        ("{ static one: u8 = 1; one }", ""),
        ("{ use a::{b::one, c as two}; one + two }", ""),
        ("{ use a::*; one }", "one"),
        ("{ fn f(x: u8) -> u8 { two } one }", "one"),
        ("{ struct one; one }", ""),
        ("{ struct one { x: u8 } one }", "one"),
        ("{ macro_rules! m { () => { one } } m!() }", "one"),
    ]);
}

#[test]
fn macro_calls() {
    each(&[
        ("vec![one, 2]", "one"),
        ("json!({ \"one\": 1 })", ""),
        ("json!({ \"a\": two, \"b\": [one] })", "two one"),
        ("matches!(x, Some(one) if one > 1)", "one"),
        ("m!(x.one)", ""),
        ("m!(x.one())", ""),
        ("m!(..one)", "one"),
        ("m!(0..=one)", "one"),
        ("m!(one.x)", "one"),
        ("m!(a::one)", ""),
        ("m!(one::a)", ""),
        ("m!(one(1))", ""),
        ("m!(one!(1))", ""),
        ("m!(one != 1)", "one"),
        ("m!('one: loop {})", ""),
        ("m!(x: one)", "one"),
        ("one!(two)", "two"),
        ("|one| vec![one, two]", "two"),
        ("{ let one = 1; format!(\"{one}{two}\") }", "two"),
        ("{ println!(\"{}\", one); }", "one"),
    ]);
}

#[test]
fn format_strings() {
    each(&[
        ("format!(\"{one}\")", "one"),
        ("format!(\"{one:?} {two:>5}\")", "one two"),
        ("format!(\"{ one }\")", "one"),
        ("format!(\"{{one}}\")", ""),
        ("format!(\"{{{one}}}\")", "one"),
        ("format!(\"{:one$}\", 1)", "one"),
        ("format!(\"{:>08one$.two$}\", 1)", "one two"),
        ("format!(\"{x:ü>one$}\")", "one"),
        ("format!(\"{:.*}\", 1)", ""),
        ("format!(\"{one\")", ""),
        ("format!(r#\"\"{two}\"\"#)", "two"),
        ("format!(\"\\u{7b}one}\")", "one"),
        ("format!(b\"{one}\")", ""),
        ("\"{one}\"", ""),
        ("outer!(format!(\"{one}\"))", "one"),
    ]);
}

#[test]
fn the_span_is_that_of_the_first_use() {
    let analysed = right("one: \"a\"(); two: \"b\"(x + one, format!(\"{one}\"), one + one)");
    let args = &analysed.dag.nodes[1].args;
    let starts: Vec<usize> = args.iter().map(|arg| arg.value.uses[0].name.span().start().column).collect();
    assert_eq!(starts, [25, 38, 48]);
    assert!(args.iter().all(|arg| arg.value.uses.len() == 1 && arg.value.uses[0].node == 0));
}

#[test]
fn the_pattern_of_for_is_seen_by_arguments_and_else_only() {
    let analysed = right(
        "one: \"a\"(); two: \"b\"(); three: \"c\"(one + two) if one > two for one in one else f(one, two)",
    );
    let three = &analysed.dag.nodes[2];
    assert_eq!(names(three.condition.as_ref().unwrap()), "one two");
    assert_eq!(names(&three.each.as_ref().unwrap().items), "one");
    assert_eq!(names(&three.args[0].value), "two");
    assert_eq!(names(three.otherwise.as_ref().unwrap()), "two");
    assert_eq!(analysed.needs[2], [0, 1]);
}
