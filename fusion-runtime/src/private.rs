//! What the expansions of the macros name, in one place. Not for anybody else: it changes without notice.

pub use std::{
    option::Option::{None, Some},
    result::Result::{self, Ok},
};

pub use crate::contract::{
    Answers, Arg, Args, Ascribed, AscribedDeclared, AscribedUndeclared, Conj, Cons, Contract, Declared,
    Enough, Envelope, Fits, Is, Least, Link, List, Of, Plain, TopicId, Untyped, check_reactors, deeper,
    refuse, same_count, same_parameter, same_reply, takes, topic,
};

#[cfg(feature = "kafka")]
pub use crate::{
    consume::Order,
    dag::{
        CallError, Caller, FromOutcome, Items, ItemsByCopy, ItemsByRef, Seen, SeenByCopy, SeenByRef, Stored,
        Terms, each, join, node, none, or, or_if, ran, some,
    },
    failure::Failure,
    reactor::{Calls, HandIn, HandIns, Reactor, ReactorSpec, outcome, set},
};
