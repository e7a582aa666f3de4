//! The power is cut after every operation and at every byte, and the directory opened again.
//!
//! [`Model`] is a disk that keeps apart what was synced and what is only in memory. After each operation of a run every
//! state that a power cut may leave is built: of data not synced nothing, any prefix, or zeros in its place; of names not
//! synced any part. Each of them must open with the record that was committed last or the one whose commit was under way,
//! with a journal that verifies, and must be able to go on.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    io,
    rc::Rc,
};

use jiff::Timestamp;

use super::{
    disk::{Directory, Disk},
    state::{self, JOURNAL, OpenError, Opened, RECORD, REVISION, State},
};
use crate::{
    engine::{Decision, Event, Observed, Reason, Record, RunId},
    journal::{self, Line, Scribe},
    plan::{Phase, Plan, Revision},
    ports::StoreError,
};

type Names = BTreeMap<String, usize>;

/// A file: what is on the disk for certain, and what was written since.
#[derive(Clone, Default)]
struct Inode {
    synced: Vec<u8>,
    now: Vec<u8>,
    /// Contents that a cut may leave instead.
    between: BTreeSet<Vec<u8>>,
}

/// What a disk only pretends to have synced.
#[derive(Clone, Copy, PartialEq)]
enum Lie {
    Contents,
    Names,
}

#[derive(Clone, Default)]
struct Platter {
    inodes: Vec<Inode>,
    names: Names,
    synced_names: Names,
    /// Changes of names that are not synced, in order.
    pending: Vec<(String, Option<usize>)>,
    lie: Option<Lie>,
}

/// A disk in memory, and every state it went through.
#[derive(Clone, Default)]
struct Model {
    platter: Rc<RefCell<Platter>>,
    history: Rc<RefCell<Vec<Platter>>>,
}

impl Model {
    fn lying(lie: Lie) -> Self {
        let model = Self::default();
        model.platter.borrow_mut().lie = Some(lie);
        model
    }
    fn after_cut(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let model = Self::default();
        let mut platter = model.platter.borrow_mut();
        for (name, content) in files {
            let number = platter.inodes.len();
            platter.inodes.push(Inode { synced: content.clone(), now: content.clone(), between: BTreeSet::new() });
            platter.names.insert(name.clone(), number);
        }
        platter.synced_names = platter.names.clone();
        drop(platter);
        model
    }
    fn step(&self, change: impl FnOnce(&mut Platter)) {
        change(&mut self.platter.borrow_mut());
        self.history.borrow_mut().push(self.platter.borrow().clone());
    }
}

impl Platter {
    fn inode(&mut self, name: &str) -> io::Result<&mut Inode> {
        let number = *self.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(&mut self.inodes[number])
    }

    /// Everything that may be found after a cut now.
    fn after_cut(&self) -> BTreeSet<BTreeMap<String, Vec<u8>>> {
        let mut found = BTreeSet::new();
        for chosen in 0..1u32 << self.pending.len() {
            let mut names = self.synced_names.clone();
            for (bit, (name, inode)) in self.pending.iter().enumerate() {
                match inode {
                    _ if chosen & (1 << bit) == 0 => {}
                    Some(inode) => drop(names.insert(name.clone(), *inode)),
                    None => drop(names.remove(name)),
                }
            }
            // Of several files one is cut anywhere, the others are all as written or all as synced.
            for (name, inode) in &names {
                let inode = &self.inodes[*inode];
                for content in [&inode.synced, &inode.now].into_iter().chain(&inode.between) {
                    for rest in [|inode: &Inode| inode.synced.clone(), |inode: &Inode| inode.now.clone()] {
                        let others = names.iter().map(|(name, inode)| (name.clone(), rest(&self.inodes[*inode])));
                        let mut files: BTreeMap<String, Vec<u8>> = others.collect();
                        files.insert(name.clone(), content.clone());
                        found.insert(files);
                    }
                }
            }
            if names.is_empty() {
                found.insert(BTreeMap::new());
            }
        }
        found
    }
}

/// `base`, and after it every prefix of `bytes`, or zeros in their place.
fn prefixes(base: &[u8], bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let cut = (0..=bytes.len()).map(move |length| [base, &bytes[..length]].concat());
    cut.chain([[base, &vec![0; bytes.len()]].concat()])
}

impl Disk for Model {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.platter.borrow_mut().inode(name).ok().map(|inode| inode.now.clone()))
    }
    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.step(|platter| {
            if !platter.names.contains_key(name) {
                let number = platter.inodes.len();
                platter.inodes.push(Inode::default());
                platter.names.insert(name.to_owned(), number);
                platter.pending.push((name.to_owned(), Some(number)));
            }
            let inode = platter.inode(name).unwrap();
            inode.between.extend(prefixes(b"", bytes));
            inode.now = bytes.to_vec();
        });
        Ok(())
    }
    fn append(&mut self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.platter.borrow_mut().inode(name)?;
        self.step(|platter| {
            let inode = platter.inode(name).unwrap();
            let mut base = inode.now.clone();
            base.truncate(usize::try_from(at).unwrap());
            inode.between.extend(prefixes(&base, bytes));
            inode.now = [base.as_slice(), bytes].concat();
        });
        Ok(())
    }
    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.platter.borrow_mut().inode(name)?;
        self.step(|platter| {
            if platter.lie != Some(Lie::Contents) {
                let inode = platter.inode(name).unwrap();
                inode.synced = inode.now.clone();
                inode.between.clear();
            }
        });
        Ok(())
    }
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.platter.borrow_mut().inode(from)?;
        self.step(|platter| {
            let number = platter.names.remove(from).unwrap();
            platter.names.insert(to.to_owned(), number);
            // At once: a cut leaves both names as they were, or both as they are to be.
            platter.pending.push((to.to_owned(), Some(number)));
            platter.pending.retain(|(name, inode)| name != from || inode.is_some_and(|inode| inode != number));
        });
        Ok(())
    }
    fn sync_names(&mut self) -> io::Result<()> {
        self.step(|platter| {
            if platter.lie != Some(Lie::Names) {
                platter.synced_names = platter.names.clone();
                platter.pending.clear();
            }
        });
        Ok(())
    }
}

fn revision(namespace: &str) -> Revision {
    let phases = [("main".parse().unwrap(), Phase::default())];
    Revision::of(Plan::of("p".parse().unwrap(), namespace.to_owned(), phases.into(), BTreeMap::new()))
}

fn fresh() -> Record {
    Record::new(RunId("r".into()), &revision("a"), Timestamp::UNIX_EPOCH)
}

/// The record after `before`, and the line that it rests on.
fn next(before: &Record) -> (Record, Line) {
    let mut record = before.clone();
    let reason = Reason::NoWayBack { why: format!("{}", before.journal.seq) };
    record.latch = Some(crate::engine::Latch {
        id: before.journal.seq,
        kind: crate::engine::LatchKind::Hold,
        since: Timestamp::UNIX_EPOCH,
        reason: reason.clone(),
        hold: None,
    });
    let events = vec![Event::Held { service: None, reason }];
    let decision =
        Decision { record, effects: Vec::new(), events, waits: Vec::new(), wake_at: None, due_at: None, outcome: None };
    let mut line = Scribe::default().line(&revision("a"), before, &decision, &Observed::default(), Timestamp::UNIX_EPOCH);
    line.begins = None; // as short as most lines are: the power is cut at each of its bytes
    line.head.hash = line.digest();
    let mut record = decision.record;
    record.journal = line.head.clone();
    (record, line)
}

/// What the world may rely on at a moment: the record committed last, and the one whose commit is under way.
#[derive(Clone, Default)]
struct Promise {
    committed: Option<Record>,
    under_way: Option<Record>,
}

/// Opens and commits three times on this disk; gives the state of the disk after each operation, with what was promised.
fn run(disk: &Model) -> Vec<(Platter, Promise)> {
    let mut told = Vec::new();
    let seen = Rc::clone(&disk.history);
    let mut note = |promise: &Promise| {
        let states = std::mem::take(&mut *seen.borrow_mut());
        told.extend(states.into_iter().map(|state| (state, promise.clone())));
    };
    let (mut state, opened) = State::open(disk.clone(), &revision("a"), fresh).unwrap();
    assert_eq!(opened, Opened::Fresh);
    note(&Promise { committed: None, under_way: Some(fresh()) });
    let (mut record, mut number) = state.load().unwrap();
    for round in 0..3 {
        let (after, line) = next(&record);
        let mut promise = Promise { committed: Some(record.clone()), under_way: Some(after.clone()) };
        if round == 1 {
            state.append(&next(&after).1).unwrap_err(); // not the next line
            let mut longer = line.clone();
            longer.seen = serde_json::json!({ "an orphan": "x".repeat(300) });
            longer.head.hash = longer.digest();
            state.append(&longer).unwrap(); // never committed: the next one takes its place
        }
        state.append(&line).unwrap();
        number = state.commit(&after, number).unwrap();
        note(&promise);
        promise = Promise { committed: Some(after.clone()), under_way: None };
        note(&promise);
        record = after;
    }
    told
}

/// Opens what a cut left and goes on. Says what is wrong, if something is.
fn survives(files: &BTreeMap<String, Vec<u8>>, promise: &Promise) -> Result<(), String> {
    let disk = Model::after_cut(files);
    let (mut state, _) = State::open(disk.clone(), &revision("a"), fresh).map_err(|error| format!("not opened: {error}"))?;
    let (record, number) = state.load().map_err(|error| format!("not loaded: {error}"))?;
    let legal = [promise.committed.clone().or_else(|| Some(fresh())), promise.under_way.clone()];
    if !legal.contains(&Some(record.clone())) {
        return Err(format!("record {} was never promised", record.journal.seq));
    }
    let (after, line) = next(&record);
    state.append(&line).map_err(|error| format!("no line: {error}"))?;
    state.commit(&after, number).map_err(|error| format!("no commit: {error}"))?;
    let journal = disk.read(JOURNAL).unwrap().unwrap();
    let verified = journal::verify(&journal, &after.journal).map_err(|bad| bad.to_string())?;
    if verified.orphaned > 0 { Err("a tail was left behind the head".to_owned()) } else { Ok(()) }
}

#[test]
fn every_power_cut_leaves_the_old_or_the_new_record() {
    let told = run(&Model::default());
    let mut cuts = 0;
    for (number, (platter, promise)) in told.iter().enumerate() {
        for files in platter.after_cut() {
            cuts += 1;
            if let Err(what) = survives(&files, promise) {
                panic!("after operation {number}: {what}: {:?}", files.keys().collect::<Vec<_>>());
            }
        }
    }
    println!("{cuts} power cuts after {} operations", told.len());
    assert!(cuts > 2_000, "only {cuts}");
}

/// Opening makes durable what it found: a second cut right after it changes nothing that was relied on.
#[test]
fn what_was_opened_outlasts_a_second_cut() {
    for (platter, _) in run(&Model::default()) {
        let second = Model { platter: Rc::new(RefCell::new(platter)), history: Rc::default() };
        let Ok((mut state, _)) = State::open(second.clone(), &revision("a"), fresh) else { continue };
        let (record, _) = state.load().unwrap();
        let promise = Promise { committed: Some(record), under_way: None };
        for files in second.platter.borrow().after_cut() {
            survives(&files, &promise).unwrap();
        }
    }
}

/// The test can fail: on a disk that only pretends to sync, a committed record is lost.
#[test]
fn a_disk_that_does_not_sync_is_found_out() {
    for lie in [Lie::Contents, Lie::Names] {
        let told = run(&Model::lying(lie));
        let (platter, promise) = told.last().unwrap();
        assert!(platter.after_cut().iter().any(|files| survives(files, promise).is_err()));
    }
}

/// Truncated by somebody else, on a real disk: an honest refusal or the right record, never another one.
#[test]
fn files_cut_by_others_are_refused_or_right() {
    let home = tempfile::tempdir().unwrap();
    let (mut state, _) = State::open(Directory::at(home.path()), &revision("a"), fresh).unwrap();
    let (before, number) = state.load().unwrap();
    let (record, line) = next(&before);
    state.append(&line).unwrap();
    state.commit(&record, number).unwrap();
    let mut cuts = 0;
    for name in [RECORD, JOURNAL, REVISION] {
        let path = home.path().join(name);
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            match State::open(Directory::at(home.path()), &revision("a"), fresh) {
                Ok((mut state, _)) => assert_eq!(state.load().unwrap().0, record, "{name} at {length}"),
                Err(OpenError::Store(StoreError::Broken(why))) => assert!(why.len() > 20 && name != REVISION, "{why}"),
                Err(other) => panic!("{name} at {length}: {other}"),
            }
            cuts += 1;
        }
        std::fs::write(&path, &whole).unwrap();
    }
    println!("{cuts} cuts");
}

#[test]
fn another_plan_is_refused_and_a_wrong_number_is_a_conflict() {
    let disk = Model::default();
    run(&disk);
    let Err(OpenError::OtherPlan { kept, given }) = State::open(disk.clone(), &revision("b"), fresh) else {
        panic!("opened with another plan")
    };
    assert_eq!((&kept, &given), (revision("a").digest(), revision("b").digest()));

    let (mut state, opened) = State::open(disk.clone(), &revision("a"), fresh).unwrap();
    assert_eq!(opened, Opened::Continued);
    let (record, number) = state.load().unwrap();
    let (after, line) = next(&record);
    assert!(matches!(state.commit(&after, number), Err(StoreError::Conflict)), "its line was not written");
    state.append(&line).unwrap();
    assert!(matches!(state.commit(&after, number - 1), Err(StoreError::Conflict)));
    state.commit(&after, number).unwrap();
    assert!(matches!(state.commit(&after, number), Err(StoreError::Conflict)));
    assert_eq!(state::read_revision(&disk).unwrap().unwrap(), revision("a"));
}

/// A record that is gone while its journal is not is no new beginning.
#[test]
fn a_lost_record_is_not_taken_for_a_new_run() {
    let disk = Model::default();
    run(&disk);
    let lost: BTreeMap<String, Vec<u8>> =
        [JOURNAL, REVISION].map(|name| (name.to_owned(), disk.read(name).unwrap().unwrap())).into();
    let Err(OpenError::Store(StoreError::Broken(why))) = State::open(Model::after_cut(&lost), &revision("a"), fresh) else {
        panic!("began anew")
    };
    assert!(why.contains("is gone"), "{why}");
}
