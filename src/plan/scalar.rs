//! How different readers take the same plain word: `on`, `0443`, `12:30:45`.
//!
//! Three readers matter. *This one* (serde_yaml: YAML 1.2, except that digits after a leading zero are text), *kubectl*
//! (go-yaml 2 inside of sigs.k8s.io/yaml, `resolve.go`), and *YAML 1.1* as other tools read it (PyYAML's resolver, which
//! follows <https://yaml.org/type/>). Where this one and kubectl differ, the plan that was checked is not the plan that is
//! applied: an error. Where all others agree but 1.1 differs, or a person has to work the number out: a warning.
//!
//! *Caveats*: moments (`2026-12-18T17:00`) are text for this reader and for kubectl, and dates for some others; plans are
//! full of them, and they are left alone.

use super::finding::Severity;

/// What a reader takes a plain word for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Taken {
    Nothing,
    Bool(bool),
    Number(f64),
    Text,
}

impl std::fmt::Display for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Bool(value) => write!(f, "`{value}`"),
            Self::Number(value) => write!(f, "the number {value}"),
            Self::Text => f.write_str("text"),
        }
    }
}

/// A plain word that had better be written otherwise.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trap {
    pub severity: Severity,
    pub message: String,
    pub help: String,
}

/// Whether the plain word `text`, as a value, is a trap.
pub(crate) fn trap(text: &str) -> Option<Trap> {
    if !suspect(text) {
        return None;
    }
    let (here, kubectl, old) = (here(text), kubectl(text), yaml_1_1(text));
    let quoted = format!("\"{text}\" in quotes if text is meant");
    let trap = |severity, message, help| Some(Trap { severity, message, help });
    if text == "~" {
        let message = "`~` means nothing (null)".to_owned();
        return trap(Severity::Error, message, format!("leave the field out, or write {quoted}"));
    }
    if here != kubectl {
        let message = format!("`{text}` is {here} here and {kubectl} for kubectl");
        return trap(Severity::Error, message, format!("write {}, or {quoted}", plain(text, kubectl)));
    }
    let readers = if yaml_1_2(text) != here { Some(("YAML 1.2", yaml_1_2(text))) } else { Some(("YAML 1.1", old)) };
    if let Some((version, other)) = readers.filter(|(_, other)| *other != here) {
        let message = format!("`{text}` is {here} here and {other} for readers of {version}");
        let help = match here {
            Taken::Text => format!("write \"{text}\" in quotes"),
            _ => format!("write {}, or {quoted}", plain(text, here)),
        };
        return trap(Severity::Warning, message, help);
    }
    if !decimal(text) && matches!(here, Taken::Number(_)) {
        let message = format!("`{text}` is {here}, which people have to work out");
        return trap(Severity::Warning, message, format!("write {}, or {quoted}", plain(text, here)));
    }
    None
}

/// Whether the plain word `text`, as a key, is another key for kubectl; and which.
pub(crate) fn key_trap(text: &str) -> Option<Trap> {
    if !suspect(text) {
        return None;
    }
    let other = match kubectl(text) {
        Taken::Bool(value) => value.to_string(),
        Taken::Number(value) => value.to_string(),
        Taken::Nothing => "null".to_owned(),
        Taken::Text => return None,
    };
    (other != text).then(|| Trap {
        severity: Severity::Error,
        message: format!("the key `{text}` is `{other}` for kubectl"),
        help: format!("write \"{text}\" in quotes"),
    })
}

/// Most values are no suspects: only words and numbers with such a first letter, and of these no small whole number.
fn suspect(text: &str) -> bool {
    let by_first = |first: &u8| first.is_ascii_digit() || b"+-.~yYnNtTfFoO".contains(first);
    text.len() <= 64 && text.as_bytes().first().is_some_and(by_first) && !is_small(text)
}

/// A whole number that all readers take for the same.
fn is_small(text: &str) -> bool {
    let digits = text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit());
    digits && (text == "0" || !text.starts_with('0'))
}

/// A number as a plan has it: whole or with a point, in decimal digits.
fn decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(unsigned),
    }
}

/// How to write what was read: for octal digits, what people more likely meant.
fn plain(text: &str, taken: Taken) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let zeros = digits.len() > 1 && digits.bytes().all(|b| b.is_ascii_digit());
    match taken {
        Taken::Number(_) if zeros => {
            let short = digits.trim_start_matches('0');
            format!("{sign}{}", if short.is_empty() { "0" } else { short })
        }
        Taken::Number(value) => value.to_string(),
        Taken::Bool(value) => format!("`{value}`"),
        Taken::Nothing | Taken::Text => format!("\"{text}\""),
    }
}

/// serde_yaml 0.9, `visit_untagged_scalar`.
fn here(text: &str) -> Taken {
    match text {
        "" | "null" | "Null" | "NULL" | "~" => return Taken::Nothing,
        "true" | "True" | "TRUE" => return Taken::Bool(true),
        "false" | "False" | "FALSE" => return Taken::Bool(false),
        _ => {}
    }
    let (sign, unsigned) = split_sign(text);
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(number) = unsigned.strip_prefix(prefix).and_then(|rest| radix_number(rest, radix)) {
            return Taken::Number(sign * number);
        }
    }
    if unsigned.len() > 1 && unsigned.starts_with('0') && unsigned.bytes().all(|b| b.is_ascii_digit()) {
        return Taken::Text;
    }
    finite(text)
}

/// go-yaml 2, `resolve.go`.
fn kubectl(text: &str) -> Taken {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Taken::Nothing,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Taken::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Taken::Bool(false),
        _ => {}
    }
    if text.starts_with('.') {
        return go_float(text);
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-') {
        return Taken::Text;
    }
    let plain = text.replace('_', "");
    let (sign, unsigned) = split_sign(&plain);
    // Go's ParseInt with base 0: a prefix in either case, and a leading zero for octal.
    let lower = unsigned.to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8)] {
        if let Some(number) = lower.strip_prefix(prefix).and_then(|rest| radix_number(rest, radix)) {
            return Taken::Number(sign * number);
        }
    }
    if float_style(unsigned) { go_float(&plain) } else { Taken::Text }
}

/// The core schema of YAML 1.2, section 10.3.2.
fn yaml_1_2(text: &str) -> Taken {
    match text {
        "" | "null" | "Null" | "NULL" | "~" => return Taken::Nothing,
        "true" | "True" | "TRUE" => return Taken::Bool(true),
        "false" | "False" | "FALSE" => return Taken::Bool(false),
        _ => {}
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(number) = text.strip_prefix(prefix).and_then(|rest| radix_number(rest, radix)) {
            return Taken::Number(number);
        }
    }
    let (_, unsigned) = split_sign(text);
    if float_style(unsigned) { finite(text) } else { Taken::Text }
}

/// PyYAML's resolver, without dates.
fn yaml_1_1(text: &str) -> Taken {
    match text {
        "" | "null" | "Null" | "NULL" | "~" => return Taken::Nothing,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Taken::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Taken::Bool(false),
        _ => {}
    }
    let (sign, unsigned) = split_sign(text);
    let plain = unsigned.replace('_', "");
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Taken::Text;
    }
    for (prefix, radix) in [("0x", 16), ("0b", 2), ("0", 8)] {
        if let Some(number) = plain.strip_prefix(prefix).and_then(|rest| radix_number(rest, radix)) {
            return Taken::Number(sign * number);
        }
    }
    if plain.contains(':') {
        return base_60(&plain).map_or(Taken::Text, |number| Taken::Number(sign * number));
    }
    let all_digits = plain.bytes().all(|b| b.is_ascii_digit());
    let point = plain.contains('.');
    let exponent = plain.split_once(['e', 'E']).map(|(_, exponent)| exponent.starts_with(['+', '-']));
    // `[1-9][0-9_]*` or `0`; a float needs its point, and an exponent its sign.
    if (all_digits && (plain == "0" || !plain.starts_with('0'))) || (point && exponent != Some(false) && float_style(&plain)) {
        return plain.parse().map_or(Taken::Text, |number: f64| Taken::Number(sign * number));
    }
    Taken::Text
}

/// `12:30:45` is 12 × 3600 + 30 × 60 + 45 (<https://yaml.org/type/int.html>).
fn base_60(text: &str) -> Option<f64> {
    let mut parts = text.split(':');
    let first = parts.next().filter(|first| first.bytes().all(|b| b.is_ascii_digit()) && !first.starts_with('0'))?;
    let mut number: f64 = first.parse().ok()?;
    for part in parts {
        let digits = part.split('.').next().unwrap_or_default();
        let fits = (1..=2).contains(&digits.len()) && part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let part: f64 = part.parse().ok().filter(|part| fits && *part < 60.0)?;
        number = number * 60.0 + part;
    }
    Some(number)
}

fn split_sign(text: &str) -> (f64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn radix_number(digits: &str, radix: u32) -> Option<f64> {
    let plain = digits.bytes().all(|b| b.is_ascii_alphanumeric());
    #[allow(clippy::cast_precision_loss, reason = "only compared, and shown when it is wrong")]
    u64::from_str_radix(digits, radix).ok().filter(|_| plain).map(|number| number as f64)
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, of YAML 1.2 and of go-yaml.
fn float_style(unsigned: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let mantissa = match mantissa.split_once('.') {
        Some(("", part)) => !part.is_empty() && digits(part),
        Some((whole, part)) => digits(whole) && digits(part),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    mantissa && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

/// As `f64::from_str` reads it, words such as `infinity` apart.
fn finite(text: &str) -> Taken {
    let (sign, unsigned) = split_sign(text);
    let number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.').then(|| unsigned.parse::<f64>().ok()).flatten();
    number.filter(|number| number.is_finite()).map_or(Taken::Text, |number| Taken::Number(sign * number))
}

fn go_float(text: &str) -> Taken {
    let (_, unsigned) = split_sign(text);
    if float_style(unsigned) { finite(text) } else { Taken::Text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn severity(text: &str) -> Option<Severity> {
        trap(text).map(|trap| trap.severity)
    }

    #[test]
    fn what_kubectl_reads_otherwise_is_an_error() {
        for text in ["on", "Yes", "n", "OFF", "0443", "007", "08", "1_000", "-0443", "0X1F", "1_0.5", "~", "0B1"] {
            assert_eq!(severity(text), Some(Severity::Error), "{text}");
        }
        assert_eq!(trap("0443").unwrap().message, "`0443` is text here and the number 291 for kubectl");
        assert!(trap("0443").unwrap().help.starts_with("write 443, or"), "a port with a zero is a port");
    }

    #[test]
    fn what_others_read_otherwise_or_people_have_to_work_out_is_a_warning() {
        for text in ["12:30:45", "22:22", "0x1F", "0o17", "0b11", "1e3", ".5", "5.", "+5"] {
            assert_eq!(severity(text), Some(Severity::Warning), "{text}");
        }
        assert_eq!(trap("12:30:45").unwrap().message, "`12:30:45` is text here and the number 45045 for readers of YAML 1.1");
        assert_eq!(trap("0x1F").unwrap().help, "write 31, or \"0x1F\" in quotes if text is meant");
    }

    #[test]
    fn what_everybody_reads_alike_is_left_alone() {
        for text in [
            "0",
            "7",
            "-7",
            "0.25",
            "443",
            "true",
            "false",
            "null",
            "2026-12-18T17:00",
            "2026-12-18",
            "10.0.0.53:53",
            "450/s",
            "10m",
            "1.2.3",
            "pds",
            "yesterday",
            "nothing",
            "http://a:80/",
            "-",
            "--",
            "1-2",
            "0s",
            "00:00x",
            "one",
            "on-call",
        ] {
            assert_eq!(trap(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_that_kubectl_reads_as_another_is_found() {
        assert_eq!(key_trap("on").unwrap().message, "the key `on` is `true` for kubectl");
        assert!(key_trap("0443").is_some() && key_trap("1").is_none() && key_trap("name").is_none());
    }

    proptest! {
        /// What is passed over as a plain number is one for everybody.
        #[test]
        fn a_small_number_is_the_same_for_all(number in 0u64..1_000_000_000_000_000) {
            let text = number.to_string();
            let readers = [here(&text), kubectl(&text), yaml_1_2(&text), yaml_1_1(&text)];
            #[allow(clippy::cast_precision_loss, reason = "it has at most fifteen digits")]
            let number = Taken::Number(number as f64);
            prop_assert!(is_small(&text) && readers.iter().all(|taken| *taken == number), "{text}: {readers:?}");
        }

        /// `here` is what serde_yaml does.
        #[test]
        fn this_reader_is_described_as_it_is(text in "[-+.~0-9a-fxobeEyYnNtTrRuUsSfFlLoO_:]{1,12}") {
            prop_assume!(!matches!(text.as_str(), "---" | "...")); // by itself on a line it begins or ends a document
            let read: Result<serde_json::Value, _> = serde_yaml::from_str(&text);
            prop_assume!(read.is_ok());
            let read = match read.unwrap() {
                serde_json::Value::Null if text.contains("inf") || text.contains("nan") => return Ok(()), // found as a bad value
                serde_json::Value::Null => Taken::Nothing,
                serde_json::Value::Bool(value) => Taken::Bool(value),
                serde_json::Value::Number(number) => Taken::Number(number.as_f64().unwrap()),
                serde_json::Value::String(read) if read == text => Taken::Text,
                _ => return Ok(()), // no plain word
            };
            prop_assert_eq!(here(&text), read, "{}", text);
        }
    }
}
