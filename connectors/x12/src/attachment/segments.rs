//! Segments that only the 275 has here.

use crate::model::{Day, Text, composites, segments};

composites! {
    /// C022 as a product's or document's description uses it: nothing but a code.
    pub struct Descriptor<'a> {
        /// The code.
        code: Text<'a> = 1,
        /// A second part.
        more: Text<'a> = 2,
    }
}

segments! {
    /// BGN: the beginning of a transaction without levels.
    pub struct Bgn<'a> = "BGN" {
        /// BGN01: `02` sent unasked, `11` what was asked for, `00`, `13` …
        purpose: Text<'a> = 1,
        /// BGN02: the sender's reference.
        reference: Text<'a> = 2,
        /// BGN03
        date: Day<'a> = 3,
        /// BGN04, `HHMM` or longer.
        time: Text<'a> = 4,
        /// BGN05
        zone: Text<'a> = 5,
        /// BGN06: the reference of what this answers.
        other_reference: Text<'a> = 6,
        /// BGN07
        kind: Text<'a> = 7,
        /// BGN08
        action: Text<'a> = 8,
        /// BGN09: how confidential it is.
        security: Text<'a> = 9,
    }

    /// CAT: what kind of document follows.
    pub struct Cat<'a> = "CAT" {
        /// CAT01: which report, as PWK01.
        report: Text<'a> = 1,
        /// CAT02: in which form: `HL` by HL7's standard, `IA` an image, `TX` text …
        form: Text<'a> = 2,
        /// CAT03
        version: Text<'a> = 3,
        /// CAT04
        level: Text<'a> = 4,
    }

    /// PID: a description.
    pub struct Pid<'a> = "PID" {
        /// PID01: `F` free text.
        kind: Text<'a> = 1,
        /// PID02
        characteristic: Text<'a> = 2,
        /// PID03
        agency: Text<'a> = 3,
        /// PID04
        code: Text<'a> = 4,
        /// PID05
        text: Text<'a> = 5,
        /// PID06
        surface: Descriptor<'a> = 6,
        /// PID07
        sub_qualifier: Text<'a> = 7,
        /// PID08
        response: Text<'a> = 8,
        /// PID09
        language: Text<'a> = 9,
    }

    /// OOI: what an object is (006020).
    pub struct Ooi<'a> = "OOI" {
        /// OOI01: its number.
        number: Text<'a> = 1,
        /// OOI02: which kind of number.
        qualifier: Text<'a> = 2,
        /// OOI03: which kind of object.
        kind: Text<'a> = 3,
    }

    /// EFI: how a file is written.
    pub struct Efi<'a> = "EFI" {
        /// EFI01: how confidential it is.
        security: Text<'a> = 1,
        /// EFI02: words about it.
        text: Text<'a> = 2,
        /// EFI03: method of security.
        security_method: Text<'a> = 3,
        /// EFI04
        security_version: Text<'a> = 4,
        /// EFI05: the program that made it.
        program: Text<'a> = 5,
        /// EFI06
        program_version: Text<'a> = 6,
        /// EFI07: the format between programs.
        interchange: Text<'a> = 7,
        /// EFI08
        interchange_version: Text<'a> = 8,
        /// EFI09: how it is packed.
        compression: Text<'a> = 9,
        /// EFI10
        compression_version: Text<'a> = 10,
        /// EFI11: how it is drawn.
        drawing: Text<'a> = 11,
        /// EFI12
        drawing_version: Text<'a> = 12,
        /// EFI13: the file's name.
        file_name: Text<'a> = 13,
        /// EFI14: block type.
        block_type: Text<'a> = 14,
        /// EFI15: record length.
        record_length: Text<'a> = 15,
        /// EFI16: block length.
        block_length: Text<'a> = 16,
    }
}
