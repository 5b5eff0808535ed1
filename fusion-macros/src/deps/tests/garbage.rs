//! Whatever is written: no panic, and either a whole graph or an error.

use proptest::prelude::*;

use super::*;

const WORDS: [&str; 44] = [
    "one",
    "two",
    "one",
    "two",
    "r#type",
    "after",
    "if",
    "for",
    "in",
    "within",
    "retry",
    "else",
    "cons",
    "x",
    "_",
    "1",
    "5s",
    "500ms",
    "\"add\"",
    "\"a/b\"",
    "\"{one}\"",
    "'a'",
    ":",
    ":",
    ";",
    ";",
    ",",
    "<-",
    "<-",
    "->",
    "<",
    ">",
    ">",
    "::",
    "..",
    "=",
    "|",
    "?",
    ".await",
    "!",
    "-",
    "&",
    "#",
    "match",
];

fn source() -> impl Strategy<Value = String> {
    let word = prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned).boxed();
    let node = Just("; one: \"add\"(two)".to_owned()).boxed();
    prop_oneof![6 => word, 1 => node].prop_recursive(3, 40, 8, |inner| {
        let brackets = prop::sample::select(vec![("(", ")"), ("{", "}"), ("[", "]"), ("", "")]);
        (brackets, prop::collection::vec(inner, 0..12))
            .prop_map(|((open, close), inner)| format!("{open} {} {close}", inner.join(" ")))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn nothing_panics(source in source(), grouped in any::<bool>()) {
        prop_assume!(source.parse::<TokenStream>().is_ok());
        let tokens = if grouped { invisible(&source) } else { tokens(&source) };
        let mut report = Report::new();
        let dag = read_tokens(tokens, &mut report);
        let nodes = dag.nodes.len();
        let around = Surroundings { within: Some(std::time::Duration::from_secs(1)), ..Surroundings::default() };
        let analysed = analyse(dag, &around, &mut report);
        prop_assert_eq!(analysed.is_some(), report.is_empty());
        prop_assert!(report.shown().iter().all(|(_, message)| !message.is_empty()));
        if let Some(analysed) = analysed {
            prop_assert!(nodes > 0);
            prop_assert_eq!(analysed.dag.declared.len(), nodes);
            prop_assert_eq!(analysed.order.len(), nodes);
        }
    }
}
