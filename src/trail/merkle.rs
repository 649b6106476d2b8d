//! The Merkle tree over a trail's records: hashing, inclusion and consistency as in RFC 6962, section 2.1; the two checks
//! as in RFC 9162, sections 2.1.3.2 and 2.1.4.2.
//!
//! To append, only the frontier is needed: the roots of the full subtrees, largest first, at most 64. To prove, the root
//! of every full tile of 256 leaves is stored; the leaves themselves are the records. So a proof reads one hash for each
//! 256 records and the records of two tiles, and an append writes one hash more in 256.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ring::digest::{Context, SHA256};

/// A SHA-256.
pub type Hash = [u8; 32];
/// Leaves of one tile.
pub const TILE: u64 = 256;
/// Levels of one tile: 2^8 leaves.
const TILE_LEVEL: u32 = 8;

/// SHA-256 of the parts, one after another.
pub fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    // SHA-256 gives 32 bytes; zip keeps that fact from being an index that could panic.
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    out
}

/// A leaf's hash.
pub fn leaf(text: &[u8]) -> Hash {
    sha256(&[&[0], text])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// What appending needs of a tree: the roots of its full subtrees, largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// Reads what [`Frontier::bytes`] gave for a tree of this size; `None` when it cannot be that.
    pub fn read(size: u64, bytes: &[u8]) -> Option<Self> {
        let roots = bytes.chunks(32).map(Hash::try_from).collect::<Result<Vec<_>, _>>().ok()?;
        (roots.len() == size.count_ones() as usize).then_some(Self { size, roots })
    }

    /// The roots, one after another.
    pub fn bytes(&self) -> Vec<u8> {
        self.roots.concat()
    }

    /// Leaves so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf; gives the root of a tile that became full by it.
    pub fn push(&mut self, leaf: Hash) -> Option<Hash> {
        let (mut carried, mut tile) = (leaf, None);
        for level in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                carried = node(&left, &carried);
            }
            if level + 1 == TILE_LEVEL {
                tile = Some(carried);
            }
        }
        self.roots.push(carried);
        self.size += 1;
        tile
    }

    /// The tree's root.
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        let Some(last) = roots.next() else { return sha256(&[]) };
        roots.fold(*last, |right, left| node(left, &right))
    }
}

/// Enough of a tree of `size` leaves to make proofs: tile roots, and the leaves of some tiles.
pub struct Tree {
    size: u64,
    tiles: BTreeMap<u64, Hash>,
    leaves: HashMap<u64, Vec<Hash>>,
    known: HashMap<(u64, u64), Hash>,
}

/// The tiles whose leaves [`Tree`] needs for proofs about these leaves (numbered from 0) in trees of up to `size`.
pub fn tiles_for(size: u64, leaves: impl IntoIterator<Item = u64>) -> BTreeSet<u64> {
    leaves.into_iter().map(|leaf| leaf / TILE).chain([size / TILE]).collect()
}

impl Tree {
    /// A tree from its stored tile roots and the leaves of the tiles that are asked about; leaves may stand in for a tile
    /// root that is not there.
    pub fn new(size: u64, tiles: BTreeMap<u64, Hash>, leaves: HashMap<u64, Vec<Hash>>) -> Self {
        Self { size, tiles, leaves, known: HashMap::new() }
    }

    /// The root of the tree's first `size` leaves; `None` when something that is needed is not there.
    pub fn root_at(&mut self, size: u64) -> Option<Hash> {
        if size == 0 {
            return Some(sha256(&[]));
        }
        self.range(0, size)
    }

    /// The hashes that lead from leaf `index` (from 0) to the root.
    pub fn inclusion(&mut self, index: u64) -> Option<Vec<Hash>> {
        if index >= self.size {
            return None;
        }
        let (mut start, mut end, mut path) = (0, self.size, Vec::new());
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                path.push(self.range(middle, end)?);
                end = middle;
            } else {
                path.push(self.range(start, middle)?);
                start = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    /// The hashes that show that the tree's first `old` leaves are those of the tree of that size.
    pub fn consistency(&mut self, old: u64) -> Option<Vec<Hash>> {
        if old == 0 || old >= self.size {
            return (old <= self.size).then(Vec::new);
        }
        let (mut start, mut end, mut path) = (0, self.size, Vec::new());
        // The old tree as a whole, while it is a full subtree at the left edge, is known to whoever checks.
        let mut whole = true;
        while old != end {
            let middle = start + split(end - start);
            if old <= middle {
                path.push(self.range(middle, end)?);
                end = middle;
            } else {
                path.push(self.range(start, middle)?);
                start = middle;
                whole = false;
            }
        }
        if !whole {
            path.push(self.range(start, end)?);
        }
        path.reverse();
        Some(path)
    }

    fn range(&mut self, start: u64, end: u64) -> Option<Hash> {
        let length = end - start;
        if length == 1 {
            return self.leaves.get(&(start / TILE))?.get(usize::try_from(start % TILE).ok()?).copied();
        }
        if length == TILE
            && start.is_multiple_of(TILE)
            && let Some(tile) = self.tiles.get(&(start / TILE))
        {
            return Some(*tile);
        }
        if let Some(known) = self.known.get(&(start, end)) {
            return Some(*known);
        }
        let middle = start + split(length);
        let hash = node(&self.range(start, middle)?, &self.range(middle, end)?);
        self.known.insert((start, end), hash);
        Some(hash)
    }
}

/// The largest power of two below `length`, which is at least 2.
fn split(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}

/// Whether `path` leads from the leaf hash at `index` (from 0) to the root of the tree of `size` leaves.
pub fn included(leaf: Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut hash) = (index, size - 1, leaf);
    for step in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = node(step, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, step);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `path` shows that the tree with `new_root` continues the one with `old_root`.
pub fn consistent(old: u64, new: u64, old_root: &Hash, new_root: &Hash, path: &[Hash]) -> bool {
    if old == 0 || old == new {
        return path.is_empty() && (old == 0 || old_root == new_root);
    }
    if old > new {
        return false;
    }
    let mut steps = path.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { steps.next() };
    let Some(first) = first else { return false };
    let (mut place, mut last) = (old - 1, new - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for step in steps {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old_hash = node(step, &old_hash);
            new_hash = node(step, &new_hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node(&new_hash, step);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(size: u64) -> Vec<Hash> {
        (0..size).map(|n| leaf(&n.to_be_bytes())).collect()
    }

    /// RFC 6962's definition, word for word.
    fn by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [one] => *one,
            _ => {
                let middle = usize::try_from(split(leaves.len() as u64)).unwrap();
                node(&by_definition(&leaves[..middle]), &by_definition(&leaves[middle..]))
            }
        }
    }

    fn frontier(leaves: &[Hash]) -> (Frontier, BTreeMap<u64, Hash>) {
        let (mut frontier, mut tiles) = (Frontier::default(), BTreeMap::new());
        for leaf in leaves {
            if let Some(tile) = frontier.push(*leaf) {
                tiles.insert(frontier.size() / TILE - 1, tile);
            }
        }
        (frontier, tiles)
    }

    fn tree(leaves: &[Hash], about: &[u64]) -> Tree {
        let size = leaves.len() as u64;
        let (_, tiles) = frontier(leaves);
        let chunks: Vec<&[Hash]> = leaves.chunks(TILE as usize).collect();
        let some = tiles_for(size, about.iter().copied())
            .into_iter()
            .filter_map(|tile| Some((tile, chunks.get(tile as usize)?.to_vec())))
            .collect();
        Tree::new(size, tiles, some)
    }

    #[test]
    fn hashes_of_rfc_6962() {
        // SHA-256 of nothing, and of the one byte 0x00: the empty tree and the empty leaf.
        let hex = |hash: Hash| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex(Frontier::default().root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(hex(leaf(b"")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    }

    #[test]
    fn the_frontier_has_the_root_of_the_definition_and_reads_back() {
        for size in (0..70).chain([255, 256, 257, 511, 512, 513, 1_000]) {
            let leaves = leaves(size);
            let (frontier, tiles) = frontier(&leaves);
            assert_eq!(frontier.root(), by_definition(&leaves), "{size}");
            assert_eq!(Frontier::read(size, &frontier.bytes()), Some(frontier.clone()));
            assert_eq!(
                Frontier::read(size + 1, &frontier.bytes()).is_some(),
                (size + 1).count_ones() == size.count_ones()
            );
            assert_eq!(tiles.len() as u64, size / TILE);
        }
    }

    #[test]
    fn every_proof_holds_and_a_changed_one_does_not() {
        let all = leaves(700);
        let mut proofs = 0;
        for size in [1, 2, 3, 7, 8, 9, 255, 256, 257, 300, 512, 700] {
            let part = &all[..size as usize];
            let root = by_definition(part);
            for index in (0..size).step_by(7).chain([size - 1]) {
                let mut path = tree(part, &[index]).inclusion(index).unwrap();
                assert!(included(all[index as usize], index, size, &path, &root), "{index} of {size}");
                assert!(!included(leaf(b"other"), index, size, &path, &root));
                if let Some(first) = path.first_mut() {
                    first[0] ^= 1;
                    assert!(!included(all[index as usize], index, size, &path, &root));
                }
                proofs += 1;
            }
            for old in 1..=size {
                let old_root = by_definition(&part[..old as usize]);
                let mut tree = tree(part, &[old]);
                assert_eq!(tree.root_at(old), Some(old_root), "{old}");
                let mut path = tree.consistency(old).unwrap();
                assert!(consistent(old, size, &old_root, &root, &path), "{old} to {size}");
                assert!(!consistent(old, size, &leaf(b"other"), &root, &path));
                path.push(root);
                assert!(!consistent(old, size, &old_root, &root, &path));
                proofs += 1;
            }
        }
        println!("{proofs} proofs");
    }

    #[test]
    fn without_what_it_needs_there_is_no_proof() {
        let all = leaves(600);
        assert_eq!(tree(&all, &[3]).inclusion(300), None);
        assert_eq!(tree(&all, &[3]).inclusion(600), None);
        assert_eq!(tree(&all, &[3]).consistency(601), None);
    }
}
