//! Members of the carrier whose servers misbehave: one person for each way.

use super::{Benefit, Person, plan, ppo_benefits};

pub(super) fn people() -> Vec<Person> {
    let ppo = plan("MOLASSES CLASSIC PPO", "PR");
    let mut all = vec![Person {
        benefits: ppo_benefits(),
        ..Person::new("MOL-OK", ("CLEMENTINE", "BARROW"), "1978-01-09", "F", ppo.clone())
    }];
    for (place, member_id) in crate::molasses::SCENARIOS.iter().map(|(member_id, _)| *member_id).enumerate() {
        let last = ["ASHDOWN", "BYFIELD", "COVERDALE", "DUNMORE"].get(place % 4).copied().unwrap_or("ASHDOWN");
        all.push(Person {
            benefits: vec![Benefit::copay("98", "40.00")],
            ..Person::new(member_id, ("WINIFRED", last), "1965-02-14", "F", ppo.clone())
        });
    }
    all
}
