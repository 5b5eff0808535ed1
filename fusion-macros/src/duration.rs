//! Durations as the DSL writes them: `500ms`, `30s`, `1.5m`, `2h`.

use std::time::Duration;

use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::{Error, Lit, LitStr, Result, Token};

/// A duration and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    pub(crate) value: Duration,
    pub(crate) span: Span,
}

/// Whether `0s` has a meaning where the duration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zero {
    Refused,
    Allowed,
}

const NEGATIVE: &str = "no duration is negative: remove the `-`";

const EXPECTED: &str = "expected a duration such as `500ms`, `30s`, `5m` or `1h`";

/// The units and their nanoseconds, the largest first.
const UNITS: [(&str, u128); 4] =
    [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000)];

/// In hours; far beyond any use, and far within the 64 bits of nanoseconds that clocks count with.
const LONGEST: u128 = 1_000_000;

/// Reads one duration: a base-10 integer or decimal with the suffix `ms`, `s`, `m` or `h`. A literal in an
/// invisible group (`$t:literal`) is one too.
pub(crate) fn parse(input: ParseStream<'_>, zero: Zero) -> Result<Time> {
    let place = input.span();
    if input.peek(Token![-]) {
        return Err(Error::new(place, NEGATIVE));
    }
    let literal: Lit = input.parse().map_err(|_| Error::new(place, EXPECTED))?;
    let span = literal.span();
    let value = value(&literal).map_err(|message| Error::new(span, message))?;
    if value.is_zero() && zero == Zero::Refused {
        return Err(Error::new(span, "this duration must be longer than zero"));
    }
    Ok(Time { value, span })
}

fn value(literal: &Lit) -> std::result::Result<Duration, String> {
    let (digits, suffix, written) = match literal {
        Lit::Int(int) => (int.base10_digits(), int.suffix(), int.token().to_string()),
        Lit::Float(float) => (float.base10_digits(), float.suffix(), float.token().to_string()),
        Lit::Str(text) => return Err(quoted(text)),
        _ => return Err(EXPECTED.to_owned()),
    };
    // syn reads `-1` as one literal, and converts hexadecimal digits.
    if written.starts_with('-') {
        return Err(NEGATIVE.to_owned());
    }
    if ["0x", "0o", "0b"].iter().any(|base| written.starts_with(base)) {
        return Err(EXPECTED.to_owned());
    }
    if !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(EXPECTED.to_owned());
    }
    if suffix.is_empty() {
        return Err(format!(
            "this duration has no unit: write `{digits}ms`, `{digits}s`, `{digits}m` or `{digits}h`"
        ));
    }
    let Some((_, unit)) = UNITS.iter().find(|(name, _)| *name == suffix) else {
        return Err(match meant(digits, suffix) {
            Some(meant) => format!("unknown unit `{suffix}`: write `{meant}`"),
            None => format!("unknown unit `{suffix}`: a duration ends in `ms`, `s`, `m` or `h`"),
        });
    };
    nanoseconds(digits, *unit)
        .filter(|nanos| *nanos <= LONGEST * UNITS[0].1)
        .and_then(|nanos| u64::try_from(nanos).ok())
        .map(Duration::from_nanos)
        .ok_or_else(|| format!("this duration is too long: the limit is `{LONGEST}h`"))
}

/// What to say of a duration in quotes.
fn quoted(text: &LitStr) -> String {
    match text.parse::<Lit>().is_ok_and(|literal| value(&literal).is_ok()) {
        true => format!("a duration has no quotes: write `{}`", text.value().trim()),
        false => EXPECTED.to_owned(),
    }
}

/// The duration with a unit of ours, if another name of one is written.
fn meant(digits: &str, suffix: &str) -> Option<String> {
    let unit = match suffix {
        "d" | "day" | "days" => {
            return digits.parse::<u64>().ok().map(|days| format!("{}h", u128::from(days) * 24));
        }
        "hr" | "hrs" | "hour" | "hours" => "h",
        "min" | "mins" | "minute" | "minutes" => "m",
        "sec" | "secs" | "second" | "seconds" => "s",
        "msec" | "millis" | "milliseconds" => "ms",
        _ => return None,
    };
    Some(format!("{digits}{unit}"))
}

/// Exact down to the nanosecond, where floats would turn `1.1s` into 1.100000000000000089.
fn nanoseconds(digits: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.parse::<u128>().ok()?.checked_mul(unit)?;
    let mut scale = unit;
    let mut part = 0;
    // No digit further behind is worth a nanosecond.
    for digit in fraction.bytes().take(18) {
        part = part * 10 + u128::from(digit - b'0') * unit;
        scale = scale.checked_mul(10)?;
    }
    whole.checked_add(part / (scale / unit))
}

/// How messages write a duration: as the DSL would, with hours and minutes only if they need no fraction.
pub(crate) fn show(value: Duration) -> String {
    let nanos = value.as_nanos();
    let fits = |unit: &u128, whole: bool| nanos >= *unit && (!whole || nanos.is_multiple_of(*unit));
    let unit = UNITS.iter().find(|(name, unit)| fits(unit, matches!(*name, "h" | "m")));
    let (name, unit) = match unit {
        Some(unit) => *unit,
        None if nanos == 0 => ("s", 1_000_000_000),
        None => ("ms", 1_000_000),
    };
    let digits = unit.to_string().len() - 1;
    let fraction = format!("{:0digits$}", nanos % unit);
    let number = format!("{}.{fraction}", nanos / unit);
    format!("{}{name}", number.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
    use proptest::prelude::*;
    use syn::parse::Parser;

    use super::*;

    fn read(source: TokenStream, zero: Zero) -> std::result::Result<String, (String, String)> {
        let parser = |input: ParseStream<'_>| parse(input, zero);
        match parser.parse2(source) {
            Ok(time) => Ok(show(time.value)),
            Err(error) => Err((error.span().source_text().unwrap_or_default(), error.to_string())),
        }
    }

    fn refused(source: &str) -> (String, String) {
        read(source.parse().unwrap(), Zero::Refused).unwrap_err()
    }

    #[test]
    fn reads_every_unit() {
        for (source, shown) in [
            ("500ms", "500ms"),
            ("30s", "30s"),
            ("1.5m", "90s"),
            ("2h", "2h"),
            ("1_000ms", "1s"),
            ("1.1s", "1.1s"),
            ("1500ms", "1.5s"),
            ("1.25m", "75s"),
            ("100ms", "100ms"),
            ("0.25ms", "0.25ms"),
            ("90m", "90m"),
            ("120m", "2h"),
            ("1000000h", "1000000h"),
            ("0.000001ms", "0.000001ms"),
        ] {
            assert_eq!(read(source.parse().unwrap(), Zero::Refused).unwrap(), shown, "{source}");
        }
    }

    #[test]
    fn keeps_the_span_and_looks_through_invisible_groups() {
        let literal: TokenStream = "  30s".parse().unwrap();
        let group = Group::new(Delimiter::None, literal);
        let parser = |input: ParseStream<'_>| parse(input, Zero::Refused);
        let time = parser.parse2(TokenTree::Group(group).into()).unwrap();
        assert_eq!(time.value, Duration::from_secs(30));
        assert_eq!(time.span.source_text().unwrap(), "30s");
    }

    #[test]
    fn zero_only_where_it_means_something() {
        assert_eq!(read("0s".parse().unwrap(), Zero::Allowed).unwrap(), "0s");
        for source in ["0s", "0.0m", "0.0000001ms"] {
            assert_eq!(refused(source), (source.into(), "this duration must be longer than zero".into()));
        }
    }

    #[test]
    fn anything_else_is_told_what_a_duration_is() {
        for source in ["\"soon\"", "soon", "true", "0x10s", "0b1s", "0o7s", "1e3s", "'s'", "b'1'"] {
            assert_eq!(refused(source), (source.into(), EXPECTED.into()), "{source}");
        }
        assert_eq!(refused("-30s").1, NEGATIVE);
        assert_eq!(refused("").1, EXPECTED);
        assert_eq!(refused("(30s)").1, EXPECTED);
    }

    #[test]
    fn units_are_named() {
        assert_eq!(
            refused("30"),
            ("30".into(), "this duration has no unit: write `30ms`, `30s`, `30m` or `30h`".into())
        );
        assert_eq!(
            refused("1.5"),
            ("1.5".into(), "this duration has no unit: write `1.5ms`, `1.5s`, `1.5m` or `1.5h`".into())
        );
        assert_eq!(
            refused("30fortnights"),
            (
                "30fortnights".into(),
                "unknown unit `fortnights`: a duration ends in `ms`, `s`, `m` or `h`".into()
            )
        );
        assert_eq!(refused("1u8").1, "unknown unit `u8`: a duration ends in `ms`, `s`, `m` or `h`");
    }

    #[test]
    fn what_is_written_otherwise_elsewhere_is_understood() {
        for (source, message) in [
            ("30sec", "unknown unit `sec`: write `30s`"),
            ("1.5min", "unknown unit `min`: write `1.5m`"),
            ("2hours", "unknown unit `hours`: write `2h`"),
            ("5millis", "unknown unit `millis`: write `5ms`"),
            ("7d", "unknown unit `d`: write `168h`"),
            ("1.5days", "unknown unit `days`: a duration ends in `ms`, `s`, `m` or `h`"),
            ("\"30s\"", "a duration has no quotes: write `30s`"),
        ] {
            assert_eq!(refused(source), (source.into(), message.into()));
        }
    }

    #[test]
    fn there_is_a_limit() {
        let message = "this duration is too long: the limit is `1000000h`";
        for source in ["1000001h", "1000000.1h", "99999999999999999999999999999999999999999999h"] {
            assert_eq!(refused(source), (source.into(), message.into()));
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read(nanos in 1..1_000_000_000_000_000_u64, rough in 0..4_u32) {
            let value = Duration::from_nanos(nanos / 1000_u64.pow(rough) * 1000_u64.pow(rough));
            let shown = show(value);
            let parser = |input: ParseStream<'_>| parse(input, Zero::Allowed);
            prop_assert_eq!(parser.parse_str(&shown).unwrap().value, value);
        }
    }
}
