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
    /// The topic that gets what came too late for its window.
    pub late: Option<&'static str>,
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
    // Names of topics begin alike more often than they end alike, and rustc counts each step.
    if a.len() != b.len() || !a.is_empty() && a[a.len() - 1] != b[a.len() - 1] {
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

/// The reactors and the hashes of the topics that they serve.
#[derive(Clone, Copy)]
struct Table<'a, const N: usize> {
    links: &'a [Link; N],
    topics: &'a [u64; N],
    sources: &'a Sources,
}

/// The hashes of all topics that windows gather, and whose they are: so that a comparison is one step to rustc.
struct Sources {
    hashes: [u64; MOST],
    windows: [usize; MOST],
    count: usize,
}

/// How many that can be.
const MOST: usize = 4096;

impl Sources {
    #[track_caller]
    const fn of<const N: usize>(links: &[Link; N]) -> Self {
        let mut all = Sources { hashes: [0; MOST], windows: [0; MOST], count: 0 };
        let mut i = 0;
        while i < N {
            let mut n = 0;
            while n < links[i].gathers.len() {
                if all.count == MOST {
                    panic!("the windows of one list gather more than 4096 topics: make two lists");
                }
                (all.hashes[all.count], all.windows[all.count]) = (hash(links[i].gathers[n]), i);
                all.count += 1;
                n += 1;
            }
            i += 1;
        }
        all
    }
}

/// Which reactors lead to which others: `leads[a][b]` is an edge from `a` to `b`.
type Edges<const N: usize> = [[bool; N]; N];

impl<const N: usize> Table<'_, N> {
    /// The reactor that serves `topic`, if one of these does.
    const fn serves(self, topic: &str) -> Option<usize> {
        let hash = hash(topic);
        let mut i = 0;
        while i < N {
            if self.topics[i] == hash && same(self.links[i].topic, topic) && !topic.is_empty() {
                return Some(i);
            }
            i += 1;
        }
        None
    }

    /// A reactor waits for those that it asks. Nobody waits for a window.
    const fn asks(self) -> Edges<N> {
        let mut leads = [[false; N]; N];
        let mut i = 0;
        while i < N {
            let asks = self.links[i].asks;
            let mut n = 0;
            while n < asks.len() {
                if let Some(asked) = self.serves(asks[n]) {
                    leads[i][asked] = true;
                }
                n += 1;
            }
            i += 1;
        }
        leads
    }

    /// What a reactor sends, late records included, goes to the one that serves the topic and to all windows that gather it.
    const fn sends(self) -> Edges<N> {
        let mut leads = [[false; N]; N];
        let mut i = 0;
        while i < N {
            leads[i] = self.reaches(leads[i], self.links[i].to);
            leads[i] = self.reaches(leads[i], self.links[i].late);
            i += 1;
        }
        leads
    }

    /// Adds those that take what is sent to a topic.
    const fn reaches(self, mut leads: [bool; N], topic: Option<&str>) -> [bool; N] {
        let Some(to) = topic else { return leads };
        if let Some(served) = self.serves(to) {
            leads[served] = true;
        }
        let (to, mut n) = (hash(to), 0);
        while n < self.sources.count {
            if self.sources.hashes[n] == to {
                leads[self.sources.windows[n]] = true;
            }
            n += 1;
        }
        leads
    }

    /// Walks depth first. A reactor that is met again while the walk from it goes on is on a circle, with all that
    /// were entered since, and with no other.
    #[track_caller]
    const fn fail_on_circle(self, leads: &Edges<N>, what: &str) {
        let mut entered = [false; N];
        // The way to where the walk is, and the next reactor to look at from each place on it.
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
                let (at, to) = (path[length - 1], next[length - 1]);
                if to == N {
                    place[at] = 0;
                    length -= 1;
                    continue;
                }
                next[length - 1] += 1;
                if !leads[at][to] {
                    continue;
                }
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

    /// What stands for a reactor on a path: its topic, or the name of a window, which has none.
    const fn shown(self, i: usize) -> &'static str {
        if self.links[i].topic.is_empty() { self.links[i].name } else { self.links[i].topic }
    }

    #[track_caller]
    const fn fail(self, what: &str, path: &[usize; N], from: usize, to: usize) -> ! {
        let mut text = Text::new().push(what);
        let mut i = from;
        while i < to {
            text = text.push(self.shown(path[i])).push(" -> ");
            i += 1;
        }
        text.push(self.shown(path[from])).fail()
    }

    /// The macro sees a topic twice only if it is written alike.
    #[track_caller]
    const fn fail_on_topic_twice(self, window: usize) {
        let Link { name, gathers, .. } = self.links[window];
        let mut a = 0;
        while a < gathers.len() {
            let mut b = a + 1;
            while b < gathers.len() {
                if same(gathers[a], gathers[b]) {
                    Text::new()
                        .push("the window ")
                        .push(name)
                        .push(" gathers the topic ")
                        .push(gathers[a])
                        .push(" twice")
                        .fail();
                }
                b += 1;
            }
            a += 1;
        }
    }

    /// A window without a repartition topic holds the offsets of its sources back, for everybody in the app.
    #[track_caller]
    const fn fail_on_company(self, window: usize) {
        let Link { name, gathers, .. } = self.links[window];
        let mut n = 0;
        while n < gathers.len() {
            let (topic, hash) = (gathers[n], hash(gathers[n]));
            let mut other = 0;
            while other < self.sources.count {
                if self.sources.hashes[other] == hash && self.sources.windows[other] != window {
                    let other = self.links[self.sources.windows[other]].name;
                    company(name, topic).push(other).push(" gathers it too").fail();
                }
                other += 1;
            }
            if let Some(other) = self.serves(topic) {
                company(name, topic).push(self.links[other].name).push(" serves it").fail();
            }
            n += 1;
        }
    }
}

const fn company(window: &str, topic: &str) -> Text {
    Text::new()
        .push("the window ")
        .push(window)
        .push(" is `copartitioned`, so it must be the only one in the app that takes the topic ")
        .push(topic)
        .push(": ")
}

/// The first pair of equal hashes, as the two places; `none` stands for nothing.
const fn first_pair<const N: usize>(hashes: &[u64; N], none: u64) -> Option<(usize, usize)> {
    let mut i = 0;
    while i < N {
        let mut j = if hashes[i] == none { N } else { i + 1 };
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

/// Fails the build when two reactors have one name or serve one topic, when a topic that a window must have for itself
/// is somebody else's too, when some wait for each other, or when what one sends comes back to it.
#[track_caller]
pub const fn check_reactors<const N: usize>(links: &[Link; N]) {
    let (mut topics, mut names) = ([0; N], [0; N]);
    let mut i = 0;
    while i < N {
        (topics[i], names[i]) = (hash(links[i].topic), hash(links[i].name));
        i += 1;
    }
    // Two different names of one hash: as likely as 64 bits make it, and renaming one of them helps.
    if let Some((i, j)) = first_pair(&topics, hash("")) {
        Text::new()
            .push("two reactors serve the topic ")
            .push(links[i].topic)
            .push(": ")
            .push(links[i].name)
            .push(" and ")
            .push(links[j].name)
            .fail();
    }
    if let Some((i, _)) = first_pair(&names, 0) {
        Text::new()
            .push("two reactors are called ")
            .push(links[i].name)
            .push(": give one of them another name with `name = ..`")
            .fail();
    }
    let table = Table { links, topics: &topics, sources: &Sources::of(links) };
    let mut i = 0;
    while i < N {
        table.fail_on_topic_twice(i);
        if links[i].alone {
            table.fail_on_company(i);
        }
        i += 1;
    }
    table.fail_on_circle(&table.asks(), "these reactors wait for each other: ");
    table.fail_on_circle(&table.sends(), "what this reactor sends comes back to it: ");
}

#[cfg(test)]
mod tests;
