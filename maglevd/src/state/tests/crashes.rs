//! A crash between any two steps of a write, of the process or of the whole machine.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;

use proptest::prelude::*;

use super::super::Disk;
use super::*;

/// A change of a name that is not on disk yet.
#[derive(Clone, Debug)]
enum Entry {
    Is(String, usize),
    Gone(String),
}

/// A disk that stops after some steps. What was written and not synced may be there in part, and what happened to names
/// since the directory was synced may have come as far as any step of it.
#[derive(Clone, Debug, Default)]
struct Simulated {
    /// What each file holds, and how much of it survives for sure.
    files: Vec<(Vec<u8>, usize)>,
    /// The names that survive for sure.
    names: BTreeMap<String, usize>,
    /// What happened to names since.
    pending: Vec<Entry>,
}

fn apply(names: &mut BTreeMap<String, usize>, entry: &Entry) {
    match entry {
        Entry::Is(name, file) => drop(names.insert(name.clone(), *file)),
        Entry::Gone(name) => drop(names.remove(name)),
    }
}

impl Simulated {
    fn now(&self) -> BTreeMap<String, usize> {
        let mut names = self.names.clone();
        self.pending.iter().for_each(|entry| apply(&mut names, entry));
        names
    }

    /// What is found after a crash of the machine: of the names so many changes, of what was not synced so many bytes.
    fn crashed(&self, entries: usize, bytes: usize) -> Self {
        let mut names = self.names.clone();
        self.pending.iter().take(entries).for_each(|entry| apply(&mut names, entry));
        let cut = |(content, synced): &(Vec<u8>, usize)| {
            let kept = content[..(*synced).max(bytes.min(content.len()))].to_vec();
            (kept.clone(), kept.len())
        };
        Simulated { files: self.files.iter().map(cut).collect(), names, pending: Vec::new() }
    }
}

/// A simulated disk that breaks after some steps.
struct Breaking {
    disk: RefCell<Simulated>,
    left: Cell<usize>,
}

impl Breaking {
    fn new(disk: Simulated, steps: usize) -> Self {
        Breaking { disk: RefCell::new(disk), left: Cell::new(steps) }
    }

    fn step(&self) -> io::Result<std::cell::RefMut<'_, Simulated>> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| io::Error::other("it crashed"))?;
        self.left.set(left);
        Ok(self.disk.borrow_mut())
    }
}

impl Disk for &Breaking {
    fn path(&self, name: &str) -> PathBuf {
        name.into()
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let disk = self.disk.borrow();
        Ok(disk.now().get(name).map(|&file| disk.files[file].0.clone()))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.step()?;
        let file = disk.now().get(name).copied();
        let file = file.unwrap_or_else(|| {
            disk.files.push(Default::default());
            let file = disk.files.len() - 1;
            disk.pending.push(Entry::Is(name.to_owned(), file));
            file
        });
        // Truncated first: what it held before is gone.
        disk.files[file] = (Vec::new(), 0);
        drop(disk);
        for end in [bytes.len() / 2, bytes.len()] {
            self.step()?.files[file].0 = bytes[..end].to_vec();
        }
        Ok(())
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        let mut disk = self.step()?;
        let file = disk.now()[name];
        disk.files[file].1 = disk.files[file].0.len();
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.step()?;
        let file = disk.now()[from];
        // One entry: a rename happens or does not.
        disk.pending.push(Entry::Is(to.to_owned(), file));
        disk.pending.push(Entry::Gone(from.to_owned()));
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut disk = self.step()?;
        disk.names = disk.now();
        disk.pending.clear();
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.borrow_mut().pending.push(Entry::Gone(name.to_owned()));
        Ok(())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.disk.borrow().now().into_keys().collect())
    }
}

/// What operators want, different for each number.
fn numbered(number: usize) -> Intents {
    let mut intents = intents();
    let paused = Intent { admin: None, paused: Some(attribution(&"x".repeat(number))) };
    intents.backends.insert("numbered".parse().unwrap(), paused);
    intents
}

/// Steps of one write: made, written in two parts, synced, renamed, and the directory synced.
const STEPS: usize = 6;

proptest! {
    #[test]
    fn a_crash_loses_nothing_that_was_acknowledged(
        writes in prop::collection::vec((0usize..40, 0..=STEPS, any::<bool>(), 0usize..=4, 0usize..2000), 1..12),
    ) {
        let mut disk = Simulated::default();
        // What a reader may find: what was acknowledged last, or what was under way since.
        let mut possible = vec![Intents::default()];
        for (number, steps, machine, entries, bytes) in writes {
            let breaking = Breaking::new(disk, steps);
            let (file, found, aside) = IntentFile::open(&breaking).unwrap();
            prop_assert!(aside.is_none(), "{aside:?}");
            prop_assert!(possible.contains(&found), "found what nobody asked for, or what was undone");
            let wanted = numbered(number);
            match file.keep(&wanted) {
                Ok(()) => possible = vec![wanted],
                // Not acknowledged: it may be there, or come to be, or what was before.
                Err(_) => possible.push(wanted),
            }
            disk = breaking.disk.into_inner();
            if machine {
                disk = disk.crashed(entries, bytes);
            }
        }
    }
}

/// That the simulation finds what it is there to find: without the syncs, something is lost.
#[test]
fn a_write_that_is_not_synced_is_lost_or_damaged_in_a_crash_of_the_machine() {
    let breaking = Breaking::new(Simulated::default(), usize::MAX);
    let bytes = envelope::encode("intent", 2, &intents()).unwrap();
    replace(&&breaking, FILE, &bytes, false).unwrap();
    let disk = breaking.disk.into_inner();
    let found = |entries, bytes| {
        let breaking = Breaking::new(disk.crashed(entries, bytes), usize::MAX);
        let (_, found, aside) = IntentFile::open(&breaking).unwrap();
        (found == intents(), aside.is_some())
    };
    assert_eq!(found(0, usize::MAX), (false, false), "the name is not there");
    assert_eq!(found(usize::MAX, 10), (false, true), "the name is there before what it names");
    assert_eq!(found(usize::MAX, usize::MAX), (true, false));
}
