//! The rules, one function each.

use std::collections::HashSet;

use proc_macro2::Ident;

use super::ast::Sources;
use crate::deps::ast::{Dag, Target, key};
use crate::duration::show;
use crate::options::Options;
use crate::report::Report;
use crate::signature::{Handler, Param, Role, argument_of, last_segment, plain};
use crate::topic;

/// What can be said of the sources and options by themselves. `complete` says that all options could be read, so that
/// one which is missing was not written.
pub(crate) fn options(options: &Options, complete: bool, report: &mut Report) {
    check_kind(options, complete, report);
    check_advance(options, complete, report);
    check_longest(options, complete, report);
    if complete {
        check_grace(options, report);
    }
    check_whole_millis(options, report);
    check_topics_of_its_own(options, report);
    check_complete(options, report);
    check_copartitioned(options, report);
    let Some(sources) = options.window.get() else { return };
    check_duplicate_sources(sources, report);
    check_topics(sources, report);
    check_late(options, sources, report);
}

/// What can be said once the handler is read.
pub(crate) fn handler(
    options: &Options,
    sources: &Sources,
    dag: Option<&Dag>,
    handler: &Handler,
    report: &mut Report,
) {
    check_nodes(sources, dag, report);
    check_taken(sources, handler, report);
    check_key(handler, report);
    check_to(options, handler, report);
}

fn check_kind(options: &Options, complete: bool, report: &mut Report) {
    let mut kinds: Vec<&Ident> = options.settings.kinds().map(|(name, _)| name).collect();
    options.in_order(&mut kinds);
    match (&kinds[..], options.window.name()) {
        ([], Some(window)) if complete => report.error(
            window,
            "which windows? add `tumbling = 30s`, `hopping = ..`, `sliding = ..` or `session = ..`",
        ),
        ([first, others @ ..], _) => {
            for other in others {
                report.error(other, format!("the windows are `{first}` already: keep one of the two"));
            }
        }
        _ => {}
    }
}

fn check_advance(options: &Options, complete: bool, report: &mut Report) {
    let settings = &options.settings;
    match (settings.hopping.get(), settings.advance.get(), settings.advance.name()) {
        (Some(_), None, _) if complete => report.error(
            settings.hopping.name(),
            "`hopping` needs `advance`, the time from the start of one window to that of the next: add `advance = 10s`",
        ),
        (Some(size), Some(advance), _) if advance.value > size.value => report.error_at(
            advance.span,
            format!(
                "`advance` is at most the size, which is {}: records between two windows would belong to none",
                show(size.value)
            ),
        ),
        (None, Some(_), Some(advance)) if settings.kinds().next().is_some() => {
            report.error(advance, "`advance` belongs to `hopping`: other windows have no step of their own");
        }
        _ => {}
    }
}

fn check_longest(options: &Options, complete: bool, report: &mut Report) {
    let settings = &options.settings;
    match (settings.session.get(), settings.longest.get(), settings.longest.name()) {
        (Some(_), None, _) if complete => report.error(
            settings.session.name(),
            "`session` needs `longest`, or a heartbeat would keep one open for ever: add `longest = 1h`",
        ),
        (Some(gap), Some(longest), _) if longest.value < gap.value => report.error_at(
            longest.span,
            format!("`longest` is at least the gap, which is {}: two records at most that far apart belong together", show(gap.value)),
        ),
        (None, Some(_), Some(longest)) if settings.kinds().next().is_some() => {
            report.error(longest, "`longest` belongs to `session`: other windows have a size");
        }
        _ => {}
    }
}

/// There is no good default: none at all loses records, and every other one delays results.
fn check_grace(options: &Options, report: &mut Report) {
    if let (None, Some(window)) = (options.settings.grace.name(), options.window.name()) {
        report.error(
            window,
            "how long do records that come late have? add `grace = 2s`, or `grace = 0s` if they have no time",
        );
    }
}

fn check_whole_millis(options: &Options, report: &mut Report) {
    for (name, time) in options.settings.times() {
        if time.value.subsec_nanos() % 1_000_000 != 0 {
            report.error_at(
                time.span,
                format!("Kafka counts in milliseconds: `{name}` is a whole number of them"),
            );
        }
    }
}

/// A window has records of many topics, and takes them in the order of their keys.
fn check_topics_of_its_own(options: &Options, report: &mut Report) {
    let others =
        [options.order.name(), options.concurrency.name(), options.json.name(), options.contract.name()];
    for name in others.into_iter().flatten() {
        let remedy = match name.to_string().as_str() {
            "order" => "records of one key are gathered in their order, in any case",
            "concurrency" => "bound what may be open with `max_open(..)`",
            "envelope" => "the contracts of its topics say how records travel",
            _ => "nobody asks a window, so it has no contract",
        };
        report.error(name, format!("`{name}` belongs to reactors with a `topic`: {remedy}"));
    }
}

fn check_complete(options: &Options, report: &mut Report) {
    let settings = &options.settings;
    let Some(complete) = settings.complete.name() else { return };
    if let Some(kind) = settings.sliding.name().or_else(|| settings.session.name()) {
        report.error(
            options.later(complete, kind),
            format!("`complete` does not go with `{kind}`: only `tumbling` and `hopping` windows can be complete early"),
        );
        return;
    }
    check_updates(complete, options, report);
    let Some(sources) = options.window.get() else { return };
    // What is no topic's name may stand for several: a pattern, a list.
    let is_name =
        |(_, target): (_, &Target)| !matches!(target, Target::Topic(topic) if !topic::is_legal(topic));
    let is_read = sources.sources.len() == sources.declared.len() && sources.topics().all(is_name);
    if is_read && sources.topics().count() == 1 {
        report.error(
            complete,
            "`complete = all` waits for all topics, and there is only one: each record would fire its window",
        );
    }
}

/// An update that completes a window would be its last, and nobody could tell.
fn check_updates(complete: &Ident, options: &Options, report: &mut Report) {
    let updates = &options.settings.updates;
    if let (Some(emit), Some(true)) = (updates.name(), updates.get()) {
        report.error(
            options.later(complete, emit),
            "`complete` fires a window once, and `emit = updates` after each record: keep one of the two",
        );
    }
}

fn check_copartitioned(options: &Options, report: &mut Report) {
    let settings = &options.settings;
    let Some(flag) = settings.copartitioned.name() else { return };
    if let Some(kind) = settings.sliding.name().or_else(|| settings.session.name()) {
        report.error(
            options.later(flag, kind),
            format!("`copartitioned` does not go with `{kind}`: it is for `tumbling` and `hopping` windows"),
        );
    }
}

fn check_duplicate_sources(sources: &Sources, report: &mut Report) {
    let mut seen = HashSet::new();
    for name in &sources.declared {
        if !seen.insert(key(name)) {
            report.error(name, format!("there is already a source `{}`: rename one of them", key(name)));
        }
    }
}

fn check_topics(sources: &Sources, report: &mut Report) {
    let mut seen: Vec<(&Target, String)> = Vec::new();
    for (source, target) in sources.topics() {
        if let Target::Topic(topic) = target {
            topic::check_name(topic, report);
        }
        match seen.iter().find(|(earlier, _)| earlier.is(target)) {
            Some((_, by)) => {
                report.error_at(
                    target.span(),
                    format!("`{by}` gathers this topic already: a topic stands only once"),
                );
            }
            None => seen.push((target, source.key())),
        }
    }
}

/// A record that is late once is late again.
fn check_late(options: &Options, sources: &Sources, report: &mut Report) {
    let Some(late) = options.settings.late.get() else { return };
    if let Target::Topic(topic) = late {
        topic::check_name(topic, report);
    }
    if sources.topics().any(|(_, target)| target.is(late)) {
        report.error_at(
            late.span(),
            "this window gathers from its own `late` topic, and what is late would come back for ever: name another one",
        );
    }
}

fn check_nodes(sources: &Sources, dag: Option<&Dag>, report: &mut Report) {
    for node in dag.iter().flat_map(|dag| &dag.declared).filter(|node| sources.has(node)) {
        report.error(node, format!("there is already a source `{}`: rename one of them", key(node)));
    }
}

/// Without a parameter nothing says what its records are.
fn check_taken(sources: &Sources, handler: &Handler, report: &mut Report) {
    if !handler.params_understood {
        return;
    }
    let taken: Vec<String> =
        handler.of(Role::Source).filter_map(|param| Some(key(param.name.as_ref()?))).collect();
    for source in sources.sources.iter().filter(|source| !taken.contains(&source.key())) {
        let text = source.key();
        report.error(
            &source.name,
            format!("no parameter takes what `{text}` gathers: add `{text}: Vec<..>` to the handler, or remove the source"),
        );
    }
}

/// A window has one key, and always one.
fn check_key(handler: &Handler, report: &mut Report) {
    let mut earlier: Option<&Param> = None;
    for param in
        handler.hand_ins().filter(|param| last_segment(&param.ty).is_some_and(|last| last.ident == "Key"))
    {
        let name = earlier.and_then(|earlier| earlier.name.as_ref());
        match (earlier, name) {
            (Some(_), Some(name)) => {
                report.error(
                    &param.ty,
                    format!("a window has one key, which `{name}` is already: keep one of the two"),
                );
            }
            (Some(_), None) => report.error(&param.ty, "a window has one key: keep one of the two"),
            (None, _) => earlier = Some(param),
        }
        let missing = argument_of(&param.ty, "Key").filter(|key| argument_of(key, "Option").is_some());
        if let Some(missing) = missing {
            report.error(
                missing,
                "a window has a key in any case, since records without one are dropped: remove the `Option`",
            );
        }
    }
}

fn check_to(options: &Options, handler: &Handler, report: &mut Report) {
    let unit = |ty: &syn::Type| matches!(plain(ty), syn::Type::Tuple(ty) if ty.elems.is_empty());
    let returns = handler.reply.value().filter(|ty| !unit(ty));
    if let (Some(value), false) = (returns, options.was_written("to")) {
        report.error(value, "where does the result go? add `to = \"..\"`, or return nothing");
    }
}
