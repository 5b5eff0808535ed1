//! What must hold of windows whatever comes, in whatever order, and wherever it stops.
//!
//! Each property runs for each kind of window, with records that are out of order around gap and grace.

#![allow(unreachable_pub, reason = "the modules of one program")]

mod interleaved;
mod model;
mod parts;
mod replay;
mod scenario;

/// A test of each name for each kind.
macro_rules! for_each_kind {
    ($($property:ident($check:path);)*) => {
        $(mod $property {
            use crate::scenario::Shape::*;

            for_each_kind! { @kinds $check;
                tumbling(Tumbling { complete: false }), tumbling_complete(Tumbling { complete: true }),
                hopping(Hopping { complete: false }), hopping_complete(Hopping { complete: true }),
                sliding(Sliding), session(Session { longest: false }), session_longest(Session { longest: true }),
            }
        })*
    };
    (@kinds $check:path; $($name:ident($shape:expr)),* $(,)?) => {
        $(#[test]
        fn $name() {
            $crate::scenario::run($shape, $check);
        })*
    };
}

for_each_kind! {
    agrees_with_a_plain_model(crate::model::check);
    restart_at_every_position(crate::replay::restart_everywhere);
    restart_again_and_again(crate::replay::restart_again_and_again);
    abort_at_every_position(crate::replay::abort_everywhere);
    nothing_is_lost(crate::replay::nothing_is_lost);
}
