//! `portico demo`: everything on loopback in one process, nothing to configure.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::client;
use super::run::End;
use crate::api;
use crate::house::CannotRun;
use crate::house::House;
use crate::pages;

/// Where the demo listens unless told otherwise; any free port when it is taken.
const PORT: u16 = 8700;

/// Arguments of `portico demo`.
#[derive(Args)]
pub struct DemoArguments {
    /// Exit after the answers.
    #[arg(long)]
    once: bool,
    /// Port of the gateway; 8700, or a free one when that is taken.
    #[arg(long)]
    port: Option<u16>,
    /// Where to keep the store; a temporary folder that is removed at the end otherwise.
    #[arg(long)]
    data: Option<PathBuf>,
}

/// Starts the simulated carriers and the gateway, asks unlike carriers, prints what they say, keeps serving.
pub async fn demo(arguments: DemoArguments) -> End {
    let mut out = io::stdout();
    let earlier = House::demo_ports(arguments.data.as_deref());
    let sandbox = sandbox::Sandbox::start(sandbox::SandboxConfig { earlier, ..Default::default() }).await?;
    let house = House::demo(&sandbox, arguments.data.as_deref()).await?;
    let server = api::serve(listen(arguments.port).await?, pages::router(house.app.clone()))?;
    let address = format!("http://{}", server.address);
    let key = house.demo_key().await?;
    let (email, password) = house.demo_login().await?;
    super::demo_schedule::enter(&house).await?;
    writeln!(
        out,
        "Portico demo: a gateway and {} simulated carriers, all on this machine.",
        sandbox.addresses().len()
    )?;
    writeln!(out, "  API      {address}   (docs at {address}/docs)")?;
    writeln!(out, "  API key  {key}")?;
    writeln!(out, "  Login    {email} / {}", *password)?;

    let mut failed = 0;
    for question in questions() {
        failed += usize::from(!ask(&address, &key, &house, &question, &mut out).await?);
    }
    if arguments.once {
        server.stop().await;
        house.close().await;
        sandbox.shutdown().await;
        return Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) });
    }
    let first = &questions()[0].ask;
    writeln!(out, "\nAsk for yourself:\n  curl -s {address}/v1/eligibility -H 'Authorization: Bearer {key}' \\")?;
    writeln!(out, "    -H 'Content-Type: application/json' -d '{first}'\n\nCtrl-C stops everything.")?;
    super::serve::wait_for_stop(async || house.reload()).await?;
    server.stop().await;
    house.close().await;
    sandbox.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

async fn listen(port: Option<u16>) -> Result<TcpListener, CannotRun> {
    let wanted = port.unwrap_or(PORT);
    match TcpListener::bind(("127.0.0.1", wanted)).await {
        Ok(listener) => Ok(listener),
        Err(_) if port.is_none() => Ok(TcpListener::bind(("127.0.0.1", 0)).await?),
        Err(error) => Err(CannotRun(format!("cannot listen at port {wanted}: {error}; choose another with --port"))),
    }
}

/// One question of the demo: what a person would say, and the ask.
struct DemoQuestion {
    words: &'static str,
    ask: Value,
}

/// Prints the question and the answer; `false` when there was no answer.
async fn ask(
    address: &str,
    key: &str,
    house: &House,
    question: &DemoQuestion,
    out: &mut impl Write,
) -> Result<bool, CannotRun> {
    let id = question.ask["carrier"].as_str().unwrap_or_default();
    let plane = house.app.gateway.planes().get(id).ok_or_else(|| CannotRun(format!("the demo has no carrier {id}")))?;
    let (_, reply) = client::post(address, "/v1/eligibility", key, serde_json::to_vec(&question.ask)?).await?;
    writeln!(out, "\n{} ({})", plane.carrier.name, plane.carrier.registration.speaks)?;
    writeln!(out, "  Q  {}", question.words)?;
    let outcome = reply["outcome"].as_str().unwrap_or("failed");
    let told = match outcome {
        "answered" => &reply["answer"]["summary"]["paragraph"],
        "refused" => &reply["refusal"]["text"],
        _ if reply["failure"].is_object() => &reply["failure"]["text"],
        // A problem document: the question was not even put.
        _ => &reply["detail"],
    };
    for (place, line) in wrap(told.as_str().unwrap_or("no answer"), 100).iter().enumerate() {
        writeln!(out, "  {}  {line}", if place == 0 { "A" } else { " " })?;
    }
    for alert in reply["answer"]["summary"]["alerts"].as_array().into_iter().flatten() {
        writeln!(out, "  !  {}", alert["text"].as_str().unwrap_or_default())?;
    }
    if let Some(fields) = reply["refusal"]["look_at"].as_array().filter(|fields| !fields.is_empty()) {
        let fields: Vec<&str> = fields.iter().filter_map(Value::as_str).collect();
        writeln!(out, "     Look at: {}", fields.join(", "))?;
    }
    writeln!(out, "     {outcome} in {} ms", reply["timing"]["total_ms"])?;
    Ok(matches!(outcome, "answered" | "refused"))
}

/// Breaks a text at spaces into lines of at most `width` characters.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}

/// The questions of the demo; the people are invented and known to the simulated carriers.
fn questions() -> Vec<DemoQuestion> {
    let member = |id: &str, first: &str, last: &str, born: &str| json!({ "member_id": id, "first_name": first, "last_name": last, "date_of_birth": born });
    let ask = |carrier: &str, member: Value, types: &[&str]| json!({ "carrier": carrier, "provider": { "npi": "1234567893" }, "member": member, "service": { "types": types } });
    vec![
        DemoQuestion {
            words: "Is Amara Okafor covered, and what does an office visit cost her?",
            ask: ask("northstar", member("NSH-ACTIVE-COPAY40", "AMARA", "OKAFOR", "1984-03-12"), &["30", "98"]),
        },
        DemoQuestion {
            words: "Is Lucia Barragan in Medicaid this month, and through which plan?",
            ask: ask("statemed", member("STM-MONTHS-MCO", "LUCIA", "BARRAGAN", "1999-04-21"), &["30"]),
        },
        DemoQuestion {
            words: "Is Beatrix Sorensen covered, and who is her primary care doctor?",
            ask: ask("harborhmo", member("HHM-ACTIVE-PCP", "BEATRIX", "SORENSEN", "1979-08-15"), &["30", "98"]),
        },
        DemoQuestion {
            words: "Is Eleanor Whitcombe covered, and what does an office visit cost her?",
            ask: ask("bluevalley", member("BVP-ACTIVE-PPO", "Eleanor", "Whitcombe", "1983-10-02"), &["98"]),
        },
        DemoQuestion {
            words: "Is Marguerite Delacroix covered?",
            ask: ask("hubline", member("HUB-ACTIVE-EPO", "MARGUERITE", "DELACROIX", "1974-05-27"), &["30", "98"]),
        },
        DemoQuestion {
            words: "Amara Okafor again, with her birthday mistyped.",
            ask: ask("northstar", member("NSH-ACTIVE-COPAY40", "AMARA", "OKAFOR", "1984-12-03"), &["30"]),
        },
    ]
}
