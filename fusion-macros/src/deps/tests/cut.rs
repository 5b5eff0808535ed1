use syn::parse::{ParseStream, Parser};

use super::*;

/// What stands behind `deps!`: the nodes and the rest.
fn take(source: TokenStream) -> Result<(String, String), (String, String)> {
    let parser = |input: ParseStream<'_>| {
        let body = Body::take(input, crate::deps::parse::EXPECTED);
        let rest: TokenStream = input.parse()?;
        Ok((body, rest))
    };
    let (body, rest) = parser.parse2(source).unwrap();
    match body {
        Ok(body) => Ok((body.tokens.to_string(), rest.to_string())),
        Err(error) => {
            assert!(rest.is_empty(), "one mistake is one error");
            Err((error.span().source_text().unwrap_or_default(), error.to_string()))
        }
    }
}

fn taken(nodes: &str, rest: &str) {
    let found = take(tokens(&format!("< {nodes} > {rest}")));
    assert_eq!(found, Ok((tokens(nodes).to_string(), tokens(rest).to_string())), "{nodes} > {rest}");
}

#[test]
fn the_end_is_followed_by_the_end_or_an_option() {
    for rest in
        ["", ",", ", to = \"x\"", ", flag", ", flag, x = 1", ", window! { .. }", ", deps! < a: \"b\"() >"]
    {
        taken(r#"one: "add"(1, 2); two: "sub"(2) <- cons(one)"#, rest);
    }
    taken(r#"one: "add"(1); "#, ", to = x");
}

#[test]
fn comparisons_do_not_end_it() {
    taken(r#"one: "a"(1) if a > b"#, "");
    taken(r#"one: "a"(1) if a < b"#, ", to = x");
    taken(r#"one: "a"(1) -> i64 if a < b; two: "b"() if c > 1"#, ", to = x");
    taken(r#"one: "a"(1) if a >= b after q, r"#, ", to = x");
    taken(r#"one: "a"(1) if a >> 2 > 1 else b >> 1"#, ", to = x");
    taken(r#"one: "a"(1) for x in xs if a <= b"#, "");
    taken(r#"one: "a"(a > b, c) else match x { _ if a > b => 1, _ => 2 }"#, "");
}

#[test]
fn neither_do_the_brackets_of_types() {
    taken(r#"one: "a"(1) -> Foo<Vec<u8>, A, B>"#, ", flag");
    taken(r#"one: "a"(1) -> HashMap<Vec<u8>, String> <- cons(one)"#, ", order = key");
    taken(r#"one: "a"(1) -> Vec<fn(u8) -> Vec<u8>> within 5s"#, ", to = x");
    taken(r#"one: "a"(1) else f::<Vec<u8>, A, B>()"#, ", to = x");
    taken(r#"one: "a"(1) else f::<fn(A) -> B, C, D>()"#, ", to = x");
    taken(r#"one: "a"(1) else <Vec<u8>>::new()"#, ", to = x");
    taken(r#"one: "a"(1) else |a: Vec<u8>, b| 1"#, ", to = 1");
    taken(r#"one: "a"(1) else || -> Vec<u8> { vec![] }; two: "b"() if a < b"#, ", to = 1");
    taken(r#"one: "a"(1) else x as Vec<u8>"#, "");
    assert_eq!(
        take(tokens(r#"< one: "a"(1) -> Vec<Vec<u8>>>, retry = 3"#)),
        Ok((tokens(r#"one: "a"(1) -> Vec<Vec<u8>>"#).to_string(), ", retry = 3".to_owned()))
    );
}

#[test]
fn arrows_do_not_either() {
    taken(r#"one: "a"(1) -> u8 <- two"#, "");
    taken(r#"one: "a"(1) <- two; two: "b"() -> A<B> <- x"#, ", to = x");
    taken(r#"one: "a"(1) if x => y"#, ", to = x");
}

#[test]
fn brackets_enclose_as_well() {
    for open_close in ["{}", "()", "[]"] {
        let (open, close) = open_close.split_at(1);
        let found = take(tokens(&format!("{open} one: \"a\"() {close}, to = x")));
        assert_eq!(found, Ok(("one : \"a\" ()".to_owned(), ", to = x".to_owned())));
        let found = take(tokens(&format!("{open} < one: \"a\"() > {close}, to = x")));
        assert_eq!(found, Ok(("one : \"a\" ()".to_owned(), ", to = x".to_owned())));
    }
}

#[test]
fn an_end_without_its_comma() {
    for (source, body, rest) in [
        ("< one: \"a\"() > to = x", "one : \"a\" ()", "to = x"),
        (
            "< one: \"a\"() -> u8 > deps! { two: \"b\"() }",
            "one : \"a\" () -> u8",
            "deps ! { two : \"b\" () }",
        ),
        ("< one: \"a\"(1) if a > b > to = x, retry = 1", "one : \"a\" (1) if a > b", "to = x , retry = 1"),
    ] {
        assert_eq!(take(tokens(source)), Ok((body.into(), rest.into())), "{source}");
    }
}

#[test]
fn no_end() {
    let message =
        "this `<` has no closing `>`, which is the last token or stands before `,` and the next option";
    for source in
        ["< one: \"a\"(1) if a > b, to = x", "<", "< one: \"a\"() > to == x", "< one: \"a\"() -> Vec<u8>"]
    {
        assert_eq!(take(tokens(source)), Err(("<".into(), message.into())), "{source}");
    }
    assert_eq!(wrong("< one: \"a\"()"), [("<".into(), message.into())]);
    let message = "expected the nodes: write `deps! < one: \"add\"(1, 2) >` or `deps! { .. }`";
    let parser = |input: ParseStream<'_>| {
        Ok(Body::take(input, crate::deps::parse::EXPECTED).map(|_| ()).unwrap_err().to_string()
            + &input.parse::<TokenStream>()?.to_string())
    };
    assert_eq!(parser.parse_str("= 5").unwrap(), format!("{message}= 5"));
    assert_eq!(
        wrong("< one: \"a\"() >, to = x"),
        [(",".into(), "nothing can follow the closing `>`".into())]
    );
}

#[test]
fn empty_graphs() {
    let message = "a graph needs at least one node, such as `one: \"add\"(1, 2)`";
    assert_eq!(wrong(""), [(String::new(), message.into())]);
    assert_eq!(wrong("<>"), [("<".into(), message.into())]);
    each_wrong(&[
        ("; one: \"a\"()", ";", "expected a node before this `;`"),
        ("one: \"a\"();; two: \"b\"()", ";", "expected a node before this `;`"),
        ("one: \"a\"();;", ";", "expected a node before this `;`"),
    ]);
}
