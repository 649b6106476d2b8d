//! Each carrier, spoken to over a real socket with a client of a few lines.

mod client;
mod control_plane;
mod core;
mod faulty;
mod json;
mod portal;
mod reviews;

use crate::{Sandbox, SandboxConfig};

/// A sandbox on free ports.
async fn start() -> Sandbox {
    Sandbox::start(SandboxConfig::default()).await.unwrap()
}

/// A 270 about this member, as compact as it may be.
fn question(receiver: &str, member_id: &str, name: &str, born: &str, npi: &str) -> String {
    let name = if name.is_empty() { "*" } else { name };
    let day = crate::clock::today().strftime("%Y%m%d").to_string();
    format!(
        "ISA*00*          *00*          *ZZ*PORTICO01      *ZZ*{receiver:<15}*261123*1200*^*00501*000000042*0*T*:~\
         GS*HS*PORTICO01*{receiver}*20261123*1200*42*X*005010X279A1~ST*270*0001*005010X279A1~\
         BHT*0022*13*REF42*20261123*1200~HL*1**20*1~NM1*PR*2*PAYER*****PI*P1~HL*2*1*21*1~\
         NM1*1P*2*CLINIC*****XX*{npi}~HL*3*2*22*0~TRN*1*TRACE42*9PORTICO00~NM1*IL*1*{name}****MI*{member_id}~\
         DMG*D8*{born}~DTP*291*D8*{day}~EQ*30~SE*13*0001~GE*1*42~IEA*1*000000042~"
    )
}
