use super::*;
use crate::carriers::load::tests::{GOOD, loader};

fn book(directory: &Path) -> CarrierBook {
    CarrierBook::new(loader(), Some(directory.to_owned()))
}

fn write(directory: &Path, name: &str, text: &str) {
    std::fs::write(directory.join(name), text).unwrap();
}

#[test]
fn a_broken_file_keeps_its_last_good_version_and_the_others_swap() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    write(path, "acme.toml", GOOD);
    write(path, "other.toml", &GOOD.replace("Acme Health of Ohio", "Other"));
    write(path, "notes.txt", "not a carrier");
    write(path, ".hidden.toml", "not a carrier");
    let book = book(path);
    let mut told = book.subscribe();
    let report = book.reload();
    assert_eq!((report.carriers, report.changed.len(), report.problems.len()), (2, 2, 0), "{report:?}");
    assert!(told.has_changed().unwrap());
    told.mark_unchanged();
    let (acme, other) = (book.get("acme").unwrap(), book.get("other").unwrap());

    // Nothing changed: nothing is told, the very same carriers stay.
    assert!(!book.is_stale());
    assert_eq!(book.reload().changed, Vec::<String>::new());
    assert!(!told.has_changed().unwrap());
    assert!(Arc::ptr_eq(&acme, &book.get("acme").unwrap()));

    write(path, "acme.toml", &GOOD.replace("hosts ", "hosst "));
    write(path, "other.toml", &GOOD.replace("Acme Health of Ohio", "Another"));
    assert!(book.is_stale());
    let report = book.reload();
    assert_eq!(report.kept, ["acme"]);
    assert_eq!(report.changed, ["other"]);
    assert!(
        report.problems.iter().any(|problem| problem.to_string().contains("acme.toml:9:1: unknown key")),
        "{report:?}"
    );
    assert!(Arc::ptr_eq(&acme, &book.get("acme").unwrap()));
    assert_eq!(book.get("other").unwrap().name, "Another");
    assert_eq!(other.name, "Other");
    assert!(told.has_changed().unwrap());
    assert_eq!(book.snapshot().problems, report.problems);

    // Still broken at the next look: still kept, still reported.
    assert_eq!(book.reload().kept, ["acme"]);

    write(path, "acme.toml", GOOD);
    let report = book.reload();
    assert_eq!((report.problems.len(), report.changed.as_slice()), (0, ["acme".to_owned()].as_slice()));

    std::fs::remove_file(path.join("acme.toml")).unwrap();
    assert!(book.is_stale());
    assert_eq!(book.reload().removed, ["acme"]);
    assert!(book.get("acme").is_none());
    assert_eq!(book.search("another", 5).len(), 1);
}

#[test]
fn a_directory_that_is_gone_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "acme.toml", GOOD);
    let book = book(directory.path());
    book.reload();
    drop(directory);
    let report = book.reload();
    assert_eq!((report.carriers, report.problems.len(), report.kept.len()), (1, 1, 1));
    assert!(book.get("acme").is_some());
}

#[test]
fn a_bad_name_and_bytes_that_are_no_text_are_problems() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "Acme Ohio.toml", GOOD);
    std::fs::write(directory.path().join("bytes.toml"), [0xff, 0xfe]).unwrap();
    let report = book(directory.path()).reload();
    assert_eq!((report.carriers, report.problems.len()), (0, 2), "{report:?}");
}

#[tokio::test]
async fn the_watch_sees_a_change() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "acme.toml", GOOD);
    let book = Arc::new(book(directory.path()));
    book.reload();
    let mut told = book.subscribe();
    let task = tokio::spawn(book.clone().watch(Duration::from_millis(10)));
    write(directory.path(), "acme.toml", &GOOD.replace("Acme Health of Ohio", "Renamed"));
    told.changed().await.unwrap();
    assert_eq!(book.get("acme").unwrap().name, "Renamed");
    task.abort();
}

#[test]
fn a_thousand_files() {
    let files = (0..1_000).map(|n| (format!("carrier-{n}"), GOOD.replace("Acme Health", &format!("Acme {n} Health"))));
    let (book, report) = CarrierBook::from_texts(files.collect(), loader());
    assert_eq!((report.carriers, report.problems.len()), (1_000, 0));
    assert_eq!(book.search("acme 77 helth", 3)[0].id, "carrier-77");
}
