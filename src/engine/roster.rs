//! The states of a run's services by name, in chunks that are shared until somebody changes one of them: a copy of a record costs
//! one count, the first change to a copy one for each of its chunks (some 160 of 5,000 services), and what differs between two
//! records is found without looking at what they share.
//!
//! Reads and is written like a map.

use std::{
    borrow::Borrow,
    cell::Cell,
    fmt,
    hash::{Hash, Hasher},
    ops::Index,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{record::ServiceState, shared::Shared};
use crate::plan::ServiceName;

/// No chunk is larger; one that grows beyond becomes two.
const CHUNK: usize = 32;

type Entry = (ServiceName, Shared<ServiceState>);

/// States by name, in the order of the names. No chunk is empty.
#[derive(Clone, Default)]
pub struct Roster(Arc<Vec<Arc<Vec<Entry>>>>);

/// Where a service stands: in which chunk, and where in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    chunk: usize,
    at: usize,
}

impl Roster {
    /// The state of a service.
    pub fn get<Q: Ord + ?Sized>(&self, name: &Q) -> Option<&Shared<ServiceState>>
    where
        ServiceName: Borrow<Q>,
    {
        let (_, state) = self.entry(self.place(name)?)?;
        Some(state)
    }
    /// The same, without a search if it is the one that was asked for last, at `last`: who decides for a service asks for it
    /// again and again.
    pub fn get_again(&self, name: &ServiceName, last: &Cell<Place>) -> Option<&Shared<ServiceState>> {
        match self.entry(last.get()) {
            Some((own, state)) if own == name => Some(state),
            _ => {
                last.set(self.place(name)?);
                self.entry(last.get()).map(|(_, state)| state)
            }
        }
    }
    /// The same, to be changed: what is shared is copied first.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, name: &Q) -> Option<&mut Shared<ServiceState>>
    where
        ServiceName: Borrow<Q>,
    {
        let Place { chunk, at } = self.place(name)?;
        let chunk = Arc::make_mut(&mut self.0).get_mut(chunk)?;
        Arc::make_mut(chunk).get_mut(at).map(|(_, state)| state)
    }
    fn entry(&self, Place { chunk, at }: Place) -> Option<&Entry> {
        self.0.get(chunk)?.get(at)
    }
    fn place<Q: Ord + ?Sized>(&self, name: &Q) -> Option<Place>
    where
        ServiceName: Borrow<Q>,
    {
        let chunk = self.chunk_of(name)?;
        let at = self.0.get(chunk)?.binary_search_by(|(own, _)| Borrow::<Q>::borrow(own).cmp(name)).ok()?;
        Some(Place { chunk, at })
    }
    /// The chunk in which this name is, if it is in any.
    fn chunk_of<Q: Ord + ?Sized>(&self, name: &Q) -> Option<usize>
    where
        ServiceName: Borrow<Q>,
    {
        let begins = |chunk: &Arc<Vec<Entry>>| chunk.first().is_some_and(|(first, _)| Borrow::<Q>::borrow(first) <= name);
        self.0.partition_point(begins).checked_sub(1)
    }

    /// Sets the state of a service.
    pub fn insert(&mut self, name: ServiceName, state: Shared<ServiceState>) {
        if let Some(own) = self.get_mut(&name) {
            *own = state;
            return;
        }
        let at = self.chunk_of(&name).unwrap_or(0);
        let chunks = Arc::make_mut(&mut self.0);
        let Some(chunk) = chunks.get_mut(at) else { return chunks.push(Arc::new(vec![(name, state)])) };
        let chunk = Arc::make_mut(chunk);
        let place = chunk.partition_point(|(own, _)| *own < name);
        chunk.insert(place, (name, state));
        if chunk.len() > CHUNK {
            let rest = chunk.split_off(CHUNK / 2);
            chunks.insert(at + 1, Arc::new(rest));
        }
    }
    /// Changes the state of a service; one that was not there has not begun.
    pub fn change(&mut self, name: &ServiceName, change: impl FnOnce(&mut ServiceState)) {
        match self.get_mut(name) {
            Some(state) => change(state),
            None => {
                let mut state = ServiceState::default();
                change(&mut state);
                self.insert(name.clone(), state.into());
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|chunk| chunk.len()).sum()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// All of them, by name.
    pub fn iter(&self) -> Iter<'_> {
        Iter { chunks: self.0.iter(), own: [].iter() }
    }
    /// All names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &ServiceName> {
        self.iter().map(|(name, _)| name)
    }
    /// All states, by name.
    pub fn values(&self) -> impl Iterator<Item = &Shared<ServiceState>> {
        self.iter().map(|(_, state)| state)
    }
    /// All of them, the states to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&ServiceName, &mut Shared<ServiceState>)> {
        let chunks = Arc::make_mut(&mut self.0).iter_mut();
        chunks.flat_map(|chunk| Arc::make_mut(chunk).iter_mut().map(|(name, state)| (&*name, state)))
    }
    /// All states, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Shared<ServiceState>> {
        self.iter_mut().map(|(_, state)| state)
    }

    /// The services that both name and whose states differ, by name: as it was, as it is.
    pub fn differences<'r>(
        &'r self,
        after: &'r Self,
    ) -> Vec<(&'r ServiceName, &'r Shared<ServiceState>, &'r Shared<ServiceState>)> {
        let chunks = || self.0.iter().zip(&*after.0).filter(|(was, is)| !Arc::ptr_eq(was, is));
        if self.0.len() == after.0.len() && chunks().all(|(was, is)| names_match(was, is)) {
            let pairs = chunks().flat_map(|(was, is)| was.iter().zip(is.iter()));
            return pairs.filter(|((_, was), (_, is))| was != is).map(|((name, was), (_, is))| (name, was, is)).collect();
        }
        let both = self.iter().filter_map(|(name, was)| Some((name, was, after.get(name)?)));
        both.filter(|(_, was, is)| was != is).collect()
    }
}

fn names_match(was: &[Entry], is: &[Entry]) -> bool {
    was.len() == is.len() && was.iter().zip(is).all(|((one, _), (other, _))| one == other)
}

/// A walk through all states.
#[derive(Debug, Clone)]
pub struct Iter<'r> {
    chunks: std::slice::Iter<'r, Arc<Vec<Entry>>>,
    own: std::slice::Iter<'r, Entry>,
}
impl<'r> Iterator for Iter<'r> {
    type Item = (&'r ServiceName, &'r Shared<ServiceState>);
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((name, state)) = self.own.next() {
                return Some((name, state));
            }
            self.own = self.chunks.next()?.iter();
        }
    }
}
impl<'r> IntoIterator for &'r Roster {
    type Item = (&'r ServiceName, &'r Shared<ServiceState>);
    type IntoIter = Iter<'r>;
    fn into_iter(self) -> Iter<'r> {
        self.iter()
    }
}

impl FromIterator<Entry> for Roster {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut roster = Self::default();
        for (name, state) in entries {
            let chunks = Arc::make_mut(&mut roster.0);
            match chunks.last_mut() {
                // In order, as they nearly always come, chunks are filled one after the other.
                Some(last) if last.last().is_some_and(|(end, _)| *end < name) => match last.len() < CHUNK {
                    true => Arc::make_mut(last).push((name, state)),
                    false => chunks.push(Arc::new(vec![(name, state)])),
                },
                _ => roster.insert(name, state),
            }
        }
        roster
    }
}

impl PartialEq for Roster {
    fn eq(&self, other: &Self) -> bool {
        let same = |(one, another): (&Arc<Vec<Entry>>, &Arc<Vec<Entry>>)| Arc::ptr_eq(one, another) || one == another;
        let alike = self.0.len() == other.0.len() && self.0.iter().zip(&*other.0).all(same);
        Arc::ptr_eq(&self.0, &other.0) || alike || (self.len() == other.len() && self.iter().eq(other.iter()))
    }
}
/// How they are cut into chunks makes no difference.
impl Hash for Roster {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.len().hash(hasher);
        self.iter().for_each(|entry| entry.hash(hasher));
    }
}
impl<Q: Ord + ?Sized> Index<&Q> for Roster
where
    ServiceName: Borrow<Q>,
{
    type Output = Shared<ServiceState>;
    /// # Panics
    /// If there is no such service, as every map does; for tests, as `get` is for everything else.
    #[allow(clippy::panic, reason = "an index has no other way to say that there is none")]
    fn index(&self, name: &Q) -> &Self::Output {
        match self.get(name) {
            Some(state) => state,
            None => panic!("the record has no such service"),
        }
    }
}
impl fmt::Debug for Roster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}
impl Serialize for Roster {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}
impl<'de> Deserialize<'de> for Roster {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(std::collections::BTreeMap::<ServiceName, Shared<ServiceState>>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Stage;

    fn name(index: usize) -> ServiceName {
        format!("s{index:04}").parse().unwrap()
    }
    fn roster(indices: impl IntoIterator<Item = usize>) -> Roster {
        indices.into_iter().map(|index| (name(index), Shared::default())).collect()
    }

    #[test]
    fn it_is_a_map_whatever_the_order_in_which_it_is_filled() {
        let ordered = roster(0..1000);
        let mixed = roster((0..1000).map(|i| i * 617 % 1000));
        assert_eq!(ordered, mixed);
        assert_eq!((mixed.len(), mixed.keys().is_sorted()), (1000, true));
        assert!((0..1000).all(|index| mixed.get(&name(index)).is_some()));
        assert!(mixed.get("s").is_none() && mixed.get("s1000").is_none() && mixed.get("s0500x").is_none());
        let text = serde_json::to_string(&mixed).unwrap();
        assert_eq!(serde_json::from_str::<Roster>(&text).unwrap(), ordered);
        assert!(Roster::default().is_empty() && Roster::default().get("a").is_none());
    }

    #[test]
    fn what_is_asked_for_again_is_what_a_search_finds() {
        let mut roster = roster((0..100).filter(|index| index % 3 > 0));
        let last = Cell::default();
        for step in 0..2_000 {
            let name = name(step * 617 / 4 % 101); // four times each, some of them not there
            roster.change(&name, |state| state.attempt = step as u32);
            if step % 7 == 0 {
                roster.insert(super::tests::name(step % 120), Shared::default()); // places move
            }
            assert_eq!(roster.get_again(&name, &last), roster.get(&name));
        }
    }

    #[test]
    fn what_differs_is_found_in_any_chunk_and_only_that() {
        let before = roster(0..100);
        let mut after = before.clone();
        assert!(before.differences(&after).is_empty());
        for index in [0, 31, 32, 99] {
            after.change(&name(index), |state| state.stage = Stage::Soaking);
        }
        after.change(&name(50), |_| {}); // touched, and as it was
        after.change(&name(2000), |state| state.stage = Stage::Soaked); // only one of both has it
        let names = |of: Vec<(&ServiceName, _, _)>| of.into_iter().map(|(name, _, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(before.differences(&after)), [0, 31, 32, 99].map(name));
        assert_eq!(before.get(&name(0)).unwrap().stage, Stage::Waiting, "the one that was copied stays as it was");
        assert_ne!(before, after);
    }
}
