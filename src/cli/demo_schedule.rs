//! The demo's appointments: today's and tomorrow's, of people whom the simulated carriers know. They go the way of every
//! schedule: a file is imported. Started again on the same day, nothing is there twice.

use std::fmt::Write;

use jiff::ToSpan;
use jiff::civil::Date;
use sandbox::people::insured_by;

use crate::house::{CannotRun, House};
use crate::identity::{Caller, Npi};
use crate::practice::PracticeId;
use crate::schedule::{Kind, NotImported};

/// Member ids in the order of their appointments; a dependent's first name behind a bar. Those near the beginning come
/// today, too.
const COME: &[&str] = &[
    "NSH-ACTIVE-COPAY40",
    "STM-MONTHS-MCO",
    "NSH-OTHER-PAYER",
    "HHM-ACTIVE-PCP",
    "BVP-INACTIVE",
    "HUB-ACTIVE-EPO",
    "NSH-FAMILY-DEPENDENT|MILO",
    "STM-SPENDDOWN",
    "HHM-DELEGATED",
    "NSH-HDHP-MTOM",
    "BVP-ACTIVE-PPO",
    "NSH-AAA73-NAME",
    "HUB-INACTIVE",
    "MOL-OK",
    "NSH-FAMILY-DEPENDENT",
    "STM-SLOW",
    "HHM-SLOWPOLL",
    "NSH-NAME-CORE258",
    "BVP-GHOST",
    "HUB-LOSSY",
    "NSH-INACTIVE",
    "STM-INACTIVE",
    "HHM-INACTIVE",
    "NSH-FAMILY-DEPENDENT|INGRID",
    "NSH-AAA71-DOBSWAP",
    "BVP-SIGNEDOUT",
    "HUB-ERR79",
    "HHM-TOKEN401",
];
/// How many of them come today.
const TODAY: usize = 20;
/// Whose date of birth the practice has with day and month swapped: it is mended on the not-found page.
const MISTYPED: &str = "NSH-OTHER-PAYER";
const CARRIERS: [&str; 6] = ["northstar", "statemed", "harborhmo", "bluevalley", "hubline", "molasses"];
const VISITS: [&str; 5] = ["New patient", "Follow-up", "Office visit", "Physical therapy", "Lab review"];
const DOCTORS: [&str; 2] = ["Dr A. Rao", "Dr L. Mbeki"];
/// Invented, with a check digit that fits.
const NPIS: [&str; 2] = ["1234567893", "1987654328"];

/// Enters the appointments into the demo's practice.
///
/// # Errors
/// What the store says.
pub async fn enter(house: &House) -> Result<(), CannotRun> {
    let schedule = &house.app.schedule;
    let today = house.app.gateway.today();
    let tomorrow = today.checked_add(1.day()).unwrap_or(today);
    let mut text = HEADER.to_owned();
    for (date, come) in [(today, TODAY), (tomorrow, COME.len())] {
        rows(&mut text, date, come);
    }
    let caller = Caller::command_line(PracticeId::new(House::DEMO_PRACTICE));
    introduce(house, &caller).await?;
    let file = schedule.read(Kind::Csv, text.as_bytes(), None);
    match schedule.import(&caller, Kind::Csv, file, false, false).await {
        Ok(_) => Ok(()),
        Err(NotImported::Error(error)) => Err(error.into()),
        Err(NotImported::Patients(not_kept)) => Err(not_kept.error().into()),
        Err(NotImported::Problems(problems, _)) => {
            let first = problems.first().map(|problem| format!("{}: {}", problem.path, problem.message));
            Err(CannotRun(format!("the demo's own schedule cannot be read: {}", first.unwrap_or_default())))
        }
    }
}

/// Says who works in the demo's practice, unless somebody has done so since.
async fn introduce(house: &House, caller: &Caller) -> Result<(), CannotRun> {
    let identity = &house.app.identity;
    let mut profile = identity.practice(caller.practice()).await?;
    if profile.npis.is_empty() {
        let npi = |(npi, name): (&str, &str)| Npi { npi: npi.to_owned(), name: name.to_owned(), taxonomy: None };
        profile.npis = NPIS.into_iter().zip(DOCTORS).map(npi).collect();
        identity.put_practice(caller, &profile).await?;
    }
    Ok(())
}

const HEADER: &str = "appointment id,date,time,last name,first name,dob,sex,phone,mrn,carrier,member id,group,relationship,\
    subscriber first name,subscriber last name,subscriber dob,npi,provider,location,visit type,service types\n";

fn rows(text: &mut String, date: Date, come: usize) {
    for (place, member) in COME.iter().take(come).enumerate() {
        let (member_id, dependent) = member.split_once('|').map_or((*member, None), |(id, name)| (id, Some(name)));
        let Some((carrier, person)) = CARRIERS.iter().find_map(|carrier| {
            insured_by(carrier).into_iter().find(|person| person.member_id == member_id).map(|person| (carrier, person))
        }) else {
            continue;
        };
        let dependent = dependent.and_then(|name| person.dependents.iter().find(|one| one.first_name == name));
        let own = match dependent {
            Some(one) => (one.last_name, one.first_name, one.date_of_birth, one.sex),
            None => (person.last_name, person.first_name, person.date_of_birth, person.sex),
        };
        let born = if member_id == MISTYPED { swapped(own.2) } else { own.2.to_owned() };
        let relationship = dependent.map_or("self", |one| if one.relationship == "01" { "spouse" } else { "child" });
        let subscriber = dependent.map_or_else(
            || ",,".to_owned(),
            |_| format!("{},{},{}", person.first_name, person.last_name, person.date_of_birth),
        );
        let minutes = 8 * 60 + place * 20;
        let visit = VISITS.get(place % VISITS.len()).copied().unwrap_or_default();
        let types = if visit == "Physical therapy" { "30;98;PT" } else { "30;98" };
        let doctor = DOCTORS.get(place % DOCTORS.len()).copied().unwrap_or_default();
        let _ = writeln!(
            text,
            "demo-{date}-{place},{date},{:02}:{:02},{},{},{born},{},(503) 555-01{:02},M-{},{carrier},{member_id},{},{relationship},{subscriber},1234567893,{doctor},Main St,{visit},{types}",
            minutes / 60,
            minutes % 60,
            title(own.0),
            title(own.1),
            own.3,
            place % 100,
            10_400 + place,
            person.group_number,
        );
    }
    // A carrier that nobody here knows by this name: somebody has to choose one.
    let _ = writeln!(
        text,
        "demo-{date}-x,{date},14:10,Brandvold,Otto,1951-08-19,M,(503) 555-0177,M-10499,Evergreen Mutual of Oregon,EGM-220114,,self,,,,1234567893,Dr A. Rao,Main St,Follow-up,30;98"
    );
}

/// Day and month the other way round.
fn swapped(date: &str) -> String {
    match date.split('-').collect::<Vec<_>>().as_slice() {
        [year, month, day] => format!("{year}-{day}-{month}"),
        _ => date.to_owned(),
    }
}

/// `O'DONNELL-GRISWOLD` as people write it.
fn title(name: &str) -> String {
    let mut begins = true;
    let mut written = String::new();
    for letter in name.chars() {
        written.extend(if begins {
            letter.to_uppercase().collect::<Vec<_>>()
        } else {
            letter.to_lowercase().collect()
        });
        begins = !letter.is_alphabetic();
    }
    written
}
