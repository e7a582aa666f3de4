//! Where in a document something is: `spec.services[2].router.webhook.url`.

use std::fmt;

use serde::{Serialize, Serializer};

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// Into an element of a list.
    Index(usize),
    /// Into a field of an object.
    Key(String),
}

/// The way from the top of a document to a value in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The whole document.
    pub fn top() -> Self {
        Self::default()
    }
    /// The field `name` of what is here.
    pub fn key(&self, name: impl Into<String>) -> Self {
        self.join(Segment::Key(name.into()))
    }
    /// The element `index` of what is here.
    pub fn index(&self, index: usize) -> Self {
        self.join(Segment::Index(index))
    }
    /// One step further.
    pub fn join(&self, segment: Segment) -> Self {
        let mut longer = self.clone();
        longer.0.push(segment);
        longer
    }
    /// This path, then `rest`.
    pub fn then(&self, rest: &[Segment]) -> Self {
        Self(self.0.iter().chain(rest).cloned().collect())
    }
    /// One step less; `None` at the top.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, rest)| Self(rest.to_vec()))
    }
    /// The last step.
    pub fn last(&self) -> Option<&Segment> {
        self.0.last()
    }
    /// All steps.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }
    /// Whether one of the two lies within the other, or they are the same.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a == b)
    }
    /// What comes after `start`; `None` if this path does not begin with it.
    pub fn within(&self, start: &Self) -> Option<Self> {
        self.0.strip_prefix(start.0.as_slice()).map(|rest| Self(rest.to_vec()))
    }
    /// The same path with `[]` for every index: what kind of place it is.
    pub fn kind(&self) -> String {
        self.write(|_| "[]".to_owned())
    }

    fn write(&self, index: impl Fn(usize) -> String) -> String {
        let mut text = String::new();
        for segment in &self.0 {
            match segment {
                Segment::Index(i) => text.push_str(&index(*i)),
                Segment::Key(name) if plain(name) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(name);
                }
                Segment::Key(name) => text.push_str(&format!("[{name:?}]")),
            }
        }
        text
    }
}

fn plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.write(|i| format!("[{i}]")))
    }
}
impl Serialize for Path {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl schemars::JsonSchema for Path {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Path".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_people_write_it() {
        let path = Path::top().key("spec").key("services").index(2).key("router");
        assert_eq!(path.to_string(), "spec.services[2].router");
        assert_eq!(path.kind(), "spec.services[].router");
        assert_eq!(Path::top().key("metadata").key("labels").key("a.b/c").to_string(), "metadata.labels[\"a.b/c\"]");
        assert!(path.overlaps(&path.key("webhook")) && path.overlaps(&Path::top().key("spec")));
        assert!(!path.overlaps(&Path::top().key("spec").key("services").index(1)));
        assert_eq!(path.within(&Path::top().key("spec").key("services").index(2)), Some(Path::top().key("router")));
    }
}
