//! Headers that outlive their record.

/// The headers of a record: names with values, in order. A name may be there several times, and a value may be
/// missing (Kafka tells "no value" from an empty one).
///
/// ```
/// use fusion::Headers;
///
/// let mut headers = Headers::new();
/// headers.push("tenant", "red");
/// headers.push("tenant", "blue");
/// assert_eq!(headers.get_str("tenant"), Some("blue"), "the last one counts");
/// assert_eq!(headers.get_all("tenant").count(), 2);
///
/// headers.insert("tenant", "green");
/// assert_eq!(headers.get_all("tenant").collect::<Vec<_>>(), [Some(&b"green"[..])]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Headers {
    entries: Vec<(String, Option<Vec<u8>>)>,
}

impl Headers {
    /// No headers. Allocates nothing.
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// The value of the last header of this name. `None` as well when that one has no value; [`Headers::get_all`]
    /// tells the two apart.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.entries.iter().rev().find(|(other, _)| other == name)?.1.as_deref()
    }

    /// [`Headers::get`] as text. `None` as well when the bytes are not UTF-8.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.get(name)?).ok()
    }

    /// The values of all headers of this name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Option<&'a [u8]>> {
        self.iter().filter(move |(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Adds a header behind the others, also when the name is there already.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.entries.push((name.into(), Some(value.into())));
    }

    /// Adds a header that has no value.
    pub fn push_null(&mut self, name: impl Into<String>) {
        self.entries.push((name.into(), None));
    }

    /// Adds a header behind the others, and takes out those of the same name.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        let name = name.into();
        self.remove(&name);
        self.entries.push((name, Some(value.into())));
    }

    /// Takes out all headers of this name, and says how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let before = self.entries.len();
        self.entries.retain(|(other, _)| other != name);
        before - self.entries.len()
    }

    /// How many headers there are; repeated names count each time.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Names and values, in order.
    pub fn iter(&self) -> HeadersIter<'_> {
        HeadersIter { entries: self.entries.iter() }
    }

    /// The bytes of all names and values, without what the protocol puts around them.
    pub fn byte_size(&self) -> usize {
        self.iter().map(|(name, value)| name.len() + value.map_or(0, <[u8]>::len)).sum()
    }
}

/// Names and values of [`Headers`], in order.
#[derive(Clone, Debug)]
pub struct HeadersIter<'a> {
    entries: std::slice::Iter<'a, (String, Option<Vec<u8>>)>,
}

impl<'a> Iterator for HeadersIter<'a> {
    type Item = (&'a str, Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        self.entries.next().map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = (&'a str, Option<&'a [u8]>);
    type IntoIter = HeadersIter<'a>;

    fn into_iter(self) -> HeadersIter<'a> {
        self.iter()
    }
}

impl<N: Into<String>, V: Into<Vec<u8>>> Extend<(N, Option<V>)> for Headers {
    fn extend<I: IntoIterator<Item = (N, Option<V>)>>(&mut self, headers: I) {
        self.entries.extend(headers.into_iter().map(|(name, value)| (name.into(), value.map(Into::into))));
    }
}

impl<N: Into<String>, V: Into<Vec<u8>>> FromIterator<(N, Option<V>)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, Option<V>)>>(headers: I) -> Self {
        let mut all = Self::new();
        all.extend(headers);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Headers {
        [("a", Some("1")), ("b", Some("")), ("a", None), ("c", Some("xyz"))].into_iter().collect()
    }

    #[test]
    fn the_last_of_a_name_counts_even_without_a_value() {
        let mut headers = sample();
        assert_eq!(headers.get("a"), None);
        assert_eq!(headers.get_all("a").collect::<Vec<_>>(), [Some(&b"1"[..]), None]);
        headers.push("a", "2");
        assert_eq!(headers.get_str("a"), Some("2"));
        assert_eq!(headers.get("missing"), None);
    }

    #[test]
    fn empty_and_missing_values_differ() {
        let headers = sample();
        assert_eq!(headers.get("b"), Some(&b""[..]));
        assert_eq!(headers.get_all("b").next(), Some(Some(&b""[..])));
        assert_eq!(headers.get_all("missing").next(), None);
    }

    #[test]
    fn insert_leaves_one() {
        let mut headers = sample();
        headers.insert("a", "3");
        assert_eq!(headers.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["b", "c", "a"]);
        assert_eq!(headers.remove("a"), 1);
        assert_eq!(headers.remove("a"), 0);
    }

    #[test]
    fn sizes_count_names_and_values() {
        assert_eq!(sample().byte_size(), 4 + 1 + 3);
        assert_eq!(sample().len(), 4);
        assert!(Headers::new().is_empty());
    }

    #[test]
    fn bytes_that_are_no_text_are_not_given_as_such() {
        let mut headers = Headers::new();
        headers.push("raw", [0xff, 0xfe]);
        assert_eq!(headers.get_str("raw"), None);
        assert_eq!(headers.get("raw"), Some(&[0xff, 0xfe][..]));
    }
}
