//! The manual: what fusion does and how to use it, one chapter a module. There is nothing to import here; the chapters
//! exist only in the documentation.
//!
//! | Chapter | About |
//! |---|---|
//! | [`language`] | `deps!`: how answers flow, `if`, `for`, `else`, time |
//! | [`reactors`] | what the attribute adds, events and answers, order, `to`, state, the life of an app |
//! | [`windows`] | gathering from several topics: time, late records, exactly once, and Kafka Streams beside it |
//! | [`requests`] | asking and sending from anywhere, deadlines, the ways of replies |
//! | [`failures`] | codes, retries, error replies, dead letters |
//! | [`delivery`] | what is promised, and what is not |
//! | [`configuration`] | the environment, settings, topics, counters and logs |
//! | [`bytes`] | values, keys and headers on the wire |
//! | [`embedded`] | the broker inside the process and its limits |
//! | [`testing`] | handlers, graphs and events in tests, with and without a broker |
//!
//! The reference of the language is on the pages of [`#[reactor]`](macro@crate::reactor), [`deps!`](crate::deps!),
//! [`#[contract]`](macro@crate::contract) and [`reactors!`](crate::reactors!).

#[doc = include_str!("language.md")]
pub mod language {}

#[doc = include_str!("reactors.md")]
pub mod reactors {}

#[doc = include_str!("windows.md")]
pub mod windows {}

#[doc = include_str!("requests.md")]
pub mod requests {}

#[doc = include_str!("failures.md")]
pub mod failures {}

#[doc = include_str!("delivery.md")]
pub mod delivery {}

#[doc = include_str!("configuration.md")]
pub mod configuration {}

#[doc = include_str!("bytes.md")]
pub mod bytes {}

#[doc = include_str!("embedded.md")]
pub mod embedded {}

#[doc = include_str!("testing.md")]
pub mod testing {}
