//! What the expansions of the macros name, in one place. Not for anybody else: it changes without notice.

pub use crate::contract::{
    Answers, Arg, Args, Ascribed, AscribedDeclared, AscribedUndeclared, Conj, Cons, Contract, Declared,
    Enough, Envelope, Fits, Is, Least, Link, List, Plain, SameAsContract, TopicId, Untyped, check_reactors,
    contract, deeper, depth, topic,
};

#[cfg(feature = "kafka")]
pub use crate::reactor::Cons as Reactors;
#[cfg(feature = "kafka")]
pub use crate::{
    consume::Order,
    dag::{CallError, Caller, FromOutcome, Seen, SeenByCopy, SeenByRef, Stored, Terms, each, join, node},
    failure::Failure,
    reactor::{Calls, HandIn, HandIns, Nil, Reactor, ReactorSpec, set},
};
