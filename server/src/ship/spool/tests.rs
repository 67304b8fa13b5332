//! The spool through kills, torn ends and a full disk of its own.

use std::collections::HashMap;
use std::io::Read as _;

use super::*;
use crate::db::cursor::Cursor;
use crate::ingest::Rejection;

fn settings(folder: &std::path::Path, max_bytes: u64) -> SpoolSettings {
    let town = TownName::new("home").unwrap();
    SpoolSettings { folder: folder.to_owned(), url: "http://a".into(), town, max_bytes }
}

fn open(folder: &std::path::Path, max_bytes: u64, stop: &CancellationToken) -> Spool {
    let (clock, _) = Clock::manual(Timestamp::from_seconds(1_700_000_000));
    Spool::open(&settings(folder, max_bytes), clock, stop.clone()).unwrap()
}

fn batch(position: u64, noise: usize) -> Batch {
    let reason: String = (0..noise).map(|n| char::from(b'a' + u8::try_from(n * n % 23).unwrap())).collect();
    let rejection = Rejection { place: "a.jsonl:1".into(), reason };
    let cursor = Cursor { head: 1, position, lines: 1, memory: None };
    Batch {
        names: vec![("/w/app".into(), "app".into())],
        rejected: HashMap::from([("codex", vec![rejection])]),
        cursors: HashMap::from([("codex", Cursors::from([("a.jsonl".to_owned(), cursor)]))]),
        ..Batch::default()
    }
}

async fn position(spool: &Spool) -> u64 {
    spool.cursors("codex").await.unwrap()["a.jsonl"].position
}

#[tokio::test]
async fn a_batch_and_its_cursors_survive_together() {
    let folder = tempfile::tempdir().unwrap();
    let stop = CancellationToken::new();
    let spool = open(folder.path(), 1 << 20, &stop);
    spool.take(batch(10, 5)).await.unwrap();
    spool.take(batch(20, 5)).await.unwrap();
    // As after a kill: nothing was closed.
    drop(spool);
    let spool = open(folder.path(), 1 << 20, &stop);
    assert_eq!(position(&spool).await, 20);
    assert_eq!(spool.project_names().await.unwrap(), [("/w/app".to_owned(), "app".to_owned())]);
    let waiting = spool.oldest(u64::MAX).await.unwrap();
    assert_eq!(waiting.iter().map(|batch| (batch.seq, batch.lines)).collect::<Vec<_>>(), [(1, 1), (2, 1)]);
    let mut plain = String::new();
    flate2::read::MultiGzDecoder::new(waiting[0].packed.as_slice()).read_to_string(&mut plain).unwrap();
    assert!(plain.starts_with("{\"rejected\":{\"source\":\"codex\",\"place\":\"a.jsonl:1\""), "{plain}");

    // A batch whose end is torn off takes its cursors with it.
    drop(spool);
    let segment = folder.path().join("spool").join(format!("{:020}.seg", 1));
    let file = std::fs::OpenOptions::new().write(true).open(&segment).unwrap();
    file.set_len(file.metadata().unwrap().len() - 1).unwrap();
    let spool = open(folder.path(), 1 << 20, &stop);
    assert_eq!((position(&spool).await, spool.standing().batches), (10, 1));
}

#[tokio::test]
async fn cursors_outlive_the_files_that_brought_them() {
    let folder = tempfile::tempdir().unwrap();
    let stop = CancellationToken::new();
    let spool = open(folder.path(), 1 << 20, &stop);
    for n in 1..=200 {
        spool.take(batch(n, 2_000)).await.unwrap();
    }
    let last = spool.oldest(u64::MAX).await.unwrap().last().unwrap().seq;
    spool.acknowledge(last).await.unwrap();
    assert_eq!((spool.standing().batches, spool.standing().bytes), (0, 0));
    drop(spool);
    let spool = open(folder.path(), 1 << 20, &stop);
    assert_eq!((position(&spool).await, spool.standing().batches), (200, 0));
    spool.take(batch(201, 1)).await.unwrap();
    assert_eq!(spool.oldest(1).await.unwrap()[0].seq, last + 1);
}

#[tokio::test]
async fn a_full_spool_takes_nothing_until_something_went_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let stop = CancellationToken::new();
    let spool = open(folder.path(), 40_000, &stop);
    let mut n = 0;
    let short = std::time::Duration::from_millis(100);
    while tokio::time::timeout(short, spool.take(batch(n + 1, 4_000))).await.is_ok() {
        n += 1;
        assert!(n < 1_000, "it never fills");
    }
    assert_eq!(position(&spool).await, n, "what waits for room is not read yet");
    let writer = tokio::spawn({
        let spool = spool.clone();
        async move { spool.take(batch(99, 4_000)).await }
    });
    tokio::time::sleep(short).await;
    assert!(!writer.is_finished());
    while !writer.is_finished() {
        let oldest = spool.oldest(1).await.unwrap();
        spool.acknowledge(oldest[0].seq).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert_eq!(writer.await.unwrap().unwrap().rejected, 1);
    assert_eq!(position(&spool).await, 99);

    let writer = tokio::spawn({
        let spool = spool.clone();
        async move {
            for n in 0..1_000 {
                spool.take(batch(n, 4_000)).await?;
            }
            Ok::<_, CommitError>(())
        }
    });
    tokio::time::sleep(short).await;
    stop.cancel();
    assert!(writer.await.unwrap().is_err(), "who waits for room at the end does not wait for ever");
}
