//! The Merkle tree over the log's leaves (RFC 6962, section 2.1), and its proofs.
//!
//! The recorder keeps only the roots of the complete subtrees, which is enough to add a leaf and to say
//! the root. Proofs are made from all leaf hashes by whoever has read the log, and checked from a few.

use sallyport_core::{Digest, SessionId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Most hashes that a proof in a tree of 2^63 leaves has.
pub(crate) const MOST_HASHES: usize = 64;

/// Hash of a leaf.
pub(crate) fn leaf_hash(data: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(data);
    Digest::from_bytes(hasher.finalize().into())
}

fn node_hash(left: Digest, right: Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left.as_bytes());
    hasher.update(right.as_bytes());
    Digest::from_bytes(hasher.finalize().into())
}

/// The leaf that a seal makes.
pub(crate) fn session_leaf(
    session: &SessionId,
    entries: u64,
    head: Digest,
    opened: Timestamp,
    sealed: Timestamp,
) -> String {
    format!("session {session} {entries} {head} {} {}", opened.micros(), sealed.micros())
}

/// The leaf that a mark makes: the log up to the entry before it.
pub(crate) fn log_leaf(segment: u64, head: Digest, time: Timestamp) -> String {
    format!("log {segment} {head} {}", time.micros())
}

/// As much of a tree as it takes to add leaves and to say the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tree {
    /// Leaves.
    pub(crate) size: u64,
    /// Roots of the complete subtrees that it is made of, largest first.
    pub(crate) hashes: Vec<Digest>,
}

impl Tree {
    /// Whether it is one: as many roots as the size has bits.
    pub(crate) fn is_whole(&self) -> bool {
        u32::try_from(self.hashes.len()) == Ok(self.size.count_ones())
    }

    /// Adds a leaf by its hash.
    pub(crate) fn push(&mut self, leaf: Digest) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.hashes.pop() else { break };
            hash = node_hash(left, hash);
        }
        self.hashes.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The root; of an empty tree the hash of nothing.
    pub(crate) fn root(&self) -> Digest {
        let mut hashes = self.hashes.iter().rev();
        let Some(last) = hashes.next() else { return Digest::of(b"") };
        hashes.fold(*last, |right, left| node_hash(*left, right))
    }
}

/// The root over some leaves.
pub(crate) fn root(leaves: &[Digest]) -> Digest {
    let mut tree = Tree::default();
    for leaf in leaves {
        tree.push(*leaf);
    }
    tree.root()
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: usize) -> usize {
    size.div_ceil(2).next_power_of_two()
}

/// What proves that leaf `index` is in the tree over `leaves`: the siblings, from the leaf upwards.
pub(crate) fn inclusion(leaves: &[Digest], index: usize) -> Option<Vec<Digest>> {
    if index >= leaves.len() {
        return None;
    }
    let (mut leaves, mut index, mut path) = (leaves, index, Vec::new());
    while leaves.len() > 1 {
        let (left, right) = leaves.split_at_checked(split(leaves.len()))?;
        if index < left.len() {
            path.push(root(right));
            leaves = left;
        } else {
            path.push(root(left));
            index -= left.len();
            leaves = right;
        }
    }
    path.reverse();
    Some(path)
}

/// What proves that the tree over the first `old` leaves is the beginning of the tree over all.
pub(crate) fn consistency(leaves: &[Digest], old: usize) -> Option<Vec<Digest>> {
    if old > leaves.len() {
        return None;
    }
    if old == 0 || old == leaves.len() {
        return Some(Vec::new());
    }
    let (mut leaves, mut old, mut whole, mut path) = (leaves, old, true, Vec::new());
    while old < leaves.len() {
        let (left, right) = leaves.split_at_checked(split(leaves.len()))?;
        if old <= left.len() {
            path.push(root(right));
            leaves = left;
        } else {
            path.push(root(left));
            old -= left.len();
            leaves = right;
            whole = false;
        }
    }
    if !whole {
        path.push(root(leaves));
    }
    path.reverse();
    Some(path)
}

/// Whether a path leads from a leaf to a root (RFC 9162, section 2.1.3.2).
pub(crate) fn includes(leaf: Digest, index: u64, size: u64, root: Digest, path: &[Digest]) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(*sibling, hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(hash, *sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root
}

/// Whether a path proves that one tree is the beginning of another (RFC 9162, section 2.1.4.2).
pub(crate) fn consistent(old: (u64, Digest), new: (u64, Digest), path: &[Digest]) -> bool {
    if old.0 > new.0 {
        return false;
    }
    if old.0 == new.0 {
        return path.is_empty() && old.1 == new.1;
    }
    if old.0 == 0 {
        return path.is_empty();
    }
    let (mut node, mut last) = (old.0 - 1, new.0 - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let mut path = path.iter();
    let first = if old.0.is_power_of_two() { Some(&old.1) } else { path.next() };
    let Some(first) = first else { return false };
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(*sibling, old_hash);
            new_hash = node_hash(*sibling, new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(new_hash, *sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == old.1 && new_hash == new.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: usize) -> Vec<Digest> {
        (0..count).map(|number| leaf_hash(format!("leaf {number}").as_bytes())).collect()
    }

    /// RFC 6962, section 2.1, word for word.
    fn by_definition(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => Digest::of(b""),
            [one] => *one,
            more => {
                let mut half = 1;
                while half * 2 < more.len() {
                    half *= 2;
                }
                node_hash(by_definition(&more[..half]), by_definition(&more[half..]))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_standard_and_known_values_hold() {
        for count in 0..70 {
            assert_eq!(root(&leaves(count)), by_definition(&leaves(count)), "{count}");
        }
        // Certificate Transparency's own test vectors.
        assert_eq!(
            leaf_hash(b"").to_string(),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        assert_eq!(
            root(&[leaf_hash(b""), leaf_hash(b"\0"), leaf_hash(b"\x10")]).to_string(),
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
        );
    }

    #[test]
    fn every_inclusion_proof_holds_for_its_leaf_alone() {
        for count in 1..40 {
            let leaves = leaves(count);
            let (root, size) = (root(&leaves), u64::try_from(count).unwrap());
            for index in 0..count {
                let path = inclusion(&leaves, index).unwrap();
                let at = u64::try_from(index).unwrap();
                assert!(includes(leaves[index], at, size, root, &path), "{index} of {count}");
                assert!(!includes(leaf_hash(b"other"), at, size, root, &path));
                assert!(!includes(leaves[index], at + 1, size, root, &path) || count == 1 && at > 0);
                assert!(!includes(leaves[index], at, size, Digest::of(b"x"), &path));
                let mut longer = path.clone();
                longer.push(Digest::of(b"x"));
                assert!(!includes(leaves[index], at, size, root, &longer));
            }
            assert_eq!(inclusion(&leaves, count), None);
        }
    }

    #[test]
    fn every_consistency_proof_holds_and_a_rewritten_past_has_none() {
        for new in 1..40 {
            let all = leaves(new);
            let new_root = (u64::try_from(new).unwrap(), root(&all));
            for old in 0..=new {
                let path = consistency(&all, old).unwrap();
                let size = u64::try_from(old).unwrap();
                assert!(consistent((size, root(&all[..old])), new_root, &path), "{old} to {new}");
                if old > 0 {
                    assert!(!consistent((size, Digest::of(b"x")), new_root, &path), "{old} to {new}");
                }
            }
            assert_eq!(consistency(&all, new + 1), None);
            let mut other = all.clone();
            other[0] = leaf_hash(b"rewritten");
            for old in 1..=new {
                let path = consistency(&other, old).unwrap();
                let was = (u64::try_from(old).unwrap(), root(&all[..old]));
                assert!(!consistent(was, (new_root.0, root(&other)), &path), "{old} to {new}");
            }
        }
    }
}
