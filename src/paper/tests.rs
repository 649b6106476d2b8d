use super::*;

/// Everything a page of ours is made of.
fn page(services: usize) -> String {
    let folds: String = (0..services)
        .map(|n| {
            format!(
                "<details class=\"fold\" open><summary>Service {n}</summary><div class=\"grid columns\"><div><h3>In network</h3>\
                 <ul class=\"facts\"><li>$40 copay, per visit</li><li>Limit: 8 of 20 visits left</li></ul></div>\
                 <div><h3>Out of network</h3><p class=\"soft\">The carrier did not say.</p></div></div></details>"
            )
        })
        .collect();
    format!(
        "<div class=\"stack\"><div class=\"head\"><div class=\"row\"><h1>Benefits</h1><span class=\"badge good\"><svg></svg>\
         <span>Active</span></span></div><form><button>Refresh</button></form></div><div class=\"grid heads\"><section class=\"card\">\
         <h2>Patient</h2><dl class=\"pairs\"><dt>Name</dt><dd><strong>Łukasz Nguyễn</strong></dd></dl></section><section class=\"card\">\
         <h2>Coverage</h2><p>PPO</p></section></div><figure class=\"money\"><figcaption><span>Deductible</span>\
         <strong>$900 met of $1,500</strong></figcaption><svg><rect class=\"used\" width=\"60.0\"></rect></svg></figure>\
         <table><thead><tr><th>Service</th><th>Covered</th></tr></thead><tbody><tr><th scope=\"row\">Lab</th><td>yes</td></tr>\
         </tbody></table><section id=\"services\"><h2>Services</h2>{folds}</section>\
         <p>&lt;script&gt;alert(1)&lt;/script&gt; (hostile) \\( Tj ET</p></div>"
    )
}

/// What is shown on the sheets, in the order of reading.
fn shown(html: &str) -> String {
    let document = read::read(html, CHARACTERS_MAX);
    let sheets = lay::sheets(&document, 1.0, true);
    let mut text = String::new();
    for item in sheets.into_iter().flatten() {
        if let lay::Item::Text { text: own, .. } = item {
            text.push_str(&own);
            text.push(' ');
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_stands_on_the_page_stands_on_the_paper() {
    let text = shown(&page(3));
    for words in [
        "Benefits · Active",
        "Łukasz Nguyễn",
        "Deductible : $900 met of $1,500",
        "Lab yes",
        "Limit: 8 of 20 visits left",
        "<script>alert(1)</script> (hostile) \\( Tj ET",
    ] {
        let words = words.replace(" :", ":");
        assert!(text.replace(" :", ":").contains(&words), "{words} in {text}");
    }
    assert!(!text.contains("Refresh"), "what is pressed is not printed");
}

#[test]
fn the_same_page_is_the_same_bytes_and_a_long_one_goes_on() {
    let sheets = |services| lay::sheets(&read::read(&page(services), CHARACTERS_MAX), 1.0, services > 3).len();
    assert_eq!(sheets(3), 1);
    assert!(sheets(300) > 3);
    let one = pdf("Benefits", &page(3));
    assert!(one.starts_with(b"%PDF-1.7"));
    assert_eq!(one, pdf("Benefits", &page(3)));
    assert!(one.len() < 64 * 1024, "{}", one.len());
    for word in [&b"/MarkInfo"[..], b"/StructTreeRoot", b"/Lang", b"/Title", b"/DisplayDocTitle"] {
        assert!(one.windows(word.len()).any(|window| window == word), "{}", String::from_utf8_lossy(word));
    }
}

#[test]
fn nothing_is_cut_and_nothing_lies_on_something_else() {
    for services in [1, 40, 160] {
        let document = read::read(&page(services), CHARACTERS_MAX);
        let sheets = lay::sheets(&document, 1.0, true);
        let mut told = 0;
        for sheet in &sheets {
            for item in sheet {
                let lay::Item::Text { x, base, size, text, weight, .. } = item else { continue };
                told += usize::from(text.contains("copay"));
                assert!(*base <= lay::SHEET.1 - 2.0 * lay::MARGIN && *base >= 0.0, "{text} at {base}");
                let right = x + weight.font().width(text.trim_end(), *size);
                assert!(*x >= -0.1 && right <= lay::SHEET.0 - 2.0 * lay::MARGIN + 1.0, "{text} from {x} to {right}");
            }
        }
        assert_eq!(told, services, "every service is told once");
    }
}

#[test]
fn length_and_depth_have_an_end() {
    let long = format!("<p>{}</p>", "word ".repeat(CHARACTERS_MAX));
    let text = shown(&long);
    assert!(text.len() < CHARACTERS_MAX + 200 && text.ends_with("in the API."));
    let one = format!("<p>{}</p>", "W".repeat(5_000));
    assert!(shown(&one).replace(' ', "").len() == 5_000, "a word wider than the sheet is cut, not lost");
    let deep = "<div>".repeat(400) + "deep" + &"</div>".repeat(400);
    pdf("Deep", &deep);
}

#[test]
fn sheets_that_are_left_out_are_said_to_be_on_the_last_one() {
    let said = |sheets: &[Vec<lay::Item>]| -> String {
        let text = sheets.last().unwrap().iter().map(|item| match item {
            lay::Item::Text { text, .. } => text.as_str(),
            _ => "",
        });
        text.collect()
    };
    let mut long = read::read(&"<p>line</p>".repeat(8_000), CHARACTERS_MAX);
    let cut = sheets(&mut long);
    assert_eq!(cut.len(), SHEETS_MAX);
    assert!(said(&cut).starts_with("There is more than paper holds"), "{}", said(&cut));
    let mut fits = read::read(&"<p>line</p>".repeat(400), CHARACTERS_MAX);
    let whole = sheets(&mut fits);
    assert!(whole.len() > 2 && said(&whole).ends_with("line"), "{}", said(&whole));
    // One that needs a little more than a sheet is made to fit by smaller letters.
    let one = |lines: usize| lay::sheets(&read::read(&"<p>line</p>".repeat(lines), CHARACTERS_MAX), 1.0, false).len();
    let lines = (1..).find(|lines| one(*lines) == 2).unwrap();
    assert_eq!(sheets(&mut read::read(&"<p>line</p>".repeat(lines), CHARACTERS_MAX)).len(), 1);
}
