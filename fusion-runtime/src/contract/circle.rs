//! Circles among the reactors of one app, found while it compiles.
//!
//! `reactors![..]` evaluates [`check_reactors`] in a constant, so everything here is `const fn` over fixed
//! buffers: no allocation, no iterators, no `==` on `str`.

/// What [`check_reactors`] must know of a reactor.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The reactor's name.
    pub name: &'static str,
    /// The topic it serves; a window has none.
    pub topic: &'static str,
    /// The topics that its window gathers.
    pub gathers: &'static [&'static str],
    /// Nobody else in the app may take records of the topics that its window gathers.
    pub alone: bool,
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

/// FNV-1a. rustc refuses constants that take too many steps, and comparing every name with every other byte by
/// byte would be too many for some hundred reactors.
const fn hash(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x100_0000_01b3);
        i += 1;
    }
    hash
}

/// The reactors and the hashes of their topics.
#[derive(Clone, Copy)]
struct Table<'a, const N: usize> {
    links: &'a [Link; N],
    topics: &'a [u64; N],
}

/// Which edges of the graph a check follows.
#[derive(Clone, Copy)]
enum Edges {
    Asks,
    To,
}

impl<const N: usize> Table<'_, N> {
    /// The reactor that serves `topic`, if one of these does.
    const fn serves(self, topic: &str) -> Option<usize> {
        let hash = hash(topic);
        let mut i = 0;
        while i < N {
            if self.topics[i] == hash && same(self.links[i].topic, topic) {
                return Some(i);
            }
            i += 1;
        }
        None
    }

    /// The `n`th topic that reactor `i` leads to.
    const fn edge(self, i: usize, n: usize, edges: Edges) -> Option<&'static str> {
        match edges {
            Edges::Asks if n < self.links[i].asks.len() => Some(self.links[i].asks[n]),
            Edges::To if n == 0 => self.links[i].to,
            _ => None,
        }
    }

    /// Walks depth first. A reactor that is met again while the walk from it goes on is on a circle, with all that
    /// were entered since, and with no other.
    #[track_caller]
    const fn fail_on_circle(self, edges: Edges, what: &str) {
        let mut entered = [false; N];
        // The way to where the walk is, and the next edge to follow from each place on it.
        let (mut path, mut next) = ([0; N], [0; N]);
        // Its place on the way, counted from 1; 0 for those that are not on it.
        let mut place = [0; N];
        let mut start = 0;
        while start < N {
            let mut length = 0;
            if !entered[start] {
                (path[0], next[0], place[start], length) = (start, 0, 1, 1);
                entered[start] = true;
            }
            while length > 0 {
                let at = path[length - 1];
                let Some(topic) = self.edge(at, next[length - 1], edges) else {
                    place[at] = 0;
                    length -= 1;
                    continue;
                };
                next[length - 1] += 1;
                let Some(to) = self.serves(topic) else { continue };
                if place[to] > 0 {
                    self.fail(what, &path, place[to] - 1, length);
                }
                if !entered[to] {
                    (path[length], next[length], place[to]) = (to, 0, length + 1);
                    entered[to] = true;
                    length += 1;
                }
            }
            start += 1;
        }
    }

    #[track_caller]
    const fn fail(self, what: &str, path: &[usize; N], from: usize, to: usize) -> ! {
        let mut text = Text::new().push(what);
        let mut i = from;
        while i < to {
            text = text.push(self.links[path[i]].topic).push(" -> ");
            i += 1;
        }
        text.push(self.links[path[from]].topic).fail()
    }
}

/// The first pair of equal hashes, as the two places.
const fn first_pair<const N: usize>(hashes: &[u64; N]) -> Option<(usize, usize)> {
    let mut i = 0;
    while i < N {
        let mut j = i + 1;
        while j < N {
            if hashes[i] == hashes[j] {
                return Some((i, j));
            }
            j += 1;
        }
        i += 1;
    }
    None
}

/// Fails the build when two reactors have one name or serve one topic, when some wait for each other, or
/// when what one sends comes back to it.
#[track_caller]
pub const fn check_reactors<const N: usize>(links: &[Link; N]) {
    let (mut topics, mut names) = ([0; N], [0; N]);
    let mut i = 0;
    while i < N {
        (topics[i], names[i]) = (hash(links[i].topic), hash(links[i].name));
        i += 1;
    }
    // Two different names of one hash: as likely as 64 bits make it, and renaming one of them helps.
    if let Some((i, j)) = first_pair(&topics) {
        Text::new()
            .push("two reactors serve the topic ")
            .push(links[i].topic)
            .push(": ")
            .push(links[i].name)
            .push(" and ")
            .push(links[j].name)
            .fail();
    }
    if let Some((i, _)) = first_pair(&names) {
        Text::new()
            .push("two reactors are called ")
            .push(links[i].name)
            .push(": give one of them another name with `name = ..`")
            .fail();
    }
    let table = Table { links, topics: &topics };
    table.fail_on_circle(Edges::Asks, "these reactors wait for each other: ");
    table.fail_on_circle(Edges::To, "what this reactor sends comes back to it: ");
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn link(name: &'static str, asks: &'static [&'static str], to: Option<&'static str>) -> Link {
        Link { name, topic: name, gathers: &[], alone: false, asks, to }
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
    fn a_circle_may_be_entered_anywhere() {
        let links = [
            link("c", &["x", "d"], None),
            link("d", &["a"], None),
            link("a", &["b"], None),
            link("b", &["d"], None),
        ];
        assert_eq!(message(links).unwrap(), "these reactors wait for each other: d -> a -> b -> d");
        assert_eq!(message([link("a", &["a"], None)]).unwrap(), "these reactors wait for each other: a -> a");
        // Two ways to one place are no circle.
        assert_eq!(
            message([
                link("a", &["b", "c"], None),
                link("b", &["d"], None),
                link("c", &["d"], None),
                link("d", &[], None)
            ]),
            None
        );
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
