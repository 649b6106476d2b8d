//! The front desk at size: 50,000 patients searched as somebody types, a day of 500 appointments looked at and verified.
//! The store is filled by what fills every store: schedules that are imported.

use std::fmt::Write;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use portico::patients::PATIENTS_MAX;
use serde_json::{Value, json};

use crate::figures::{quantile, resident_kib};
use crate::load::Connection;
use crate::place::{Open, Place};

/// Rows of one file: what an import takes at most.
const FILE: usize = 5_000;
/// Appointments of the day that is looked at.
const DAY: usize = 500;
/// Searches of each kind.
const SEARCHES: usize = 60;
/// Looks at the day.
const LOOKS: usize = 60;

/// A kind of search: its name, and what is typed about somebody.
type Kind = (&'static str, fn(usize) -> String);

/// Prints how long a search takes, cold and warm, and what a day of 500 costs.
pub fn run() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    // Opened again: nothing is in memory any more.
    let place = Place::open();
    let open = place.house_at(place.files(), Some(folder.path()));
    searched(&place, &open);
    looked_at(&place, &open);
}

/// Fills a store. Whoever serves it is gone afterwards, with the threads it ran on.
fn filled(folder: &Path) {
    let place = Place::open();
    let open = place.house_at(place.files(), Some(folder));
    let began = Instant::now();
    place.on_client(fill(open.address, open.key.clone()));
    println!("{PATIENTS_MAX} patients imported in {:.0} s, {FILE} a file", began.elapsed().as_secs_f64());
    place.gateway.block_on(place.gateway.spawn(open.house.close())).unwrap();
}

fn searched(place: &Place, open: &Open) {
    let before = resident_kib();
    let search = |query: String| {
        let (address, key) = (open.address, open.key.clone());
        place.on_client(async move {
            let mut connection = Connection::open(address).await;
            let body = json!({ "query": query }).to_string();
            let began = Instant::now();
            let reply = send(&mut connection, &key, "POST", "/v1/patients/search", "application/json", body).await;
            let found: Value = serde_json::from_slice(reply.body()).unwrap();
            (began.elapsed(), found["patients"].as_array().unwrap().len())
        })
    };
    let (cold, found) = search(format!("{} {}", last(7), first_name(7)));
    println!(
        "the first search after a start, index built: {:.0} ms, {found} found; resident {} MiB more",
        cold.as_secs_f64() * 1e3,
        (resident_kib().saturating_sub(before)) / 1024
    );
    let kinds: [Kind; 8] = [
        ("last first", |n| format!("{} {}", last(n), first_name(n))),
        ("last, two letters swapped", |n| swapped(&last(n))),
        ("start of the last name and year", |n| format!("{} {}", &last(n)[..3], born(n).year())),
        ("date of birth", |n| born(n).strftime("%m/%d/%Y").to_string()),
        ("whole member id", member),
        ("end of the member id", |n| format!("{:05}", n)),
        ("one letter", |n| last(n)[..1].to_owned()),
        ("nobody", |_| "zzyzx".to_owned()),
    ];
    let mut all = Vec::new();
    println!("{SEARCHES} searches of each kind, ms, over the API: p50, p95, greatest");
    for (name, query) in kinds {
        let mut took: Vec<Duration> = (0..SEARCHES).map(|n| search(query(n * 811 % PATIENTS_MAX)).0).collect();
        println!("  {name}: {}", told(&mut took));
        all.extend(took);
    }
    println!("  all: {} (goal p95 50)", told(&mut all));
}

fn looked_at(place: &Place, open: &Open) {
    let house = &open.house;
    let login = house.demo_login();
    let (email, password) = place.gateway.block_on(login).unwrap();
    let address = place.pages(house);
    let day = today() + 30.days();
    let key = open.key.clone();
    let lines = place.on_client(async move {
        let mut lines = Vec::new();
        let mut connection = Connection::open(address).await;
        let body = file(day, 0..DAY);
        let reply = send(&mut connection, &key, "POST", "/v1/schedule/import", "text/csv", body).await;
        assert_eq!(reply.status(), StatusCode::OK, "{}", text(&reply));
        let body = json!({ "email": email, "password": *password }).to_string();
        let session = send(&mut connection, "", "POST", "/v1/session", "application/json", body).await;
        let cookie = session.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let csrf: Value = serde_json::from_slice(session.body()).unwrap();
        let csrf = csrf["csrf_token"].as_str().unwrap().to_owned();
        let path = format!("/today?date={day}");
        let (mut took, mut page) = (Vec::new(), Bytes::new());
        for _ in 0..LOOKS {
            let began = Instant::now();
            let reply = browse(&mut connection, &cookie, "GET", &path, "").await;
            took.push(began.elapsed());
            assert_eq!(reply.status(), StatusCode::OK, "{}", text(&reply));
            page = reply.into_body();
        }
        lines.push(format!("a day of {DAY}, {LOOKS} looks, ms: {} (goal 30)", told(&mut took)));
        let (raw, packed) = (page.len(), packed(&page));
        lines.push(format!("its first page of 100 rows: {raw} bytes, {packed} if it were compressed (goal 61440)"));
        let form = format!("csrf={csrf}&date={day}&what=stale");
        let began = Instant::now();
        let reply = browse(&mut connection, &cookie, "POST", "/today/verify", &form).await;
        let pressed = began.elapsed();
        assert_eq!(reply.status(), StatusCode::SEE_OTHER, "{}", text(&reply));
        let reply = browse(&mut connection, &cookie, "GET", &path, "").await;
        assert!(text(&reply).contains("Questions"), "{}", text(&reply));
        let (pressed, seen) = (pressed.as_secs_f64() * 1e3, began.elapsed().as_secs_f64() * 1e3);
        lines.push(format!(
            "verify all {DAY}: taken in after {pressed:.0} ms, progress shown after {seen:.0} ms (goal 1000)"
        ));
        let mut took = Vec::new();
        while took.len() < LOOKS {
            let began = Instant::now();
            browse(&mut connection, &cookie, "GET", &path, "").await;
            took.push(began.elapsed());
        }
        lines.push(format!("the same page while the batch runs, ms: {}", told(&mut took)));
        lines
    });
    for line in lines {
        println!("{line}");
    }
    println!("resident in all: {} MiB, client and simulated carriers included", resident_kib() / 1024);
}

/// Imports everybody, a file a day, from a month on.
async fn fill(address: SocketAddr, key: String) {
    let mut connection = Connection::open(address).await;
    for n in 0..PATIENTS_MAX / FILE {
        let day = today() + i64::try_from(40 + n).unwrap().days();
        let body = file(day, n * FILE..(n + 1) * FILE);
        let reply = send(&mut connection, &key, "POST", "/v1/schedule/import", "text/csv", body).await;
        assert_eq!(reply.status(), StatusCode::OK, "{}", text(&reply));
    }
}

fn today() -> Date {
    jiff::Zoned::now().date()
}

fn file(day: Date, people: std::ops::Range<usize>) -> String {
    let mut file = "date,time,last,first,dob,carrier,member id,npi,provider,location\n".to_owned();
    for (row, n) in people.enumerate() {
        let (hour, minute, born) = (8 + row / 60 % 10, row % 60, born(n).strftime("%m/%d/%Y"));
        let carrier = if n.is_multiple_of(2) { "northstar" } else { "hubline" };
        let (last, first, member) = (last(n), first_name(n), member(n));
        let doctor = ["Dr Rao", "Dr Mbeki", "Dr Sand"][n % 3];
        let line =
            format!("{day},{hour:02}:{minute:02},{last},{first},{born},{carrier},{member},1234567893,{doctor},Main St");
        writeln!(file, "{line}").unwrap();
    }
    file
}

/// Invented: syllables put together.
fn last(n: usize) -> String {
    const A: [&str; 20] = [
        "Bar", "Cor", "Dal", "Fen", "Gar", "Hol", "Jor", "Kel", "Lin", "Mar", "Nor", "Orm", "Pel", "Quil", "Ros",
        "Sal", "Tor", "Ulm", "Vas", "Wex",
    ];
    const B: [&str; 10] = ["a", "be", "do", "en", "i", "la", "mo", "ri", "so", "u"];
    const C: [&str; 13] =
        ["berg", "cott", "dahl", "field", "gren", "ham", "kov", "land", "mann", "nez", "quist", "ton", "well"];
    format!("{}{}{}", A[n % 20], B[n / 20 % 10], C[n / 200 % 13])
}

fn first_name(n: usize) -> &'static str {
    const FIRST: [&str; 17] = [
        "Amara", "Bo", "Carla", "Dina", "Emil", "Fay", "Greta", "Hugo", "Ida", "Jonas", "Kira", "Lars", "Mina", "Nils",
        "Olga", "Petra", "Quinn",
    ];
    FIRST[n / 2_600 % 17]
}

fn born(n: usize) -> Date {
    date(1935, 1, 1) + i64::try_from(n * 7 % 29_000).unwrap().days()
}

fn member(n: usize) -> String {
    format!("{}-BENCH-{n:05}", if n.is_multiple_of(2) { "NSH" } else { "HUB" })
}

fn swapped(name: &str) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    letters.swap(2, 3);
    letters.into_iter().collect()
}

fn told(took: &mut [Duration]) -> String {
    let [p50, p95, most] = [0.5, 0.95, 1.0].map(|share| quantile(took, share) / 1e3);
    format!("{p50:.1}, {p95:.1}, {most:.1}")
}

fn packed(page: &[u8]) -> usize {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(page).unwrap();
    packer.finish().unwrap().len()
}

fn text(reply: &Response<Bytes>) -> String {
    String::from_utf8_lossy(reply.body()).into_owned()
}

async fn send(
    connection: &mut Connection,
    key: &str,
    method: &str,
    path: &str,
    kind: &str,
    body: String,
) -> Response<Bytes> {
    let mut request =
        Request::builder().method(method).uri(path).header("host", "localhost").header("content-type", kind);
    if !key.is_empty() {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    connection.send_any(request.body(Full::from(body)).unwrap()).await
}

async fn browse(connection: &mut Connection, cookie: &str, method: &str, path: &str, form: &str) -> Response<Bytes> {
    let request = Request::builder().method(method).uri(path).header("host", "localhost").header("cookie", cookie);
    let request = request.header("origin", "http://localhost").header("accept", "text/html");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    connection.send_any(request.body(Full::from(form.to_owned())).unwrap()).await
}
