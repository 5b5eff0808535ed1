//! The rules as plainly as they can be written: lists that are searched, nothing that is clever.

use std::collections::BTreeSet;

use fusion_runtime::window::core::{Kind, LateReason, Place, Reason, Span};
use proptest::prelude::*;

use crate::scenario::{Logged, Scenario, TOPICS, Told};

impl Scenario {
    /// How many windows a record belongs to: all of them, open or not.
    pub fn windows_of(&self, moment: i64) -> usize {
        self.aligned(moment).len().max(1)
    }

    fn aligned(&self, moment: i64) -> Vec<Span> {
        let (size, advance) = match self.kind {
            Kind::Tumbling { size } => (size, size),
            Kind::Hopping { size, advance } => (size, advance),
            _ => return Vec::new(),
        };
        let from = (moment - size).max(0);
        let starts = (from..=moment).filter(|start| start % advance == 0 && moment < start + size);
        starts.map(|start| Span { start, end: start + size }).collect()
    }
}

#[derive(Clone, Debug)]
struct Window {
    key: char,
    span: Span,
    members: Vec<i64>,
    fired: bool,
}

struct Model<'a> {
    scenario: &'a Scenario,
    time: Option<i64>,
    windows: Vec<Window>,
    /// Key and time of the records that sliding windows may begin behind, and their offsets.
    seen: Vec<(char, i64, i64)>,
    told: Vec<Told>,
}

pub fn check(scenario: &Scenario) -> Result<(), TestCaseError> {
    let mut model = Model { scenario, time: None, windows: Vec::new(), seen: Vec::new(), told: Vec::new() };
    let mut owner = scenario.owner();
    for (offset, logged) in scenario.log.iter().enumerate() {
        let mut told = Vec::new();
        owner.give(logged, offset as i64, &mut told);
        model.told.clear();
        match logged {
            Logged::Record { key, at, time } => {
                model.time = model.time.max(time.map(|time| time.at));
                model.assign(*key, *at);
            }
            // What claims amount to is tested elsewhere.
            Logged::Control(_) | Logged::Drain => model.time = owner.table.time(),
        }
        model.close(offset as i64);
        for told in told.iter_mut().chain(&mut model.told) {
            if let Told::Fired { members, reason, .. } = told {
                members.sort_unstable();
                if matches!(reason, Reason::Idle | Reason::Drained) {
                    *reason = Reason::Closed;
                }
            }
        }
        told.sort();
        model.told.sort();
        prop_assert_eq!(told, model.told.clone(), "at {}", offset);
    }
    Ok(())
}

impl Model<'_> {
    fn is_closed(&self, end: i64) -> bool {
        let Some(time) = self.time else { return false };
        match self.scenario.kind {
            Kind::Tumbling { .. } | Kind::Hopping { .. } => time >= end + self.scenario.grace,
            Kind::Sliding { .. } => time > end + self.scenario.grace,
            Kind::Session { gap, .. } => time > end + gap + self.scenario.grace,
        }
    }

    fn assign(&mut self, key: char, at: Place) {
        let taken = match self.scenario.kind {
            Kind::Tumbling { .. } | Kind::Hopping { .. } => self.aligned(key, at),
            Kind::Sliding { size } => self.sliding(key, at, size),
            Kind::Session { gap, longest } => self.session(key, at, gap, longest),
        };
        if !taken {
            self.told.push(Told::Refused { at: at.offset });
        }
    }

    fn late(&mut self, at: Place, span: Span, reason: LateReason) {
        self.told.push(Told::Late { at: at.offset, span, reason });
    }

    fn fire(&mut self, at: i64, window: &Window, reason: Reason) {
        let Window { key, span, members, .. } = window.clone();
        self.told.push(Told::Fired { at, key, span, reason, members });
    }

    fn close(&mut self, at: i64) {
        let (closed, open) = std::mem::take(&mut self.windows)
            .into_iter()
            .partition::<Vec<_>, _>(|window| self.is_closed(window.span.end));
        self.windows = open;
        for window in closed.iter().filter(|window| !window.fired && !self.scenario.updates) {
            self.fire(at, window, Reason::Closed);
        }
    }

    fn aligned(&mut self, key: char, at: Place) -> bool {
        let mut taken = false;
        for span in self.scenario.aligned(at.time) {
            if self.is_closed(span.end) {
                self.late(at, span, LateReason::Closed);
                continue;
            }
            let found = self.windows.iter().position(|window| (window.key, window.span) == (key, span));
            let place = found.unwrap_or_else(|| {
                self.windows.push(Window { key, span, members: Vec::new(), fired: false });
                self.windows.len() - 1
            });
            if self.windows[place].fired {
                self.late(at, span, LateReason::AlreadyFired);
                continue;
            }
            taken = true;
            self.windows[place].members.push(at.offset);
            self.update(at, place);
            let members = &self.windows[place].members;
            let topics = members.iter().filter_map(|member| match &self.scenario.log[*member as usize] {
                Logged::Record { at, .. } => Some(at.topic),
                Logged::Control(_) | Logged::Drain => None,
            });
            if self.scenario.complete && topics.collect::<BTreeSet<_>>().len() == TOPICS as usize {
                self.windows[place].fired = true;
                self.fire(at.offset, &self.windows[place].clone(), Reason::Complete);
            }
        }
        taken
    }

    fn session(&mut self, key: char, at: Place, gap: i64, longest: i64) -> bool {
        let time = at.time;
        let near = |window: &&Window| {
            window.key == key && window.span.start - gap <= time && time <= window.span.end + gap
        };
        let mut near = self.windows.iter().filter(near).cloned().collect::<Vec<_>>();
        let inside = |window: &&Window| window.fired && window.span.start <= time && time <= window.span.end;
        if let Some(window) = near.iter().filter(inside).min_by_key(|window| window.span) {
            self.late(at, window.span, LateReason::AlreadyFired);
            return false;
        }
        near.retain(|window| !window.fired);
        near.sort_by_key(|window| window.span.start);
        let mut outgrown = Vec::new();
        let span = loop {
            let start = near.iter().map(|window| window.span.start).chain([time]).min().unwrap();
            let end = near.iter().map(|window| window.span.end).chain([time]).max().unwrap();
            if end - start <= longest || near.is_empty() {
                break Span { start, end };
            }
            outgrown.push(near.remove(0));
        };
        if self.is_closed(span.end) {
            self.late(at, Span { start: time, end: time }, LateReason::Closed);
            return false;
        }
        for window in outgrown {
            if !self.scenario.updates {
                self.fire(at.offset, &window, Reason::Longest);
            }
            let same = |other: &&mut Window| other.key == key && other.members == window.members;
            self.windows.iter_mut().find(same).unwrap().fired = true;
        }
        let mut members = near.iter().flat_map(|window| window.members.clone()).collect::<Vec<_>>();
        members.push(at.offset);
        self.windows.retain(|window| !near.iter().any(|other| other.members == window.members));
        self.windows.push(Window { key, span, members, fired: false });
        self.update(at, self.windows.len() - 1);
        true
    }

    fn update(&mut self, at: Place, place: usize) {
        if self.scenario.updates {
            self.fire(at.offset, &self.windows[place].clone(), Reason::Update);
        }
    }

    fn sliding(&mut self, key: char, at: Place, size: i64) -> bool {
        let window = |start: i64| Span { start, end: start + size };
        let holds = |span: &Span, time: i64| span.start <= time && time <= span.end;
        let own = window((at.time - size).max(0));
        let seen = self.seen.iter().filter(|(other, ..)| *other == key).copied().collect::<Vec<_>>();
        let mut spans = seen.iter().map(|(_, time, _)| window(time + 1)).collect::<BTreeSet<_>>();
        spans.extend(self.windows.iter().filter(|window| window.key == key).map(|window| window.span));
        spans.insert(own);
        spans.retain(|span| holds(span, at.time));
        if self.is_closed(own.end) {
            let last = window(at.time);
            let span = if self.is_closed(last.end) { last } else { own };
            self.late(at, span, LateReason::Closed);
        }
        spans.retain(|span| !self.is_closed(span.end));
        if spans.is_empty() {
            return false;
        }
        self.seen.push((key, at.time, at.offset));
        let behind = window(at.time + 1);
        if !self.is_closed(behind.end) && seen.iter().any(|(_, time, _)| holds(&behind, *time)) {
            spans.insert(behind);
        }
        for span in spans {
            let found = self.windows.iter().position(|window| (window.key, window.span) == (key, span));
            if let Some(place) = found {
                if holds(&span, at.time) {
                    self.windows[place].members.push(at.offset);
                    self.update(at, place);
                }
                continue;
            }
            let all = self.seen.iter().filter(|(other, time, _)| *other == key && holds(&span, *time));
            let members = all.map(|(.., offset)| *offset).collect();
            self.windows.push(Window { key, span, members, fired: false });
            self.update(at, self.windows.len() - 1);
        }
        true
    }
}
