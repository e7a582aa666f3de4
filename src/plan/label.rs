//! The text of a name, made to be compared.
//!
//! Names are keys of maps, and are compared at every look at one. So the first bytes of the text stand beside it, as a number:
//! most names are told apart by that alone, without a look at the text, which lies elsewhere.

use std::{
    cmp::Ordering,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// The text of a name. It holds no zero byte. Orders, equals and hashes as its text does.
#[derive(Clone)]
pub(super) struct Label {
    head: u64,
    text: Arc<str>,
}

impl Label {
    /// The text as people write it.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
    /// Whether the whole text is in its head: its last byte is a filler then.
    fn is_short(&self) -> bool {
        self.head & 0xff == 0
    }
}

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        // Big-endian and filled up with zeros, so that numbers are in the order of the texts.
        let mut head = [0; 8];
        head.iter_mut().zip(text.bytes()).for_each(|(place, byte)| *place = byte);
        Self { head: u64::from_be_bytes(head), text: text.into() }
    }
}
impl PartialEq for Label {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Label {}
impl PartialOrd for Label {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Label {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.head.cmp(&other.head) {
            Ordering::Equal if self.is_short() || Arc::ptr_eq(&self.text, &other.text) => Ordering::Equal,
            Ordering::Equal => self.text.cmp(&other.text),
            apart => apart,
        }
    }
}
impl Hash for Label {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_in_the_order_of_their_texts() {
        let parts = ["", "a", "ab", "orders", "pay-ment", "payment", "payments", "payments-eu", "payments-us", "zzzzzzzz", "9"];
        let texts: Vec<String> = parts.iter().flat_map(|one| parts.iter().map(move |other| format!("{one}{other}"))).collect();
        for one in &texts {
            for other in &texts {
                let (a, b) = (Label::from(one.as_str()), Label::from(other.as_str()));
                assert_eq!(a.cmp(&b), one.cmp(other), "{one} and {other}");
                assert_eq!(a == b, one == other, "{one} and {other}");
            }
        }
    }
}
