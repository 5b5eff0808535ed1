use std::time::Duration;

use petgraph::algo::{is_cyclic_directed, tarjan_scc};
use petgraph::graph::{DiGraph, NodeIndex};
use proptest::prelude::*;

use super::super::graph::{cycles, longest, order};
use super::*;

fn needs(source: &str) -> Vec<Vec<usize>> {
    right(source).needs
}

#[test]
fn edges_come_from_injections_after_and_expressions() {
    assert_eq!(
        needs("a: \"a\"(); b: \"b\"() <- a; c: \"c\"() after a, b; d: \"d\"(c)"),
        [vec![], vec![0], vec![0, 1], vec![2]]
    );
    assert_eq!(
        needs(
            "d: \"d\"(1) <- f(c) <- cons(b) else format!(\"{a}\"); c: \"c\"() if a; b: \"b\"() for x in a; a: \"a\"()"
        ),
        [vec![1, 2, 3], vec![3], vec![3], vec![]]
    );
    assert_eq!(
        needs("r#type: \"a\"(); b: \"b\"() <- r#type; c: \"c\"(b, b) <- b"),
        [vec![], vec![0], vec![1]]
    );
}

#[test]
fn the_order_is_the_source_order_where_nothing_else_is_needed() {
    assert_eq!(right("a: \"a\"(); b: \"b\"(); c: \"c\"()").order, [0, 1, 2]);
    assert_eq!(right("a: \"a\"(c); b: \"b\"(); c: \"c\"(); d: \"d\"(a)").order, [1, 2, 0, 3]);
}

fn graphs() -> impl Strategy<Value = Vec<Vec<usize>>> {
    (1..=60_usize, 0..=3_usize).prop_flat_map(|(nodes, density)| {
        prop::collection::vec((0..nodes, 0..nodes), 0..=nodes * density).prop_map(move |edges| {
            let mut needs = vec![std::collections::BTreeSet::new(); nodes];
            needs.iter_mut().enumerate().for_each(|(node, needed)| {
                needed.extend(edges.iter().filter(|(from, _)| *from == node).map(|(_, to)| *to))
            });
            needs.into_iter().map(|needed| needed.into_iter().collect()).collect()
        })
    })
}

fn petgraph(needs: &[Vec<usize>]) -> DiGraph<(), ()> {
    let edges = needs.iter().enumerate().flat_map(|(from, needed)| needed.iter().map(move |to| (from, *to)));
    let mut graph = DiGraph::new();
    needs.iter().for_each(|_| {
        graph.add_node(());
    });
    graph.extend_with_edges(edges.map(|(from, to)| (from as u32, to as u32)));
    graph
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn circles_are_those_of_petgraph(needs in graphs()) {
        let graph = petgraph(&needs);
        let cycles = cycles(&needs);
        prop_assert_eq!(!cycles.is_empty(), is_cyclic_directed(&graph));
        prop_assert_eq!(order(&needs).is_none(), is_cyclic_directed(&graph));

        let circles: Vec<Vec<usize>> = tarjan_scc(&graph)
            .into_iter()
            .map(|circle| circle.into_iter().map(NodeIndex::index).collect::<Vec<usize>>())
            .filter(|circle| circle.len() > 1 || needs[circle[0]].contains(&circle[0]))
            .collect();
        prop_assert_eq!(cycles.len(), circles.len(), "each circle once");
        for circle in &circles {
            let blamed: Vec<&Vec<usize>> =
                cycles.iter().filter(|path| path.iter().any(|node| circle.contains(node))).collect();
            prop_assert_eq!(blamed.len(), 1);
            let path = blamed[0];
            prop_assert!(path.iter().all(|node| circle.contains(node)), "only members are blamed");
            prop_assert_eq!(Some(&path[0]), circle.iter().min(), "the first in the source is named first");
            let next = path.iter().cycle().skip(1);
            prop_assert!(path.iter().zip(next).all(|(node, next)| needs[*node].contains(next)), "it is a way");
            let distinct: std::collections::BTreeSet<&usize> = path.iter().collect();
            prop_assert_eq!(distinct.len(), path.len(), "no node twice");
        }
    }

    #[test]
    fn what_is_needed_comes_before(needs in graphs()) {
        let Some(order) = order(&needs) else { return Ok(()) };
        let mut place = vec![0; needs.len()];
        order.iter().enumerate().for_each(|(at, node)| place[*node] = at);
        prop_assert_eq!(order.len(), needs.len());
        for (node, needed) in needs.iter().enumerate() {
            prop_assert!(needed.iter().all(|needed| place[*needed] < place[node]));
        }
    }

    #[test]
    fn no_path_is_longer_than_the_longest(needs in graphs(), times in prop::collection::vec(0..100_u64, 60)) {
        // Only edges backward: no circles.
        let needs: Vec<Vec<usize>> = needs
            .iter()
            .enumerate()
            .map(|(node, needed)| needed.iter().copied().filter(|needed| *needed < node).collect())
            .collect();
        let times: Vec<Duration> = times.into_iter().take(needs.len()).map(Duration::from_secs).collect();
        let (path, sum) = longest(&needs, &order(&needs).unwrap(), &times);
        prop_assert_eq!(path.iter().map(|node| times[*node]).sum::<Duration>(), sum);
        prop_assert!(path.windows(2).all(|pair| needs[pair[1]].contains(&pair[0])), "it is a way");
        let mut sums = times.clone();
        for node in 0..needs.len() {
            let before = needs[node].iter().map(|needed| sums[*needed]).max();
            sums[node] += before.unwrap_or_default();
            prop_assert!(sums[node] <= sum);
        }
    }

    /// As text, through the whole of the language: the verdict is petgraph's, and each error is under a member.
    #[test]
    fn verdicts_of_written_graphs(needs in graphs(), kinds in prop::collection::vec(0..5_usize, 180)) {
        let mut kinds = kinds.into_iter().cycle();
        let written: Vec<String> = needs
            .iter()
            .enumerate()
            .map(|(node, needed)| {
                let (mut args, mut injected, mut after, mut otherwise) = (vec![], String::new(), vec![], vec![]);
                for needed in needed {
                    match kinds.next() {
                        Some(0) => args.push(format!("n{needed}")),
                        Some(1) => args.push(format!("format!(\"{{n{needed}}}\")")),
                        Some(2) => injected += &format!(" <- cons(n{needed})"),
                        Some(3) => after.push(format!("n{needed}")),
                        _ => otherwise.push(format!("n{needed}")),
                    }
                }
                let after = if after.is_empty() { String::new() } else { format!(" after {}", after.join(", ")) };
                let otherwise = otherwise.join(", ");
                format!("n{node}: \"a\"({}){injected}{after} else ({otherwise})", args.join(", "))
            })
            .collect();
        let graph = petgraph(&needs);
        let report = report(&written.join(";\n"), &Surroundings::default());
        prop_assert_eq!(report.is_empty(), !is_cyclic_directed(&graph), "{:?}", report.shown());
        for ((caret, message), (line, column)) in report.shown().into_iter().zip(report.places()) {
            prop_assert_eq!(column, 0);
            prop_assert_eq!(&caret, &format!("n{}", line - 1));
            let (opens, closes) = (format!(": {caret} -> "), format!(" -> {caret};"));
            prop_assert!(message.contains(&opens) && message.contains(&closes));
        }
    }
}
