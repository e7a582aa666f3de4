//! Clones that take over the memory of what they replace. An exploration makes a state for every step and throws most of
//! them away again: written over each other they cost no allocation.

/// Implements `Clone` field by field, and `clone_from` so that each field is written over the old one. Every field has to be
/// named: the compiler asks for the new ones.
macro_rules! refill {
    ($type:ident { $($field:ident),+ $(,)? }) => {
        impl Clone for $type {
            fn clone(&self) -> Self {
                let Self { $($field),+ } = self;
                Self { $($field: $field.clone()),+ }
            }
            fn clone_from(&mut self, from: &Self) {
                let Self { $($field),+ } = from;
                $(self.$field.clone_from($field);)+
            }
        }
    };
}
pub(crate) use refill;

#[cfg(test)]
mod tests {
    #[derive(Debug, PartialEq)]
    struct Pair {
        list: Vec<u8>,
        number: u8,
    }
    refill!(Pair { list, number });

    #[test]
    fn a_value_that_is_written_over_is_equal_and_keeps_its_memory() {
        let from = Pair { list: vec![1, 2, 3], number: 4 };
        let mut into = Pair { list: vec![9; 8], number: 0 };
        let (room, memory) = (into.list.capacity(), into.list.as_ptr());
        into.clone_from(&from);
        assert_eq!((&into, into.list.capacity(), into.list.as_ptr()), (&from, room, memory));
        assert_eq!(from.clone(), from);
    }
}
