//! Members of Northstar.

use super::{
    Accumulator, Authorization, Benefit, Dependent, Entity, Level, Network, Person, Status, plan, ppo_benefits,
};

pub(super) fn people() -> Vec<Person> {
    let ppo = plan("NORTHSTAR CHOICE PPO 1500", "PR");
    let active = Person {
        group_number: "0071443",
        benefits: ppo_benefits(),
        ..Person::new("NSH-ACTIVE-COPAY40", ("AMARA", "OKAFOR"), "1984-03-12", "F", ppo.clone())
    };
    let family = Person {
        group_number: "0071443",
        dependents: vec![
            Dependent {
                first_name: "MILO",
                last_name: "LINDQVIST",
                date_of_birth: "2015-09-30",
                sex: "M",
                relationship: "19",
            },
            Dependent {
                first_name: "INGRID",
                last_name: "LINDQVIST",
                date_of_birth: "1987-01-17",
                sex: "F",
                relationship: "01",
            },
        ],
        benefits: ppo_benefits(),
        ..Person::new("NSH-FAMILY-DEPENDENT", ("SVEN", "LINDQVIST"), "1985-06-02", "M", ppo.clone())
    };
    let other_payer = Person {
        other_payer: Some(Entity {
            role: "PRP",
            name: "EVERGREEN MUTUAL OF OREGON",
            number: "EGM774120",
            phone: "5035550142",
        }),
        benefits: vec![
            Benefit::copay("98", "25.00"),
            Benefit::of("30", Network::NotStated, Level::NotStated).says("NORTHSTAR IS SECONDARY TO EVERGREEN MUTUAL"),
        ],
        ..Person::new("NSH-OTHER-PAYER", ("TOMASZ", "WIERZBICKI"), "1958-11-05", "M", ppo.clone())
    };
    let high_deductible = Person {
        benefits: vec![
            Benefit {
                // The carrier tells base and remaining only, as CORE asks; "met" stays unsaid.
                deductible: Some(Accumulator { base: Some("3300.00"), met: None, remaining: Some("3300.00") }),
                ..Benefit::of("30", Network::In, Level::Individual)
            },
            Benefit::share("98", Network::In, "0.20"),
            Benefit::copay("98", "0.00").says("PREVENTIVE VISITS ARE PAID IN FULL"),
            Benefit::not_covered("35"),
            Benefit::share("12", Network::Both, "0.50").authorized(Authorization::Required),
        ],
        ..Person::new("NSH-HDHP-MTOM", ("PRIYA", "RAGHUNATHAN"), "1991-07-23", "F", plan("NORTHSTAR SAVER HDHP", "PR"))
    };
    let mut inactive = Person {
        coverage: Status::Inactive,
        ..Person::new("NSH-INACTIVE", ("GRETA", "HOLLOWAY"), "1976-02-29", "F", ppo.clone())
    };
    inactive.plan.from = "2024-01-01";
    inactive.plan.to = Some("2026-03-31");
    let punctuated = Person {
        benefits: vec![Benefit::copay("98", "30.00")],
        ..Person::new("NSH-NAME-CORE258", ("SIOBHAN", "O'DONNELL-GRISWOLD"), "1969-12-08", "F", ppo.clone())
    };
    let mut all = vec![active, family, other_payer, high_deductible, inactive, punctuated];
    // Known members whose question goes wrong in one way each; see the table in the crate's documentation.
    for (member_id, first, last, born) in [
        ("NSH-AAA71-DOBSWAP", "RAFAEL", "MONTENEGRO", "1980-04-05"),
        ("NSH-AAA73-NAME", "JUNE", "ABERNATHY", "1972-10-10"),
        ("NSH-AAA42-BUSY", "OSCAR", "TILLMAN", "1966-01-31"),
        ("NSH-AAA-SEVERAL", "NADIA", "FERHAT", "1993-05-19"),
        ("NSH-FAULT-500", "HUGO", "BRANDT", "1988-08-08"),
        ("NSH-FAULT-200", "HELGA", "BRANDT", "1989-09-09"),
        ("NSH-ENV-VERSION", "PAVEL", "NOVOTNY", "1977-03-03"),
        ("NSH-TA1-REJECT", "ELSIE", "WAKEFIELD", "1990-02-02"),
        ("NSH-999-REJECT", "ELMER", "WAKEFIELD", "1990-02-03"),
    ] {
        all.push(Person {
            benefits: vec![Benefit::copay("98", "40.00")],
            ..Person::new(member_id, (first, last), born, "U", ppo.clone())
        });
    }
    all
}
