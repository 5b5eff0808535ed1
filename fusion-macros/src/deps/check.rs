//! The rules, one function each.

use std::collections::HashSet;
use std::time::Duration;

use proc_macro2::Ident;

use super::ast::{Dag, How, Node, Target, key, segments};
use super::{Surroundings, flow, graph};
use crate::duration::show;
use crate::report::{Report, did_you_mean};
use crate::topic;

/// Words that the grammar needs where a node's name could stand.
pub(super) const RESERVED: [&str; 9] = ["after", "if", "for", "within", "retry", "else", "cons", "conj", "_"];

/// All rules, in the order in which their errors are shown. `needs` is the graph's.
pub(super) fn all(dag: &Dag, needs: &[Vec<usize>], around: &Surroundings, report: &mut Report) {
    check_node_names(dag, report);
    check_duplicate_nodes(dag, report);
    check_payload_names(dag, around, report);
    check_topics(dag, report);
    check_own_topic(dag, around, report);
    check_unknown_nodes(dag, around, report);
    check_repeated_names(dag, report);
    check_spreads(dag, report);
    check_expressions(dag, report);
    check_cycles(dag, needs, report);
    check_within(dag, needs, around, report);
}

/// A node's name becomes a variable. One that is not snake_case may be a constant's, and `let ONE = ..` would
/// compare with it.
fn check_node_names(dag: &Dag, report: &mut Report) {
    for name in &dag.declared {
        let text = key(name);
        if RESERVED.contains(&text.as_str()) {
            report.error(
                name,
                format!("`{text}` has a meaning of its own in `deps!`: name the node otherwise"),
            );
        } else if text.chars().any(char::is_uppercase) {
            let message =
                format!("the name of a node is snake_case: write `{}` instead of `{text}`", snake(&text));
            report.error(name, message);
        } else if syn::parse_str::<Ident>(&name.to_string()).is_err() {
            let remedy = match syn::parse_str::<Ident>(&format!("r#{text}")) {
                Ok(raw) => format!("write `{raw}`, or name the node otherwise"),
                Err(_) => "name the node otherwise".to_owned(),
            };
            report.error(name, format!("`{text}` is a keyword of Rust: {remedy}"));
        }
    }
}

fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, char) in chars.iter().enumerate() {
        let upper = |at: usize| chars.get(at).is_some_and(|c| c.is_uppercase());
        let starts_word = upper(at) && at > 0 && chars[at - 1] != '_' && !upper(at - 1);
        let ends_acronym =
            upper(at) && at > 0 && upper(at - 1) && chars.get(at + 1).is_some_and(|c| c.is_lowercase());
        if starts_word || ends_acronym {
            snake.push('_');
        }
        snake.extend(char.to_lowercase());
    }
    snake
}

/// Reported at the later one; the earlier has the same name, so what it asks tells which one is meant.
fn check_duplicate_nodes(dag: &Dag, report: &mut Report) {
    let mut seen = HashSet::new();
    for name in dag.declared.iter().filter(|name| *name != "_") {
        let key = key(name);
        if !seen.insert(key.clone()) {
            let asks =
                asked_by(&key, dag).map_or_else(String::new, |target| format!(", which asks {target}"));
            report.error(name, format!("there is already a node `{key}`{asks}: rename one of them"));
        }
    }
}

/// What the first node of a name asks, unless that node may be one that could not be read.
fn asked_by(name: &str, dag: &Dag) -> Option<String> {
    let declared = dag.declared.iter().filter(|declared| key(declared) == name).count();
    let read: Vec<&Node> = dag.nodes.iter().filter(|node| node.key() == name).collect();
    let node = read.first().filter(|_| read.len() == declared)?;
    Some(match &node.target {
        Target::Topic(topic) => format!("{:?}", topic.value()),
        Target::Contract(path) => format!("`{}`", segments(path).join("::")),
    })
}

/// A parameter that is named like a node takes its answer, unless it is marked as payload; then a name in an
/// expression could mean either. Parameters stand behind the graph, so theirs is the later place.
fn check_payload_names(dag: &Dag, around: &Surroundings, report: &mut Report) {
    for parameter in &around.payload {
        let name = key(parameter);
        if dag.declared.iter().any(|node| key(node) == name) {
            let message = format!("there is already a node `{name}`: rename it, or this part of the payload");
            report.error(parameter, message);
        }
    }
}

fn check_topics(dag: &Dag, report: &mut Report) {
    for node in &dag.nodes {
        if let Target::Topic(topic) = &node.target {
            topic::check_name(topic, report);
        }
    }
}

/// Each record of the reactor would need another one to be answered first. (Circles over several reactors show
/// only when these are put together.)
fn check_own_topic(dag: &Dag, around: &Surroundings, report: &mut Report) {
    for node in &dag.nodes {
        let own = around.own.iter().any(|own| own.is(&node.target));
        let message = "a reactor cannot ask its own topic, it would wait for itself: ask another one";
        match &node.target {
            Target::Topic(topic) if own => report.error(topic, message),
            Target::Contract(path) if own => report.error(path, message),
            _ => {}
        }
    }
}

/// Unknown names in expressions are rustc's to report, since they may be anything.
fn check_unknown_nodes(dag: &Dag, around: &Surroundings, report: &mut Report) {
    let declared: Vec<String> = dag.declared.iter().map(key).collect();
    for name in dag.nodes.iter().flat_map(lists).flatten() {
        let text = key(name);
        if declared.contains(&text) {
            continue;
        }
        let remedy = if around.payload.iter().any(|parameter| key(parameter) == text) {
            format!("`{text}` is a parameter, write it as an argument")
        } else if let Some(meant) = did_you_mean(&text, declared.iter().map(String::as_str)) {
            report.error(name, format!("unknown node `{text}`, did you mean `{meant}`?"));
            continue;
        } else {
            let nodes: Vec<String> = declared.iter().take(6).map(|node| format!("`{node}`")).collect();
            let more = if declared.len() > nodes.len() { ", .." } else { "" };
            format!("this graph has {}{more}", nodes.join(", "))
        };
        report.error(name, format!("unknown node `{text}`: {remedy}"));
    }
}

/// The lists of names in a node: one per injection, and that of `after`.
fn lists(node: &Node) -> impl Iterator<Item = &Vec<Ident>> {
    node.injections.iter().map(|injection| &injection.names).chain([&node.after])
}

fn check_repeated_names(dag: &Dag, report: &mut Report) {
    for node in &dag.nodes {
        for list in lists(node) {
            for (at, name) in list.iter().enumerate() {
                if list[..at].iter().any(|earlier| key(earlier) == key(name)) {
                    let text = key(name);
                    let remedy = if std::ptr::eq(list, &raw const node.after) {
                        "once is enough"
                    } else {
                        "a second `<-` injects it again"
                    };
                    report.error(name, format!("`{text}` is already in this list: {remedy}"));
                }
            }
        }
    }
}

fn check_expressions(dag: &Dag, report: &mut Report) {
    for expression in dag.nodes.iter().flat_map(Node::expressions) {
        flow::check(&expression.expr, report);
    }
}

/// An own function gets the arguments as a tuple, and only rustc knows how many items a list has.
fn check_spreads(dag: &Dag, report: &mut Report) {
    for node in &dag.nodes {
        let function = node.injections.iter().any(|injection| matches!(injection.how, How::Function(_)));
        for spread in node.args.iter().filter_map(|arg| arg.spread.as_ref().filter(|_| function)) {
            report.error(spread, "an own function cannot take `..`: give it the list as one argument");
        }
    }
}

/// In the path, `one -> two` says that `one` waits for `two`.
fn check_cycles(dag: &Dag, needs: &[Vec<usize>], report: &mut Report) {
    for cycle in graph::cycles(needs) {
        let mut path: Vec<String> = cycle.iter().map(|node| dag.nodes[*node].key()).collect();
        path.push(path[0].clone());
        let path = path.join(" -> ");
        let message = match cycle.len() {
            1 => format!("this node waits for itself: {path}; a node can only use the answers of others"),
            _ => format!("these nodes wait for each other: {path}; one of them must do without"),
        };
        report.error(&dag.nodes[cycle[0]].name, message);
    }
}

/// A node's time bounds its request with all retries, of all items of a `for` together; whether `if` sends it or
/// `else` replaces it is not known here. The handler's own time counts nothing, nor does a node without `within`.
fn check_within(dag: &Dag, needs: &[Vec<usize>], around: &Surroundings, report: &mut Report) {
    let (Some(own), Some(order)) = (around.within, graph::order(needs)) else { return };
    let time = |node: &Node| node.within.map_or(Duration::ZERO, |within| within.value);
    let times: Vec<Duration> = dag.nodes.iter().map(time).collect();
    let (path, sum) = graph::longest(needs, &order, &times);
    let limits: Vec<&Node> =
        path.iter().map(|node| &dag.nodes[*node]).filter(|node| node.within.is_some()).collect();
    let Some(last) = limits.last().and_then(|node| node.within).filter(|_| sum > own) else { return };
    let parts: Vec<String> =
        limits.iter().map(|node| format!("{} for `{}`", show(time(node)), node.key())).collect();
    let (parts, own) = (parts.join(" and then "), show(own));
    let message = match limits.len() {
        1 => format!(
            "{parts} does not fit into the {own} of the whole run: shorten it, or give the reactor more"
        ),
        _ => {
            let sum = show(sum);
            format!(
                "{parts} make {sum}, which does not fit into the {own} of the whole run: shorten one, or give the reactor more"
            )
        }
    };
    report.error_at(last.span, message);
}
