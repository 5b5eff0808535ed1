//! What the expansions of the macros name, in one place. Not for anybody else: it changes without notice.

pub use std::{
    option::Option::{self, None, Some},
    result::Result::{self, Err, Ok},
};

pub use crate::contract::{
    Answers, Arg, Args, Ascribed, AscribedDeclared, AscribedUndeclared, Conj, Cons, Contract, Declared,
    Enough, Envelope, Fits, Is, Least, Link, List, Of, Plain, TopicId, Untyped, check_reactors, deeper,
    read_0, read_1, read_2, read_3, read_4, read_5, read_6, read_7, read_8, read_9, read_10, read_11,
    read_12, refuse, same_count, same_parameter, same_reply, takes, topic,
};
pub use serde::Deserializer;

#[cfg(feature = "kafka")]
pub use crate::{
    consume::Order,
    dag::{
        CallError, Caller, FromOutcome, Items, ItemsByCopy, ItemsByRef, Seen, SeenByCopy, SeenByRef, Stored,
        Terms, each, join, node, none, or, or_if, ran, some,
    },
    failure::Failure,
    reactor::{Calls, HandIn, HandIns, Listed, Produces, Reactor, ReactorSpec, outcome, set},
    window,
};
