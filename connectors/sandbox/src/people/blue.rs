//! Members of Blue Valley.

use super::{Authorization, Benefit, Level, Network, Person, Status, plan};

pub(super) fn people() -> Vec<Person> {
    let ppo = plan("Blue Valley Preferred PPO", "PR");
    let active = Person {
        group_number: "BV-55120",
        benefits: vec![
            Benefit::totals(
                Network::In,
                Level::Individual,
                ["1000.00", "412.35", "587.65"],
                ["6000.00", "912.35", "5087.65"],
            ),
            Benefit::totals(
                Network::Out,
                Level::Individual,
                ["2500.00", "0.00", "2500.00"],
                ["9000.00", "0.00", "9000.00"],
            ),
            Benefit::copay("98", "35.00").authorized(Authorization::NotRequired),
            Benefit::share("98", Network::Out, "0.30"),
            Benefit::copay("UC", "60.00"),
            Benefit::copay("MH", "35.00").authorized(Authorization::NotRequired),
            Benefit::copay("PT", "35.00").visits("25", "5", "20").authorized(Authorization::Required),
        ],
        ..Person::new("BVP-ACTIVE-PPO", ("Eleanor", "Whitcombe"), "1983-10-02", "F", ppo.clone())
    };
    let mut inactive = Person {
        coverage: Status::Inactive,
        ..Person::new("BVP-INACTIVE", ("Jonas", "Pell"), "1970-01-20", "M", ppo.clone())
    };
    inactive.plan.to = Some("2026-05-31");
    let mut all = vec![active, inactive];
    for (member_id, first, last, born) in [
        ("BVP-TWO-ROWS", "Cedric", "Amory", "1964-04-04"),
        ("BVP-TWO-ROWS2", "Cedric", "Amory", "1989-11-30"),
        ("BVP-GHOST", "Maud", "Ellery", "1992-09-09"),
        ("BVP-ERRORPAGE", "Rufus", "Ellery", "1993-09-09"),
        ("BVP-CAPTCHA", "Lena", "Ellery", "1994-09-09"),
        ("BVP-TERMS", "Otis", "Ellery", "1995-09-09"),
        ("BVP-MAINTAIN", "Ada", "Ellery", "1996-09-09"),
        ("BVP-SIGNEDOUT", "Ivo", "Ellery", "1997-09-09"),
    ] {
        all.push(Person {
            benefits: vec![Benefit::copay("98", "35.00")],
            ..Person::new(member_id, (first, last), born, "U", ppo.clone())
        });
    }
    all
}
