//! Which of its uses a 278 is.

use super::model::ServicesReview;

/// What a 278 is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Someone asks for a review (005010X217, BHT02 `13`, or `01` to cancel).
    Request,
    /// What was decided (005010X217, BHT02 `11`).
    Response,
    /// Someone asks what was decided before (005010X215, BHT02 `28`).
    Inquiry,
    /// What was decided before (005010X215, BHT02 `49`).
    InquiryResponse,
    /// Someone tells of an admission, a discharge or a decision (005010X216, BHT02 `CN`).
    Notice,
    /// That was received (005010X216, BHT02 `53`), or not accepted (`44`).
    Acknowledgment,
}

impl Kind {
    /// Whether it comes from the side that reviews, as an answer.
    pub fn is_answer(self) -> bool {
        matches!(self, Self::Response | Self::InquiryResponse | Self::Acknowledgment)
    }
}

impl ServicesReview<'_> {
    /// Which use this is. ST03 names the guide, BHT02 the direction; where they do not say, or say what does not fit
    /// together (`11` in a notice), the content decides: a decision, a refusal or a trace sent back is an answer.
    pub fn kind(&self) -> Kind {
        let purpose = self.beginning.as_ref().map_or("", |beginning| &beginning.purpose);
        let guide = |name: &str| self.implementation.get(6..).is_some_and(|rest| rest.starts_with(name));
        let answered = || self.decided() || self.refused_at().next().is_some();
        match purpose {
            "28" => Kind::Inquiry,
            "49" => Kind::InquiryResponse,
            "CN" | "CO" | "14" => Kind::Notice,
            "53" | "44" => Kind::Acknowledgment,
            "13" if guide("X215") && !answered() => Kind::Inquiry,
            "13" if guide("X215") => Kind::InquiryResponse,
            "11" if guide("X215") => Kind::InquiryResponse,
            "11" if guide("X216") && !answered() => Kind::Acknowledgment,
            "11" => Kind::Response,
            _ if guide("X216") => Kind::Notice,
            "13" | "01" | "36" => Kind::Request,
            _ if answered() || self.traced_back() => Kind::Response,
            _ => Kind::Request,
        }
    }

    fn decided(&self) -> bool {
        // `I1` and the like, which some put into an inquiry, decides nothing.
        let decides = |matter: &super::Matter<'_, '_>| {
            matter
                .decision
                .is_some_and(|decision| crate::codes::label(crate::codes::Table::Action, &decision.action).is_some())
        };
        self.cases().any(|case| decides(&case.matter) || case.services.iter().any(|service| decides(&service.matter)))
    }

    fn traced_back(&self) -> bool {
        self.cases().any(|case| case.matter.traces.iter().any(|trace| trace.kind == "2"))
    }
}
