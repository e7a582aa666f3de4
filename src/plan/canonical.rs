//! One text for one meaning: compact JSON with the keys of every object in order. Digests are taken over it.
//!
//! *Flow*: a value is written once, in the order of its fields; where that is not the order of their names, the written
//! stretches change places. No tree of the whole is built: the digest of a plan of thousands of services would be most of the
//! work of checking it.
//! *Guarantees*: the text is that of `serde_json`'s value with all objects sorted (a test holds the two against each other).

use serde::{
    Serialize, Serializer,
    ser::{
        Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
        SerializeTupleVariant,
    },
};
use serde_json::Error;

/// `value` as compact JSON with the keys of every object in order: the same text for the same meaning.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> String {
    let mut out = String::new();
    // Our own types have string keys only and no failing serialisers; a null would still be canonical.
    match value.serialize(Writer { out: &mut out }) {
        Ok(()) => out,
        Err(_) => "null".to_owned(),
    }
}

struct Writer<'a> {
    out: &'a mut String,
}

/// Writes a text in quotes.
fn write_text(out: &mut String, text: &str) -> Result<(), Error> {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::to_string(text)?);
    }
    Ok(())
}

/// An array, or a variant around one.
struct Items<'a> {
    out: &'a mut String,
    first: bool,
    close: &'static str,
}

impl<'a> Items<'a> {
    fn new(out: &'a mut String, close: &'static str) -> Self {
        out.push('[');
        Self { out, first: true, close }
    }
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
        value.serialize(Writer { out: self.out })
    }
    fn close(self) {
        self.out.push_str(self.close);
    }
}

/// An object, or a variant around one.
struct Fields<'a> {
    out: &'a mut String,
    start: usize,
    /// Each key, and where its `"key":value` begins.
    entries: Vec<(std::borrow::Cow<'static, str>, usize)>,
    close: &'static str,
}

impl<'a> Fields<'a> {
    fn new(out: &'a mut String, close: &'static str) -> Self {
        out.push('{');
        let start = out.len();
        Self { out, start, entries: Vec::new(), close }
    }
    fn key(&mut self, key: std::borrow::Cow<'static, str>) -> Result<(), Error> {
        let begins = self.out.len();
        write_text(self.out, &key)?;
        self.out.push(':');
        self.entries.push((key, begins));
        Ok(())
    }
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Writer { out: self.out })?;
        self.out.push(','); // after the last one it is taken away again
        Ok(())
    }
    /// Brings the entries into the order of their keys. Of two with one key the last counts, as in a map.
    fn close(self) -> Result<(), Error> {
        let Self { out, start, entries, close } = self;
        let sorted = entries.iter().zip(entries.iter().skip(1)).all(|((a, _), (b, _))| a < b);
        if !sorted {
            let written = out.get(start..).unwrap_or_default().to_owned();
            let ends = entries.iter().skip(1).map(|(_, begins)| *begins).chain([out.len()]);
            let mut stretches: Vec<(&str, usize, usize)> =
                entries.iter().zip(ends).map(|((key, begins), end)| (key.as_ref(), begins - start, end - start)).collect();
            stretches.sort_by(|a, b| a.0.cmp(b.0).then(b.1.cmp(&a.1)));
            stretches.dedup_by(|later, kept| later.0 == kept.0);
            out.truncate(start);
            for (_, from, to) in stretches {
                out.push_str(written.get(from..to).ok_or_else(|| Error::custom("a stretch of a text"))?);
            }
        }
        if !entries.is_empty() {
            out.pop();
        }
        out.push_str(close);
        Ok(())
    }
}

/// The key of a map as text: our own keys are texts, and numbers and words are written as such.
fn key_text<T: Serialize + ?Sized>(key: &T) -> Result<String, Error> {
    match serde_json::to_value(key)? {
        serde_json::Value::String(text) => Ok(text),
        other @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => Ok(other.to_string()),
        _ => Err(Error::custom("a key is a text")),
    }
}

macro_rules! whole_numbers {
    ($($method:ident: $type:ty),+) => {
        $(fn $method(self, value: $type) -> Result<(), Error> {
            self.out.push_str(&value.to_string());
            Ok(())
        })+
    };
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Fields<'a>;
    type SerializeStruct = Fields<'a>;
    type SerializeStructVariant = Fields<'a>;

    whole_numbers!(
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64
    );

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }
    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.out.push_str(&serde_json::Value::from(value).to_string());
        Ok(())
    }
    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.out.push_str(&serde_json::Value::from(value).to_string());
        Ok(())
    }
    fn serialize_char(self, value: char) -> Result<(), Error> {
        write_text(self.out, value.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, value: &str) -> Result<(), Error> {
        write_text(self.out, value)
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        value.serialize(self)
    }
    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Error> {
        self.out.push_str("null");
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        write_text(self.out, variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut fields = Fields::new(self.out, "}");
        fields.key(variant.into())?;
        fields.value(value)?;
        fields.close()
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, Error> {
        Ok(Items::new(self.out, "]"))
    }
    fn serialize_tuple(self, _: usize) -> Result<Items<'a>, Error> {
        Ok(Items::new(self.out, "]"))
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'a>, Error> {
        Ok(Items::new(self.out, "]"))
    }
    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Items<'a>, Error> {
        self.out.push('{');
        write_text(self.out, variant)?;
        self.out.push(':');
        Ok(Items::new(self.out, "]}"))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Fields<'a>, Error> {
        Ok(Fields::new(self.out, "}"))
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields<'a>, Error> {
        Ok(Fields::new(self.out, "}"))
    }
    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Fields<'a>, Error> {
        self.out.push('{');
        write_text(self.out, variant)?;
        self.out.push(':');
        Ok(Fields::new(self.out, "}}"))
    }
}

macro_rules! items {
    ($($kind:ident: $method:ident),+) => {
        $(impl $kind for Items<'_> {
            type Ok = ();
            type Error = Error;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.item(value)
            }
            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        })+
    };
}
items!(SerializeSeq: serialize_element, SerializeTuple: serialize_element);
items!(SerializeTupleStruct: serialize_field, SerializeTupleVariant: serialize_field);

macro_rules! fields {
    ($($kind:ident),+) => {
        $(impl $kind for Fields<'_> {
            type Ok = ();
            type Error = Error;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
                self.key(key.into())?;
                self.value(value)
            }
            fn end(self) -> Result<(), Error> {
                self.close()
            }
        })+
    };
}
fields!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Fields<'_> {
    type Ok = ();
    type Error = Error;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let key = key_text(key)?;
        self.key(key.into())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }
    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// What the text is by definition.
    fn by_value<T: Serialize>(value: &T) -> String {
        let mut value = serde_json::to_value(value).unwrap();
        value.sort_all_objects();
        value.to_string()
    }

    #[derive(Serialize)]
    enum Choice {
        Unit,
        Newtype(u8),
        Tuple(i64, String),
        Struct { z: f64, a: Option<bool> },
    }

    #[derive(Serialize)]
    struct All {
        zebra: Vec<Choice>,
        alpha: BTreeMap<u32, char>,
        middle: (u64, f32, ()),
        #[serde(skip_serializing_if = "Option::is_none")]
        left_out: Option<u8>,
        #[serde(flatten)]
        flat: BTreeMap<String, String>,
        text: &'static str,
    }

    #[test]
    fn every_kind_of_value_is_written_as_serde_json_writes_it() {
        let choices = || {
            vec![
                Choice::Unit,
                Choice::Newtype(7),
                Choice::Tuple(-9, "a\"\\\n\u{1}ü".to_owned()),
                Choice::Struct { z: 0.1, a: None },
                Choice::Struct { z: f64::NAN, a: Some(true) },
            ]
        };
        let all = All {
            zebra: choices(),
            alpha: BTreeMap::from([(10, 'x'), (9, '"')]),
            middle: (u64::MAX, 1.5, ()),
            left_out: None,
            flat: BTreeMap::from([("beta".to_owned(), "b".to_owned()), ("zz".to_owned(), String::new())]),
            text: "plain",
        };
        assert_eq!(canonical(&all), by_value(&all));
        for choice in choices() {
            assert_eq!(canonical(&choice), by_value(&choice));
        }
        assert_eq!(canonical(&json!({ "b": 1, "a": { "d": [], "c": {} } })), r#"{"a":{"c":{},"d":[]},"b":1}"#);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((".{0,4}", inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_is_written_as_serde_json_writes_it(value in any_value()) {
            prop_assert_eq!(canonical(&value), by_value(&value));
        }
    }
}
