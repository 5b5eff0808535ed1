use quote::quote;

use super::printed::printed;
use super::*;
use crate::deps::ast::Target;

fn read(source: &str) -> Dag {
    let mut report = Report::new();
    let dag = read_tokens(tokens(source), &mut report);
    assert_eq!(report.shown(), [], "{source}");
    dag
}

fn mistakes(source: &str) -> Vec<(String, String)> {
    let mut report = Report::new();
    read_tokens(tokens(source), &mut report);
    report.shown()
}

/// Behind the last token of a node, rustc puts the caret under all of it, proc_macro2 outside of rustc under its
/// last byte: `caret` is the end of the token there.
fn each(cases: &[(&str, &str, &str)]) {
    for (source, caret, message) in cases {
        let mut found = mistakes(source);
        for (found, _) in &mut found {
            if found.len() == 1 && caret.ends_with(found.as_str()) {
                *found = (*caret).to_owned();
            }
        }
        assert_eq!(found, [((*caret).to_owned(), (*message).to_owned())], "{source}");
    }
}

#[test]
fn every_clause() {
    let source = r#"one: "add"(1, ..order.items) -> Vec<u8> <- cons(a, b) <- c <- f(d) after e, g
        if x > 1 for (i, item) in xs within 1.5s retry 3 else S { id: 1 }"#;
    let dag = read(source);
    let node = &dag.nodes[0];
    assert_eq!(
        printed(node),
        r#"one: "add"(1, ..order . items) -> Vec < u8 > <- cons(a, b) <- c <- f(d) after e, g "#.to_owned()
            + "if x > 1 for (i , item) in xs within 1.5s retry 3 else S { id : 1 }"
    );
    assert_eq!(node.paren.span.close().source_text().unwrap(), ")");
    assert_eq!(node.within.unwrap().span.source_text().unwrap(), "1.5s");
    let clauses = ["-> Vec<u8>", "<- a", "after a", "if a", "for a in b", "within 1s", "retry 0", "else 1"];
    for clause in clauses {
        assert_eq!(read(&format!("one: \"a\"() {clause}")).nodes.len(), 1, "{clause}");
    }
}

#[test]
fn expressions_end_where_the_next_clause_starts() {
    for (written, condition) in [
        ("order.express within 500ms retry 2", "order . express"),
        ("a > b within 5s", "a > b"),
        ("x if y", "x"),
        ("a after b", "a"),
        ("if c { 1 } else { 2 } within 1s", "if c { 1 } else { 2 }"),
        ("if c { 1 } else { 2 } else 3", "if c { 1 } else { 2 }"),
        ("|x| x + 1 within 5s", "| x | x + 1"),
        ("x as i64 <- b", "x as i64"),
        ("flags & retry retry 2", "flags & retry"),
        ("within within 5s", "within"),
        ("a <- b", "a"),
        ("x < -1 within 5s", "x < - 1"),
        ("match x { _ => 1 } retry 3", "match x { _ => 1 }"),
    ] {
        let mut report = Report::new();
        let dag = read_tokens(tokens(&format!("one: \"a\"() if {written}; two: \"b\"()")), &mut report);
        assert_eq!(dag.declared.len(), 2, "{written}");
        if report.is_empty() {
            let expr = &dag.nodes[0].condition.as_ref().unwrap().expr;
            assert_eq!(quote!(#expr).to_string(), condition, "{written}");
        } else {
            // The order of clauses is wrong, but the expression was cut right.
            let messages: Vec<String> = report.shown().into_iter().map(|(_, message)| message).collect();
            let place = |word: &str| {
                messages[0].starts_with(&format!("`{word}` comes")) || messages[0].contains("second")
            };
            assert!(["after", "<-", "if"].iter().any(|word| place(word)), "{written}: {messages:?}");
            assert_eq!(messages.len(), 1, "{written}: {messages:?}");
        }
    }
}

#[test]
fn invisible_groups_are_looked_through() {
    let (topic, time, times) = (invisible("\"add\""), invisible("5s"), invisible("3"));
    let (expr, ty, path) = (invisible("a + b"), invisible("Vec<u8>"), invisible("x::y"));
    let pat = invisible("(i, x)");
    let mut report = Report::new();
    let source = quote! {
        one: #topic(#expr, ..#expr) -> #ty <- cons(two) if #expr > 1 for #pat in #expr within #time retry #times
            else #expr;
        two: #path(1)
    };
    let dag = read_tokens(source.clone(), &mut report);
    assert_eq!(report.shown(), []);
    assert_eq!(dag.nodes.len(), 2);
    assert_eq!(dag.nodes[0].within.unwrap().span.source_text().unwrap(), "5s");
    assert_eq!(dag.nodes[0].retry, Some(3));
    match (&dag.nodes[0].target, &dag.nodes[1].target) {
        (Target::Topic(topic), Target::Contract(path)) => {
            assert_eq!(topic.span().source_text().unwrap(), "\"add\"");
            assert_eq!(quote!(#path).to_string(), "x :: y");
        }
        _ => panic!("a topic and a contract"),
    }
    let enclosed = read_tokens(quote!(< #source >), &mut report);
    assert_eq!((report.shown(), enclosed.nodes.len()), (vec![], 2));
}

#[test]
fn names_may_be_raw() {
    let dag = read("r#type: \"a\"(); two: \"b\"() <- r#type after r#match");
    assert_eq!(dag.nodes[0].name.to_string(), "r#type");
    assert_eq!(dag.nodes[0].key(), "type");
    assert_eq!(dag.nodes[1].injections[0].names[0].to_string(), "r#type");
}

#[test]
fn rust_reads_ranges_in_parentheses_and_with_equals() {
    let dag = read("one: \"a\"((..3), ..=3, 1..2, .. 1..2)");
    let spreads: Vec<bool> = dag.nodes[0].args.iter().map(|arg| arg.spread.is_some()).collect();
    assert_eq!(spreads, [false, false, false, true]);
}

#[test]
fn heads() {
    each(&[
        ("\"add\"(1)", "\"add\"", "expected a node such as `one: \"add\"(1, 2)`"),
        ("<- one", "<", "expected a node such as `one: \"add\"(1, 2)`"),
        ("#[cfg(x)] one: \"a\"()", "#", "a node takes no attribute and no `///`: comment it with `//`"),
        ("one \"add\"(1)", "\"add\"", "expected `:` after the node's name `one`"),
        ("add(1)", "(", "expected `:` after the node's name `add`"),
        ("one::two(1)", ":", "expected `:` after the node's name `one`"),
        ("one", "one", "expected `:` after the node's name `one`"),
        ("one: 5(1)", "5", "expected a topic such as \"add\", or the path of a contract"),
        ("one: b\"add\"(1)", "b\"add\"", "expected a topic such as \"add\", or the path of a contract"),
        ("one: (1)", "(", "expected a topic such as \"add\", or the path of a contract"),
        ("one:", ":", "expected a topic such as \"add\", or the path of a contract"),
        ("one: a::(1)", "a", "expected a topic such as \"add\", or the path of a contract"),
        ("one: concat!(\"a\")(1)", "!", "a topic cannot be computed: write it as a literal, such as \"add\""),
        ("one: add<u8>(1)", "<", "a contract takes no type arguments"),
        ("one: \"add\"", "\"add\"", "expected `(`: the arguments of `one` stand in parentheses"),
        ("one: \"add\" if x", "if", "expected `(`: the arguments of `one` stand in parentheses"),
        ("one: \"add\"[1]", "[", "expected `(`: the arguments of `one` stand in parentheses"),
    ]);
}

#[test]
fn arguments() {
    let arrow = "`<-` stands behind the closing parenthesis; a comparison needs a space: `x < -1`";
    each(&[
        ("one: \"a\"(two <- cons(two))", "<", arrow),
        ("one: \"a\"(x <-1)", "<", arrow),
        ("one: \"a\"(1 2)", "2", "expected `,` between arguments"),
        ("one: \"a\"(1,, 2)", ",", "expected an argument before this `,`"),
        ("one: \"a\"(, 2)", ",", "expected an argument before this `,`"),
        (
            "one: \"a\"(..)",
            "..",
            "`..` spreads a list into arguments: write it behind, such as `..order.items`",
        ),
        (
            "one: \"a\"(.., 1)",
            "..",
            "`..` spreads a list into arguments: write it behind, such as `..order.items`",
        ),
        ("one: \"a\"(1 + )", ")", "unexpected end of input, expected an expression"),
        ("one: \"a\"((1 2))", "2", "expected `,`"),
        ("one: \"a\"(fn)", "fn", "expected an expression"),
    ]);
    // Clauses are read even so.
    assert_eq!(
        mistakes("one: \"a\"(1 2) within soon retry x"),
        [
            ("2".into(), "expected `,` between arguments".into()),
            ("soon".into(), "expected a duration such as `500ms`, `30s`, `5m` or `1h`".into()),
            ("x".into(), "expected a whole number, such as `retry 3`".into()),
        ]
    );
}

#[test]
fn injections() {
    each(&[
        ("one: \"a\"() <-", "<", "expected the name of a node after `<-`"),
        ("one: \"a\"() <- after b", "after", "expected the name of a node after `<-`"),
        ("one: \"a\"() <- (b)", "(", "expected the name of a node after `<-`"),
        ("one: \"a\"() <- b,", ",", "expected the name of a node after `<-`"),
        (
            "one: \"a\"() if x <-1",
            "1",
            "expected the name of a node after `<-`; a comparison needs a space: `x < -1`",
        ),
        ("one: \"a\"() <- cons", "cons", "`cons` needs the nodes to inject: write `<- cons(one)`"),
        ("one: \"a\"() <- conj b", "conj", "`conj` needs the nodes to inject: write `<- conj(one)`"),
        ("one: \"a\"() <- x::y after b", "x::y", "`x::y` needs the nodes to inject: write `<- x::y(one)`"),
        ("one: \"a\"() <- cons()", ")", "expected the name of a node after `cons(`"),
        ("one: \"a\"() <- ::f::g(1)", "1", "expected the name of a node after `::f::g(`"),
        ("one: \"a\"() <- cons(a b)", "b", "expected `,` between the names of nodes"),
        ("one: \"a\"() <- cons(a, if)", "if", "expected the name of a node after `,`"),
        (
            "one: \"a\"() <- cons(a.b)",
            ".",
            "expected only a name: what is computed from an answer belongs into the arguments",
        ),
        (
            "one: \"a\"() <- a.b",
            ".",
            "expected only a name: what is computed from an answer belongs into the arguments",
        ),
        ("one: \"a\"() <- a, f(b)", "f", "a function is an injection of its own: write `<- f(..)`"),
        (
            "one: \"a\"() <- a b",
            "b",
            "unexpected `b`: expected `<-`, `after`, `if`, `for`, `within`, `retry`, `else` or `;`",
        ),
    ]);
    assert_eq!(read("one: \"a\"() <- cons(a, b,)").nodes[0].injections[0].names.len(), 2);
}

#[test]
fn clauses_keep_the_order_of_the_grammar() {
    each(&[
        ("one: \"a\"() <- b -> u8", "-", "`->` comes right behind the arguments, before `<-`"),
        (
            "one: \"a\"() after c <- b",
            "<",
            "`<-` comes after `->` and before `after`; a comparison needs a space: `x < -1`",
        ),
        ("one: \"a\"() if c after b", "after", "`after` comes after `<-` and before `if`"),
        ("one: \"a\"() for x in y if x", "if", "`if` comes after `after` and before `for`"),
        ("one: \"a\"() retry 2 for x in y", "for", "`for` comes after `if` and before `within`"),
        ("one: \"a\"() retry 2 within 5s", "within", "`within` comes after `for` and before `retry`"),
        ("one: \"a\"() else 0 within 5s", "within", "`within` comes after `for` and before `retry`"),
        ("one: \"a\"() else 0 retry 2", "retry", "`retry` comes after `within` and before `else`"),
        ("one: \"a\"() within 5s within 6s", "within", "this node has a second `within`: keep one of them"),
        ("one: \"a\"() -> u8 -> u8", "-", "this node has a second `->`: keep one of them"),
        ("one: \"a\"() else 1 else 2", "else", "this node has a second `else`: keep one of them"),
        ("one: \"a\"() after b after c", "after", "this node has a second `after`: write `after one, two`"),
    ]);
    assert_eq!(
        mistakes("one: \"a\"() else 0 retry 2 within 5s after b"),
        [
            ("retry".into(), "`retry` comes after `within` and before `else`".into()),
            ("within".into(), "`within` comes after `for` and before `retry`".into()),
            ("after".into(), "`after` comes after `<-` and before `if`".into()),
        ]
    );
}

#[test]
fn clauses_say_what_they_need() {
    each(&[
        ("one: \"a\"() ->", ">", "expected the type of the answer after `->`"),
        ("one: \"a\"() -> <- b", ">", "expected the type of the answer after `->`"),
        ("one: \"a\"() after", "after", "expected the name of a node after `after`"),
        ("one: \"a\"() after 5", "5", "expected the name of a node after `after`"),
        ("one: \"a\"() after b, if c", "if", "expected the name of a node after `after`"),
        ("one: \"a\"() if", "if", "expected an expression after `if`"),
        ("one: \"a\"() if a +", "+", "unexpected end of input, expected an expression"),
        ("one: \"a\"() if (a b)", "b", "expected `,`"),
        ("one: \"a\"() for", "for", "expected `for item in items`"),
        ("one: \"a\"() for x", "x", "expected `in` after the pattern of `for`"),
        ("one: \"a\"() for x of xs", "of", "expected `in` after the pattern of `for`"),
        ("one: \"a\"() for x in", "in", "expected an expression after `in`"),
        ("one: \"a\"() within", "within", "expected a duration such as `500ms`, `30s`, `5m` or `1h`"),
        ("one: \"a\"() within 0s", "0s", "this duration must be longer than zero"),
        ("one: \"a\"() retry", "retry", "expected a whole number, such as `retry 3`"),
        ("one: \"a\"() retry 3s", "3s", "expected a whole number, such as `retry 3`"),
        ("one: \"a\"() retry 0x3", "0x3", "expected a whole number, such as `retry 3`"),
        ("one: \"a\"() retry 1.5", "1.5", "expected a whole number, such as `retry 3`"),
        ("one: \"a\"() retry 5000000000", "5000000000", "`retry` is at most 4294967295"),
        ("one: \"a\"() else", "else", "expected an expression after `else`"),
    ]);
    assert_eq!(mistakes("one: \"a\"() if <- b")[0].1, "expected an expression after `if`");
    assert_eq!(mistakes("one: \"a\"() retry -1")[0].1, "expected a whole number, such as `retry 3`");
    assert_eq!(mistakes("one: \"a\"() retry -1 else 0").len(), 1);
}

#[test]
fn strangers() {
    each(&[
        ("one: \"a\"() whitin 5s", "whitin", "unexpected `whitin`, did you mean `within`?"),
        ("one: \"a\"() afer b", "afer", "unexpected `afer`, did you mean `after`?"),
        ("one: \"a\"() two: \"b\"()", "two", "expected `;` before the node `two`"),
        (
            "one: \"a\"() if x two: \"b\"(); three: \"c\"() <- two",
            "two",
            "expected `;` before the node `two`",
        ),
        ("one: \"a\"(), two: \"b\"()", ",", "unexpected `,`: nodes are separated by `;`"),
        (
            "one: \"a\"() = 5",
            "=",
            "unexpected `=`: expected `->`, `<-`, `after`, `if`, `for`, `within`, `retry`, `else` or `;`",
        ),
        ("one: \"a\"() within 5s (x)", "(", "unexpected `(`: expected `retry`, `else` or `;`"),
        ("one: \"a\"() else 1 2", "2", "unexpected `2`: expected `;`"),
        (
            "one: \"a\"() for i in 0.. within 5s",
            "5s",
            "unexpected `5s`: expected `within`, `retry`, `else` or `;`",
        ),
    ]);
}

#[test]
fn one_bad_node_does_not_hide_the_others() {
    let source =
        "one: \"a\"(1 2);\ntwo: within 5s;\nthree: \"c\"() retry x;\nfour: \"d\"() <- one, two, three";
    assert_eq!(
        wrong(source),
        [
            ("2".into(), "expected `,` between arguments".into()),
            ("5s".into(), "expected `(`: the arguments of `two` stand in parentheses".into()),
            ("x".into(), "expected a whole number, such as `retry 3`".into()),
        ]
    );
    assert_eq!(report(source, &Surroundings::default()).places(), [(1, 11), (2, 12), (3, 19)]);
}
