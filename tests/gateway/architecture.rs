//! The walls of the house. Each rule is a function over plain data, and each has a test in which it fails: a wall test
//! that cannot fail is no wall.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use regex_lite::Regex;
use serde_json::Value;

/// What a connector must not be able to reach: it opens no socket, owns no clock, keeps no pool.
const OUT_OF_REACH: [&str; 11] = [
    "tokio",
    "hyper",
    "hyper-util",
    "rustls",
    "tower",
    "moka",
    "governor",
    "rusqlite",
    "postgres",
    "tokio-postgres",
    "socket2",
];
/// Crates under `connectors/` that are no connectors: the interface, the codec, and the carriers' side.
const NOT_CONNECTORS: [&str; 3] = ["connector-sdk", "x12", "sandbox"];
/// Longest file of the host, lines.
const FILE_LINES_MAX: usize = 700;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below `dir` as `(path from dir, text)`; build output and hidden folders but `.ci` are left out.
fn files(dir: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(next) = todo.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                let skipped = matches!(name.as_str(), "target" | "data" | "keys" | "node_modules");
                if !skipped && (!name.starts_with('.') || name == ".ci") {
                    todo.push(path);
                }
            } else if name == ".git" {
                // In a worktree this is a file with the way to the repository.
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                found.push((path.strip_prefix(dir).unwrap().to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    found.sort();
    found
}

fn rust_files(dir: &Path) -> Vec<(String, String)> {
    let found: Vec<_> = files(dir).into_iter().filter(|(path, _)| path.ends_with(".rs")).collect();
    assert!(!found.is_empty(), "{} holds no source", dir.display());
    found
}

/// The source that ships: without comments, and without the test module at its end.
fn shipped(source: &str) -> String {
    let tests = Regex::new(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([a-z]+\))?\s+)?mod \w+ \{").unwrap();
    let source = tests.find(source).map_or(source, |found| &source[..found.start()]);
    let comment = Regex::new(r"(^|\s)//.*$").unwrap();
    source.lines().map(|line| comment.replace(line, "").into_owned() + "\n").collect()
}

/// Tests, and the programs beside a crate that only its developers run.
fn is_test_file(path: &str) -> bool {
    let developers = ["/tests/", "testing/", "/benches/", "/fuzz/"];
    path.ends_with("tests.rs") || path.starts_with("tests/") || developers.iter().any(|folder| path.contains(folder))
}

fn none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

// ---- the crate arrow: host -> connectors -> sdk, x12 ----

/// Every way from a connector to something it must not reach, over normal dependencies.
fn crate_arrow(metadata: &Value) -> Vec<String> {
    let name_of: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?)))
        .collect();
    let mut below: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().into_iter().flatten() {
        let deps = node["deps"].as_array().into_iter().flatten().filter(|dep| {
            dep["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
        });
        below.insert(node["id"].as_str().unwrap_or_default(), deps.filter_map(|dep| dep["pkg"].as_str()).collect());
    }
    let in_connectors: Vec<(&str, &str)> = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|package| package["manifest_path"].as_str().is_some_and(|path| path.contains("/connectors/")))
        .filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?)))
        .filter(|(_, name)| *name != "sandbox")
        .collect();
    let mut problems = Vec::new();
    for (id, name) in &in_connectors {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut todo = vec![*id];
        while let Some(next) = todo.pop() {
            for dep in below.get(next).into_iter().flatten() {
                if *dep != *id && !came_from.contains_key(dep) {
                    came_from.insert(dep, next);
                    todo.push(dep);
                }
            }
        }
        for reached in came_from.keys() {
            let reached_name = name_of.get(reached).copied().unwrap_or_default();
            let other = in_connectors.iter().any(|(_, other)| *other == reached_name)
                && !NOT_CONNECTORS.contains(&reached_name);
            if other || reached_name == "sandbox" || OUT_OF_REACH.contains(&reached_name) {
                let mut way = vec![reached_name];
                let mut at = *reached;
                while let Some(from) = came_from.get(at) {
                    way.push(name_of.get(from).copied().unwrap_or_default());
                    at = from;
                }
                way.reverse();
                problems.push(format!("{name} reaches {reached_name}: {}", way.join(" -> ")));
            }
        }
    }
    if in_connectors.len() < 4 {
        problems.push(format!("only {} crates under connectors/ were seen", in_connectors.len()));
    }
    problems
}

#[test]
fn connectors_reach_no_socket_and_no_other_connector() {
    let program = |variable: &str, usual: &str| std::env::var(variable).unwrap_or_else(|_| usual.to_owned());
    let version = Command::new(program("RUSTC", "rustc")).arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // For this platform only: the crates of others need not have been downloaded.
    let output = Command::new(program("CARGO", "cargo"))
        .args(["metadata", "--format-version", "1", "--offline", "--filter-platform", host])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    none(&crate_arrow(&serde_json::from_slice(&output.stdout).unwrap()));
}

#[test]
fn the_crate_arrow_can_fail() {
    let package = |name: &str, path: &str| serde_json::json!({"id": name, "name": name, "manifest_path": path});
    let dep = |name: &str, kind: Value| serde_json::json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
    let mut metadata = serde_json::json!({
        "packages": [package("connector-sdk", "/x/connectors/sdk/Cargo.toml"), package("x12", "/x/connectors/x12/Cargo.toml"),
            package("a", "/x/connectors/a/Cargo.toml"), package("b", "/x/connectors/b/Cargo.toml"),
            package("helper", "/r/helper/Cargo.toml"), package("tokio", "/r/tokio/Cargo.toml")],
        "resolve": {"nodes": [
            {"id": "a", "deps": [dep("helper", Value::Null), dep("x12", Value::Null), dep("tokio", "dev".into())]},
            {"id": "helper", "deps": []}, {"id": "b", "deps": []}]}
    });
    assert_eq!(crate_arrow(&metadata), Vec::<String>::new());
    metadata["resolve"]["nodes"][1]["deps"] = serde_json::json!([dep("tokio", Value::Null)]);
    assert_eq!(crate_arrow(&metadata), ["a reaches tokio: a -> helper -> tokio"]);
    metadata["resolve"]["nodes"][1]["deps"] = serde_json::json!([]);
    metadata["resolve"]["nodes"][2]["deps"] = serde_json::json!([dep("a", Value::Null)]);
    assert_eq!(crate_arrow(&metadata), ["b reaches a: b -> a"]);
}

// ---- connectors open, read and start nothing of their own ----

fn connector_source(path: &str, source: &str) -> Vec<String> {
    let banned = [
        ("std::net", "only the host opens sockets"),
        ("std::thread", "only the host starts threads"),
        ("std::process", "only the host starts programs"),
        ("std::fs", "everything a connector needs stands in the carrier file"),
        ("std::env", "everything a connector needs stands in the carrier file"),
        ("SystemTime::now", "the clock is ctx.now()"),
        ("Instant::now", "the clock is ctx.now()"),
        ("Timestamp::now", "the clock is ctx.now()"),
        ("Zoned::now", "the clock is ctx.now()"),
        ("println!", "a connector writes nothing"),
        ("tracing::", "a connector logs nothing: bodies stay out of the log"),
    ];
    let source = shipped(source);
    let mut problems = Vec::new();
    for (number, line) in source.lines().enumerate() {
        for (word, why) in banned {
            if line.contains(word) {
                problems.push(format!("{path}:{}: {word}: {why}", number + 1));
            }
        }
    }
    problems
}

/// Modules that exist in tests only: `#[cfg(test)] mod fixtures;`.
fn test_modules(source: &str) -> Vec<String> {
    let declared = Regex::new(r"#\[cfg\(test\)\]\s*(?:pub(?:\([a-z]+\))?\s+)?mod (\w+);").unwrap();
    declared.captures_iter(source).map(|found| found[1].to_owned()).collect()
}

#[test]
fn connectors_open_no_socket_file_or_clock() {
    let sources = rust_files(&root().join("connectors"));
    let for_tests: BTreeSet<String> = sources
        .iter()
        .flat_map(|(path, source)| {
            let crate_name = path.split('/').next().unwrap_or_default().to_owned();
            test_modules(source).into_iter().map(move |module| format!("{crate_name}/{module}"))
        })
        .collect();
    let mut problems = Vec::new();
    let mut seen = 0;
    for (path, source) in &sources {
        let mut steps = path.split('/');
        let crate_name = steps.next().unwrap_or_default();
        let in_test = steps.any(|step| for_tests.contains(&format!("{crate_name}/{}", step.trim_end_matches(".rs"))));
        if path.contains("/src/") && crate_name != "sandbox" && !in_test && !is_test_file(path) {
            seen += 1;
            problems.extend(connector_source(path, source));
        }
    }
    assert!(seen > 20, "only {seen} files were looked at");
    none(&problems);
}

#[test]
fn the_connector_source_rule_can_fail() {
    let source = "// std::net in words\nuse std::net::TcpStream;\n#[cfg(test)]\nmod x;\nfn f() { g(\"https://x\", std::fs::read); }\n\
        #[cfg(test)]\n#[allow(x)]\npub(crate) mod tests { use std::fs; }\n";
    assert_eq!(test_modules("mod a;\n#[cfg(test)]\nmod fixtures;\n#[cfg(test)]\npub(crate) mod b;"), ["fixtures", "b"]);
    let found = connector_source("a.rs", source);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0], "a.rs:2: std::net: only the host opens sockets");
    assert!(found[1].starts_with("a.rs:5: std::fs"));
}

// ---- the rooms' arrow inside src/ ----

/// The rooms in the order of the list in `lib.rs`, and whether `lib.rs` declares the same ones.
fn rooms(lib: &str) -> (Vec<String>, Vec<String>) {
    let listed = Regex::new(r"(?m)^//! \d+\. \[`(\w+)`\]").unwrap();
    let declared = Regex::new(r"(?m)^pub mod (\w+);").unwrap();
    let list: Vec<String> = listed.captures_iter(lib).map(|found| found[1].to_owned()).collect();
    let modules: BTreeSet<String> = declared.captures_iter(lib).map(|found| found[1].to_owned()).collect();
    let in_list: BTreeSet<String> = list.iter().cloned().collect();
    let mut problems = Vec::new();
    for missing in modules.difference(&in_list) {
        problems.push(format!("src/lib.rs: room `{missing}` stands nowhere in the list: say where it belongs"));
    }
    for gone in in_list.difference(&modules) {
        problems.push(format!("src/lib.rs: the list names `{gone}`, which is no room"));
    }
    (list, problems)
}

/// The rooms a source names: `crate::room`, `use crate::{room, other::thing}`, and `super::` up to the crate.
fn named_rooms(source: &str) -> BTreeSet<String> {
    let direct = Regex::new(r"\bcrate::(\w+)").unwrap();
    let group = Regex::new(r"\bcrate::\{([^;]*)\};").unwrap();
    let upward = Regex::new(r"\bsuper::super::(\w+)").unwrap();
    let mut named: BTreeSet<String> = direct.captures_iter(source).map(|found| found[1].to_owned()).collect();
    named.extend(upward.captures_iter(source).map(|found| found[1].to_owned()));
    for found in group.captures_iter(source) {
        let mut depth = 0;
        let mut word = String::new();
        let mut at_start = true;
        for letter in found[1].chars().chain([',']) {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    named.insert(std::mem::take(&mut word));
                    at_start = true;
                }
                letter if depth == 0 && at_start && (letter.is_alphanumeric() || letter == '_') => word.push(letter),
                ':' => at_start = false,
                _ => {}
            }
        }
    }
    named
}

fn rooms_arrow(order: &[String], path: &str, source: &str) -> Vec<String> {
    let room = path.split('/').next().unwrap_or_default().trim_end_matches(".rs");
    let place = |name: &str| order.iter().position(|other| other == name);
    let Some(own) = place(room) else { return Vec::new() };
    named_rooms(&shipped(source))
        .iter()
        .filter(|named| place(named).is_some_and(|other| other < own))
        .map(|named| format!("src/{path}: room `{room}` imports `{named}`, which stands above it"))
        .collect()
}

#[test]
fn rooms_import_only_rooms_below_them() {
    let (order, mut problems) = rooms(&read(&root().join("src/lib.rs")));
    assert!(order.len() >= 10, "{order:?}");
    for (path, source) in rust_files(&root().join("src")) {
        if path != "lib.rs" && path != "main.rs" && !is_test_file(&path) {
            problems.extend(rooms_arrow(&order, &path, &source));
        }
    }
    none(&problems);
}

#[test]
fn the_rooms_arrow_can_fail() {
    let (order, problems) =
        rooms("//! 1. [`api`]: x\n//! 2. [`wire`]: x\n//! 3. [`old`]\npub mod api;\npub mod wire;\npub mod new;\n");
    assert_eq!(order, ["api", "wire", "old"]);
    assert_eq!(problems.len(), 2, "{problems:?}");
    let wrong = |source: &str| rooms_arrow(&order, "wire/client.rs", source).len();
    assert_eq!(wrong("use crate::api::App;"), 1);
    assert_eq!(wrong("use crate::{old, api::{App, Other}};"), 1);
    assert_eq!(wrong("let x = super::super::api::App;"), 1);
    assert_eq!(wrong("use crate::old::{api, App}; // crate::api"), 0);
    assert_eq!(wrong("use crate::{old::{api, App}};"), 0);
    assert_eq!(wrong("#[cfg(test)]\nmod tests { use crate::api; }"), 0);
}

// ---- only the store knows SQL ----

fn sql_outside(path: &str, source: &str) -> Vec<String> {
    let sql = Regex::new(r"rusqlite|\bSELECT\b|\bINSERT (OR \w+ )?INTO\b|\bDELETE FROM\b|\bCREATE (TABLE|INDEX)\b|\bUPDATE \w+ SET\b|\bPRAGMA\b")
        .unwrap();
    let found = |(number, line): (usize, &str)| {
        sql.is_match(line).then(|| format!("src/{path}:{}: SQL belongs into src/store", number + 1))
    };
    shipped(source).lines().enumerate().filter_map(found).collect()
}

#[test]
fn only_the_store_knows_sql() {
    let mut problems = Vec::new();
    for (path, source) in rust_files(&root().join("src")) {
        if !path.starts_with("store/") {
            problems.extend(sql_outside(&path, &source));
        }
    }
    none(&problems);
}

#[test]
fn the_sql_rule_can_fail() {
    let source = "fn x() {\n    db.query(\"SELECT 1\");\n}\n// SELECT\nuse rusqlite::Connection;\n";
    assert_eq!(sql_outside("api/x.rs", source).len(), 2);
}

// ---- every connector is registered ----

fn unregistered(crates: &[(String, bool)], registered: &[&str]) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, has_row) in crates {
        if NOT_CONNECTORS.contains(&name.as_str()) {
            continue;
        }
        let ident = name.replace('-', "_");
        if !has_row {
            problems.push(format!("connectors/{name}/src/lib.rs has no `pub static REGISTRATION: Registration`"));
        } else if !registered.contains(&name.as_str()) {
            problems.push(format!("paste into CONNECTORS in src/registry.rs:\n    &{ident}::REGISTRATION,"));
        }
    }
    problems
}

#[test]
fn every_connector_is_registered() {
    let mut crates = Vec::new();
    for entry in std::fs::read_dir(root().join("connectors")).unwrap() {
        let dir = entry.unwrap().path();
        let manifest: toml::Table = read(&dir.join("Cargo.toml")).parse().unwrap();
        let name = manifest["package"]["name"].as_str().unwrap().to_owned();
        let row = Regex::new(r"pub (static|const) REGISTRATION: ").unwrap();
        crates.push((name, row.is_match(&read(&dir.join("src/lib.rs")))));
    }
    assert!(crates.len() >= 4, "{crates:?}");
    let registered: Vec<&str> = portico::registry::CONNECTORS.iter().map(|registration| registration.name).collect();
    none(&unregistered(&crates, &registered));
    let unique: BTreeSet<&str> = registered.iter().copied().collect();
    assert_eq!(unique.len(), registered.len(), "two connectors have one name: {registered:?}");
}

#[test]
fn the_registration_rule_can_fail() {
    let crates = [("x12".to_owned(), false), ("json-hub".to_owned(), true), ("new-one".to_owned(), false)];
    let problems = unregistered(&crates, &[]);
    assert_eq!(problems.len(), 2);
    assert!(problems[0].ends_with("\n    &json_hub::REGISTRATION,"));
    assert_eq!(unregistered(&crates[..2], &["json-hub"]), Vec::<String>::new());
}

// ---- README's table is the program's ----

fn readme_table(readme: &str, table: &str) -> Vec<String> {
    let (start, end) = ("<!-- connectors -->", "<!-- /connectors -->");
    let between = readme.split_once(start).and_then(|(_, rest)| rest.split_once(end)).map(|(between, _)| between);
    match between {
        None => vec![format!("README.md has no {start} … {end}; put between them:\n{table}")],
        Some(found) if found.trim() == table.trim() => Vec::new(),
        Some(_) => vec![format!("README.md's table is not what `portico connectors --markdown` prints:\n{table}")],
    }
}

#[test]
fn the_readme_has_the_table_of_connectors() {
    let path = root().join("README.md");
    if !path.exists() {
        println!("skipped: there is no README.md yet");
        return;
    }
    none(&readme_table(&read(&path), &portico::cli::connectors::table(portico::registry::CONNECTORS)));
}

#[test]
fn the_readme_rule_can_fail() {
    assert_eq!(readme_table("a", "| x |").len(), 1);
    assert_eq!(readme_table("<!-- connectors -->\n| y |\n<!-- /connectors -->", "| x |").len(), 1);
    assert_eq!(readme_table("<!-- connectors -->\n| x |\n<!-- /connectors -->", "| x |\n"), Vec::<String>::new());
}

// ---- files one can read, and no machine's paths ----

fn too_long(path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > FILE_LINES_MAX).then(|| format!("{path} has {lines} lines; a file has at most {FILE_LINES_MAX}"))
}

fn machine_paths(path: &str, text: &str) -> Vec<String> {
    // Written in two pieces, so that this file does not hold what it looks for.
    let places = [concat!("/wo", "rk/"), concat!("/tmp/", "wt"), concat!("/ro", "ot/"), concat!("/home", "/")];
    let found = |(number, line): (usize, &str)| {
        let place = places.iter().find(|place| line.contains(**place))?;
        Some(format!("{path}:{}: `{place}` is a path of one machine", number + 1))
    };
    text.lines().enumerate().filter_map(found).collect()
}

#[test]
fn files_are_short() {
    let all = rust_files(&root().join("src"));
    none(&all.iter().filter_map(|(path, text)| too_long(path, text)).collect::<Vec<_>>());
}

#[test]
fn no_file_names_a_machines_paths() {
    let mut problems = Vec::new();
    for (path, text) in files(&root()) {
        problems.extend(machine_paths(&path, &text));
    }
    none(&problems);
}

#[test]
fn the_file_rules_can_fail() {
    assert!(too_long("a.rs", &"x\n".repeat(701)).is_some() && too_long("a.rs", &"x\n".repeat(700)).is_none());
    assert_eq!(machine_paths("a.md", concat!("see /wo", "rk/shared\nfine\n")).len(), 1);
}

// ---- the lints hold everywhere, and each ban says why ----

/// A package takes the lints of its workspace; one that is a workspace of its own (benches, fuzz targets) forbids unsafe
/// code there.
fn unlinted(path: &str, manifest: &toml::Table) -> Vec<String> {
    let mut problems = Vec::new();
    let shared = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
    if shared != Some(true) {
        problems.push(format!("{path}: add\n[lints]\nworkspace = true"));
    }
    if let Some(workspace) = manifest.get("workspace") {
        let rust = workspace.get("lints").and_then(|lints| lints.get("rust"));
        let unsafe_code = rust.and_then(|rust| rust.get("unsafe_code")).and_then(toml::Value::as_str);
        if unsafe_code != Some("forbid") {
            problems.push(format!("{path}: add\n[workspace.lints.rust]\nunsafe_code = \"forbid\""));
        }
    }
    problems
}

fn unexplained(clippy: &toml::Table) -> Vec<String> {
    let lists = clippy.iter().filter(|(name, _)| name.starts_with("disallowed-"));
    lists
        .flat_map(|(_, list)| list.as_array().cloned().unwrap_or_default())
        .filter(|ban| ban.get("reason").and_then(toml::Value::as_str).is_none_or(|reason| reason.len() < 10))
        .map(|ban| format!("clippy.toml: {ban} has no reason"))
        .collect()
}

#[test]
fn the_lints_hold_in_every_crate() {
    let workspace: toml::Table = read(&root().join("Cargo.toml")).parse().unwrap();
    let mut problems = unlinted("Cargo.toml", &workspace);
    let manifests = files(&root().join("connectors")).into_iter().filter(|(path, _)| path.ends_with("/Cargo.toml"));
    for (path, text) in manifests {
        problems.extend(unlinted(&format!("connectors/{path}"), &text.parse().unwrap()));
    }
    problems.extend(unexplained(&read(&root().join("clippy.toml")).parse().unwrap()));
    none(&problems);
}

#[test]
fn the_lint_rules_can_fail() {
    assert_eq!(unlinted("x", &"[package]\nname = \"x\"".parse().unwrap()).len(), 1);
    assert_eq!(unlinted("x", &"[workspace]\n[lints]\nworkspace = true".parse().unwrap()).len(), 1);
    assert_eq!(unexplained(&"disallowed-methods = [{ path = \"a\" }, \"b\"]".parse().unwrap()).len(), 2);
}
