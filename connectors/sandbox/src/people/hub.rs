//! Members reachable through the Hubline clearinghouse.

use super::{Benefit, Level, Network, Person, Status, plan, ppo_benefits};

pub(super) fn people() -> Vec<Person> {
    let epo = plan("CASCADE EPO SILVER", "PR");
    let active = Person {
        benefits: ppo_benefits(),
        ..Person::new("HUB-ACTIVE-EPO", ("MARGUERITE", "DELACROIX"), "1974-05-27", "F", epo.clone())
    };
    let lossy = Person {
        benefits: vec![Benefit::copay("98", "45.00"), Benefit::of("30", Network::NotStated, Level::NotStated)],
        ..Person::new("HUB-LOSSY", ("IGNATIUS", "PRYCE"), "1967-03-30", "M", epo.clone())
    };
    let mut inactive = Person {
        coverage: Status::Inactive,
        ..Person::new("HUB-INACTIVE", ("CORA", "BELLWETHER"), "2001-11-11", "F", epo.clone())
    };
    inactive.plan.to = Some("2026-02-28");
    let mut all = vec![active, lossy, inactive];
    for (member_id, first, last, born) in [
        ("HUB-ERR79", "ROLAND", "GARNETT", "1959-06-16"),
        ("HUB-ERR42", "RHODA", "GARNETT", "1960-07-17"),
        ("HUB-TOPERROR", "REX", "GARNETT", "1961-08-18"),
    ] {
        all.push(Person {
            benefits: vec![Benefit::copay("98", "45.00")],
            ..Person::new(member_id, (first, last), born, "U", epo.clone())
        });
    }
    all
}
