//! Circles among the reactors of one app, found while it compiles.
//!
//! `reactors![..]` evaluates [`check_reactors`] in a constant, so everything here is `const fn` over fixed
//! buffers: no allocation, no iterators, no `==` on `str`.

/// What [`check_reactors`] must know of a reactor.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The reactor's name.
    pub name: &'static str,
    /// The topic it serves.
    pub topic: &'static str,
    /// The topics it asks.
    pub asks: &'static [&'static str],
    /// The topic that gets what it returns.
    pub to: Option<&'static str>,
}

const TEXT: usize = 1024;

/// A message under construction.
struct Text {
    bytes: [u8; TEXT],
    length: usize,
}

impl Text {
    const fn new() -> Self {
        Text { bytes: [0; TEXT], length: 0 }
    }

    /// Appends, or drops what does not fit: a path longer than a screen helps nobody.
    const fn push(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() && self.length < TEXT {
            self.bytes[self.length] = text[i];
            self.length += 1;
            i += 1;
        }
        self
    }

    #[track_caller]
    const fn fail(&self) -> ! {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => panic!("{}", text),
            // Only a name cut in the middle of a character gets here.
            Err(_) => panic!("these reactors wait for each other"),
        }
    }
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// The reactor that serves `topic`, if one of these does.
const fn serves(links: &[Link], topic: &str) -> Option<usize> {
    let mut i = 0;
    while i < links.len() {
        if same(links[i].topic, topic) {
            return Some(i);
        }
        i += 1;
    }
    None
}

/// Which edges of the graph a check follows.
#[derive(Clone, Copy)]
enum Edges {
    Asks,
    To,
}

/// The `n`th topic that reactor `i` leads to.
const fn edge(links: &[Link], i: usize, n: usize, edges: Edges) -> Option<&'static str> {
    match edges {
        Edges::Asks if n < links[i].asks.len() => Some(links[i].asks[n]),
        Edges::To if n == 0 => links[i].to,
        _ => None,
    }
}

/// The first reactor on a circle, or `None`. A reactor is on one if a walk from it comes back to it.
const fn on_circle<const N: usize>(links: &[Link; N], edges: Edges) -> Option<usize> {
    let mut start = 0;
    while start < N {
        if next_on_path(links, start, start, edges).is_some() {
            return Some(start);
        }
        start += 1;
    }
    None
}

/// From `at`, the neighbour that leads back to `goal` on a shortest way.
const fn next_on_path<const N: usize>(
    links: &[Link; N],
    at: usize,
    goal: usize,
    edges: Edges,
) -> Option<usize> {
    // Distances to `goal`, relaxed until nothing changes; N is the number of reactors in one app.
    let mut distance = [usize::MAX; N];
    distance[goal] = 0;
    let mut changed = true;
    while changed {
        changed = false;
        let mut i = 0;
        while i < N {
            let mut n = 0;
            while let Some(topic) = edge(links, i, n, edges) {
                if let Some(j) = serves(links, topic)
                    && distance[j] != usize::MAX
                    && distance[j] + 1 < distance[i]
                {
                    distance[i] = distance[j] + 1;
                    changed = true;
                }
                n += 1;
            }
            i += 1;
        }
    }
    let mut best = None;
    let mut least = usize::MAX;
    let mut n = 0;
    while let Some(topic) = edge(links, at, n, edges) {
        if let Some(j) = serves(links, topic)
            && distance[j] < least
        {
            best = Some(j);
            least = distance[j];
        }
        n += 1;
    }
    best
}

#[track_caller]
const fn fail_on_circle<const N: usize>(links: &[Link; N], edges: Edges, what: &str) {
    if let Some(start) = on_circle(links, edges) {
        let mut text = Text::new().push(what).push(links[start].topic);
        let mut at = start;
        while let Some(next) = next_on_path(links, at, start, edges) {
            text = text.push(" -> ").push(links[next].topic);
            at = next;
            if at == start {
                break;
            }
        }
        text.fail();
    }
}

/// Fails the build when two reactors have one name or serve one topic, when some wait for each other, or
/// when what one sends comes back to it.
#[track_caller]
pub const fn check_reactors<const N: usize>(links: &[Link; N]) {
    let mut i = 0;
    while i < N {
        let mut j = i + 1;
        while j < N {
            if same(links[i].topic, links[j].topic) {
                Text::new()
                    .push("two reactors serve the topic ")
                    .push(links[i].topic)
                    .push(": ")
                    .push(links[i].name)
                    .push(" and ")
                    .push(links[j].name)
                    .fail();
            }
            if same(links[i].name, links[j].name) {
                Text::new()
                    .push("two reactors are called ")
                    .push(links[i].name)
                    .push(": give one of them another name with `name = ..`")
                    .fail();
            }
            j += 1;
        }
        i += 1;
    }
    fail_on_circle(links, Edges::Asks, "these reactors wait for each other: ");
    fail_on_circle(links, Edges::To, "what this reactor sends comes back to it: ");
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn link(name: &'static str, asks: &'static [&'static str], to: Option<&'static str>) -> Link {
        Link { name, topic: name, asks, to }
    }

    fn message<const N: usize>(links: [Link; N]) -> Option<String> {
        let panic = std::panic::catch_unwind(|| check_reactors(&links)).err()?;
        Some(panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "no text".into()))
    }

    #[test]
    fn a_graph_without_circles_passes() {
        assert_eq!(
            message([link("a", &["b", "c"], None), link("b", &["c"], Some("c")), link("c", &[], None)]),
            None
        );
    }

    #[test]
    fn topics_of_other_apps_are_nobody_here() {
        assert_eq!(message([link("a", &["elsewhere"], Some("elsewhere"))]), None);
    }

    #[test]
    fn a_circle_is_told_with_its_path() {
        let text = message([link("a", &["b"], None), link("b", &["c"], None), link("c", &["a"], None)]);
        assert_eq!(text.unwrap(), "these reactors wait for each other: a -> b -> c -> a");
    }

    #[test]
    fn a_reactor_that_only_leads_to_the_circle_is_left_alone() {
        let text = message([link("a", &["b"], None), link("b", &["c"], None), link("c", &["b"], None)]);
        assert_eq!(text.unwrap(), "these reactors wait for each other: b -> c -> b");
    }

    #[test]
    fn a_circle_through_to_is_another_mistake() {
        let text = message([link("a", &[], Some("b")), link("b", &[], Some("a"))]);
        assert_eq!(text.unwrap(), "what this reactor sends comes back to it: a -> b -> a");
    }

    #[test]
    fn one_topic_has_one_reactor() {
        let mut other = link("other", &[], None);
        other.topic = "a";
        assert_eq!(
            message([link("a", &[], None), other]).unwrap(),
            "two reactors serve the topic a: a and other"
        );
    }

    #[test]
    fn names_are_unique() {
        let mut other = link("a", &[], None);
        other.topic = "b";
        assert!(message([link("a", &[], None), other]).unwrap().starts_with("two reactors are called a"));
    }
}
