//! The shape of a document against the JSON schema, in our own codes and words: all that is wrong, not the first.

use std::sync::LazyLock;

use jsonschema::{
    JsonType, PatternOptions, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Kind},
    paths::LocationSegment,
};
use serde_json::Value;

use super::{
    finding::{Code, Finding, nearest},
    moment::MOMENT_PATTERN,
    names::{LABEL_PATTERN, RATE_PATTERN, Rate, SPAN_PATTERN, Span},
    path::Path,
    schema,
};

/// More than so many findings help nobody.
pub(crate) const FINDINGS_MAX: usize = 1_000;

static SHAPES: LazyLock<schema::Shapes> = LazyLock::new(schema::Shapes::new);

/// In the schema of [`service`], that an object is taken as a whole.
pub(crate) use schema::WHOLE;

/// The schema by which a service is merged with the plan's defaults.
pub(crate) fn service() -> &'static Value {
    &SHAPES.merging
}

/// The schema of a service that has been merged with the plan's defaults.
pub(crate) fn complete_service() -> &'static Value {
    &SHAPES.complete
}

/// The schema of what is under `spec`.
pub(crate) fn spec() -> &'static Value {
    static NONE: Value = Value::Null;
    SHAPES.plan.pointer("/properties/spec").unwrap_or(&NONE)
}

static OF_PLAN: LazyLock<Result<Validator, String>> = LazyLock::new(|| validator(&SHAPES.plan));
static OF_COMPLETE_SERVICE: LazyLock<Result<Validator, String>> = LazyLock::new(|| validator(&SHAPES.complete));

/// Makes what the checks need, if nobody has. That takes as long as reading a plan of a hundred services, and waits for no text.
pub(crate) fn prepare() {
    LazyLock::force(&OF_PLAN);
    LazyLock::force(&OF_COMPLETE_SERVICE);
}

/// Everything in `document` that its schema does not allow.
pub(crate) fn check(document: &Value) -> Vec<Finding> {
    check_by(&OF_PLAN, &SHAPES.plan, document)
}

/// Everything that a service must not be once the plan's defaults have been merged in. Paths begin at the service.
pub(crate) fn check_complete_service(service: &Value) -> Vec<Finding> {
    check_by(&OF_COMPLETE_SERVICE, &SHAPES.complete, service)
}

fn validator(schema: &Value) -> Result<Validator, String> {
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
    options.build(schema).map_err(|error| error.to_string())
}

fn check_by(validator: &Result<Validator, String>, schema: &'static Value, value: &Value) -> Vec<Finding> {
    match validator {
        Ok(validator) if validator.is_valid(value) => Vec::new(), // most are, and a verdict costs less than a list
        Ok(validator) => {
            validator.iter_errors(value).flat_map(|error| translate(&error, schema)).take(FINDINGS_MAX + 1).collect()
        }
        // Built from our own types and tested; if it were ever wrong, no plan may pass.
        Err(error) => vec![Finding::error(
            Code::BadValue,
            Path::top(),
            format!("the schema of plans is itself wrong: {error}"),
            "this is a defect of gapless; please report it",
        )],
    }
}

/// What the schema says at the place of the error: the schema that holds the failed keyword.
struct Said<'a> {
    schema: Option<&'a Value>,
}

impl<'a> Said<'a> {
    fn of(error: &ValidationError<'_>, schema: &'a Value) -> Self {
        let pointer = error.schema_path().as_str();
        let owner = pointer.rsplit_once('/').map_or("", |(owner, _)| owner);
        Self { schema: schema.pointer(owner) }
    }
    fn fields(&self) -> impl Iterator<Item = &'a str> + Clone {
        self.schema.and_then(|s| s.get("properties")?.as_object()).into_iter().flat_map(|p| p.keys().map(String::as_str))
    }
    /// What the schema says of the place, or of one of its fields, in one line.
    fn description(&self, field: Option<&str>) -> Option<String> {
        let schema = match field {
            None => self.schema?,
            Some(field) => self.schema?.get("properties")?.get(field)?,
        };
        let lines = schema.get("description")?.as_str()?.split_whitespace();
        Some(lines.collect::<Vec<_>>().join(" "))
    }
    /// What an object here looks like, by the fields that it cannot do without: `{ service: … }`.
    fn example(&self) -> Option<String> {
        let required = |keyword: &str| self.schema?.get(keyword)?.as_array().filter(|names| !names.is_empty());
        let names = required("required").or_else(|| required("x-complete"))?;
        let fields: Vec<String> = names.iter().filter_map(Value::as_str).map(|name| format!("{name}: …")).collect();
        Some(format!("{{ {} }}", fields.join(", ")))
    }
    fn text(&self, keyword: &str) -> Option<&'a str> {
        self.schema?.get(keyword)?.as_str()
    }
    /// The field here that has a field `name` of its own.
    fn owner_of(&self, name: &str) -> Option<&'a str> {
        let fields = self.schema?.get("properties")?.as_object()?;
        let has = |schema: &Value| schema.get("properties").is_some_and(|inner| inner.get(name).is_some());
        fields.iter().find(|(_, schema)| has(schema)).map(|(field, _)| field.as_str())
    }
}

fn path_of(error: &ValidationError<'_>) -> Path {
    error.instance_path().segments().fold(Path::top(), |path, segment| match segment {
        LocationSegment::Property(name) => path.key(name.into_owned()),
        LocationSegment::Index(index) => path.index(index),
    })
}

fn translate(error: &ValidationError<'_>, schema: &'static Value) -> Vec<Finding> {
    let (path, said) = (path_of(error), Said::of(error, schema));
    let found = error.instance();
    let bad = |message: String, help: String| vec![Finding::error(Code::BadValue, path.clone(), message, help)];
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            unexpected.iter().take(FINDINGS_MAX + 1).map(|name| unexpected_field(&path, found, name, &said)).collect()
        }
        Kind::Required { property } => vec![missing(&path, found, property.as_str().unwrap_or_default(), &said)],
        Kind::MinProperties { .. } => {
            let message = format!("{} is empty", what(&path));
            vec![Finding::error(Code::MissingField, path.clone(), message, format!("give {}", exactly_one(said.fields())))]
        }
        Kind::MaxProperties { .. } => {
            bad(format!("{} has more than one member", what(&path)), format!("keep {}", exactly_one(said.fields())))
        }
        Kind::Enum { options } => {
            let words = || options.as_array().into_iter().flatten().filter_map(Value::as_str);
            let word = found.as_str().unwrap_or_default();
            let message = format!("{} is not {}", show(found), one_of(words()));
            bad(message, nearest(word, words()).map_or_else(|| format!("write {}", one_of(words())), did_you_mean))
        }
        Kind::Type { kind } => wrong_type(&path, found, kind, &said),
        Kind::Pattern { pattern } => {
            let (message, help) = pattern_words(pattern, found);
            bad(message, help)
        }
        Kind::Minimum { limit } => bad(format!("{} is too small", show(found)), format!("{} is at least {limit}", what(&path))),
        Kind::Maximum { limit } => bad(format!("{} is too large", show(found)), format!("{} is at most {limit}", what(&path))),
        Kind::MinLength { limit } => {
            bad(format!("{} is too short", show(found)), format!("{} has at least {limit} characters", what(&path)))
        }
        Kind::MaxLength { limit } => bad(format!("{} is too long", what(&path)), format!("it has at most {limit} characters")),
        Kind::MinItems { limit } => {
            let help = said.description(None).unwrap_or_else(|| format!("give at least {limit}"));
            bad(format!("{} is empty", what(&path)), help)
        }
        Kind::MaxItems { limit } => bad(format!("{} is too long", what(&path)), format!("it has at most {limit} elements")),
        _ => bad(error.to_string(), "see `gapless schema plan`".to_owned()),
    }
}

fn unexpected_field(owner: &Path, object: &Value, name: &str, said: &Said<'_>) -> Finding {
    let path = owner.key(name);
    let help = match (nearest(name, said.fields()), said.owner_of(name)) {
        (_, Some(field)) => format!("`{name}` is a field of `{field}`: put it there"),
        (Some(near), None) => did_you_mean(near),
        (None, None) => format!("the fields here are {}", list(said.fields())),
    };
    let place = whose(owner, object);
    Finding::error(Code::UnknownField, path, format!("{place} has no field {}", show(&name.into())), help).at_key()
}

fn missing(owner: &Path, object: &Value, name: &str, said: &Said<'_>) -> Finding {
    let place = whose(owner, object);
    let help = match said.description(Some(name)) {
        Some(description) => format!("add `{name}`: {}", lower_first(&description)),
        None => format!("add `{name}`"),
    };
    Finding::error(Code::MissingField, owner.key(name), format!("{place} has no `{name}`"), help.trim_end_matches('.')).at_key()
}

fn wrong_type(path: &Path, found: &Value, kind: &TypeKind, said: &Said<'_>) -> Vec<Finding> {
    if found.is_null() {
        let message = format!("nothing is written after {}", what(path));
        return vec![Finding::error(Code::BadValue, path.clone(), message, "give a value, or remove the field").at_key()];
    }
    let (message, help) = match said.text("pattern") {
        Some(pattern) if !found.is_object() && !found.is_array() => pattern_words(pattern, found),
        _ => {
            let wanted = match kind {
                TypeKind::Single(kind) => describe(*kind),
                TypeKind::Multiple(_) => "another kind of value",
            };
            let help = match (said.example(), said.description(None)) {
                (Some(example), _) if matches!(kind, TypeKind::Single(JsonType::Object)) => {
                    format!("write `{example}`; the fields here are {}", list(said.fields()))
                }
                (_, Some(description)) => format!("{}: {}", what(path), lower_first(description.trim_end_matches('.'))),
                (_, None) => "see `gapless schema plan`".to_owned(),
            };
            (format!("{} is {}, and {wanted} belongs here", what(path), kind_of(found)), help)
        }
    };
    vec![Finding::error(Code::BadValue, path.clone(), message, help)]
}

fn describe(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Null => "nothing",
        JsonType::Boolean => "`true` or `false`",
        JsonType::Integer => "a whole number",
        JsonType::Number => "a number",
        JsonType::String => "text",
        JsonType::Array => "a list",
        JsonType::Object => "an object with fields",
    }
}

fn kind_of(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object with fields".to_owned(),
        Value::String(_) => format!("the text {}", show(value)),
        other => show(other),
    }
}

/// What a text or number lacks of the pattern: in the words of the type that has it.
fn pattern_words(pattern: &str, found: &Value) -> (String, String) {
    let text = match found {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match pattern {
        SPAN_PATTERN => {
            let message = format!("{} is not a duration", show(found));
            let help = match text.parse::<u64>() {
                Ok(number) => format!("write the unit as well: {number}ms, {number}s, {number}m, {number}h or {number}d"),
                Err(_) => text.parse::<Span>().err().map_or_else(String::new, |_| {
                    "write whole numbers with ms, s, m, h or d, such as 800ms, 90s, 10m, 1h30m, 45d".to_owned()
                }),
            };
            (message, help)
        }
        RATE_PATTERN => {
            let help = match text.parse::<u32>() {
                Ok(number) => format!("write {number}/s if requests a second are meant"),
                Err(_) => text
                    .parse::<Rate>()
                    .err()
                    .map_or_else(String::new, |_| "write a whole number of requests a second, such as 450/s".to_owned()),
            };
            (format!("{} is not a rate", show(found)), help)
        }
        MOMENT_PATTERN => {
            let help = "write the date and the time on the clock of `timeZone`, such as 2026-08-28T20:00";
            (format!("{} is not a moment", show(found)), help.to_owned())
        }
        LABEL_PATTERN => {
            let help = "a name has 1 to 63 lower-case letters, digits and `-`, and begins and ends with a letter or digit";
            (format!("{} is not a name", show(found)), help.to_owned())
        }
        other => (format!("{} has not the form it must have", show(found)), format!("it has to match `{other}`")),
    }
}

/// The place in words: `field` or `element 2 of field`, by its last steps.
pub(crate) fn what(path: &Path) -> String {
    use super::path::Segment;
    match path.segments() {
        [] => "the document".to_owned(),
        [.., Segment::Key(list), Segment::Index(index)] => format!("element {} of `{list}`", index + 1),
        [.., last] => format!("`{}`", Path::top().join(last.clone())),
    }
}

/// The object at `path` in words, by its name where it has one: `service `pds``.
fn whose(path: &Path, object: &Value) -> String {
    use super::path::Segment;
    match (path.segments(), object.get("name").and_then(Value::as_str)) {
        ([.., Segment::Key(list), Segment::Index(_)], Some(name)) => {
            format!("{} {}", list.strip_suffix('s').unwrap_or(list), show(&name.into()))
        }
        _ => what(path),
    }
}

/// A value, shortened.
pub(crate) fn show(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.escape_debug().to_string(),
        other => other.to_string(),
    };
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { format!("`{short}…`") } else { format!("`{short}`") }
}

fn did_you_mean(near: &str) -> String {
    format!("did you mean `{near}`?")
}

pub(crate) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn exactly_one<'a>(names: impl Iterator<Item = &'a str> + Clone) -> String {
    if names.clone().count() > 1 { format!("exactly one of {}", list(names)) } else { list(names) }
}

fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
        [] => String::new(),
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
