//! What a document is, told from its first bytes.

use super::base64;
use super::binary::Binary;

/// How many bytes are looked at.
const LOOK: usize = 512;

/// What kind of document it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A mail-like part that names its type: `application/pdf`.
    Named(String),
    /// PDF.
    Pdf,
    /// A clinical document (HL7 CDA).
    ClinicalDocument,
    /// Other XML.
    Xml,
    /// A picture: `TIFF`, `JPEG`, `PNG`, `GIF`.
    Image(&'static str),
    /// An archive (ZIP), and what is packed as one (word processors').
    Zip,
    /// Plain text.
    Text,
    /// Something else, or encrypted.
    Unknown,
    /// No byte at all.
    Empty,
}

impl Content {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::Pdf => "PDF".to_owned(),
            Self::ClinicalDocument => "clinical document (HL7 CDA)".to_owned(),
            Self::Xml => "XML".to_owned(),
            Self::Image(kind) => format!("{kind} picture"),
            Self::Zip => "ZIP archive".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Unknown => "unknown format".to_owned(),
            Self::Empty => "empty".to_owned(),
        }
    }
}

impl Binary<'_> {
    /// What it is, as far as its first bytes tell.
    pub fn content(&self) -> Content {
        let head = self.data.get(..LOOK.min(self.data.len())).unwrap_or(&[]);
        if self.filter == "B64" {
            let wide = self.data.get(..(LOOK * 2).min(self.data.len())).unwrap_or(head);
            return of(&base64::beginning(wide, LOOK));
        }
        of(head)
    }
}

fn of(head: &[u8]) -> Content {
    let start = head.trim_ascii_start();
    let holds = |word: &[u8]| head.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word));
    let magic: [(&[u8], Content); 7] = [
        (b"%PDF", Content::Pdf),
        (b"II*\0", Content::Image("TIFF")),
        (b"MM\0*", Content::Image("TIFF")),
        (b"\xFF\xD8\xFF", Content::Image("JPEG")),
        (b"\x89PNG", Content::Image("PNG")),
        (b"GIF8", Content::Image("GIF")),
        (b"PK\x03\x04", Content::Zip),
    ];
    if head.is_empty() {
        return Content::Empty;
    }
    if let Some((_, content)) = magic.into_iter().find(|(bytes, _)| head.starts_with(bytes)) {
        return content;
    }
    if let Some(name) = named(start) {
        return Content::Named(name);
    }
    if start.starts_with(b"<") || start.starts_with(b"\xEF\xBB\xBF<") {
        let clinical = holds(b"<ClinicalDocument") || holds(b"urn:hl7-org:v3");
        return if clinical { Content::ClinicalDocument } else { Content::Xml };
    }
    let plain = |byte: &u8| !byte.is_ascii_control() || byte.is_ascii_whitespace();
    let whole = match std::str::from_utf8(head) {
        Ok(_) => true,
        // The last character may be cut in two.
        Err(error) => error.error_len().is_none(),
    };
    if whole && head.iter().all(plain) { Content::Text } else { Content::Unknown }
}

/// The type that a `Content-Type:` line among the first lines names; short, and of the letters types have.
fn named(head: &[u8]) -> Option<String> {
    const KEY: &[u8] = b"content-type:";
    let lines = head.split(|byte| matches!(*byte, b'\n' | b'\r')).filter(|line| !line.is_empty()).take(8);
    let line = lines.into_iter().find(|line| line.get(..KEY.len()).is_some_and(|key| key.eq_ignore_ascii_case(KEY)))?;
    let value = line.get(KEY.len()..)?.split(|byte| *byte == b';').next()?.trim_ascii();
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"/.+-".contains(byte);
    let good = (3..=80).contains(&value.len()) && value.contains(&b'/') && value.iter().all(fits);
    if good { std::str::from_utf8(value).ok().map(str::to_ascii_lowercase) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(filter: &'static str, data: &'static [u8]) -> Content {
        Binary { filter: filter.into(), data: data.into(), ..Binary::default() }.content()
    }

    #[test]
    fn the_first_bytes_tell() {
        assert_eq!(content("", b"%PDF-1.7"), Content::Pdf);
        assert_eq!(content("B64", b"JVBERi0xLjc="), Content::Pdf);
        assert_eq!(content("", b"<?xml?><ClinicalDocument/>"), Content::ClinicalDocument);
        assert_eq!(content("", b"<levelone xmlns=\"urn:hl7-org:v3/cda\">"), Content::ClinicalDocument);
        assert_eq!(content("", b"<a/>"), Content::Xml);
        assert_eq!(content("", b"\xFF\xD8\xFF\xE0"), Content::Image("JPEG"));
        assert_eq!(
            content("", b"MIME-Version: 1.0\r\nContent-Type: Application/PDF; name=a\r\n\r\n%PDF"),
            Content::Named("application/pdf".into())
        );
        assert_eq!(content("", b"Content-Type: <script>\n"), Content::Text);
        assert_eq!(content("ASC", b"All is well.\n"), Content::Text);
        assert_eq!(content("", &[0, 1, 2]), Content::Unknown);
        assert_eq!((content("", b""), content("B64", b"")), (Content::Empty, Content::Empty));
    }
}
