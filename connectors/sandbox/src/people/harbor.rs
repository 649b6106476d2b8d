//! Members of Harbor HMO.

use super::{Authorization, Benefit, Entity, Level, Network, Person, Status, plan};

pub(super) fn people() -> Vec<Person> {
    let hmo = plan("Harbor Select HMO", "HM");
    let pcp = Entity { role: "P3", name: "FONTAINE, ODETTE", number: "1000000004", phone: "2065550133" };
    let active = Person {
        group_number: "HH-20417",
        primary_care: Some(pcp.clone()),
        benefits: vec![
            Benefit::totals(
                Network::In,
                Level::Individual,
                ["250.00", "250.00", "0.00"],
                ["3000.00", "740.00", "2260.00"],
            ),
            Benefit::copay("98", "20.00"),
            Benefit::copay("UC", "50.00"),
            Benefit::copay("MH", "20.00").authorized(Authorization::NotRequired),
            Benefit::copay("33", "20.00").visits("12", "3", "9").says("Referral from the primary care provider needed"),
            Benefit::copay("PT", "20.00").visits("24", "0", "24").authorized(Authorization::Required),
        ],
        ..Person::new("HHM-ACTIVE-PCP", ("BEATRIX", "SORENSEN"), "1979-08-15", "F", hmo.clone())
    };
    let delegated = Person {
        primary_care: Some(pcp),
        benefits: vec![
            Benefit::of("30", Network::NotStated, Level::NotStated)
                .says("Benefits are administered by Seaside Medical Group: ask the group"),
        ],
        ..Person::new("HHM-DELEGATED", ("ANSEL", "CROWTHER"), "1962-02-11", "M", hmo.clone())
    };
    let mut inactive = Person {
        coverage: Status::Inactive,
        ..Person::new("HHM-INACTIVE", ("PETRA", "VANCE"), "1995-05-05", "F", hmo.clone())
    };
    inactive.plan.to = Some("2026-08-31");
    let mut all = vec![active, delegated, inactive];
    for (member_id, first, last, born) in [
        ("HHM-SLOWPOLL", "IMANI", "DESROSIERS", "1986-06-06"),
        ("HHM-NEVER", "FELIX", "AUBERT", "1971-07-07"),
        ("HHM-429", "DORA", "QUILL", "1982-02-12"),
        ("HHM-ERR200", "AXEL", "QUILL", "1983-03-13"),
        ("HHM-TOKEN401", "VERA", "QUILL", "1984-04-14"),
        ("HHM-OTHER-MEMBER", "NILS", "QUILL", "1985-05-15"),
    ] {
        all.push(Person {
            benefits: vec![Benefit::copay("98", "20.00")],
            ..Person::new(member_id, (first, last), born, "U", hmo.clone())
        });
    }
    all
}
