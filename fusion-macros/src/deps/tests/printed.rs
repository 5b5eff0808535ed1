//! Nodes back to text: for comparing, and for the round trip.

use quote::ToTokens;

use super::*;
use crate::deps::ast::{How, Node, Target};
use crate::duration::show;

fn text(tokens: impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

fn list(names: &[proc_macro2::Ident]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// As in the source, with the spaces of [`TokenStream`].
pub(super) fn printed(node: &Node) -> String {
    let target = match &node.target {
        Target::Topic(topic) => text(topic),
        Target::Contract(path) => text(path),
    };
    let args: Vec<String> = node
        .args
        .iter()
        .map(|arg| format!("{}{}", if arg.spread.is_some() { ".." } else { "" }, text(&arg.value.expr)))
        .collect();
    let mut printed = format!("{}: {target}({})", node.name, args.join(", "));
    if let Some(reply) = &node.reply {
        printed += &format!(" -> {}", text(reply));
    }
    for injection in &node.injections {
        let names = list(&injection.names);
        printed += &match &injection.how {
            How::Conj => format!(" <- {names}"),
            How::Cons => format!(" <- cons({names})"),
            How::Function(path) => format!(" <- {}({names})", text(path)),
        };
    }
    if !node.after.is_empty() {
        printed += &format!(" after {}", list(&node.after));
    }
    if let Some(condition) = &node.condition {
        printed += &format!(" if {}", text(&condition.expr));
    }
    if let Some(each) = &node.each {
        printed += &format!(" for {} in {}", text(&each.pat), text(&each.items.expr));
    }
    if let Some(within) = &node.within {
        printed += &format!(" within {}", show(within.value));
    }
    if let Some(retry) = &node.retry {
        printed += &format!(" retry {}", retry);
    }
    if let Some(otherwise) = &node.otherwise {
        printed += &format!(" else {}", text(&otherwise.expr));
    }
    printed
}

mod round_trip {
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 5] = ["one", "two", "three", "r#type", "item_count"];

    fn expression() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "1",
            "order.name",
            "one + 1",
            "a > b",
            "a < b",
            "-1",
            "x >> 2",
            "xs.iter().map(|x| x + 1).collect::<Vec<_>>()",
            "if c { 1 } else { 2 }",
            "match x { Some(y) if y > 1 => y, _ => 0 }",
            "format!(\"{one}; {}\", 2)",
            "Order { id: 1 }",
            "S { one }",
            "0..n",
            "within + retry",
            "order.after",
            "|x: Vec<u8>| -> u8 { x[0] }",
            "a as i64",
            "{ let x = 1; x }",
            "&flags",
            "(a, b)",
            "\"a; b > c\"",
            "<Vec<u8>>::new()",
        ])
    }

    fn names() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(NAMES.to_vec()), 1..4).prop_map(|names| names.join(", "))
    }

    fn injection() -> impl Strategy<Value = String> {
        let functions = ["cons", "conj", "twice", "self::path::to", "::a::f::<Vec<u8>>"];
        (prop::option::of(prop::sample::select(functions.to_vec())), names()).prop_map(|(function, names)| {
            function.map_or_else(|| format!(" <- {names}"), |function| format!(" <- {function}({names})"))
        })
    }

    fn arg() -> impl Strategy<Value = String> {
        (prop::sample::select(vec!["", "", ".."]), expression())
            .prop_map(|(dots, expr)| format!("{dots}{expr}"))
    }

    fn node() -> impl Strategy<Value = String> {
        let head = (
            prop::sample::select(NAMES.to_vec()),
            prop::sample::select(vec!["\"add\"", "r\"a.b\"", "add", "crate::contracts::add", "::x::y"]),
            prop::collection::vec(arg(), 0..4),
            prop::option::of(prop::sample::select(vec![
                "i64",
                "Vec<Vec<u8>>",
                "(A, B)",
                "[u8; 4]",
                "&'static str",
                "a::B<C, D>",
            ])),
            prop::collection::vec(injection(), 0..3),
        );
        let clauses = (
            prop::option::of(names()),
            prop::option::of(expression()),
            prop::option::of((
                prop::sample::select(vec!["x", "(i, x)", "Some(x) | Other(x)", "&x", "S { x, .. }"]),
                expression(),
            )),
            prop::option::of(prop::sample::select(vec!["5s", "500ms", "1.5m", "2h"])),
            prop::option::of(0..9_u32),
            prop::option::of(expression()),
        );
        (head, clauses).prop_map(
            |(
                (name, target, args, reply, injections),
                (after, condition, each, within, retry, otherwise),
            )| {
                let mut node = format!("{name}: {target}({})", args.join(", "));
                let mut put = |clause: Option<String>| node.extend(clause);
                put(reply.map(|reply| format!(" -> {reply}")));
                injections.into_iter().for_each(|injection| put(Some(injection)));
                put(after.map(|names| format!(" after {names}")));
                put(condition.map(|expr| format!(" if {expr}")));
                put(each.map(|(pat, expr)| format!(" for {pat} in {expr}")));
                put(within.map(|time| format!(" within {time}")));
                put(retry.map(|times| format!(" retry {times}")));
                put(otherwise.map(|expr| format!(" else {expr}")));
                node
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        /// Every combination of clauses, enclosed in every way: what is read prints as what was written.
        #[test]
        fn what_was_written_is_read(nodes in prop::collection::vec(node(), 1..5), last in any::<bool>()) {
            let written = nodes.join("; ") + if last { ";" } else { "" };
            for source in [written.clone(), format!("< {written} >")] {
                let mut report = Report::new();
                let dag = read_tokens(tokens(&source), &mut report);
                prop_assert_eq!(report.shown(), [], "{}", source);
                prop_assert_eq!(dag.nodes.len(), nodes.len());
                prop_assert_eq!(dag.declared.len(), nodes.len());
                for (node, written) in dag.nodes.iter().zip(&nodes) {
                    let printed = printed(node).replace("conj (", "conj(");
                    let written = written.replace(" <- conj(", " <- ").replace("1.5m", "90s");
                    let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != ')').collect::<String>();
                    prop_assert_eq!(plain(&printed), plain(&written));
                }
            }
        }
    }
}
