//! The command line as a person or a script meets it: what it prints, where, and the exit code.

use std::time::Instant;

use http::{Method, StatusCode};
use sandbox::{Sandbox, SandboxConfig};
use serde_json::Value;

use crate::process::{Ended, Folder, Gateway, PATIENCE, files_below, run};
use crate::support::ask;

/// A synthetic 271: active, a copay of 40, a deductible of 1500 with 900 left.
const ANSWER: &str = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *261123*1200*^*00501*000000001*0*P*:~\
    GS*HB*A*B*20261123*1200*1*X*005010X279A1~ST*271*0001*005010X279A1~BHT*0022*11*REF-1*20261123*1200~\
    HL*1**20*1~NM1*PR*2*NORTHSTAR*****PI*60054~HL*2*1*21*1~NM1*1P*2*BONE CLINIC*****XX*1234567893~\
    HL*3*2*22*0~TRN*2*T1*9123456789~NM1*IL*1*ZANZIBAR*ADA****MI*W100~DMG*D8*19800201*F~\
    EB*1*IND*30*PR*CHOICE PPO~EB*B*IND*98***27*40.00*****Y~EB*C*IND*30***23*1500.00*****Y~\
    EB*C*IND*30***29*900.00*****Y~SE*15*0001~GE*1*1~IEA*1*000000001~";

#[test]
fn the_demo_answers_and_cleans_up() {
    let temporary = tempfile::tempdir().unwrap();
    let said = run(&["demo", "--once"], b"", &[("TMPDIR", &temporary.path().display().to_string())]).fine();
    for (carrier, speaks) in
        [("Northstar", "CORE"), ("State Medical", "CORE"), ("Harbor HMO", "JSON"), ("Blue Valley", "HTML pages")]
    {
        let answered = said.split("\n\n").find(|part| part.starts_with(carrier));
        let answered = answered.unwrap_or_else(|| panic!("no question to {carrier}: {said}"));
        assert!(answered.contains(speaks) && answered.contains("\n     answered in "), "{answered}");
        let words = answered.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("is covered today by") && words.contains("not a guarantee of payment."), "{answered}");
    }
    assert!(said.contains("refused in") && said.contains("Look at: member.date_of_birth"), "{said}");
    assert_eq!(files_below(temporary.path()), Vec::<std::path::PathBuf>::new());
}

#[test]
fn check_names_every_problem_of_every_file() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display().to_string();
    let broken = [
        ("syntax", "name = \"Syntax\nconnector = \"core-x12\"\n"),
        ("pigeon", "name = \"Pigeon\"\nconnector = \"carrier-pigeon\"\nhosts = [\"a.example\"]\n"),
        (
            "several",
            "name = \"Several\"\nconnector = \"core-x12\"\nhosts = [\"claims.acme.example\"]\nconector = 1\n\
             password = \"hunter2-hunter2\"\n[limits]\nrequests_per_minute = \"many\"\n[settings]\nendpont = \"x\"\n",
        ),
    ];
    for (name, text) in broken {
        std::fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
    }
    let ended = run(&["check", &place], b"", &[]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let (problems, total) = ended.out.trim_end().rsplit_once('\n').unwrap();
    for problem in problems.lines() {
        let rest = problem.strip_prefix(&format!("{place}/")).unwrap_or_else(|| panic!("{problem}"));
        let mut parts = rest.splitn(4, ':');
        assert!(parts.next().is_some_and(|file| file.ends_with(".toml")), "{problem}");
        assert!(parts.next().is_some_and(|line| line.parse::<u32>().is_ok_and(|line| line > 0)), "{problem}");
        assert!(parts.next().is_some_and(|column| column.parse::<u32>().is_ok_and(|column| column > 0)), "{problem}");
        assert!(parts.next().is_some_and(|message| message.len() > 10), "{problem}");
    }
    for words in [
        "syntax.toml:1:15: not valid TOML",
        "pigeon.toml:2:13: there is no connector \"carrier-pigeon\", help: the connectors are: core-x12",
        "several.toml:4:1: unknown key \"conector\", help: did you mean \"connector\"?",
        "several.toml:5:12: this looks like a secret; a carrier file must hold none, help: keep it in the vault",
        "several.toml:7:23: this must be a whole number",
        "several.toml:9:1: unknown key \"endpont\", help: did you mean \"endpoint\"?",
        "several.toml:8:2: \"sender_id\" is missing, help: ",
    ] {
        assert!(problems.contains(words), "{words} is missing:\n{problems}");
    }
    assert!(!problems.contains("hunter2"), "a secret is repeated: {problems}");
    assert!(total.ends_with("problems in 3 files; 0 carrier files in order"), "{total}");

    let json = run(&["check", &place, "--json"], b"", &[]);
    assert_eq!(json.code, 1);
    let report: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(report["problems"].as_array().unwrap().len(), problems.lines().count());
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/config");
    assert!(run(&["check", shipped], b"", &[]).fine().ends_with("3 carrier files in order\n"));
}

#[test]
fn connectors_are_told_with_what_they_need() {
    let list: Value = serde_json::from_str(&run(&["connectors", "--json"], b"", &[]).fine()).unwrap();
    let names: Vec<&str> = list.as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["core-x12", "json-hub", "html-portal"]);
    for one in list.as_array().unwrap() {
        assert_eq!(one["operations"][0], "eligibility");
        assert!(one["settings_schema"]["properties"].as_object().unwrap().len() > 2, "{one}");
        assert!(!one["sign_in"].as_str().unwrap().is_empty());
    }
    let text = run(&["connectors"], b"", &[]).fine();
    assert!(names.iter().all(|name| text.contains(name)), "{text}");
}

#[test]
fn x12_is_read_and_explained() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("answer.x12");
    std::fs::write(&file, ANSWER).unwrap();
    let file = file.display().to_string();
    let segments: Value = serde_json::from_str(&run(&["x12", "read", &file], b"", &[]).fine()).unwrap();
    assert!(segments.to_string().contains("ZANZIBAR"), "{segments}");
    assert_eq!(
        run(&["x12", "read", "-"], ANSWER.as_bytes(), &[]).fine(),
        run(&["x12", "read", &file], b"", &[]).fine()
    );

    let model: Value =
        serde_json::from_str(&run(&["x12", "read", "--model", "-"], ANSWER.as_bytes(), &[]).fine()).unwrap();
    let text = model.to_string();
    for words in ["\"base\":\"1500.00\"", "\"remaining\":\"900.00\"", "\"amount\":\"40.00\"", "\"coverage\":\"active\""]
    {
        assert!(text.contains(words), "{words} is missing: {text}");
    }
    let told = run(&["x12", "explain", "-"], ANSWER.as_bytes(), &[]).fine();
    for words in ["40", "900", "1,500"] {
        assert!(told.contains(words), "{words} is missing: {told}");
    }
    // Two interchanges in one file: one object on a line of its own for each.
    assert_eq!(run(&["x12", "read", "-"], ANSWER.repeat(2).as_bytes(), &[]).fine().lines().count(), 2);

    let json = run(&["x12", "read", "-"], ANSWER.as_bytes(), &[]).fine();
    assert_eq!(run(&["x12", "write", "-"], json.as_bytes(), &[]).fine(), ANSWER, "{json}");
    let spoilt = json.replace("\"ZANZIBAR", "\"ZAN*ZIBAR");
    let refused = run(&["x12", "write", "-"], spoilt.as_bytes(), &[]);
    assert_eq!(refused.code, 2, "{refused:?}");
    for words in ["-: line 1, column ", ", segment 9, NM103: ", "holds the element separator"] {
        assert!(refused.err.contains(words) && !refused.err.contains("ZAN"), "{refused:?}");
    }

    for command in [&["x12", "read", "-"][..], &["x12", "read", "--model", "-"], &["x12", "explain", "-"]] {
        for (input, words) in
            [(&b""[..], "the input is empty"), (b"<html>Sign in</html>", "not X12"), (&[0xff; 4096], "not X12")]
        {
            says_what_is_wrong(&run(command, input, &[]), words);
        }
        // Cut anywhere, it is read as far as it goes or refused; it never crashes and never says nothing.
        for cut in [3, 50, 105, 107, 200, ANSWER.len() - 30] {
            let ended = run(command, &ANSWER.as_bytes()[..cut], &[]);
            assert!(matches!(ended.code, 0 | 2), "cut at {cut}: {ended:?}");
            assert!(!ended.out.is_empty() || ended.err.contains("cannot be read as X12"), "cut at {cut}: {ended:?}");
            assert!(!ended.err.contains("panicked"), "cut at {cut}: {ended:?}");
        }
    }
    says_what_is_wrong(&run(&["x12", "read", "/no/such/file"], b"", &[]), "/no/such/file: No such file");
}

#[test]
fn wrong_usage_is_told_and_ends_with_2() {
    for (arguments, words) in [
        (&[][..], "Usage: portico <COMMAND>"),
        (&["srve"], "serve"),
        (&["serve", "--confg", "x"], "--config"),
        (&["ask"], "<FILE>"),
        (&["vault", "put"], "<CARRIER>"),
        (&["connectors", "--json", "--markdown"], "cannot be used with"),
        (&["serve", "--config", "/no/such/gateway.toml"], "/no/such/gateway.toml:1:1: this file cannot be read"),
        (&["ask", "/no/such/question.json"], "/no/such/question.json: No such file"),
        (&["ask", "-"], "PORTICO_API_KEY"),
        (&["ask", "-", "--key", "x", "--url", "http://127.0.0.1:9"], "no gateway at 127.0.0.1:9"),
        (&["ask", "-", "--key", "x", "--url", "https://gateway.example"], "http://"),
    ] {
        says_what_is_wrong(&run(arguments, b"{}", &[]), words);
    }
    let folder = Folder::new("[log]\nlevle = \"trace\"\n[limits]\ndeadline_secs = 0\n");
    let wrong = folder.portico(&["serve"], "");
    says_what_is_wrong(&wrong, "gateway.toml:6:1: unknown key \"levle\", help: did you mean \"level\"?");
    says_what_is_wrong(&wrong, "gateway.toml:8:17: this must be at least 1");
    let folder = Folder::new("");
    says_what_is_wrong(
        &folder.portico(&["keys", "create", "--scope", "everything"], ""),
        "no scope everything; known: ask,",
    );
    says_what_is_wrong(&folder.portico(&["vault", "put", "nobody"], "a=b"), "no carrier nobody");
}

fn says_what_is_wrong(ended: &Ended, words: &str) {
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.err.contains(words) && ended.out.is_empty(), "{words} is missing: {ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_and_credentials_are_made_listed_and_withdrawn() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let folder = Folder::for_sandbox(&sandbox, "");
    let (first, second) = (folder.key(), folder.key());
    let listed = folder.portico(&["keys", "list"], "").fine();
    assert_eq!(listed.matches("valid").count(), 2, "{listed}");
    assert!(!listed.contains(&first) && !listed.contains(&second), "a key is shown again: {listed}");
    let id = listed.split_whitespace().next().unwrap();
    assert_eq!(folder.portico(&["keys", "revoke", id], "").fine(), "revoked\n");
    says_what_is_wrong(&folder.portico(&["keys", "revoke", id], ""), "no valid key");
    assert_eq!(folder.portico(&["keys", "list"], "").fine().matches("revoked").count(), 1);

    let stored = folder.portico(&["vault", "list", "--json"], "").fine();
    let credentials: Value = serde_json::from_str(&stored).unwrap();
    assert_eq!(credentials.as_array().unwrap().len(), 6, "{stored}");
    for (_, fields) in sandbox::credentials() {
        let secret = fields.last().unwrap().1;
        assert!(!stored.contains(secret), "a secret is listed: {stored}");
    }
    let missing = folder.portico(&["vault", "put", "northstar"], "username=only\n");
    says_what_is_wrong(&missing, "missing: password");
    says_what_is_wrong(&folder.portico(&["vault", "put", "northstar"], "hunter2-hunter2"), "line 1: `name=value`");
    folder.portico(&["vault", "delete", "northstar"], "").fine();

    let gateway = folder.serve();
    let mut statuses = Vec::new();
    for key in [&first, &second] {
        statuses.push(gateway.call(key, Method::GET, "/v1/carriers", None).await.status);
    }
    statuses.sort();
    assert_eq!(statuses, [StatusCode::OK, StatusCode::UNAUTHORIZED]);
    let key = if gateway.call(&first, Method::GET, "/v1/carriers", None).await.status == StatusCode::OK {
        first
    } else {
        second
    };
    let question = ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12");
    let reply = gateway.call(&key, Method::POST, "/v1/eligibility", Some(&question)).await;
    assert_eq!(reply.body["failure"]["kind"], "credential_missing", "{}", reply.text);
    // Two processes must not write to one store.
    says_what_is_wrong(&folder.portico(&["vault", "list"], ""), "PUT /v1/credentials/{carrier}");
    says_what_is_wrong(&folder.portico(&["keys", "list"], ""), "data");
    assert_eq!(gateway.stop(), 0);

    folder.enter_credentials();
    let gateway = folder.serve();
    let reply = gateway.call(&key, Method::POST, "/v1/eligibility", Some(&question)).await;
    assert_eq!(reply.outcome(), "answered", "{}", reply.text);
    drop(gateway);
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ask_takes_a_file_or_standard_input_with_and_without_a_gateway() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let folder = Folder::for_sandbox(&sandbox, "");
    let key = folder.key();
    let question = ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12").to_string();
    let refused = ask("northstar", "NSH-ACTIVE-COPAY40", "1984-12-03").to_string();
    let failed = ask("molasses", "MOL-502", "1965-02-14").to_string();
    let wrong = question.replace("1234567893", "1234567890");

    let offline = folder.portico(&["ask", "-", "--offline"], &question).fine();
    assert_eq!(outcome(&offline), "answered");
    assert_eq!(outcome(&folder.portico(&["ask", "-", "--offline"], &refused).fine()), "refused");
    let no_answer = folder.portico(&["ask", "-", "--offline"], &failed);
    assert_eq!((no_answer.code, outcome(&no_answer.out)), (1, "failed".to_owned()), "{no_answer:?}");
    let problems = folder.portico(&["ask", "-", "--offline"], &wrong);
    assert!(problems.code == 1 && problems.out.contains("/provider/npi"), "{problems:?}");
    let unreadable = folder.portico(&["ask", "-", "--offline"], "{\"carrier\": ZANZIBAR");
    assert!(unreadable.code == 2 && !unreadable.err.contains("ZANZIBAR"), "{unreadable:?}");

    let gateway = folder.serve();
    let url = format!("http://{}", gateway.address);
    let environment = [("PORTICO_URL", url.as_str()), ("PORTICO_API_KEY", key.as_str())];
    folder.write("question.json", &question);
    let file = folder.path("question.json").display().to_string();
    assert_eq!(outcome(&run(&["ask", &file], b"", &environment).fine()), "answered");
    assert_eq!(outcome(&run(&["ask", "-"], refused.as_bytes(), &environment).fine()), "refused");
    let no_answer = run(&["ask", "-"], failed.as_bytes(), &environment);
    assert_eq!((no_answer.code, outcome(&no_answer.out)), (1, "failed".to_owned()), "{no_answer:?}");
    let problems = run(&["ask", "-"], wrong.as_bytes(), &environment);
    assert!(problems.code == 1 && problems.out.contains("/provider/npi"), "{problems:?}");
    let stranger = run(&["ask", "-"], question.as_bytes(), &[environment[0], ("PORTICO_API_KEY", "pk_live_nobody")]);
    assert!(stranger.code != 0, "{stranger:?}");
    drop(gateway);
    sandbox.shutdown().await;
}

fn outcome(envelope: &str) -> String {
    let envelope: Value = serde_json::from_str(envelope).unwrap();
    envelope["outcome"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reload_keeps_the_last_good_file_and_takes_the_mended_one() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let folder = Folder::for_sandbox(&sandbox, "");
    let key = folder.key();
    let gateway = folder.serve();
    let good = std::fs::read_to_string(folder.path("carriers/northstar.toml")).unwrap();
    let question = ask("northstar", "NSH-ACTIVE-COPAY40", "1984-03-12");

    folder.write("carriers/northstar.toml", &good.replace("connector = ", "conector = "));
    until(&gateway, &key, "/readyz", |ready| ready["carrier_files_with_problems"] == 1).await;
    let ready = gateway.call(&key, Method::GET, "/readyz", None).await;
    assert_eq!((ready.status, &ready.body["carriers"]), (StatusCode::OK, &Value::from(6)), "{}", ready.text);
    let kept = gateway.call(&key, Method::GET, "/v1/carriers/northstar", None).await;
    assert_eq!((kept.status, &kept.body["name"]), (StatusCode::OK, &Value::from("Northstar Health (simulated)")));
    let reply = gateway.call(&key, Method::POST, "/v1/eligibility", Some(&question)).await;
    assert_eq!(reply.outcome(), "answered", "{}", reply.text);

    let renamed = |name: &str| good.replace("Northstar Health", name);
    folder.write("carriers/northstar.toml", &renamed("Mended Health"));
    until(&gateway, &key, "/v1/carriers/northstar", |one| one["name"] == "Mended Health (simulated)").await;
    until(&gateway, &key, "/readyz", |ready| ready["carrier_files_with_problems"] == 0).await;
    let reply = gateway.call(&key, Method::POST, "/v1/eligibility", Some(&question)).await;
    assert_eq!(reply.outcome(), "answered", "{}", reply.text);

    // As many bytes and the same time: only the signal can bring this to the gateway's notice.
    let place = folder.path("carriers/northstar.toml");
    let written = std::fs::metadata(&place).unwrap().modified().unwrap();
    let file = std::fs::File::options().write(true).open(&place).unwrap();
    let text = renamed("Signal Health");
    assert_eq!(text.len() as u64, file.metadata().unwrap().len());
    std::io::Write::write_all(&mut &file, text.as_bytes()).unwrap();
    file.set_modified(written).unwrap();
    drop(file);
    gateway.signal("HUP");
    until(&gateway, &key, "/v1/carriers/northstar", |one| one["name"] == "Signal Health (simulated)").await;

    std::fs::remove_file(&place).unwrap();
    until(&gateway, &key, "/v1/carriers/northstar", |gone| gone["status"] == 404).await;
    assert_eq!(gateway.stop(), 0);
    sandbox.shutdown().await;
}

/// Asks for `path` until its reply is as wanted.
async fn until(gateway: &Gateway, key: &str, path: &str, wanted: impl Fn(&Value) -> bool) {
    let begun = Instant::now();
    loop {
        let reply = gateway.call(key, Method::GET, path, None).await;
        if wanted(&reply.body) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{path} stays as it is: {}", reply.text);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
