//! Sheets to a PDF with tags (ISO 32000-1, 14.7 and 14.8), its fonts inside.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{ArtifactType, CidFontType, FontFlags, StructRole, SystemInfo, TableHeaderScope, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

use super::font::Weight;
use super::lay::{BAR, Item, MARGIN, SHEET};
use super::read::Document;

/// Grey of what has less weight: still seven to one against white.
const SOFT: f32 = 0.32;
const ADOBE: SystemInfo<'static> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// Numbers of the objects: the fixed ones, then fonts, tags and sheets.
struct Refs {
    next: i32,
}

impl Refs {
    fn take(&mut self) -> Ref {
        self.next += 1;
        Ref::new(self.next)
    }
}

/// A tag's pieces: sheet and number of each run of marked content.
type Marks = BTreeMap<usize, Vec<(usize, i32)>>;

/// The document.
pub fn draw(title: &str, document: &Document, sheets: &[Vec<Item>]) -> Vec<u8> {
    let mut refs = Refs { next: 0 };
    let (catalog, tree, info, root) = (refs.take(), refs.take(), refs.take(), refs.take());
    let mut pdf = Pdf::new();
    pdf.set_version(1, 7);
    let mut used: BTreeMap<Weight, BTreeMap<u16, char>> = BTreeMap::new();
    let fonts: Vec<(Weight, Ref)> = Weight::ALL.iter().map(|weight| (*weight, refs.take())).collect();
    let pages: Vec<Ref> = sheets.iter().map(|_| refs.take()).collect();
    let mut marks = Marks::new();
    let mut of_sheet: Vec<Vec<usize>> = Vec::new();
    for (place, sheet) in sheets.iter().enumerate() {
        let (content, nodes) = content(document, sheet, (place, sheets.len()), &mut used, &mut marks);
        of_sheet.push(nodes);
        let stream = refs.take();
        let packed = packed(&content);
        pdf.stream(stream, &packed).filter(Filter::FlateDecode);
        let mut page = pdf.page(*pages.get(place).unwrap_or(&tree));
        page.parent(tree).media_box(Rect::new(0.0, 0.0, SHEET.0, SHEET.1)).contents(stream);
        page.struct_parents(i32::try_from(place).unwrap_or(i32::MAX));
        page.insert(Name(b"Tabs")).primitive(Name(b"S"));
        let mut resources = page.resources();
        let mut named = resources.fonts();
        for (weight, font) in &fonts {
            named.pair(name_of(*weight), *font);
        }
    }
    for (weight, font) in &fonts {
        let glyphs = used.remove(weight).unwrap_or_default();
        write_font(&mut pdf, *weight, *font, &glyphs, &mut refs);
    }
    tags(&mut pdf, document, &marks, &of_sheet, &pages, root, &mut refs);
    pdf.pages(tree).kids(pages.iter().copied()).count(i32::try_from(pages.len()).unwrap_or(i32::MAX));
    pdf.document_info(info).title(TextStr(title)).producer(TextStr("Portico"));
    let mut whole = pdf.catalog(catalog);
    whole.pages(tree).lang(TextStr("en-US"));
    whole.mark_info().marked(true);
    whole.viewer_preferences().display_doc_title(true);
    whole.pair(Name(b"StructTreeRoot"), root);
    whole.finish();
    pdf.finish()
}

fn name_of(weight: Weight) -> Name<'static> {
    match weight {
        Weight::Regular => Name(b"R"),
        Weight::Bold => Name(b"B"),
    }
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    // Into memory nothing fails.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// One sheet's content, and which tag each of its pieces belongs to.
fn content(
    document: &Document,
    sheet: &[Item],
    (place, sheets): (usize, usize),
    used: &mut BTreeMap<Weight, BTreeMap<u16, char>>,
    marks: &mut Marks,
) -> (Vec<u8>, Vec<usize>) {
    let mut content = Content::new();
    let (mut open, mut nodes): (Option<usize>, Vec<usize>) = (None, Vec::new());
    for item in sheet {
        let Item::Text { node, x, base, size, weight, soft, text, .. } = item else {
            if open.take().is_some() {
                content.end_marked_content();
            }
            graphic(&mut content, item);
            continue;
        };
        if open != Some(*node) {
            if open.is_some() {
                content.end_marked_content();
            }
            let id = i32::try_from(nodes.len()).unwrap_or(i32::MAX);
            let role = document.nodes.get(*node).map_or(StructRole::P, |node| node.role);
            content.begin_marked_content_with_properties(role.to_name()).properties().identify(id);
            marks.entry(*node).or_default().push((place, id));
            nodes.push(*node);
            open = Some(*node);
        }
        show(&mut content, text, (MARGIN + x, SHEET.1 - MARGIN - base), *size, *weight, *soft, used);
    }
    if open.is_some() {
        content.end_marked_content();
    }
    let foot = format!("Page {} of {sheets}", place + 1);
    let mut artifact = content.begin_marked_content_with_properties(Name(b"Artifact"));
    artifact.properties().artifact().kind(ArtifactType::Pagination);
    artifact.finish();
    let right = SHEET.0 - MARGIN - Weight::Regular.font().width(&foot, 7.5);
    show(&mut content, &foot, (right, MARGIN), 7.5, Weight::Regular, true, used);
    content.end_marked_content();
    (content.finish().into_vec(), nodes)
}

fn graphic(content: &mut Content, item: &Item) {
    content.begin_marked_content(Name(b"Artifact"));
    match item {
        Item::Frame { x, top, width, height } => {
            let (x, y) = (MARGIN + x, SHEET.1 - MARGIN - top - height);
            content.set_stroke_gray(0.62).set_line_width(0.5).rect(x, y, *width, *height).stroke();
        }
        Item::Bar { x, top, width, share } => {
            let (x, y) = (MARGIN + x, SHEET.1 - MARGIN - top - BAR);
            content.set_fill_gray(0.85).rect(x, y, *width, BAR).fill_nonzero();
            content.set_fill_gray(0.25).rect(x, y, width * share, BAR).fill_nonzero();
        }
        Item::Text { .. } => {}
    }
    content.end_marked_content();
}

fn show(
    content: &mut Content,
    text: &str,
    (x, y): (f32, f32),
    size: f32,
    weight: Weight,
    soft: bool,
    used: &mut BTreeMap<Weight, BTreeMap<u16, char>>,
) {
    let glyphs = used.entry(weight).or_default();
    let mut bytes = Vec::with_capacity(text.len() * 2);
    for letter in text.chars() {
        if let Some(glyph) = weight.font().glyph(letter) {
            glyphs.insert(glyph, letter);
            bytes.extend_from_slice(&glyph.to_be_bytes());
        }
    }
    content.begin_text().set_fill_gray(if soft { SOFT } else { 0.0 }).set_font(name_of(weight), size);
    content.next_line(x, y).show(Str(&bytes)).end_text();
}

/// The tree of tags, without those that nothing belongs to.
fn tags(
    pdf: &mut Pdf,
    document: &Document,
    marks: &Marks,
    of_sheet: &[Vec<usize>],
    pages: &[Ref],
    root: Ref,
    refs: &mut Refs,
) {
    let nodes = &document.nodes;
    let mut alive = vec![false; nodes.len()];
    for node in marks.keys() {
        let mut at = Some(*node);
        // A tag stands in one that was made before it, so that this ends.
        while let Some(place) = at.filter(|place| alive.get(*place) == Some(&false)) {
            if let Some(alive) = alive.get_mut(place) {
                *alive = true;
            }
            at = nodes.get(place).and_then(|node| node.parent);
        }
    }
    if let Some(first) = alive.first_mut() {
        *first = true;
    }
    let own: Vec<Ref> = nodes.iter().map(|_| refs.take()).collect();
    let of = |place: usize| own.get(place).copied().unwrap_or(root);
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (place, node) in nodes.iter().enumerate().filter(|(place, _)| alive.get(*place) == Some(&true)) {
        if let Some(children) = node.parent.and_then(|parent| children.get_mut(parent)) {
            children.push(place);
        }
    }
    for (place, node) in nodes.iter().enumerate().filter(|(place, _)| alive.get(*place) == Some(&true)) {
        let mut element = pdf.struct_element(of(place));
        element.kind(node.role).parent(node.parent.map_or(root, of));
        if node.role == StructRole::TH {
            let scope = if node.of_column { TableHeaderScope::Column } else { TableHeaderScope::Row };
            element.attributes().push().table().scope(scope);
        }
        let mut kids = element.children();
        for child in children.get(place).into_iter().flatten() {
            kids.struct_element(of(*child));
        }
        for (sheet, id) in marks.get(&place).into_iter().flatten() {
            if let Some(page) = pages.get(*sheet) {
                kids.marked_content_ref().page(*page).marked_content_id(*id);
            }
        }
    }
    let lists: Vec<Ref> = of_sheet.iter().map(|_| refs.take()).collect();
    for (list, nodes) in lists.iter().zip(of_sheet) {
        pdf.indirect(*list).array().items(nodes.iter().map(|node| of(*node)));
    }
    let mut tree = pdf.indirect(root).start::<pdf_writer::writers::StructTreeRoot>();
    tree.child(of(0));
    tree.parent_tree_next_key(i32::try_from(lists.len()).unwrap_or(i32::MAX));
    let mut numbers = tree.parent_tree();
    let mut numbers = numbers.nums();
    for (key, list) in lists.iter().enumerate() {
        numbers.insert(i32::try_from(key).unwrap_or(i32::MAX), *list);
    }
}

fn write_font(pdf: &mut Pdf, weight: Weight, own: Ref, glyphs: &BTreeMap<u16, char>, refs: &mut Refs) {
    let (cid, descriptor, unicode, file) = (refs.take(), refs.take(), refs.take(), refs.take());
    let font = weight.font();
    let tag = format!("PRTICO+{}", font.name);
    let name = Name(tag.as_bytes());
    pdf.type0_font(own)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(cid)
        .to_unicode(unicode);
    let mut descendant = pdf.cid_font(cid);
    descendant.subtype(CidFontType::Type2).base_font(name).system_info(ADOBE).font_descriptor(descriptor);
    descendant.default_width(0.0).cid_to_gid_map_predefined(Name(b"Identity"));
    let mut widths = descendant.widths();
    for glyph in glyphs.keys() {
        widths.consecutive(*glyph, [font.advance(*glyph)]);
    }
    widths.finish();
    descendant.finish();
    let ([ascent, descent, capitals], [left, bottom, right, top]) = font.measures();
    let flags = FontFlags::NON_SYMBOLIC;
    pdf.font_descriptor(descriptor)
        .name(name)
        .flags(flags)
        .bbox(Rect::new(left, bottom, right, top))
        .italic_angle(0.0)
        .ascent(ascent)
        .descent(descent)
        .cap_height(capitals)
        .stem_v(if weight == Weight::Bold { 140.0 } else { 80.0 })
        .font_file2(file);
    let mut cmap = UnicodeCmap::new(Name(b"Portico"), ADOBE);
    for (glyph, letter) in glyphs {
        cmap.pair(*glyph, *letter);
    }
    let cmap = cmap.finish();
    pdf.stream(unicode, cmap.as_slice());
    pdf.stream(file, font_file(weight))
        .filter(Filter::FlateDecode)
        .pair(Name(b"Length1"), i32::try_from(font.file.len()).unwrap_or(i32::MAX));
}

/// The packed file, packed once.
fn font_file(weight: Weight) -> &'static [u8] {
    static FILES: [OnceLock<Vec<u8>>; 2] = [OnceLock::new(), OnceLock::new()];
    let [regular, bold] = &FILES;
    let own = if weight == Weight::Regular { regular } else { bold };
    own.get_or_init(|| packed(weight.font().file))
}
