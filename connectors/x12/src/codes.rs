//! Small tables: what a code means, in our own words. A code that is not here is shown as it came.
//!
//! Sources: the tables are facts (which code means what) from public knowledge of the X12 lists; place of service is the
//! public list of the US Centers for Medicare & Medicaid Services. Nothing is complete by promise.

mod names;

use std::collections::HashMap;
use std::sync::OnceLock;

pub use names::{ElementName, element_name};

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        /// The tables, named by the elements they explain.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Table { $($(#[$doc])* $name,)* }

        impl Table {
            const ALL: &'static [Table] = &[$(Self::$name,)*];

            fn text(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!("codes/", $file, ".tsv")),)* }
            }

            /// The table of a file name without its ending.
            pub(crate) fn by_file(name: &str) -> Option<Self> {
                match name { $($file => Some(Self::$name),)* _ => None }
            }
        }
    };
}

tables! {
    /// EQ01, EB03
    ServiceType = "service_type";
    /// EB01
    Benefit = "eb01_benefit_information";
    /// EB02
    Level = "eb02_coverage_level";
    /// EB04
    InsuranceType = "eb04_insurance_type";
    /// EB06, HSD05
    Period = "eb06_time_period";
    /// EB09, HSD01
    Quantity = "eb09_quantity_qualifier";
    /// HSD03
    DeliveryUnit = "delivery_unit";
    /// AAA03
    RejectReason = "aaa03_reject_reason";
    /// AAA04
    FollowUp = "aaa04_follow_up";
    /// NM101
    Entity = "entity_codes";
    /// III02 after `ZZ`
    Place = "place_of_service";
    /// MPI01
    MilitaryStatus = "mpi01_status";
    /// MPI02
    MilitaryEmployment = "mpi02_employment";
    /// MPI03
    MilitaryBranch = "mpi03_service";
    /// INS02
    Relationship = "relationship";
    /// DTP01
    Date = "date_qualifier";
    /// REF01
    Reference = "reference_qualifier";
    /// PER03, PER05, PER07
    Reach = "contact_qualifier";
    /// NM108
    IdKind = "id_qualifier";
    /// CLM05-3
    ClaimFrequency = "claim_frequency";
    /// STC01-1, STC10-1, STC11-1
    StatusCategory = "claim_status_category";
    /// STC01-2, STC10-2, STC11-2
    ClaimStatus = "claim_status";
    /// TA104, TA105, AK9, IK3, IK4, IK5: the key is `element code`, such as `TA105 009`.
    Ack = "ack_error_codes";
    /// HCR01
    Action = "hcr01_action";
    /// HCR03
    DecisionReason = "hcr03_decision_reason";
    /// UM01
    ReviewCategory = "um01_request_category";
    /// UM02
    CertificationType = "um02_certification_type";
    /// HI: the first component of each element.
    HealthCode = "hi_qualifier";
    /// CAS01
    AdjustmentGroup = "cas_group";
    /// CAS02 and every third element after it (CARC)
    AdjustmentReason = "carc";
    /// MIA, MOA and LQ (RARC)
    Remark = "rarc";
    /// CLP02
    ClaimPaymentStatus = "clp02_claim_status";
    /// PLB03-1 and every second element after it
    ProviderAdjustment = "plb_reason";
    /// What to do about a reason (CARC): our own word for the step, no label.
    AdjustmentAction = "carc_action";
    /// AMT01 in an 835
    Amount = "amount_qualifier";
    /// QTY01 in an 835
    PaymentQuantity = "payment_quantity";
    /// BPR04
    PaymentMethod = "payment_method";
    /// CLP06, SBR09
    ClaimFiling = "claim_filing_indicator";
}

type Rows = HashMap<&'static str, (&'static str, &'static str)>;

/// All tables: table and key to code and words.
type AllRows = HashMap<(u8, &'static str), (&'static str, &'static str)>;

fn rows() -> &'static AllRows {
    static ROWS: OnceLock<AllRows> = OnceLock::new();
    ROWS.get_or_init(|| {
        let mut all = HashMap::new();
        for table in Table::ALL {
            for (key, row) in parse(*table) {
                all.insert((*table as u8, key), row);
            }
        }
        all
    })
}

/// Reads one table. The first column is the code, the last one the words. `Ack` has the element before the code: both
/// together, with the tab between them, are its key.
fn parse(table: Table) -> Rows {
    let lines = table.text().lines().skip(1).filter(|line| !line.is_empty());
    lines
        .filter_map(|line| {
            let (before, words) = line.rsplit_once('\t')?;
            let (code, key) = match (table, before.split_once('\t')) {
                (Table::Ack, Some((_, code))) => (code, before),
                (_, Some((code, _))) => (code, code),
                (_, None) => (before, before),
            };
            Some((key, (code, words)))
        })
        .collect()
}

impl Table {
    /// Whether our copy holds only a part of a long list, so that a code may well be good that is not in it. The others
    /// were whole, as far as we know, when they were written down.
    pub(crate) fn is_partial(self) -> bool {
        matches!(self, Self::Remark | Self::ClaimStatus)
    }

    /// All its codes.
    pub(crate) fn codes(self) -> Vec<&'static str> {
        parse(self).into_values().map(|row| row.0).collect()
    }
}

/// What a code means, where we know it.
pub fn label(table: Table, code: &str) -> Option<&'static str> {
    rows().get(&(table as u8, code)).map(|row| row.1)
}

/// A code of an acknowledgment with its meaning, both as fixed words: `acknowledgment("TA105", "009")`.
pub fn acknowledgment(element: &str, code: &str) -> Option<(&'static str, &'static str)> {
    rows().get(&(Table::Ack as u8, format!("{element}\t{code}").as_str())).copied()
}

/// What a segment is called, for the plain view of any transaction.
pub fn segment_name(id: &str) -> Option<&'static str> {
    let names: &[(&str, &str)] = &[
        ("AAA", "Request validation (rejection)"),
        ("AK1", "Acknowledged group"),
        ("AK2", "Acknowledged transaction set"),
        ("AK3", "Segment in error"),
        ("AK4", "Element in error"),
        ("AK5", "Transaction set verdict"),
        ("AK9", "Group verdict"),
        ("BGN", "Beginning"),
        ("BHT", "Beginning of the transaction"),
        ("BPR", "Payment"),
        ("CAS", "Adjustment"),
        ("CLM", "Claim"),
        ("CLP", "Claim payment"),
        ("CTX", "Context of an error"),
        ("DMG", "Date of birth and sex"),
        ("DTM", "Date"),
        ("DTP", "Date"),
        ("EB", "Eligibility or benefit"),
        ("EQ", "What is asked"),
        ("GE", "End of group"),
        ("GS", "Group"),
        ("HCR", "Decision on services"),
        ("HI", "Diagnoses or codes"),
        ("HL", "Level"),
        ("HSD", "Delivery pattern"),
        ("IEA", "End of interchange"),
        ("III", "Place, diagnosis or other information"),
        ("IK3", "Segment in error"),
        ("IK4", "Element in error"),
        ("IK5", "Transaction set verdict"),
        ("INS", "Insured person"),
        ("ISA", "Interchange"),
        ("LE", "End of a named loop"),
        ("LS", "Start of a named loop"),
        ("LX", "Line"),
        ("MPI", "Military information"),
        ("MSG", "Message"),
        ("N1", "Name"),
        ("N3", "Street"),
        ("N4", "City, state, postal code"),
        ("NM1", "Name"),
        ("NTE", "Note"),
        ("PER", "Contact"),
        ("PLB", "Provider-level adjustment"),
        ("PRV", "Provider information"),
        ("REF", "Reference number"),
        ("SBR", "Subscriber"),
        ("SE", "End of transaction set"),
        ("ST", "Transaction set"),
        ("STC", "Status"),
        ("SV1", "Professional service"),
        ("SV2", "Institutional service"),
        ("SVC", "Service payment"),
        ("TA1", "Interchange acknowledgment"),
        ("TRN", "Trace number"),
        ("UM", "Health care services review"),
    ];
    names.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_read_whole() {
        for table in Table::ALL {
            let lines = table.text().lines().skip(1).filter(|line| !line.is_empty()).count();
            assert_eq!(parse(*table).len(), lines, "{table:?}: a line without tab, or a code twice");
        }
    }

    #[test]
    fn looks_up() {
        assert_eq!(label(Table::ServiceType, "30"), Some("The health plan as a whole"));
        assert_eq!(label(Table::Benefit, "C"), Some("Deductible"));
        assert_eq!(label(Table::Benefit, "ZZ"), None);
        assert_eq!(acknowledgment("TA105", "009"), Some(("009", "Receiver ID is not known here")));
        assert_eq!(label(Table::FollowUp, "C"), Some("Correct the data and send again"));
    }
}
