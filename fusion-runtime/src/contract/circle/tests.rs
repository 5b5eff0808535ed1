use super::*;

const fn link(name: &'static str, asks: &'static [&'static str], to: Option<&'static str>) -> Link {
    Link { name, topic: name, gathers: &[], alone: false, asks, to, late: None }
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

const fn window(name: &'static str, gathers: &'static [&'static str], to: Option<&'static str>) -> Link {
    Link { name, topic: "", gathers, alone: false, asks: &[], to, late: None }
}

#[test]
fn what_came_too_late_for_one_window_must_not_come_back_from_another() {
    let late = |name, gathers, late| Link { late: Some(late), ..window(name, gathers, None) };
    let links = [late("one", &["a"], "b"), late("two", &["b"], "a")];
    assert_eq!(message(links).unwrap(), "what this reactor sends comes back to it: one -> two -> one");
    let links = [late("one", &["a"], "b"), window("two", &["b"], Some("a"))];
    assert_eq!(message(links).unwrap(), "what this reactor sends comes back to it: one -> two -> one");
    assert_eq!(message([late("one", &["a"], "b"), late("two", &["b"], "c")]), None);
}

#[test]
fn a_topic_may_lead_to_a_reactor_and_to_windows() {
    let links = [
        link("a", &[], Some("b")),
        link("b", &[], None),
        window("one", &["a", "b"], Some("elsewhere")),
        window("two", &["b"], None),
    ];
    assert_eq!(message(links), None);
    // Whoever asks the topic waits for the reactor only.
    assert_eq!(message([link("a", &["b"], None), window("one", &["b"], Some("a"))]), None);
}

#[test]
fn what_is_sent_may_come_back_over_a_window() {
    let back = |text: &str| Some(format!("what this reactor sends comes back to it: {text}"));
    assert_eq!(message([window("one", &["a", "b"], Some("b"))]), back("one -> one"));
    assert_eq!(
        message([link("a", &[], Some("b")), window("one", &["x", "b"], Some("a")), link("b", &[], None)]),
        back("a -> one -> a")
    );
    assert_eq!(
        message([
            link("in", &[], Some("a")),
            link("a", &[], None),
            window("one", &["a"], Some("b")),
            window("two", &["b"], Some("c")),
            window("three", &["c"], Some("b")),
        ]),
        back("two -> three -> two")
    );
}

#[test]
fn a_window_gathers_a_topic_once() {
    let text = message([window("one", &["a", "b", "a"], None)]);
    assert_eq!(text.unwrap(), "the window one gathers the topic a twice");
}

#[test]
fn some_windows_have_their_topics_for_themselves() {
    let alone = |mut link: Link| {
        link.alone = true;
        link
    };
    let only =
        "the window one is `copartitioned`, so it must be the only one in the app that takes the topic b";
    let one = alone(window("one", &["a", "b"], None));
    assert_eq!(message([one, window("two", &["c"], None), link("d", &[], Some("a"))]), None);
    assert_eq!(message([link("b", &[], None), one]).unwrap(), format!("{only}: b serves it"));
    for two in [window("two", &["b"], None), alone(window("two", &["b"], None))] {
        assert_eq!(message([one, two]).unwrap(), format!("{only}: two gathers it too"));
    }
    // Windows that need no topic for themselves share.
    assert_eq!(
        message([window("one", &["b"], None), window("two", &["b"], None), link("b", &[], None)]),
        None
    );
}

/// Ten reactors that serve a topic, and ten windows with topics of their own, which lead to them.
macro_rules! twenty {
    ($ten:literal: $($n:literal)*) => {
        [$(
            link(concat!("topic.", $ten, $n), &["asked", "elsewhere"], Some("out")),
            Link {
                alone: true,
                ..window(
                    concat!("window.", $ten, $n),
                    &[
                        concat!("gathered.", $ten, $n, ".one"),
                        concat!("gathered.", $ten, $n, ".two"),
                        concat!("gathered.", $ten, $n, ".three"),
                        concat!("gathered.", $ten, $n, ".four"),
                    ],
                    Some(concat!("topic.", $ten, $n)),
                )
            },
        )*]
    };
}

/// rustc refuses constants of more than two million steps.
#[test]
#[expect(clippy::large_const_arrays, reason = "it is what a constant can take that is tried")]
fn two_hundred_reactors_compile() {
    const LINKS: [[Link; 20]; 10] = [
        twenty!(0: 0 1 2 3 4 5 6 7 8 9),
        twenty!(1: 0 1 2 3 4 5 6 7 8 9),
        twenty!(2: 0 1 2 3 4 5 6 7 8 9),
        twenty!(3: 0 1 2 3 4 5 6 7 8 9),
        twenty!(4: 0 1 2 3 4 5 6 7 8 9),
        twenty!(5: 0 1 2 3 4 5 6 7 8 9),
        twenty!(6: 0 1 2 3 4 5 6 7 8 9),
        twenty!(7: 0 1 2 3 4 5 6 7 8 9),
        twenty!(8: 0 1 2 3 4 5 6 7 8 9),
        twenty!(9: 0 1 2 3 4 5 6 7 8 9),
    ];
    const {
        let mut all = [LINKS[0][0]; 200];
        let mut i = 0;
        while i < 200 {
            all[i] = LINKS[i / 20][i % 20];
            i += 1;
        }
        check_reactors(&all);
    }
}
