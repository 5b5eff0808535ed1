use std::time::Duration;

use super::*;
use crate::deps::ast::Target;

#[test]
fn names_of_nodes() {
    each_wrong(&[
        (
            "MyNode: \"a\"()",
            "MyNode",
            "the name of a node is snake_case: write `my_node` instead of `MyNode`",
        ),
        ("ONE: \"a\"()", "ONE", "the name of a node is snake_case: write `one` instead of `ONE`"),
        (
            "HTTPReply: \"a\"()",
            "HTTPReply",
            "the name of a node is snake_case: write `http_reply` instead of `HTTPReply`",
        ),
        ("A_bC: \"a\"()", "A_bC", "the name of a node is snake_case: write `a_b_c` instead of `A_bC`"),
        ("after: \"a\"()", "after", "`after` has a meaning of its own in `deps!`: name the node otherwise"),
        ("if: \"a\"()", "if", "`if` has a meaning of its own in `deps!`: name the node otherwise"),
        ("r#else: \"a\"()", "r#else", "`else` has a meaning of its own in `deps!`: name the node otherwise"),
        ("cons: \"a\"()", "cons", "`cons` has a meaning of its own in `deps!`: name the node otherwise"),
        ("_: \"a\"()", "_", "`_` has a meaning of its own in `deps!`: name the node otherwise"),
        ("type: \"a\"()", "type", "`type` is a keyword of Rust: write `r#type`, or name the node otherwise"),
        ("self: \"a\"()", "self", "`self` is a keyword of Rust: name the node otherwise"),
    ]);
    for name in ["one", "r#type", "_one", "a1", "größe", "in_between"] {
        right(&format!("{name}: \"a\"()"));
    }
    assert_eq!(wrong("_: \"a\"(); _: \"b\"()").len(), 2);
}

#[test]
fn duplicate_nodes() {
    each_wrong(&[
        (
            "one: \"a.b\"(); one: \"b\"()",
            "one",
            "there is already a node `one`, which asks \"a.b\": rename one of them",
        ),
        (
            "r#one: x::y(); two: \"a\"(); one: \"b\"()",
            "one",
            "there is already a node `one`, which asks `x::y`: rename one of them",
        ),
    ]);
    let report = report("one: \"a\"(); one: \"b\"(); one: \"c\"()", &Surroundings::default());
    assert_eq!(report.places(), [(1, 12), (1, 24)]);
    assert_eq!(
        wrong("one: \"a\"; one: \"b\"()"),
        [
            ("\"".into(), "expected `(`: the arguments of `one` stand in parentheses".into()),
            ("one".into(), "there is already a node `one`: rename one of them".into()),
        ]
    );
}

#[test]
fn nodes_named_like_payload() {
    let payload = syn::parse_str::<syn::ExprTuple>("(order, r#type)").unwrap();
    let payload = payload.elems.iter().map(|name| syn::parse_quote!(#name)).collect();
    let around = Surroundings { payload, ..Surroundings::default() };
    let report = report("type: \"a\"() within 0s; order: \"b\"(); two: \"c\"() <- order", &around);
    let renamed =
        |name: &str| format!("there is already a node `{name}`: rename it, or this part of the payload");
    assert_eq!(
        report.shown()[1..],
        [
            ("type".into(), "`type` is a keyword of Rust: write `r#type`, or name the node otherwise".into()),
            ("order".into(), renamed("order")),
            ("r#type".into(), renamed("type")),
        ]
    );
    assert_eq!(
        super::report("two: \"c\"() <- order", &around).shown(),
        [("order".into(), "unknown node `order`: `order` is a parameter, write it as an argument".into())]
    );
}

#[test]
fn topics() {
    each_wrong(&[
        ("one: \"\"()", "\"\"", "a topic's name cannot be empty"),
        ("one: \"..\"()", "\"..\"", "`..` cannot be a topic's name: Kafka reserves it"),
        (
            "one: \"a/b\"()",
            "\"a/b\"",
            "a topic's name cannot contain `/`: use letters, digits, `.`, `_` and `-`",
        ),
    ]);
}

#[test]
fn a_reactor_cannot_ask_itself() {
    let own = vec![
        Target::Topic(syn::parse_str("\"sum\"").unwrap()),
        Target::Contract(syn::parse_str("sum").unwrap()),
        Target::Contract(syn::parse_str("x::sum").unwrap()),
    ];
    let around = Surroundings { own, ..Surroundings::default() };
    let message = "a reactor cannot ask its own topic, it would wait for itself: ask another one";
    for target in ["\"sum\"", "sum", "self::sum", "x::sum", "r\"sum\""] {
        let report = report(&format!("one: {target}(); two: \"add\"(); three: y::sum()"), &around);
        assert_eq!(report.shown(), [(target.into(), message.into())]);
    }
}

#[test]
fn unknown_nodes() {
    each_wrong(&[
        ("one: \"a\"(); two: \"b\"() <- oen", "oen", "unknown node `oen`, did you mean `one`?"),
        ("one: \"a\"(); two: \"b\"() <- f(one, tow)", "tow", "unknown node `tow`, did you mean `two`?"),
        (
            "one: \"a\"(); two: \"b\"() after price",
            "price",
            "unknown node `price`: this graph has `one`, `two`",
        ),
        (
            "a: \"a\"(); b: \"a\"(); c: \"a\"(); d: \"a\"(); e: \"a\"(); f: \"a\"(); g: \"a\"() <- price",
            "price",
            "unknown node `price`: this graph has `a`, `b`, `c`, `d`, `e`, `f`, ..",
        ),
    ]);
    // Rust has other things with names; it reports those of expressions.
    right("one: \"a\"(oen)");
}

#[test]
fn repeated_names() {
    each_wrong(&[
        (
            "one: \"a\"(); two: \"b\"() <- cons(one, one)",
            "one",
            "`one` is already in this list: a second `<-` injects it again",
        ),
        (
            "one: \"a\"(); two: \"b\"() after one, r#one",
            "r#one",
            "`one` is already in this list: once is enough",
        ),
    ]);
    right("one: \"a\"(); two: \"b\"() <- one <- one after one");
}

#[test]
fn jumps_out_of_expressions() {
    let question = "`?` cannot leave a node: handle the failure here, as `unwrap_or` does";
    let returned = "`return` cannot leave a node: the value of the expression is what it gives";
    let awaited = "a node cannot `.await`: do it in the handler, or make it a request of its own";
    each_wrong(&[
        ("one: \"a\"(x?)", "?", question),
        ("one: \"a\"(f(x.parse()?))", "?", question),
        ("one: \"a\"(vec![x?])", "?", question),
        ("one: \"a\"(format!(\"{}\", x?))", "?", question),
        ("one: \"a\"() if x?", "?", question),
        ("one: \"a\"() for x in xs? within 1s", "?", question),
        ("one: \"a\"() else return 1", "return", returned),
        ("one: \"a\"() else { return }", "return", returned),
        ("one: \"a\"(x.await)", "await", awaited),
        ("one: \"a\"(f(async { 1 }.await))", "await", awaited),
        ("one: \"a\"({ break 5 })", "break", "`break` cannot leave a node: there is no loop in it"),
        ("one: \"a\"('a: { break })", "break", "`break` cannot leave a node: there is no loop in it"),
        ("one: \"a\"(loop { break 'a })", "'a", "`break` cannot leave a node: there is no `'a` in it"),
        ("one: \"a\"({ continue })", "continue", "`continue` cannot leave a node: there is no loop in it"),
        (
            "one: \"a\"({ for x in y { continue 'b } })",
            "'b",
            "`continue` cannot leave a node: there is no `'b` in it",
        ),
        (
            "one: \"a\"() if let Some(x) = y",
            "let",
            "`let` cannot be a condition here: write `matches!(..)`, `.is_some()` or `.is_ok()`",
        ),
        (
            "one: \"a\"() if z && let Some(x) = y",
            "let",
            "`let` cannot be a condition here: write `matches!(..)`, `.is_some()` or `.is_ok()`",
        ),
    ]);
    for argument in [
        "|x| x?",
        "|| { return 1 }",
        "async { x.await? }",
        "async move { return 1 }",
        "{ fn f() -> Option<u8> { return x?; } f() }",
        "loop { break 5 }",
        "'a: loop { loop { break 'a 5 } }",
        "'a: { if x { break 'a 1 } 2 }",
        "{ for x in y { if x { continue } else { break } } }",
        "{ while let Some(x) = y && let Some(z) = x { break } }",
        "if let Some(x) = y && x { 1 } else { 2 }",
        "match x { y if let Some(z) = y => z, _ => 1 }",
        "{ let Some(x) = y else { panic!() }; x }",
        "matches!(x, Some(y) if y > 1)",
    ] {
        right(&format!("one: \"a\"({argument})"));
    }
}

#[test]
fn circles() {
    let itself = "this node waits for itself: one -> one; a node can only use the answers of others";
    let two = "these nodes wait for each other: one -> two -> one; one of them must do without";
    each_wrong(&[
        ("one: \"a\"() <- one", "one", itself),
        ("one: \"a\"(one)", "one", itself),
        ("one: \"a\"() else one", "one", itself),
        ("one: \"a\"() <- two; two: \"b\"() after one", "one", two),
        ("zero: \"z\"(one); one: \"a\"(two); two: \"b\"(one, last); last: \"c\"()", "one", two),
        (
            "a: \"a\"() <- b; b: \"b\"() <- c; c: \"c\"(format!(\"{d}\")); d: \"d\"() if a",
            "a",
            "these nodes wait for each other: a -> b -> c -> d -> a; one of them must do without",
        ),
    ]);
    assert_eq!(
        wrong("one: \"a\"(two); x: \"x\"(y); two: \"b\"(one); y: \"y\"(x, one)"),
        [
            ("one".into(), two.into()),
            ("x".into(), "these nodes wait for each other: x -> y -> x; one of them must do without".into()),
        ]
    );
    let report = report("zero: \"z\"(one);\none: \"a\"() <- one", &Surroundings::default());
    assert_eq!(report.places(), [(2, 0)]);
}

#[test]
fn times_that_do_not_fit() {
    let around = Surroundings { within: Some(Duration::from_secs(30)), ..Surroundings::default() };
    let check = |source: &str| report(source, &around).shown();
    assert_eq!(
        check("one: \"a\"() within 40s; two: \"b\"()"),
        [(
            "40s".into(),
            "40s for `one` does not fit into the 30s of the whole run: shorten it, or give the reactor more"
                .into()
        )]
    );
    assert_eq!(
        check(
            "one: \"a\"() within 10s; three: \"c\"() <- two if x for y in z within 15s else 1; \
             two: \"b\"(one); four: \"d\"(three) within 5500ms; five: \"e\"() after four"
        ),
        [(
            "5500ms".into(),
            "10s for `one` and then 15s for `three` and then 5.5s for `four` make 30.5s, which does not fit \
             into the 30s of the whole run: shorten one, or give the reactor more"
                .into()
        )]
    );
    for fits in [
        "one: \"a\"() within 30s; two: \"b\"() within 30s",
        "one: \"a\"() within 10s; two: \"b\"(one) within 20s; three: \"c\"(two)",
        "one: \"a\"()",
    ] {
        assert_eq!(check(fits), []);
    }
    // In an expression, nothing bounds the whole.
    right("one: \"a\"() within 40s");
}

#[test]
fn all_mistakes_at_once_and_each_once() {
    let source = "One: \"a/b\"(); two: \"b\"(x?) <- oen; three: \"c\"() <- three; two: \"d\"() retry x";
    let carets: Vec<String> = wrong(source).into_iter().map(|(caret, _)| caret).collect();
    assert_eq!(carets, ["x", "One", "two", "\"a/b\"", "oen", "?", "three"]);
    let source = "one: \"a/b\"(x?, 3 4) <- oen <- 5 within 5 retry x else; two: \"b\"(1 2) <- two";
    let carets: Vec<String> = wrong(source).into_iter().map(|(caret, _)| caret).collect();
    assert_eq!(carets, ["4", "5", "2", "\"a/b\"", "oen", "?", "two"]);
}
