//! Which objects are asked for, and how that is put.

use super::Kind;

/// Which objects of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The kind.
    pub kind: Kind,
    /// Of this namespace; `None`: of all.
    pub namespace: Option<String>,
    /// Only those with these fields.
    pub fields: Option<String>,
    /// Only those with these labels.
    pub labels: Option<String>,
}
impl Selection {
    /// All objects of a kind, in one namespace or everywhere.
    pub fn all(kind: Kind, namespace: Option<&str>) -> Self {
        Self { kind, namespace: namespace.map(Into::into), fields: None, labels: None }
    }
}

/// The query of a request.
#[derive(Debug, Default)]
pub(super) struct Query(String);
impl Query {
    /// The one that finds these.
    pub fn of(selection: &Selection) -> Self {
        let mut query = Self::default();
        for (name, value) in [("fieldSelector", &selection.fields), ("labelSelector", &selection.labels)] {
            if let Some(value) = value {
                query.add(name, value);
            }
        }
        query
    }
    /// Percent-encodes all but RFC 3986's unreserved characters.
    pub fn add(&mut self, name: &str, value: &str) {
        use std::fmt::Write as _;
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(name);
        self.0.push('=');
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => self.0.push(char::from(byte)),
                _ => {
                    let _ = write!(self.0, "%{byte:02X}"); // writing to a String cannot fail
                }
            }
        }
    }
    /// The path with it.
    pub fn on(&self, path: &str) -> String {
        format!("{path}{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded() {
        let mut query = Query::default();
        query.add("labelSelector", "a/b in (c,d)");
        query.add("limit", "1");
        assert_eq!(query.on("/x"), "/x?labelSelector=a%2Fb%20in%20%28c%2Cd%29&limit=1");
    }
}
