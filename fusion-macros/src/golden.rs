//! What the macros write, as files to read. `GOLDEN=overwrite cargo test -p fusion-macros golden` writes them anew.

use std::{env, fs, path::Path};

use proc_macro2::TokenStream;

fn compare(name: &str, expansion: TokenStream) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let pretty = prettyplease::unparse(&syn::parse2(expansion).unwrap());
    if env::var_os("GOLDEN").is_some_and(|value| value == "overwrite") {
        fs::write(&path, &pretty).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(pretty == golden, "{name} is now:\n{pretty}");
}

fn tokens(source: &str) -> TokenStream {
    source.parse().unwrap()
}

/// The graph of the README's first example.
#[test]
fn sum() {
    let options = r#"topic = "sum", deps! < one: "add"(1, 2, 3); two: "subtract"(2) <- cons(one) >"#;
    let item = r#"
        /// Adds and subtracts.
        async fn sum(order: Order, one: i64, two: i64) -> Report {
            Report { order: order.id, one, two }
        }
    "#;
    compare("sum.rs", crate::reactor::expand(tokens(options), tokens(item)));
}

/// No graph: a handler that is not `async`, may fail, and takes state.
#[test]
fn reserve() {
    let options = r#"topic = contracts::reserve, within = 5s, order = none, name = "stock""#;
    let item = r#"
        fn reserve(stock: State<Stock>, article: u64, count: Option<u32>) -> Result<bool, StockError> {
            stock.reserve(article, count.unwrap_or(1))
        }
    "#;
    compare("reserve.rs", crate::reactor::expand(tokens(options), tokens(item)));
}

/// Every clause, as an expression.
#[test]
fn clauses() {
    let nodes = r#"
        one: "add"(1, ..order.items) else 0;
        all: negate(item, one) if one > 5 for item in order.items within 2s retry 3;
        late: "touch"() -> bool after all;
        two: "subtract"(2) <- twice(one) <- cons(late)
    "#;
    let expression = crate::deps::expression::expand(tokens(nodes));
    compare("clauses.rs", quote::quote!(fn clauses() { let graph = #expression; }));
}

/// One mistake: everything is there that others may need.
#[test]
fn mistake() {
    let options = r#"topic = "add", retries = 3"#;
    let item = "async fn add(numbers: Vec<i64>) -> i64 { numbers.iter().sum() }";
    compare("mistake.rs", crate::reactor::expand(tokens(options), tokens(item)));
}

/// A window of two sources, with a graph, updates and overlapping windows.
#[test]
fn window() {
    let options = r#"
        window! < triggers: "brake" | services::lidar by id; orders: "orders" by |order| order.id.clone() at time >,
        deps! < price: "price"(triggers.len()) >,
        hopping = 30s, advance = 10s, grace = 2s, emit = updates, idle = never, to = "approvals"
    "#;
    let item = r#"
        async fn approve(id: Key<Uuid>, triggers: Vec<Trigger>, orders: Latest, price: f64) -> Option<Approval> {
            Approval::of(*id, triggers, orders, price)
        }
    "#;
    compare("window.rs", crate::reactor::expand(tokens(options), tokens(item)));
}

/// A window with a mistake.
#[test]
fn window_mistake() {
    let options = r#"window! < triggers: "brake" by id >, tumbling = 30s"#;
    compare(
        "window_mistake.rs",
        crate::reactor::expand(tokens(options), tokens("fn approve(triggers: Vec<Trigger>) {}")),
    );
}
