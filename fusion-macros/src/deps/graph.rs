//! Who waits for whom. Nodes are indices, and `needs[a]` are the nodes that `a` waits for.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use super::ast::Dag;

/// The edges that a graph declares: by `<-`, by `after`, and by names in expressions, those in `else` too.
/// Unknown names make none.
pub(super) fn needs(dag: &Dag) -> Vec<Vec<usize>> {
    let mut nodes = HashMap::new();
    for (index, node) in dag.nodes.iter().enumerate() {
        nodes.entry(node.key()).or_insert(index);
    }
    let needs = dag.nodes.iter().map(|node| {
        let injected = node.injections.iter().flat_map(|injection| &injection.names);
        let named = injected.chain(&node.after).filter_map(|name| nodes.get(&super::ast::key(name)).copied());
        let used = node.expressions().flat_map(|expression| expression.uses.iter().map(|used| used.node));
        named.chain(used).collect::<BTreeSet<usize>>().into_iter().collect()
    });
    needs.collect()
}

/// Every circle of nodes, once: of all nodes that wait for each other the first one, and the shortest way from
/// it back to it. `[a, b]` means that `a` waits for `b` and `b` for `a`. Nodes that merely wait for a circle, or
/// that a circle waits for, are in none.
pub(super) fn cycles(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut needed_by = vec![Vec::new(); needs.len()];
    for (node, needed) in needs.iter().enumerate() {
        needed.iter().for_each(|needed| needed_by[*needed].push(node));
    }
    let mut blamed = vec![false; needs.len()];
    let mut cycles = Vec::new();
    for start in 0..needs.len() {
        if blamed[start] {
            continue;
        }
        let ways = ways_from(start, needs);
        if let Some(last) = ways[start] {
            let back = ways_from(start, &needed_by);
            for node in 0..needs.len() {
                blamed[node] |= ways[node].is_some() && back[node].is_some();
            }
            let mut path: Vec<usize> =
                std::iter::successors(Some(last), |node| ways[*node].filter(|_| *node != start)).collect();
            path.reverse();
            cycles.push(path);
        }
    }
    cycles
}

/// Breadth first: for each node that can be reached in one step or more, the node before it.
fn ways_from(start: usize, edges: &[Vec<usize>]) -> Vec<Option<usize>> {
    let mut before = vec![None; edges.len()];
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for next in &edges[node] {
            if before[*next].is_none() {
                before[*next] = Some(node);
                queue.push_back(*next);
            }
        }
    }
    before
}

/// All nodes, each behind what it needs, otherwise in source order. `None` if there is a circle.
pub(super) fn order(needs: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut needed_by = vec![Vec::new(); needs.len()];
    let mut missing: Vec<usize> = needs.iter().map(Vec::len).collect();
    for (node, needed) in needs.iter().enumerate() {
        needed.iter().for_each(|needed| needed_by[*needed].push(node));
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..needs.len()).filter(|node| missing[*node] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        for next in &needed_by[node] {
            missing[*next] -= 1;
            if missing[*next] == 0 {
                ready.push(Reverse(*next));
            }
        }
    }
    (order.len() == needs.len()).then_some(order)
}

/// The path whose times add up to most, in the order in which it runs, and the sum.
pub(super) fn longest(needs: &[Vec<usize>], order: &[usize], times: &[Duration]) -> (Vec<usize>, Duration) {
    let mut sums = times.to_vec();
    let mut before = vec![None; needs.len()];
    for node in order {
        if let Some(last) = needs[*node].iter().copied().max_by_key(|needed| sums[*needed]) {
            before[*node] = Some(last);
            sums[*node] = times[*node] + sums[last];
        }
    }
    let Some(last) = order.iter().copied().max_by_key(|node| sums[*node]) else {
        return (Vec::new(), Duration::ZERO);
    };
    let mut path: Vec<usize> = std::iter::successors(Some(last), |node| before[*node]).collect();
    path.reverse();
    (path, sums[last])
}
