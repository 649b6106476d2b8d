//! What is reviewed, patient by patient: the same view of every version and use.

use super::model::{
    ReviewDependent, ReviewEvent, ReviewOrganization, ReviewParty, ReviewProvider, ReviewRequester, ReviewService,
    ReviewSubscriber, ServicesReview,
};
use super::segments::{Hcr, Um};

use crate::model::common::{Aaa, Dtp, Hi, Hsd, Msg, Ref, Trn};
use crate::model::health::{Pwk, Sv1, Sv2, Sv3, Too};

/// Details of one kind that a case, a service or a level above them is told with: AAA, DTP, REF … The guides allow 20 at
/// most. What stands above several cases is said of each of them: without a bound that grows with the square of the file.
pub const MAX_DETAILS: usize = 50;

/// The first of a kind, as many as are told.
pub(crate) fn few<T>(all: &[T]) -> &[T] {
    all.get(..MAX_DETAILS).unwrap_or(all)
}

/// What an event, a service or (004010) a patient has in common.
#[derive(Clone, Copy)]
pub struct Matter<'m, 'a> {
    /// TRN
    pub traces: &'m [Trn<'a>],
    /// AAA
    pub refusals: &'m [Aaa<'a>],
    /// UM
    pub review: Option<&'m Um<'a>>,
    /// HCR
    pub decision: Option<&'m Hcr<'a>>,
    /// REF
    pub references: &'m [Ref<'a>],
    /// DTP
    pub dates: &'m [Dtp<'a>],
    /// HI
    pub health: Option<&'m Hi<'a>>,
    /// HSD
    pub delivery: Option<&'m Hsd<'a>>,
    /// PWK
    pub paperwork: &'m [Pwk<'a>],
    /// MSG
    pub messages: &'m [Msg<'a>],
    /// Loops 2010: who takes part.
    pub parties: &'m [ReviewParty<'a>],
    /// There are more of a kind than [`MAX_DETAILS`]; the rest is left out.
    pub cut: bool,
}

/// All levels name their segments alike.
macro_rules! matter {
    ($node:expr) => {
        Matter {
            traces: few(&$node.traces),
            refusals: few(&$node.refusals),
            review: $node.review.as_ref(),
            decision: $node.decision.as_ref(),
            references: few(&$node.references),
            dates: few(&$node.dates),
            health: $node.health.as_ref(),
            delivery: $node.delivery.as_ref(),
            paperwork: few(&$node.paperwork),
            messages: few(&$node.messages),
            parties: few(&$node.names),
            cut: [
                $node.traces.len(),
                $node.refusals.len(),
                $node.references.len(),
                $node.dates.len(),
                $node.paperwork.len(),
                $node.messages.len(),
                $node.names.len(),
            ]
            .iter()
            .any(|count| *count > MAX_DETAILS),
        }
    };
}

/// One service of a case.
pub struct ReviewedService<'m, 'a> {
    /// What is said of it.
    pub matter: Matter<'m, 'a>,
    /// SV1
    pub professional: Option<&'m Sv1<'a>>,
    /// SV2
    pub institutional: Option<&'m Sv2<'a>>,
    /// SV3
    pub dental: Option<&'m Sv3<'a>>,
    /// TOO
    pub teeth: &'m [Too<'a>],
}

/// One case: a patient and what is reviewed for that patient.
pub struct Case<'m, 'a> {
    /// Loop 2000A: who reviews; in a notice, who tells.
    pub organization: &'m ReviewOrganization<'a>,
    /// Loop 2000B: who asks; in a notice, who is told.
    pub requester: &'m ReviewRequester<'a>,
    /// Loop 2000C
    pub subscriber: &'m ReviewSubscriber<'a>,
    /// Loop 2000D
    pub dependent: Option<&'m ReviewDependent<'a>>,
    /// What is said of the event as a whole.
    pub matter: Matter<'m, 'a>,
    /// Loop 2000F
    pub services: Vec<ReviewedService<'m, 'a>>,
}

impl<'m, 'a> Case<'m, 'a> {
    /// The patient.
    pub fn patient(&self) -> Option<&'m ReviewParty<'a>> {
        self.dependent.map_or(&self.subscriber.names, |dependent| &dependent.names).first()
    }

    /// More of a kind than [`MAX_DETAILS`] stand in it or above it; the rest is left out.
    pub fn cut(&self) -> bool {
        let services = self.services.iter().any(|service| service.matter.cut);
        self.matter.cut
            || services
            || self.place().above().iter().any(|(_, refusals, parties)| {
                let more = few(parties).iter().flat_map(|party| &party.refusals).nth(MAX_DETAILS).is_some();
                more || refusals.len() > MAX_DETAILS || parties.len() > MAX_DETAILS
            })
    }

    fn place(&self) -> Place<'m, 'a> {
        Place {
            organization: self.organization,
            requester: self.requester,
            subscriber: self.subscriber,
            dependent: self.dependent,
        }
    }

    /// Every refusal (AAA) that this case stands under, or holds, from the top down: of the levels above it the first
    /// [`MAX_DETAILS`] of each loop.
    pub fn refused_at(&self) -> Vec<RefusedAt<'m, 'a>> {
        let mut all = Vec::new();
        let place = self.place();
        for (loops, refusals, parties) in place.above() {
            note(loops[0], few(refusals), &mut all);
            note(loops[1], few(parties).iter().flat_map(|party| &party.refusals).take(MAX_DETAILS), &mut all);
        }
        // In 004010 what is said of the case is said at the patient's level: it is there already.
        if !std::ptr::eq(place.own().refusals, self.matter.refusals) {
            note("2000E", self.matter.refusals, &mut all);
        }
        if !std::ptr::eq(place.own().parties, self.matter.parties) {
            of_parties("2010E", self.matter.parties, &mut all);
        }
        for service in &self.services {
            note("2000F", service.matter.refusals, &mut all);
            of_parties("2010F", service.matter.parties, &mut all);
        }
        all
    }
}

/// A refusal and where it stood.
#[derive(Clone, Copy)]
pub struct RefusedAt<'m, 'a> {
    /// The loop: `2010B`.
    pub loop_id: &'static str,
    /// AAA
    pub refusal: &'m Aaa<'a>,
}

fn service<'m, 'a>(service: &'m ReviewService<'a>) -> ReviewedService<'m, 'a> {
    ReviewedService {
        matter: matter!(service),
        professional: service.professional.as_ref(),
        institutional: service.institutional.as_ref(),
        dental: service.dental.as_ref(),
        teeth: &service.teeth,
    }
}

/// The levels from the top to a patient.
#[derive(Clone, Copy)]
struct Place<'m, 'a> {
    organization: &'m ReviewOrganization<'a>,
    requester: &'m ReviewRequester<'a>,
    subscriber: &'m ReviewSubscriber<'a>,
    dependent: Option<&'m ReviewDependent<'a>>,
}

impl<'m, 'a> Place<'m, 'a> {
    fn case(self, matter: Matter<'m, 'a>, services: &'m [ReviewService<'a>]) -> Case<'m, 'a> {
        let Self { organization, requester, subscriber, dependent } = self;
        Case {
            organization,
            requester,
            subscriber,
            dependent,
            matter,
            services: services.iter().map(service).collect(),
        }
    }

    /// From the top down to the patient: the loops, what is refused there, and who is named.
    fn above(self) -> Vec<([&'static str; 2], &'m [Aaa<'a>], &'m [ReviewParty<'a>])> {
        let Self { organization, requester, subscriber, dependent } = self;
        let mut all: Vec<(_, &'m [_], &'m [_])> = vec![
            (["2000A", "2010A"], &organization.refusals, &organization.names),
            (["2000B", "2010B"], &[], &requester.names),
            (["2000C", "2010C"], &subscriber.refusals, &subscriber.names),
        ];
        all.extend(dependent.map(|dependent| (["2000D", "2010D"], &*dependent.refusals, &*dependent.names)));
        all
    }

    fn own(self) -> Matter<'m, 'a> {
        self.dependent.map_or_else(|| matter!(self.subscriber), |dependent| matter!(dependent))
    }

    fn cases(self) -> impl Iterator<Item = Case<'m, 'a>> {
        let (events, providers): (&'m [ReviewEvent<'a>], &'m [ReviewProvider<'a>]) = match self.dependent {
            Some(dependent) => (&dependent.events, &dependent.providers),
            None => (&self.subscriber.events, &self.subscriber.providers),
        };
        let own = self.own();
        // A patient level without an event is a case where it says something itself.
        let speaks = own.review.is_some() || own.decision.is_some();
        let alone = (events.is_empty() && providers.is_empty() && speaks).then(|| self.case(own, &[]));
        let of_event = events.iter().map(move |event| self.case(matter!(event), &event.services));
        let of_provider = providers.iter().map(move |provider| {
            let cut = own.cut || provider.names.len() > MAX_DETAILS;
            self.case(Matter { parties: few(&provider.names), cut, ..own }, &provider.services)
        });
        of_event.chain(of_provider).chain(alone)
    }
}

impl<'a> ServicesReview<'a> {
    fn places<'m>(&'m self) -> impl Iterator<Item = Place<'m, 'a>> {
        self.organizations.iter().flat_map(|organization| {
            organization.requesters.iter().flat_map(move |requester| {
                requester.subscribers.iter().flat_map(move |subscriber| {
                    let place = Place { organization, requester, subscriber, dependent: None };
                    let dependents = subscriber.dependents.iter();
                    std::iter::once(place)
                        .chain(dependents.map(move |dependent| Place { dependent: Some(dependent), ..place }))
                })
            })
        })
    }

    /// What is reviewed: one case for each event, or (004010) for each provider of services.
    pub fn cases<'m>(&'m self) -> impl Iterator<Item = Case<'m, 'a>> {
        self.places().flat_map(Place::cases)
    }

    /// Every refusal (AAA) with its loop, from the top down.
    pub fn refused_at<'m>(&'m self) -> impl Iterator<Item = RefusedAt<'m, 'a>> {
        let mut all = Vec::new();
        for organization in &self.organizations {
            note("2000A", &organization.refusals, &mut all);
            of_parties("2010A", &organization.names, &mut all);
            for requester in &organization.requesters {
                of_parties("2010B", &requester.names, &mut all);
                for subscriber in &requester.subscribers {
                    of_patient(["2000C", "2010C"], &subscriber.refusals, &subscriber.names, &mut all);
                    of_events(&subscriber.events, &subscriber.providers, &mut all);
                    for dependent in &subscriber.dependents {
                        of_patient(["2000D", "2010D"], &dependent.refusals, &dependent.names, &mut all);
                        of_events(&dependent.events, &dependent.providers, &mut all);
                    }
                }
            }
        }
        all.into_iter()
    }
}

fn of_patient<'m, 'a>(
    loops: [&'static str; 2],
    refusals: &'m [Aaa<'a>],
    parties: &'m [ReviewParty<'a>],
    all: &mut Vec<RefusedAt<'m, 'a>>,
) {
    note(loops[0], refusals, all);
    of_parties(loops[1], parties, all);
}

fn note<'m, 'a: 'm>(
    loop_id: &'static str,
    refusals: impl IntoIterator<Item = &'m Aaa<'a>>,
    all: &mut Vec<RefusedAt<'m, 'a>>,
) {
    all.extend(refusals.into_iter().map(|refusal| RefusedAt { loop_id, refusal }));
}

fn of_parties<'m, 'a>(loop_id: &'static str, parties: &'m [ReviewParty<'a>], all: &mut Vec<RefusedAt<'m, 'a>>) {
    for party in parties {
        note(loop_id, &party.refusals, all);
    }
}

fn of_events<'m, 'a>(
    events: &'m [ReviewEvent<'a>],
    providers: &'m [ReviewProvider<'a>],
    all: &mut Vec<RefusedAt<'m, 'a>>,
) {
    for event in events {
        note("2000E", &event.refusals, all);
        of_parties("2010E", &event.names, all);
        of_services(&event.services, all);
    }
    for provider in providers {
        of_parties("2010E", &provider.names, all);
        of_services(&provider.services, all);
    }
}

fn of_services<'m, 'a>(services: &'m [ReviewService<'a>], all: &mut Vec<RefusedAt<'m, 'a>>) {
    for service in services {
        note("2000F", &service.refusals, all);
        of_parties("2010F", &service.names, all);
    }
}
