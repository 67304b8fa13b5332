//! The queue through crashes, damage and any order of steps.

use proptest::prelude::*;

use super::*;

fn open(folder: &Path, removed: u64) -> Log {
    Log::open(folder, removed, 200).unwrap()
}
fn newest(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|e| e == "seg")).max()
}

#[test]
fn records_come_out_in_order_and_numbers_are_never_used_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(folder.path(), 0);
    for n in 0..20_u8 {
        log.append(&[vec![n; 50]]).unwrap();
    }
    assert_eq!(
        log.peek(10_000).unwrap().iter().map(|r| (r.seq, r.body[0])).collect::<Vec<_>>(),
        (0..20).map(|n| (u64::from(n) + 1, n)).collect::<Vec<_>>()
    );
    assert_eq!(log.peek(10).unwrap().len(), 1, "one at least");
    log.acknowledge(20).unwrap();
    log.drop_finished().unwrap();
    assert_eq!((log.waiting(), log.waiting_bytes()), (0, 0));
    let mut log = open(folder.path(), 20);
    log.append(&[vec![7]]).unwrap();
    assert_eq!(log.peek(10).unwrap(), [Record { seq: 21, body: vec![7] }]);
}

#[test]
fn damage_in_the_middle_is_told_and_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(folder.path(), 0);
    for n in 0..20_u8 {
        log.append(&[vec![n; 50]]).unwrap();
    }
    let first = folder.path().join(format!("{:020}.seg", 1));
    let mut bytes = fs::read(&first).unwrap();
    bytes[40] ^= 1;
    fs::write(&first, &bytes).unwrap();
    assert!(matches!(Log::open(folder.path(), 0, 200), Err(LogError::Damaged { .. })));
    fs::write(&first, b"TGSHIP9\nsomething").unwrap();
    assert!(matches!(Log::open(folder.path(), 0, 200), Err(LogError::Version { .. })));
}

#[derive(Debug, Clone)]
enum Step {
    /// Appends records of these sizes.
    Append(Vec<usize>),
    /// Removes as many as these of what waits.
    Remove(usize),
    /// An append of this size is cut off after as many thousandths of it.
    Tear(usize, u64),
    /// Ends and begins again; the note of what was removed is as old as this many removals.
    Reopen(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => proptest::collection::vec(0..120_usize, 1..4).prop_map(Step::Append),
        3 => (0..6_usize).prop_map(Step::Remove),
        2 => (0..300_usize, 0..1_000_u64).prop_map(|(size, part)| Step::Tear(size, part)),
        1 => (0..3_usize).prop_map(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    // Every append waits for the disk.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_acknowledged_record_is_lost_and_their_order_is_kept(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let mut log = open(folder.path(), 0);
        // Every record that was acknowledged, by its number less one.
        let mut all: Vec<Vec<u8>> = Vec::new();
        // What was noted as removed, newest last; what files were dropped for is noted for good.
        let mut notes: Vec<u64> = vec![0];
        let mut marker = 0_u8;
        let mut body = |size: usize| { marker = marker.wrapping_add(1); vec![marker; size] };
        for step in steps {
            match step {
                Step::Append(sizes) => {
                    let bodies: Vec<Vec<u8>> = sizes.into_iter().map(&mut body).collect();
                    log.append(&bodies).unwrap();
                    all.extend(bodies);
                }
                Step::Remove(n) => {
                    let waiting = log.peek(u64::MAX).unwrap();
                    let Some(last) = waiting.get(n.min(waiting.len()).wrapping_sub(1)) else { continue };
                    log.acknowledge(last.seq).unwrap();
                    notes.push(last.seq);
                    if log.has_finished() {
                        // As the spool does: first the note is made durable.
                        notes = vec![last.seq];
                        log.drop_finished().unwrap();
                    }
                }
                Step::Tear(size, part) => {
                    let before = newest(folder.path()).map(|path| fs::metadata(&path).unwrap().len());
                    let name = newest(folder.path());
                    log.append(&[body(size)]).unwrap();
                    let path = newest(folder.path()).unwrap();
                    let begin = if Some(&path) == name.as_ref() { before.unwrap() } else { 0 };
                    let end = fs::metadata(&path).unwrap().len();
                    let cut = begin + (end - begin) * part / 1_000;
                    OpenOptions::new().write(true).open(&path).unwrap().set_len(cut).unwrap();
                    log = open(folder.path(), *notes.last().unwrap());
                }
                Step::Reopen(age) => {
                    let note = notes[notes.len().saturating_sub(1 + age)];
                    log = open(folder.path(), note);
                    notes.truncate(notes.len().saturating_sub(age).max(1));
                }
            }
            let waiting = log.peek(u64::MAX).unwrap();
            prop_assert_eq!(log.waiting(), length(&waiting));
            prop_assert_eq!(log.last(), length(&all));
            for (record, seq) in waiting.iter().zip(log.acked() + 1..) {
                prop_assert_eq!(record.seq, seq);
                prop_assert_eq!(&record.body, &all[usize::try_from(seq - 1).unwrap()]);
            }
        }
    }
}
