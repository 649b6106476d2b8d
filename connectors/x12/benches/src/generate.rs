//! Synthetic interchanges, the same bytes on every run. No real people, no real payers.
//!
//! The 835 balances line by line, claim by claim and against BPR02; every count is right. A block of claims is made
//! once and repeated, so that 200 MB can be streamed from a generator of less than a megabyte.

use std::fmt::Write;
use std::io::Read;

const LAST: [&str; 12] =
    ["ADAMS", "BAKER", "CLARK", "EVANS", "GHOSH", "HILLS", "LOPEZ", "NGUYEN", "O'NEIL", "SMITH", "VAN-DYKE", "XU"];
const FIRST: [&str; 8] = ["ANA", "BEN", "CARA", "DAN", "EVA", "HAL", "MIA", "UMA"];
const PROCEDURE: [&str; 10] =
    ["99213", "99214", "36415", "80053", "85025", "93000", "71046", "97110", "97140", "45378"];
const REASON: [&str; 4] = ["45", "97", "253", "131"];
const DIAGNOSIS: [&str; 6] = ["Z0000", "E119", "I10", "M545", "J069", "K219"];
const PLACE: [&str; 3] = ["COLUMBUS*OH*43215", "TAMPA*FL*33602", "AUSTIN*TX*78701"];
/// Different claims of an 835.
const CLAIMS: u64 = 1_000;
/// Claims in one transaction set where it is not to be one giant.
pub const CLAIMS_OF_SET: u64 = 10_000;

/// A small pseudo-random generator (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn range(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from + 1)
    }

    fn one_of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[(self.next() % list.len() as u64) as usize]
    }

    fn date(&mut self) -> String {
        format!("2025{:02}{:02}", self.range(1, 12), self.range(1, 28))
    }

    /// An NPI with its check digit.
    fn npi(&mut self) -> String {
        let base = format!("1{:08}", self.range(0, 99_999_999));
        let sum: u32 = base
            .bytes()
            .rev()
            .enumerate()
            .map(|(at, digit)| {
                let digit = u32::from(digit - b'0');
                if at % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
            })
            .sum();
        format!("{base}{}", (10 - (sum + 24) % 10) % 10)
    }
}

fn money(cents: u64) -> String {
    match cents % 100 {
        0 => format!("{}", cents / 100),
        rest if rest % 10 == 0 => format!("{}.{}", cents / 100, rest / 10),
        rest => format!("{}.{rest:02}", cents / 100),
    }
}

const ISA: &str =
    "ISA*00*          *00*          *ZZ*SUBMITTER01    *ZZ*RECEIVER01     *260105*1200*^*00501*000000001*0*T*:~";

fn head(kind: &str, version: &str) -> String {
    format!("{ISA}GS*{kind}*SUBMITTER01*RECEIVER01*20260105*1200*1*X*{version}~")
}

/// One claim of an 835, how many segments it has, and what is paid, in cents.
fn claim_835(random: &mut Random, number: u64) -> (String, u64, u64) {
    let (mut lines, mut count, mut charged, mut paid, mut owed) = (String::new(), 0, 0, 0, 0);
    let day = random.date();
    for line in 1..=random.range(1, 5) {
        let charge = random.range(2_500, 60_000);
        let discount = random.range(100, charge / 3);
        let share = [0, 0, 1_500, random.range(100, charge / 4)][(random.next() % 4) as usize].min(charge - discount);
        let pays = charge - discount - share;
        let procedure = random.one_of(&PROCEDURE);
        let modifier = random.one_of(&["", "", ":25", ":59:RT"]);
        let _ = write!(lines, "SVC*HC:{procedure}{modifier}*{}*{}**1~DTM*472*{day}~", money(charge), money(pays));
        let _ = write!(lines, "CAS*CO*{}*{}~", random.one_of(&REASON), money(discount));
        if share > 0 {
            let _ = write!(lines, "CAS*PR*{}*{}~", random.range(1, 3), money(share));
            count += 1;
        }
        let _ = write!(lines, "REF*6R*{number}{line:03}~AMT*B6*{}~", money(charge - discount));
        count += 5;
        (charged, paid, owed) = (charged + charge, paid + pays, owed + share);
    }
    let claim = format!(
        "CLP*ACCT{number:09}*1*{}*{}*{}*12*{:015}*11*1~NM1*QC*1*{}*{}*J***MI*W{:09}~NM1*82*1*{}*{}****XX*{}~\
         REF*EA*MRN{:07}~DTM*232*{day}~DTM*233*{day}~DTM*050*20260105~{lines}",
        money(charged),
        money(paid),
        money(owed),
        260_000_000_000 + number,
        random.one_of(&LAST),
        random.one_of(&FIRST),
        random.range(0, 999_999_999),
        random.one_of(&LAST),
        random.one_of(&FIRST),
        random.npi(),
        random.range(0, 9_999_999),
    );
    (claim, count + 7, paid)
}

/// A stream of an 835 interchange.
pub struct Remittance {
    claims: Vec<(String, u64, u64)>,
    of_set: u64,
    sets: u64,
    set: u64,
    claim: u64,
    step: Step,
    ready: Vec<u8>,
    given: usize,
}

enum Step {
    Head,
    Set,
    Claims,
    End,
}

impl Remittance {
    /// About `bytes` bytes in sets of `of_set` claims; `u64::MAX` gives one giant set.
    pub fn new(bytes: u64, of_set: u64) -> Self {
        let mut random = Random(1);
        let claims: Vec<_> = (1..=CLAIMS).map(|number| claim_835(&mut random, number)).collect();
        let mean = claims.iter().map(|claim| claim.0.len() as u64).sum::<u64>() / CLAIMS;
        let wanted = (bytes / mean).max(1);
        let sets = wanted.div_ceil(of_set);
        let of_set = wanted / sets;
        Self { claims, of_set, sets, set: 0, claim: 0, step: Step::Head, ready: Vec::new(), given: 0 }
    }

    /// All of it.
    pub fn whole(bytes: u64, of_set: u64) -> Vec<u8> {
        let mut all = Vec::new();
        let _ = Self::new(bytes, of_set).read_to_end(&mut all);
        all
    }

    /// Claims in all.
    pub fn claims(&self) -> u64 {
        self.of_set * self.sets
    }

    /// Segments and cents of the first `count` claims of a set.
    fn sums(&self) -> (u64, u64) {
        let sum =
            |claims: &[(String, u64, u64)]| claims.iter().fold((0, 0), |sum, claim| (sum.0 + claim.1, sum.1 + claim.2));
        let (rounds, rest) = (self.of_set / CLAIMS, (self.of_set % CLAIMS) as usize);
        let (all, some) = (sum(&self.claims), sum(&self.claims[..rest]));
        (all.0 * rounds + some.0, all.1 * rounds + some.1)
    }

    fn produce(&mut self) -> bool {
        self.ready.clear();
        self.given = 0;
        match self.step {
            Step::Head => {
                self.ready.extend_from_slice(head("HP", "005010X221A1").as_bytes());
                self.step = Step::Set;
            }
            Step::Set if self.set == self.sets => {
                self.ready.extend_from_slice(format!("GE*{}*1~IEA*1*000000001~", self.sets).as_bytes());
                self.step = Step::End;
            }
            Step::Set => {
                self.set += 1;
                let npi = Random(7).npi();
                let text = format!(
                    "ST*835*{0:04}~BPR*I*{1}*C*ACH*CCP*01*999999992*DA*123456*1512345678**01*999988880*DA*98765*20260105~\
                     TRN*1*EFT{0:010}*1512345678~REF*EV*RECEIVER01~DTM*405*20260105~\
                     N1*PR*EXAMPLE HEALTH PLAN*XV*88888~N3*100 MAIN ST~N4*{2}~PER*CX**TE*8005550100~\
                     PER*BL*EDI SUPPORT*TE*8005550101*EM*EDI@EXAMPLE.TEST~N1*PE*EXAMPLE CLINIC*XX*{npi}~\
                     REF*TJ*123456789~LX*1~",
                    self.set,
                    money(self.sums().1),
                    PLACE[0]
                );
                self.ready.extend_from_slice(text.as_bytes());
                (self.claim, self.step) = (0, Step::Claims);
            }
            Step::Claims if self.claim == self.of_set => {
                let count = self.sums().0 + 14;
                self.ready.extend_from_slice(format!("SE*{count}*{:04}~", self.set).as_bytes());
                self.step = Step::Set;
            }
            Step::Claims => {
                for _ in 0..64.min(self.of_set - self.claim) {
                    self.ready.extend_from_slice(self.claims[(self.claim % CLAIMS) as usize].0.as_bytes());
                    self.claim += 1;
                }
            }
            Step::End => return false,
        }
        true
    }
}

impl Read for Remittance {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.given == self.ready.len() {
            if !self.produce() {
                return Ok(0);
            }
        }
        let count = (self.ready.len() - self.given).min(into.len());
        into[..count].copy_from_slice(&self.ready[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

/// An 837P of about `bytes` bytes: billing providers of 20 patients each, one claim a patient.
pub fn claims(bytes: usize) -> Vec<u8> {
    let mut random = Random(2);
    let mut out = head("HC", "005010X222A1");
    let (mut sets, mut claim) = (0, 0);
    while out.len() < bytes {
        sets += 1;
        let from = out.len();
        let _ = write!(
            out,
            "ST*837*{sets:04}*005010X222A1~BHT*0019*00*BATCH{sets:06}*20260105*1200*CH~\
             NM1*41*2*EXAMPLE BILLING*****46*SUB001~PER*IC*EDI DESK*TE*8005550102~\
             NM1*40*2*EXAMPLE HEALTH PLAN*****46*88888~"
        );
        let mut level = 0;
        for _ in 0..25 {
            level += 1;
            let provider = level;
            let _ = write!(
                out,
                "HL*{level}**20*1~PRV*BI*PXC*207Q00000X~NM1*85*2*EXAMPLE CLINIC*****XX*{}~N3*{} OAK AVE~N4*{}0001~\
                 REF*EI*{:09}~",
                random.npi(),
                random.range(1, 999),
                random.one_of(&PLACE),
                random.range(100_000_000, 999_999_999)
            );
            for _ in 0..20 {
                (level, claim) = (level + 1, claim + 1);
                patient(&mut out, &mut random, level, provider, claim);
            }
        }
        let count = out.as_bytes()[from..].iter().filter(|byte| **byte == b'~').count() + 1;
        let _ = write!(out, "SE*{count}*{sets:04}~");
    }
    let _ = write!(out, "GE*{sets}*1~IEA*1*000000001~");
    out.into_bytes()
}

fn patient(out: &mut String, random: &mut Random, level: u64, provider: u64, claim: u64) {
    let lines: Vec<u64> = (0..random.range(1, 6)).map(|_| random.range(2_500, 60_000)).collect();
    let _ = write!(
        out,
        "HL*{level}*{provider}*22*0~SBR*P*18*GRP{:05}******CI~NM1*IL*1*{}*{}*J***MI*W{:09}~N3*{} ELM ST~N4*{}~\
         DMG*D8*1980{:02}{:02}*F~NM1*PR*2*EXAMPLE HEALTH PLAN*****PI*88888~\
         CLM*ACCT{claim:09}*{}***11:B:1*Y*A*Y*Y~REF*D9*CLR{claim:012}~HI*ABK:{}~NM1*82*1*{}*{}****XX*{}~\
         PRV*PE*PXC*207Q00000X~",
        random.range(0, 99_999),
        random.one_of(&LAST),
        random.one_of(&FIRST),
        random.range(0, 999_999_999),
        random.range(1, 9_999),
        random.one_of(&PLACE),
        random.range(1, 12),
        random.range(1, 28),
        money(lines.iter().sum()),
        random.one_of(&DIAGNOSIS),
        random.one_of(&LAST),
        random.one_of(&FIRST),
        random.npi(),
    );
    let day = random.date();
    for (at, charge) in lines.iter().enumerate() {
        let _ = write!(
            out,
            "LX*{0}~SV1*HC:{1}*{2}*UN*1***1~DTP*472*D8*{day}~REF*6R*{claim}{0:03}~",
            at + 1,
            random.one_of(&PROCEDURE),
            money(*charge)
        );
    }
}

/// A 271 of about 4 KB.
pub fn answer() -> Vec<u8> {
    let mut random = Random(3);
    let mut out = head("HB", "005010X279A1");
    let from = out.len();
    let _ = write!(
        out,
        "ST*271*0001*005010X279A1~BHT*0022*11*TRACE00000001*20260105*1200~HL*1**20*1~\
         NM1*PR*2*EXAMPLE HEALTH PLAN*****PI*88888~HL*2*1*21*1~NM1*1P*2*EXAMPLE CLINIC*****XX*{}~HL*3*2*22*0~\
         TRN*2*TRACE00000001*9EXAMPLEGW~NM1*IL*1*SMITH*ANA*J***MI*W000000001~DTP*346*D8*20260101~\
         EB*1*FAM*30**GOLD PPO 1500~EB*C*IND*30***23*1500*****Y~",
        random.npi()
    );
    while out.len() < 4_050 {
        let service = random.one_of(&["1", "33", "47", "48", "50", "86", "98", "AL", "MH", "UC"]);
        let net = random.one_of(&["Y", "N"]);
        let _ = match random.next() % 3 {
            0 => write!(out, "EB*B*IND*{service}***27*{}*****{net}~", random.range(10, 75)),
            1 => write!(out, "EB*A*IND*{service}****.{}****{net}~", random.range(1, 5)),
            _ => {
                write!(out, "EB*F*IND*{service}***23***VS*{}**{net}~MSG*VISITS PER CALENDAR YEAR~", random.range(5, 60))
            }
        };
    }
    let count = out.as_bytes()[from..].iter().filter(|byte| **byte == b'~').count() + 1;
    let _ = write!(out, "SE*{count}*0001~GE*1*1~IEA*1*000000001~");
    out.into_bytes()
}
