//! The text of a large plan in portions of its services, so that several workers read its values, and none of them lists all
//! that it reads before it makes values of it.
//!
//! *Flow*: [`Portions::of`] finds the list `services` of a plan in block style and cuts it between two of its elements;
//! [`Portions::read`] reads one portion, a list of its own; [`Portions::whole`] reads what stands around the list and puts all
//! together.
//! *Guarantees*: a reader of YAML goes from left to right, and between two elements of a list in block style it knows nothing
//! but the indentation. So a portion has the values that it has in the whole text, or cannot be read by itself, if a cut fell
//! into a text in quotes or into brackets.
//! *Assumptions*: nothing in the text stands for something else (there is no anchor), and whoever takes what was put together
//! compares its shape with the [places](super::places) of the whole text, as for every text.
//! *Caveats*: what cannot be read in portions is to be read as a whole; only then are places in errors right.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// A portion has at least so many bytes. What a reader keeps of one is small enough to stay near the processor.
pub(super) const BYTES_EACH: usize = 16 << 10;

/// A text cut into portions.
#[derive(Debug, PartialEq)]
pub(super) struct Portions<'a> {
    /// The text without the elements of the list.
    around: String,
    /// The elements, some in each.
    portions: Vec<&'a str>,
}

impl<'a> Portions<'a> {
    /// Cuts a text into portions of at least so many bytes; `None`: there is no list of services in block style that has two.
    pub fn of(text: &'a str, least: usize) -> Option<Self> {
        let from = list_begins(text)?;
        let (before, list) = text.split_at_checked(from)?;
        let mut lines = lines(list).filter(|(_, line)| !line.is_void());
        let dash = lines.next().map(|(_, line)| line).filter(|line| line.is_element() && line.indent > 0)?.indent;
        let ends = lines.find(|(_, line)| line.indent < dash || (line.indent == dash && !line.is_element()));
        let (mut rest, after) = list.split_at_checked(ends.map_or(list.len(), |(at, _)| at))?;
        let mut portions = Vec::new();
        while let Some((portion, others)) = cut(rest, dash, least).and_then(|at| rest.split_at_checked(at)) {
            portions.push(portion);
            rest = others;
        }
        portions.push(rest);
        (portions.len() > 1).then(|| Self { around: format!("{before}{after}"), portions })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.portions.len()
    }

    /// The elements of one; `None`: it cannot be read by itself.
    pub fn read(&self, portion: usize) -> Option<Vec<Value>> {
        only(self.portions.get(portion)?)
    }

    /// The value of the text, of whose portions these are the elements; `None`: it has to be read as a whole.
    pub fn whole(&self, elements: impl IntoIterator<Item = Option<Vec<Value>>>) -> Option<Value> {
        let mut value: Value = only(&self.around)?;
        let list = value.get_mut("spec")?.get_mut("services").filter(|list| list.is_null())?;
        let mut all = Vec::new();
        for own in elements {
            all.extend(own?);
        }
        *list = Value::Array(all);
        Some(value)
    }
}

/// What the one document of a text is.
fn only<T: DeserializeOwned>(text: &str) -> Option<T> {
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let value = T::deserialize(documents.next()?).ok()?;
    documents.next().is_none().then_some(value)
}

/// A line, as far as its beginning says what it is.
#[derive(Clone, Copy)]
struct Line<'a> {
    indent: usize,
    content: &'a str,
}

impl Line<'_> {
    /// Nothing, or a comment: it belongs to whatever stands around it.
    fn is_void(self) -> bool {
        self.content.is_empty() || self.content.starts_with('#')
    }
    /// An element of a list in block style begins.
    fn is_element(self) -> bool {
        self.content == "-" || self.content.starts_with("- ")
    }
    /// It is this key and nothing more.
    fn is_key(self, key: &str) -> bool {
        let rest = self.content.strip_prefix(key).and_then(|rest| rest.strip_prefix(':'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' ') && rest.trim_start().starts_with('#'))
    }
}

/// All lines, each with the place of its first byte.
fn lines(text: &str) -> impl Iterator<Item = (usize, Line<'_>)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let begins = at;
        at += line.len();
        let content = line.trim_start_matches(' ');
        (begins, Line { indent: line.len() - content.len(), content: content.trim_ascii_end() })
    })
}

/// Where the line after `services:` begins, a direct child of the first `spec:`.
fn list_begins(text: &str) -> Option<usize> {
    let mut lines = lines(text).filter(|(_, line)| !line.is_void());
    lines.find(|(_, line)| line.indent == 0 && line.is_key("spec"))?;
    let mut inside = lines.take_while(|(_, line)| line.indent > 0).peekable();
    let child = inside.peek()?.1.indent;
    let (at, _) = inside.find(|(_, line)| line.indent == child && line.is_key("services"))?;
    let rest = text.get(at..)?;
    Some(at + rest.find('\n')? + 1)
}

/// Where the first element begins after so many bytes.
fn cut(list: &str, dash: usize, least: usize) -> Option<usize> {
    let begins = |(at, line): &(usize, Line<'_>)| *at >= least && line.indent == dash && line.is_element();
    lines(list).find(begins).map(|(at, _)| at)
}

#[cfg(test)]
mod tests;
