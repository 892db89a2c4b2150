//! Reading JSON strictly, and comparing it.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{
        Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::Value;

/// The canonical form of a body: JSON without insignificant differences, such as the order of names,
/// white space, `2.0` for `2`.
pub(super) fn canonical(body: &[u8]) -> String {
    fn sort(json: Value) -> Value {
        match json {
            Value::Array(items) => items.into_iter().map(sort).collect(),
            Value::Object(fields) => {
                let mut fields: Vec<_> =
                    fields.into_iter().map(|(name, value)| (name, sort(value))).collect();
                fields.sort_by(|a, b| a.0.cmp(&b.0));
                Value::Object(fields.into_iter().collect())
            }
            other => other,
        }
    }
    match json(body) {
        Ok(json) => sort(json).to_string(),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    }
}

/// The JSON of a body.
pub(super) fn json(body: &[u8]) -> serde_json::Result<Value> {
    let Strict(mut json) = serde_json::from_slice(body)?;
    whole(&mut json);
    Ok(json)
}

/// JSON whose objects have no name twice. Parsers disagree about which of the two values counts (RFC 8259),
/// so a proxy might check another than is used here.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(all.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut all = serde_json::Map::new();
        while let Some((name, Strict(value))) = fields.next_entry::<String, _>()? {
            if all.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate name {name:?}")));
            }
            all.insert(name, value);
        }
        Ok(all.into())
    }
}

/// JSON from which structures are only read as objects. `serde` also reads them from arrays, by the position of
/// their fields, which the document doesn't promise.
pub(super) struct Objects(pub(super) Value);

impl<'de> Deserializer<'de> for Objects {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(Objects));
                let all = visitor.visit_seq(&mut items)?;
                items.end().map(|()| all)
            }
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| (name, Objects(value)));
                let mut fields = MapDeserializer::new(fields);
                let all = visitor.visit_map(&mut fields)?;
                fields.end().map(|()| all)
            }
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> serde_json::Result<V::Value> {
        if !self.0.is_object() {
            return Err(serde_json::Error::custom("expected an object"));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> serde_json::Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> serde_json::Result<V::Value> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

impl IntoDeserializer<'_, serde_json::Error> for Objects {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// In JSON, `2.0` is a whole number too.
fn whole(json: &mut Value) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match json {
        Value::Array(items) => items.iter_mut().for_each(whole),
        Value::Object(fields) => fields.values_mut().for_each(whole),
        Value::Number(n) if n.is_f64() => {
            let whole = n.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < EXACT);
            if let Some(whole) = whole {
                *n = (whole as i64).into();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::*;

    #[test]
    fn whole_numbers_may_have_a_zero_fraction() {
        let mut sent = value!({"a": [2.0, 2.5, -7.0, 1e300, 9, "2.0"]});
        whole(&mut sent);
        assert_eq!(sent, value!({"a": [2, 2.5, -7, 1e300, 9, "2.0"]}));
    }

    #[test]
    fn objects_name_nothing_twice() {
        let text = r#"{"a":[null,true,-1,18446744073709551615,2.5,"x"],"b":{"a":{}},"c":[]}"#;
        assert_eq!(json(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"c":2,"\u0061":3}}]"#] {
            let why = json(text.as_bytes()).unwrap_err().to_string();
            assert!(why.contains("duplicate name \"a\" at line 1"), "{why}");
            assert_ne!(canonical(text.as_bytes()), canonical(br#"{"a":1}"#));
        }
    }

    #[test]
    fn structures_are_objects() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Inner {
            name: String,
        }
        #[derive(Debug, PartialEq, Deserialize)]
        struct Outer {
            size: i64,
            inner: Option<Inner>,
            all: Vec<Inner>,
        }
        let read = |json: Value| {
            serde_path_to_error::deserialize::<_, Outer>(Objects(json))
                .map_err(|error| (error.path().to_string(), error.into_inner().to_string()))
        };
        let inner = |name: &str| Inner { name: name.into() };
        assert_eq!(
            read(value!({"size": 2, "inner": {"name": "a"}, "all": [{"name": "b"}]})),
            Ok(Outer { size: 2, inner: Some(inner("a")), all: vec![inner("b")] })
        );
        assert_eq!(
            read(value!({"size": 2, "inner": null, "all": []})),
            Ok(Outer { size: 2, inner: None, all: vec![] })
        );
        for (json, at) in [
            (value!([2, null, []]), "."),
            (value!({"size": 2, "inner": ["a"], "all": []}), "inner"),
            (value!({"size": 2, "all": [["b"]]}), "all[0]"),
            (value!(null), "."),
        ] {
            let (path, why) = read(json).unwrap_err();
            assert_eq!((path.as_str(), why.as_str()), (at, "expected an object"));
        }
        assert_eq!(read(value!({"size": "2", "all": []})).unwrap_err().0, "size");
    }

    #[test]
    fn equal_json_has_one_canonical_form() {
        let same = [
            r#"{"variant":"var_1","quantity":2,"more":{"a":[1,2],"b":null}}"#,
            r#"{ "quantity" : 2.0 , "more": {"b":null,"a":[1, 2]}, "variant": "var\u005f1" }"#,
            "{\n\t\"more\": {\"a\": [1, 2e0], \"b\": null},\r\n\"variant\": \"var_1\", \"quantity\": 2}",
        ];
        let other = [
            r#"{"variant":"var_1","quantity":3,"more":{"a":[1,2],"b":null}}"#,
            r#"{"variant":"var_1","quantity":2,"more":{"a":[2,1],"b":null}}"#,
            r#"{"variant":"var_1","quantity":2,"more":{"a":[1,2]}}"#,
            r#"{"variant":"var_1","quantity":"2","more":{"a":[1,2],"b":null}}"#,
            r#"{"variant":"VAR_1","quantity":2,"more":{"a":[1,2],"b":null}}"#,
        ];
        for body in same {
            assert_eq!(canonical(body.as_bytes()), canonical(same[0].as_bytes()), "{body}");
        }
        for body in other {
            assert_ne!(canonical(body.as_bytes()), canonical(same[0].as_bytes()), "{body}");
        }
    }
}
