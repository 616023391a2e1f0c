"""The tree: roots and proofs are those of RFC 6962, written out naively here; what is stored is read back the same."""

import hashlib
import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given
from hypothesis import strategies as st

from governance.models import Entry, Leaf, Node
from governance.offline import verify
from governance.offline.verify import Peaks, Rejected, leaf_hash
from governance.transparency_log import merkle_tree
from governance.transparency_log.merkle_tree import Tree
from tests.support.database.many_entries import make_entries

# The eight leaves that implementations of Certificate Transparency test with, and the root at each size.
KNOWN_LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
KNOWN_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def root_of(leaves):
    """MTH of RFC 6962, as it stands there."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = largest_power_below(len(leaves))
    return hashlib.sha256(b"\1" + root_of(leaves[:k]) + root_of(leaves[k:])).digest()


def path_of(m, leaves):
    """PATH of RFC 6962."""
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if m < k:
        return [*path_of(m, leaves[:k]), root_of(leaves[k:])]
    return [*path_of(m - k, leaves[k:]), root_of(leaves[:k])]


def proof_of(m, leaves, whole=True):
    """SUBPROOF of RFC 6962."""
    if m == len(leaves):
        return [] if whole else [root_of(leaves)]
    k = largest_power_below(len(leaves))
    if m <= k:
        return [*proof_of(m, leaves[:k], whole), root_of(leaves[k:])]
    return [*proof_of(m - k, leaves[k:], False), root_of(leaves[:k])]


def largest_power_below(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def leaves_of(count):
    return [b"leaf %d" % n for n in range(count)]


sizes = st.integers(0, 40)


def test_the_empty_tree_has_the_hash_of_nothing():
    assert Peaks().root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_known_roots():
    peaks = Peaks()
    for leaf, root in zip(KNOWN_LEAVES, KNOWN_ROOTS, strict=True):
        peaks.push(leaf_hash(bytes.fromhex(leaf)))
        assert peaks.root().hex() == root


@given(sizes)
def test_a_tree_that_grows_has_the_root_of_one_that_stands(size):
    peaks = Peaks()
    for leaf in leaves_of(size):
        peaks.push(leaf_hash(leaf))
    assert peaks.root() == root_of(leaves_of(size))
    assert len(peaks.hashes) == size.bit_count()
    assert Peaks(size, peaks.hashes).root() == peaks.root()


def test_a_full_subtree_is_pushed_only_where_one_begins():
    peaks = Peaks()
    peaks.push(root_of(leaves_of(4)), level=2)
    assert peaks.root() == root_of(leaves_of(4))
    peaks.push(leaf_hash(b"leaf 4"))
    with pytest.raises(Rejected, match="No subtree of level 2 begins at 5"):
        peaks.push(root_of(leaves_of(4)), level=2)
    with pytest.raises(Rejected, match="does not have 2 full subtrees"):
        Peaks(4, peaks.hashes)


@given(sizes.filter(bool), st.data())
def test_a_proof_of_inclusion_leads_to_the_root_and_no_other_does(size, data):
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    proof, root, leaf = path_of(index, leaves), root_of(leaves), leaf_hash(leaves[index])
    assert verify.root_from_inclusion(index, size, leaf, proof) == root
    assert wrong(verify.root_from_inclusion, index, size, leaf_hash(b"other"), proof) != root
    assert wrong(verify.root_from_inclusion, index, size, leaf, [*proof, root]) != root
    if proof:
        assert wrong(verify.root_from_inclusion, index, size, leaf, proof[:-1]) != root
        n = data.draw(st.integers(0, len(proof) - 1))
        flipped = [*proof[:n], hashlib.sha256(proof[n]).digest(), *proof[n + 1 :]]
        assert wrong(verify.root_from_inclusion, index, size, leaf, flipped) != root
    other = data.draw(st.integers(-1, size))
    if other != index:
        assert wrong(verify.root_from_inclusion, other, size, leaf, proof) != root


def wrong(function, *arguments):
    try:
        return function(*arguments)
    except Rejected:
        return None


def test_a_proof_of_the_wrong_length_is_named():
    # The root would be another one anyway; the length says it before anybody compares roots.
    leaves = leaves_of(5)
    leaf, root = leaf_hash(leaves[0]), root_of(leaves)
    proof = path_of(0, leaves)
    for changed, said in ((proof[:-1], "inclusion is too short"), ([*proof, root], "inclusion is too long")):
        with pytest.raises(Rejected, match=said):
            verify.root_from_inclusion(0, 5, leaf, changed)
    proof = proof_of(3, leaves)
    for changed, said in (
        ([], "consistency is too short"),
        (proof[:-1], "consistency is too short"),
        ([*proof, root], "consistency is too long"),
    ):
        with pytest.raises(Rejected, match=said):
            verify.check_consistency(3, root_of(leaves[:3]), 5, root, changed)


@given(sizes, sizes, st.data())
@example(0, 0, None)
@example(8, 8, None)
def test_a_proof_of_consistency_holds_and_no_other_does(one, other, data):
    old, new = sorted((one, other))
    leaves = leaves_of(new)
    old_root, root = root_of(leaves[:old]), root_of(leaves)
    proof = proof_of(old, leaves) if 0 < old < new else []
    verify.check_consistency(old, old_root, new, root, proof)
    for changed in ([*proof, root], proof[:-1] if proof else [root], [leaf_hash(h) for h in proof] or [root]):
        with pytest.raises(Rejected):
            verify.check_consistency(old, old_root, new, root, changed)
    with pytest.raises(Rejected):
        verify.check_consistency(old, leaf_hash(old_root), new, root, proof)
    if old:
        with pytest.raises(Rejected):
            verify.check_consistency(old, old_root, new, leaf_hash(root), proof)
    with pytest.raises(Rejected):
        verify.check_consistency(new + 1, root, new, root, [])


# --- What is stored ------------------------------------------------------------------------------------------

STORED = 1_300
HASHES = [leaf_hash(leaf) for leaf in leaves_of(STORED)]


@pytest.fixture
def stored(db, monkeypatch):
    """A tree whose nodes are stored at every fourth level, so that 1,300 leaves have nodes of two kinds."""
    monkeypatch.setattr(merkle_tree, "STEP", 4)
    monkeypatch.setattr(merkle_tree, "LEVELS", (4, 8))
    nodes = []
    peaks = Peaks(on_full=lambda *node: nodes.append(node))
    for hash in HASHES:
        peaks.push(hash)
    make_entries(STORED)
    Leaf.objects.bulk_create(
        Leaf(position=n, entry_id=key, data=b"", hash=HASHES[n])
        for n, key in enumerate(Entry.objects.order_by("pk").values_list("pk", flat=True)[:STORED])
    )
    Node.objects.bulk_create(
        Node(level=level, index=index, hash=hash) for level, index, hash in nodes if level in (4, 8)
    )
    return peaks


def naive(hashes):
    if len(hashes) == 1:
        return hashes[0]
    k = largest_power_below(len(hashes))
    return hashlib.sha256(b"\1" + naive(hashes[:k]) + naive(hashes[k:])).digest()


def test_what_is_stored_has_the_roots_of_what_was_stored(stored):
    found = Tree()
    assert found.size() == STORED
    assert found.root(0) == verify.EMPTY_ROOT
    for size in [1, 15, 16, 17, 255, 256, 257, 1024, 1299, STORED]:
        assert found.root(size) == found.peaks(size).root() == naive(HASHES[:size]), size


def test_proofs_from_what_is_stored_hold(stored):
    chance, found = random.Random(6962), Tree()
    for _ in range(150):
        index, size = sorted((chance.randrange(STORED), chance.randrange(1, STORED + 1)))
        if index == size:
            continue
        proof = found.inclusion(index, size)
        assert verify.root_from_inclusion(index, size, HASHES[index], proof) == naive(HASHES[:size])
        if index:
            roots = naive(HASHES[:index]), naive(HASHES[:size])
            verify.check_consistency(index, roots[0], size, roots[1], found.consistency(index, size))
    assert found.consistency(0, STORED) == found.consistency(STORED, STORED) == []


def test_a_proof_reads_few_rows(stored):
    # Blocks of 16 here: at most one at each level on each side of every place where the tree parts.
    with CaptureQueriesContext(connection) as queries:
        Tree().inclusion(777, STORED)
    assert len(queries) <= 8


def test_a_gap_in_what_is_stored_is_named(stored):
    with pytest.raises(Rejected, match=f"no hash {STORED} at level 0"):
        Tree().root(STORED + 1)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE governance_leaf DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM governance_leaf WHERE position = 1297")
        cursor.execute("ALTER TABLE governance_leaf ENABLE TRIGGER USER")
    with pytest.raises(Rejected, match="gap at level 0 after 1296"):
        Tree().root(STORED)


def test_nothing_outside_of_the_tree_is_proved(stored):
    with pytest.raises(Rejected, match="Position 5 is not in a tree of size 5"):
        Tree().inclusion(5, 5)
    with pytest.raises(Rejected, match="size 6 cannot be the beginning of one of size 5"):
        Tree().consistency(6, 5)
    with pytest.raises(Rejected, match="No subtree of level 1 begins at 1"):
        merkle_tree.full_subtrees(1, 3)
