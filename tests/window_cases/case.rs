//! A case, as the file writes it.

use fusion_runtime::window::core::{Aggregate, Kind, Place, Rules, Ways};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub struct File {
    pub format: u32,
    pub cases: Vec<Case>,
}

#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    pub window: Window,
    pub aggregate: AggregateName,
    pub time_mode: TimeMode,
    #[serde(default)]
    pub options: Options,
    pub end_convention: EndConvention,
    pub input: Vec<Row>,
    pub expect_final: Vec<Gathered>,
    pub expect_fire_row: Vec<usize>,
    pub late: Vec<Row>,
    /// Key, value, time, start, end.
    pub late_windows: Vec<(String, Value, i64, i64, i64)>,
    pub skipped: Vec<Row>,
    pub expect_open: Vec<Gathered>,
}

/// Source, key, value, timestamp.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Row(pub String, pub Option<String>, pub Value, pub Option<i64>);

/// Key, start, end, aggregate.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Gathered(pub String, pub i64, pub i64, pub Value);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    kind: KindName,
    size_ms: Option<i64>,
    advance_ms: Option<i64>,
    gap_ms: Option<i64>,
    longest_ms: Option<i64>,
    grace_ms: i64,
    #[serde(default)]
    negative_starts: bool,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindName {
    Tumbling,
    Hopping,
    Sliding,
    Session,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregateName {
    Count,
    Sum,
    Concat0,
    ConcatPlus,
    ConcatReduce,
    List,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeMode {
    Record,
    Explicit,
    Partitions,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndConvention {
    Exclusive,
    Inclusive,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    #[serde(default)]
    pub partitions: Vec<String>,
    pub idle_timeout_ms: Option<i64>,
    #[serde(default)]
    pub wall_clock_close: bool,
    #[serde(default)]
    pub wall_start_ms: i64,
    pub max_future_skew_ms: Option<i64>,
    complete_when_topics: Option<Vec<String>>,
    complete_when_agg_at_least: Option<f64>,
}

/// The values of a window in the order of arrival: what each aggregate is made of.
#[derive(Clone, Debug, Default)]
pub struct Values(Vec<Value>);

impl Aggregate for Values {
    type Item = Value;
    fn add(&mut self, item: Value, _: &Place) {
        self.0.push(item);
    }
}

impl Case {
    pub fn rules(&self) -> Result<Rules<Values>, String> {
        let window = &self.window;
        let given = |value: Option<i64>, name| value.ok_or(format!("the window has no {name}"));
        let (kind, ends) = match window.kind {
            KindName::Tumbling => {
                let size = given(window.size_ms, "size_ms")?;
                if window.advance_ms.is_some_and(|advance| advance != size) {
                    return Err("a tumbling window advances by its size".to_owned());
                }
                (Kind::Tumbling { size }, EndConvention::Exclusive)
            }
            KindName::Hopping => {
                let (size, advance) =
                    (given(window.size_ms, "size_ms")?, given(window.advance_ms, "advance_ms")?);
                (Kind::Hopping { size, advance }, EndConvention::Exclusive)
            }
            KindName::Sliding => {
                (Kind::Sliding { size: given(window.size_ms, "size_ms")? }, EndConvention::Inclusive)
            }
            KindName::Session => {
                let longest = window.longest_ms.unwrap_or(i64::MAX);
                (Kind::Session { gap: given(window.gap_ms, "gap_ms")?, longest }, EndConvention::Inclusive)
            }
        };
        if self.end_convention != ends {
            return Err("the ends of these windows are written in the other convention".to_owned());
        }
        let ways = Ways {
            copy_item: |item: &Value| Some(item.clone()),
            copy: |held: &Values| Some(held.clone()),
            merge: |held: &mut Values, other: Values| held.0.extend(other.0),
        };
        let mut rules = Rules::new(kind, window.grace_ms, ways);
        if window.negative_starts {
            rules = rules.negative_starts();
        }
        if let Some(topics) = &self.options.complete_when_topics {
            rules = rules.complete(topics.len() as u32);
        }
        if let Some(least) = self.options.complete_when_agg_at_least {
            let aggregate = self.aggregate;
            rules = rules.complete_when(move |held: &Values| {
                held.aggregate(aggregate).as_f64().is_some_and(|held| held >= least)
            });
        }
        Ok(rules)
    }

    /// The place of a topic among those that must speak, or behind them.
    pub fn topic(&self, name: &str) -> u16 {
        let topics = self.options.complete_when_topics.as_deref().unwrap_or_default();
        topics.iter().position(|topic| topic == name).unwrap_or(topics.len()) as u16
    }

    pub fn could_be_copartitioned(&self) -> bool {
        self.time_mode == TimeMode::Partitions
            && matches!(self.window.kind, KindName::Tumbling | KindName::Hopping)
    }
}

impl Values {
    pub fn aggregate(&self, name: AggregateName) -> Value {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let plus = |text: String, rest: &[Value], f: &dyn Fn(&Value) -> String| {
            rest.iter().fold(text, |text, value| text + "+" + &f(value)).into()
        };
        match (name, self.0.split_first()) {
            (AggregateName::Count, _) => self.0.len().into(),
            (AggregateName::Sum, _) if self.0.iter().all(Value::is_i64) => {
                self.0.iter().filter_map(Value::as_i64).sum::<i64>().into()
            }
            (AggregateName::Sum, _) => self.0.iter().filter_map(Value::as_f64).sum::<f64>().into(),
            (AggregateName::List, _) => Value::Array(self.0.clone()),
            (AggregateName::Concat0, _) => plus("0".to_owned(), &self.0, &text),
            (AggregateName::ConcatPlus, _) | (AggregateName::ConcatReduce, None) => {
                plus(String::new(), &self.0, &text)
            }
            (AggregateName::ConcatReduce, Some((first, rest))) => plus(text(first), rest, &text),
        }
    }
}
