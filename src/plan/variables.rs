//! Variables in queries, addresses and bodies: `$(service)`, `$(phase)`, `$(window)` and `$(side)`, nothing else.
//!
//! What is known when a plan is checked is written into the revision then; only `$(side)` is left to whoever sends the text.

use std::fmt;

use super::names::Side;

/// A variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variable {
    /// The name of the service.
    Service,
    /// The name of the phase.
    Phase,
    /// The window of the query.
    Window,
    /// The side that is judged or probed: `legacy` or `target`.
    Side,
}

impl Variable {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Service, Self::Phase, Self::Window, Self::Side];
    /// Its name, as it stands between the parentheses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Phase => "phase",
            Self::Window => "window",
            Self::Side => "side",
        }
    }
}
impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$({})", self.name())
    }
}

/// The names between `$(` and `)` in a text, in their order, whether a variable has that name or not.
pub(crate) fn names_in(text: &str) -> impl Iterator<Item = &str> {
    text.split("$(").skip(1).map(|rest| rest.split_once(')').map_or(rest, |(name, _)| name))
}

/// `text` with the value of each variable that `value` knows in its place.
pub(crate) fn fill(text: &str, value: impl Fn(Variable) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut parts = text.split("$(");
    filled.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let known = part.split_once(')').and_then(|(name, rest)| {
            let variable = Variable::ALL.into_iter().find(|variable| variable.name() == name)?;
            Some((value(variable)?, rest))
        });
        match known {
            Some((value, rest)) => {
                filled.push_str(&value);
                filled.push_str(rest);
            }
            None => {
                filled.push_str("$(");
                filled.push_str(part);
            }
        }
    }
    filled
}

/// `text` as it is sent to this side, or as it judges this side.
pub fn for_side(text: &str, side: Side) -> String {
    fill(text, |variable| (variable == Variable::Side).then(|| side.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_variables_are_filled_and_the_rest_is_left() {
        let value = |variable| (variable == Variable::Service).then(|| "pds".to_owned());
        assert_eq!(fill("a$(service)b$(service)$(side)$(x)$(", value), "apdsbpds$(side)$(x)$(");
        assert_eq!(for_side("/$(side)/up", Side::Legacy), "/legacy/up");
        assert_eq!(names_in("$(service) $(a b) $(open").collect::<Vec<_>>(), ["service", "a b", "open"]);
        assert_eq!(fill("plain $ ( text )", value), "plain $ ( text )");
    }
}
