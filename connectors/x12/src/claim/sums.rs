//! The sums of one claim, and of what other payers made of it, in exact decimals and bounded memory.
//!
//! What must hold (005010X222A1, X223A2 and X224A2, section 1.4.4):
//! - the lines together charge what the claim charges;
//! - a line that another payer decided: paid (SVD02) and adjusted (2430 CAS) by that payer are the charge of the line;
//! - a claim that another payer decided: what it paid (AMT*D) is what it paid for the lines less what it adjusted the
//!   claim as a whole (2320 CAS); where it did not decide line by line, it is the claim's charge less that.
//!
//! What is no number, or is left out, makes its own sums unknown, never wrong.

use rust_decimal::Decimal;

/// Payers that are told apart, of one claim and of one line: the guides allow ten and fifteen.
const MAX_PAYERS: usize = 16;
/// Bytes of a payer's identifier that are compared (NM109 has 80).
const MAX_PAYER_ID: usize = 80;

/// A sum, as long as all that was added to it is known.
#[derive(Clone, Copy)]
pub(super) struct Sum(Option<Decimal>);

impl Default for Sum {
    fn default() -> Self {
        Self(Some(Decimal::ZERO))
    }
}

impl Sum {
    /// Adds an amount; one that is not known makes the sum unknown.
    pub(super) fn add(&mut self, amount: Option<Decimal>) {
        self.0 = self.0.and_then(|sum| sum.checked_add(amount?));
    }

    /// The sum, where it is known.
    pub(super) fn get(self) -> Option<Decimal> {
        self.0
    }
}

/// How much `stated` is more than `computed`; `None` where one of them is not known, or they are equal.
pub(super) fn off_by(stated: Option<Decimal>, computed: Option<Decimal>) -> Option<Decimal> {
    stated?.checked_sub(computed?).filter(|difference| !difference.is_zero())
}

/// What another payer made of the claim.
pub(super) struct PayerSums<P> {
    /// Where its SBR or AMT*D stands.
    pub(super) at: P,
    id: Vec<u8>,
    /// 2320 CAS.
    adjusted: Sum,
    adjusts: bool,
    /// AMT*D.
    paid: Option<Decimal>,
    /// SVD02 of all lines.
    for_lines: Sum,
    on_lines: bool,
}

/// What one payer made of one line.
struct LinePayer<P> {
    at: P,
    id: Vec<u8>,
    /// SVD02 and CAS.
    settled: Sum,
    /// The line was bundled into another one: its money is there.
    bundled: bool,
}

/// One line.
struct LineSums<P> {
    charge: Option<Decimal>,
    payers: Vec<LinePayer<P>>,
}

/// One claim.
pub(super) struct ClaimSums<P> {
    /// Where its CLM stands.
    pub(super) at: P,
    charged: Option<Decimal>,
    lines: Sum,
    /// How many lines there are.
    pub(super) line_count: u64,
    payers: Vec<PayerSums<P>>,
    line: Option<LineSums<P>>,
}

/// A sum that is not even.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Uneven {
    /// CLM02.
    Claim,
    /// AMT*D of another payer.
    OtherPayer,
    /// SVD02 and CAS of another payer.
    OtherPayerLine,
    /// SVD01 names no payer of the claim.
    UnknownPayer,
}

impl<P: Copy> ClaimSums<P> {
    pub(super) fn new(at: P, charged: Option<Decimal>) -> Self {
        Self { at, charged, lines: Sum::default(), line_count: 0, payers: Vec::new(), line: None }
    }

    /// An SBR of loop 2320.
    pub(super) fn payer(&mut self, at: P) {
        if self.payers.len() < MAX_PAYERS {
            self.payers.push(PayerSums {
                at,
                id: Vec::new(),
                adjusted: Sum::default(),
                adjusts: false,
                paid: None,
                for_lines: Sum::default(),
                on_lines: false,
            });
        }
    }

    /// NM109 of loop 2330B.
    pub(super) fn payer_id(&mut self, id: &[u8]) {
        if let Some(payer) = self.payers.last_mut() {
            payer.id = known(id);
        }
    }

    /// AMT*D of loop 2320.
    pub(super) fn payer_paid(&mut self, at: P, amount: Option<Decimal>) {
        if let Some(payer) = self.payers.last_mut() {
            (payer.paid, payer.at) = (amount, at);
        }
    }

    /// A CAS of loop 2320.
    pub(super) fn payer_adjusted(&mut self, amount: Option<Decimal>) {
        if let Some(payer) = self.payers.last_mut() {
            payer.adjusted.add(amount);
            payer.adjusts = true;
        }
    }

    /// An LX: the line before it is over.
    pub(super) fn begin_line(&mut self, uneven: &mut impl FnMut(Uneven, P, Option<Decimal>)) {
        self.end_line(uneven);
        self.line_count = self.line_count.saturating_add(1);
        self.line = Some(LineSums { charge: None, payers: Vec::new() });
    }

    /// SV1, SV2 or SV3. `total`: the line is no service but repeats the total (revenue code 0001 of 004010).
    pub(super) fn charge(&mut self, amount: Option<Decimal>, total: bool) {
        if !total {
            self.lines.add(amount);
        }
        if let Some(line) = &mut self.line {
            line.charge = amount;
        }
    }

    /// An SVD.
    pub(super) fn line_paid(&mut self, at: P, id: &[u8], amount: Option<Decimal>, bundled: bool) {
        if let Some(payer) = self.payers.iter_mut().find(|payer| payer.id == trimmed(id)) {
            payer.for_lines.add(amount);
            payer.on_lines = true;
        }
        let Some(line) = &mut self.line else { return };
        // The payer that was named last stands last: its CAS segments follow.
        let place = line.payers.iter().position(|payer| payer.id == trimmed(id));
        let mut payer = match place {
            Some(place) => line.payers.remove(place),
            None => LinePayer { at, id: known(id), settled: Sum::default(), bundled: false },
        };
        payer.settled.add(amount);
        payer.bundled |= bundled;
        if line.payers.len() < MAX_PAYERS {
            line.payers.push(payer);
        }
    }

    /// A CAS of loop 2430.
    pub(super) fn line_adjusted(&mut self, amount: Option<Decimal>) {
        if let Some(payer) = self.line.as_mut().and_then(|line| line.payers.last_mut()) {
            payer.settled.add(amount);
        }
    }

    fn end_line(&mut self, uneven: &mut impl FnMut(Uneven, P, Option<Decimal>)) {
        let Some(line) = self.line.take() else { return };
        for payer in &line.payers {
            if !self.payers.iter().any(|known| known.id == payer.id) {
                uneven(Uneven::UnknownPayer, payer.at, None);
            }
            if !payer.bundled
                && let Some(off_by) = off_by(payer.settled.get(), line.charge)
            {
                uneven(Uneven::OtherPayerLine, payer.at, Some(off_by));
            }
        }
    }

    /// The claim is over.
    pub(super) fn end(mut self, uneven: &mut impl FnMut(Uneven, P, Option<Decimal>)) {
        self.end_line(uneven);
        if self.line_count > 0
            && let Some(off_by) = off_by(self.charged, self.lines.get())
        {
            uneven(Uneven::Claim, self.at, Some(off_by));
        }
        for payer in &self.payers {
            // A payer that neither adjusted the claim nor decided its lines only says what it paid.
            if !payer.adjusts && !payer.on_lines {
                continue;
            }
            let before = if payer.on_lines { payer.for_lines.get() } else { self.charged };
            let computed = before.and_then(|before| before.checked_sub(payer.adjusted.get()?));
            if let Some(off_by) = off_by(payer.paid, computed) {
                uneven(Uneven::OtherPayer, payer.at, Some(off_by));
            }
        }
    }
}

fn trimmed(id: &[u8]) -> &[u8] {
    let id = id.trim_ascii();
    id.get(..MAX_PAYER_ID).unwrap_or(id)
}

fn known(id: &[u8]) -> Vec<u8> {
    trimmed(id).to_vec()
}
