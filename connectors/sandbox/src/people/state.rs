//! Recipients of the state Medicaid programme.

use super::{Authorization, Benefit, Covered, Entity, Level, Network, Person, Status, plan};

pub(super) fn people() -> Vec<Person> {
    let medicaid = plan("STATE MEDICAID FULL BENEFITS", "MC");
    let covered =
        |service| Benefit { covered: Covered::Yes, ..Benefit::of(service, Network::NotStated, Level::NotStated) };
    let managed = Person {
        monthly: true,
        managed_by: Some(Entity {
            role: "1I",
            name: "RIVERBEND COMMUNITY HEALTH PLAN",
            number: "RVB01",
            phone: "8005550117",
        }),
        benefits: vec![
            covered("98"),
            covered("MH"),
            Benefit { copay: Some("0.00"), ..covered("UC") },
            Benefit::not_covered("35").says("DENTAL IS CARVED OUT, CALL THE DENTAL PROGRAM"),
        ],
        ..Person::new("STM-MONTHS-MCO", ("LUCIA", "BARRAGAN"), "1999-04-21", "F", medicaid.clone())
    };
    let spend_down = Person {
        monthly: true,
        spend_down: Some("325.50"),
        benefits: vec![covered("98"), covered("48").authorized(Authorization::Required)],
        ..Person::new("STM-SPENDDOWN", ("WALTER", "PENHALIGON"), "1948-09-14", "M", medicaid.clone())
    };
    let mut inactive = Person {
        coverage: Status::Inactive,
        ..Person::new("STM-INACTIVE", ("DEVON", "MARSH"), "2003-12-25", "M", medicaid.clone())
    };
    inactive.plan.to = Some("2026-06-30");
    let slow = Person {
        benefits: vec![covered("98")],
        ..Person::new("STM-SLOW", ("YUKI", "TANABE"), "1981-01-01", "F", medicaid)
    };
    vec![managed, spend_down, inactive, slow]
}
