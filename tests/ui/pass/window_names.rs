//! Windows where every name that an expansion could have meant is something else, and out of `macro_rules!`.
#![allow(non_camel_case_types, dead_code)]

macro_rules! strangers {
    ($($name:ident)*) => { $(#[allow(dead_code)] struct $name;)* };
}

strangers! {
    Result Option Ok Err Some None String Vec Box Send Sync Sized Future Into From Clone Copy Debug Default Any Item Self_
    Gathered Gathers Gather Merge Window WindowReactor WindowSpec Kind Tumbling Hopping Sliding Sessions Read Unread Place
    Context Key Keyed KeyType Declared Contract Failure Items Duration
}

mod fusion {}
mod std {}
mod core {}

#[derive(serde::Serialize, serde::Deserialize, ::std::clone::Clone)]
struct Trigger {
    id: ::std::string::String,
    time: u64,
}

#[::fusion::contract(topic = "window_names.lidar")]
fn lidar(trigger: Trigger);

#[::fusion::contract(topic = "window_names.price")]
fn price(count: u64) -> f64;

#[::fusion::reactor(
    window! < item: "window_names.brake" | lidar by id at time; gathered: "window_names.radar" by |value: &Trigger| value.id.clone() >,
    deps! < time: "window_names.price"(item.len() as u64 + key.0.len() as u64 + gathered.as_ref().map_or(0, |g| g.time)) >,
    hopping = 3s, advance = 1s, grace = 1s, emit = updates, to = "window_names.out", late = "window_names.late"
)]
async fn topic(
    item: ::std::vec::Vec<Trigger>,
    gathered: ::std::option::Option<Trigger>,
    key: ::fusion::Key<::std::string::String>,
    value: ::fusion::Window,
    time: f64,
) -> ::std::result::Result<::std::option::Option<u64>, ::std::string::String> {
    if time > 1.0 {
        return ::std::result::Result::Err(key.0);
    }
    let _ = gathered;
    ::std::result::Result::Ok(::std::option::Option::Some(item.len() as u64 + value.count()))
}

type Triggers = ::std::vec::Vec<Trigger>;

#[::fusion::reactor(window! { r#type: "window_names.brake" by r#id }, session = 3s, longest = 10s, grace = 1s)]
fn r#async(mut r#type: Triggers) {
    r#type.clear();
}

macro_rules! window {
    ($name:ident, $topic:literal, $other:path, $key:expr, $at:expr, $ty:ty, $size:literal, $source:ident) => {
        /// Made by a macro.
        #[::fusion::reactor(
                            window! < $source: $topic | $other by $key at $at >,
                            tumbling = $size, grace = $size, complete = all, copartitioned, idle = $size
                        )]
        fn $name($source: $ty) {
            drop($source);
        }
    };
}

window!(
    made,
    "window_names.made",
    lidar,
    |trigger| trigger.id.clone(),
    time,
    ::std::vec::Vec<Trigger>,
    30s,
    triggers
);
window!(again, "window_names.again", lidar, id, |_| 5_i64, ::std::option::Option<Trigger>, 1m, last);

#[test]
fn lists() {
    let _ = ::fusion::reactors![topic, r#async];
    let _ = (::fusion::reactors![made], ::fusion::reactors![again]);
}
