use std::{fs, path::Path, time::Duration};

use super::*;
use crate::{Counters, intake::Intake};

const LIMIT: usize = 64 * 1024;

fn broker() -> Arc<Broker> {
    let limits = crate::Limits::default();
    let catalogue = geocast_geo_filter::Catalogue::load().unwrap();
    let intake = Intake::new(limits.payload(), &[], crate::AxisOrder::Xy, &catalogue).unwrap();
    Arc::new(Broker::new(intake, limits.in_flight, Arc::new(Counters::default())))
}

fn open(folder: &Path, adjust: impl FnOnce(&mut DataSettings)) -> Result<EmbeddedStore, DataError> {
    let mut settings = DataSettings::new(folder);
    adjust(&mut settings);
    EmbeddedStore::open(broker(), LIMIT, settings)
}

fn channel() -> Channel {
    "a".parse().unwrap()
}

async fn put(store: &EmbeddedStore, key: &str, value: &str) -> Result<(), StoreError> {
    store.put(&channel(), key, Bytes::from(value.to_owned())).await.map(drop)
}

async fn values(store: &EmbeddedStore) -> Vec<Bytes> {
    store.values(&channel()).await.unwrap()
}

#[tokio::test]
async fn state_is_as_it_was_left() {
    let folder = tempfile::tempdir().unwrap();
    for interval in [Duration::ZERO, Duration::from_secs(3600)] {
        let store = open(folder.path(), |settings| settings.flush_interval = interval).unwrap();
        for (key, value) in [("1", "a"), ("2", "b"), ("1", "c"), ("3", "d")] {
            put(&store, key, value).await.unwrap();
        }
        assert!(store.remove(&channel(), "2", Bytes::new()).await.unwrap());
        assert!(!store.remove(&channel(), "2", Bytes::new()).await.unwrap());
        drop(store);
        let store = open(folder.path(), |_| ()).unwrap();
        assert_eq!(values(&store).await, ["c", "d"]);
        for key in ["1", "3"] {
            assert!(store.remove(&channel(), key, Bytes::new()).await.unwrap());
        }
        store.flush().await.unwrap();
        drop(store);
        assert!(values(&open(folder.path(), |_| ()).unwrap()).await.is_empty());
    }
}

#[tokio::test]
async fn a_folder_is_looked_at_without_a_change() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("made/later");
    let settings = DataSettings::new(&folder);
    let found = || settings.examine(LIMIT);
    assert_eq!(found().unwrap(), DataState::New);
    assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 0, "nothing is made");
    let store = open(&folder, |settings| settings.flush_interval = Duration::ZERO).unwrap();
    assert!(matches!(found(), Err(DataError::InUse { .. })));
    for key in ["1", "2"] {
        put(&store, key, "value").await.unwrap();
    }
    let file = folder.join("geocast.redb");
    let as_killed = fs::read(&file).unwrap();
    drop(store);
    let before = (fs::read(&file).unwrap(), fs::metadata(&file).unwrap().modified().unwrap());
    assert!(matches!(found().unwrap(), DataState::Kept { keys: 2, bytes: 10.. }));
    assert!(matches!(settings.examine(10), Err(DataError::TooLarge { limit: 10, .. })));
    assert!(before == (fs::read(&file).unwrap(), fs::metadata(&file).unwrap().modified().unwrap()));
    fs::write(&file, &as_killed).unwrap();
    assert_eq!(found().unwrap(), DataState::Unclosed);
    assert!(fs::read(&file).unwrap() == as_killed, "it is left to the server");
    assert_eq!(values(&open(&folder, |_| ()).unwrap()).await.len(), 2);
    fs::write(&file, "no such thing").unwrap();
    assert!(matches!(found(), Err(DataError::Damaged { .. })));
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "a file").unwrap();
    assert!(matches!(found(), Err(DataError::Io { .. })));
}

#[tokio::test]
async fn more_than_the_queue_takes_is_written_early() {
    let folder = tempfile::tempdir().unwrap();
    let adjust = |settings: &mut DataSettings| {
        (settings.queue, settings.flush_interval) = (4096, Duration::from_secs(3600));
    };
    let store = open(folder.path(), adjust).unwrap();
    for number in 0..64 {
        put(&store, &number.to_string(), &"x".repeat(500)).await.unwrap();
    }
    assert_eq!(values(&store).await.len(), 64);
    put(&store, "larger than the queue", &"x".repeat(5000)).await.unwrap();
    drop(store);
    assert_eq!(values(&open(folder.path(), |_| ()).unwrap()).await.len(), 65);
}

#[tokio::test]
async fn a_folder_has_one_store_of_its_version_and_size() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), |_| ()).unwrap();
    assert!(matches!(open(folder.path(), |_| ()), Err(DataError::InUse { .. })));
    put(&store, "1", &"x".repeat(1000)).await.unwrap();
    drop(store);
    let small = EmbeddedStore::open(broker(), 1000, DataSettings::new(folder.path()));
    assert!(matches!(small, Err(DataError::TooLarge { limit: 1000, .. })));
    let file = redb::Database::create(folder.path().join("geocast.redb")).unwrap();
    let writing = file.begin_write().unwrap();
    let about: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("about");
    writing.open_table(about).unwrap().insert("format", 2).unwrap();
    writing.commit().unwrap();
    drop(file);
    assert!(matches!(open(folder.path(), |_| ()), Err(DataError::Version { found: 2, expected: 1, .. })));
}

#[tokio::test]
async fn what_is_damaged_is_refused_or_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), |_| ()).unwrap();
    for number in 0..200 {
        put(&store, &number.to_string(), &"x".repeat(50)).await.unwrap();
    }
    drop(store);
    let file = folder.path().join("geocast.redb");
    let whole = fs::read(&file).unwrap();
    let mut refused = 0;
    let mut check = |damaged: &[u8]| {
        fs::write(&file, damaged).unwrap();
        match open(folder.path(), |_| ()) {
            Ok(_) => {}
            Err(DataError::Damaged { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    };
    for length in [1, 100, 4096, whole.len() / 2, whole.len() - 1] {
        check(&whole[..length]);
    }
    fastrand::seed(7);
    for turn in 0..40 {
        let mut damaged = whole.clone();
        // The header is small, and everything depends on it.
        let reach = if turn % 2 == 0 { 300 } else { damaged.len() - 8 };
        let place = fastrand::usize(..reach);
        damaged[place..place + 8].iter_mut().for_each(|byte| *byte = fastrand::u8(..));
        check(&damaged);
    }
    assert!(refused > 5, "only {refused} were noticed");
}
