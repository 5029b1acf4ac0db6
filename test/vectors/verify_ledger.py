"""A second verifier of ledgers, written from docs/ledger-format.md alone; needs the packages cryptography and cbor2.

    python3 verify_ledger.py FOLDER SERVICE_CERTIFICATE

Prints JSON: entries, signed entries, and the root of the last signature. Fails with a traceback where something is wrong. It checks
what decides whether a ledger is whole and signed; the product's own `drawbridge verify ledger` checks more.
"""

import hashlib
import json
import re
import struct
import sys
from pathlib import Path

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

EMPTY, SETTLEMENT, GOVERNANCE, SERVICE, SIGNATURE, MEMBERS, GENESIS = range(7)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(leaves):
    """Level by level; a digest without a neighbour goes up as it is."""
    while len(leaves) > 1:
        pairs = [sha256(a, b) for a, b in zip(leaves[::2], leaves[1::2])]
        leaves = pairs + leaves[len(leaves) - len(leaves) % 2 :]
    return leaves[0]


def peaks_of(leaves):
    """Roots of the perfect trees, largest first."""
    peaks, at = [], 0
    for bit in reversed(range(len(leaves).bit_length())):
        if len(leaves) >> bit & 1:
            peaks.append(root_of(leaves[at : at + (1 << bit)]))
            at += 1 << bit
    return peaks


def node_of(service, node_id, pem):
    certificate = x509.load_pem_x509_certificate(pem.encode())
    certificate.verify_directly_issued_by(service)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert sha256(spki) == node_id
    return certificate.public_key()


def chunks_in(folder):
    for path in folder.iterdir():
        name = re.fullmatch(r"ledger_(\d+)(?:-(\d+)\.committed)?", path.name)
        if name:
            yield int(name[1]), name[2] and int(name[2]), path.read_bytes()


class Ledger:
    def __init__(self, service_pem):
        self.service = x509.load_pem_x509_certificate(service_pem)
        self.leaves = [bytes(32)]
        self.nodes, self.service_id = {}, None
        self.view, self.signed, self.root, self.kind = 0, 1, None, None

    def chunk(self, first, last, data):
        assert data[:8] == b"DBLEDGER" and struct.unpack_from(">I", data, 8) == (1,)
        self.service_id = self.service_id or data[12:44]
        assert data[12:44] == self.service_id
        assert struct.unpack_from(">Q", data, 44)[0] == first == len(self.leaves)
        count = data[52]
        at = 53 + 32 * count
        assert [data[53 + 32 * i : 85 + 32 * i] for i in range(count)] == peaks_of(self.leaves)
        while at + 4 <= len(data):
            end = at + 4 + struct.unpack_from(">I", data, at)[0]
            if end > len(data):
                break
            self.record(data[at + 4 : end])
            at = end
        if last is not None:
            assert at == len(data) and len(self.leaves) - 1 == last and self.kind == SIGNATURE

    def record(self, body):
        version, self.kind, view, seqno, _epoch = struct.unpack_from(">BBQQI", body)
        evidence, claims, data = body[22:54], body[54:86], body[86:]
        assert version == 1 and seqno == len(self.leaves) and view >= self.view
        self.view = view
        if self.kind in (SETTLEMENT, GOVERNANCE, SERVICE, SIGNATURE):
            assert data[0] == 1 and data[1] == self.kind
        if self.kind == GENESIS:
            digest, genesis, service_id, _state, pem, row = cbor2.loads(data)
            assert seqno == 1 and service_id == self.service_id
            assert digest == sha256(b"drawbridge/genesis/1\0", genesis.encode())
            assert x509.load_pem_x509_certificate(pem.encode()) == self.service
            self.nodes[row[1]] = (seqno, node_of(self.service, row[1], row[2]))
        if self.kind == SERVICE:
            entry = cbor2.loads(data[2:])
            if entry[0] == 1:
                node_id, pem = entry[1][:2]
                self.nodes.setdefault(node_id, (seqno, node_of(self.service, node_id, pem)))
        if self.kind == SIGNATURE:
            self.signature(view, seqno, *cbor2.loads(data[2:]))
        self.leaves.append(sha256(sha256(body[:22], data), evidence, claims))

    def signature(self, view, seqno, size, signed_view, root, node_id, signature):
        assert 2 <= size <= seqno and size >= self.signed and signed_view == view
        assert root == root_of(self.leaves[:size])
        admitted, key = self.nodes[node_id]
        assert admitted < size
        key.verify(signature, root, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        self.signed, self.root = size, root


def main(folder, service_certificate):
    ledger = Ledger(Path(service_certificate).read_bytes())
    for first, last, data in sorted(chunks_in(Path(folder)), key=lambda chunk: chunk[0]):
        ledger.chunk(first, last, data)
    assert ledger.root is not None
    entries = len(ledger.leaves) - 1
    print(json.dumps({"entries": entries, "signed": ledger.signed - 1, "root": ledger.root.hex()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
