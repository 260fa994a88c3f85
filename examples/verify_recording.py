#!/usr/bin/env python3
"""Verifies a Sallyport recording. Written from docs/recording-format.md alone.

    verify_recording.py RECORDING_DIR [PUBLIC_KEY_PEM] [--checkpoint FILE]... [--keys DIR] [--witness VKEY]...

Signatures are checked when a key is given and the `cryptography` package is there; else only chains are.
--checkpoint holds the log against a checkpoint that was noted earlier; --keys decrypts what is encrypted,
with the wrapping keys in a folder. Ends with 0 when nothing is wrong.
"""
import argparse
import base64
import hashlib
import hmac
import json
import pathlib
import re
import struct
import sys

ZERO = bytes(32)


def sha256(data):
    return hashlib.sha256(data).digest()


def load_key(path):
    from cryptography.hazmat.primitives import serialization
    return serialization.load_pem_public_key(pathlib.Path(path).read_bytes())


def signed(key, signature, message):
    from cryptography.exceptions import InvalidSignature
    try:
        key.verify(signature, message)
        return True
    except InvalidSignature:
        return False


def opened(key, nonce, sealed, bound):
    """What AES-256-GCM sealed; None when it was not."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    try:
        return AESGCM(key).decrypt(nonce, sealed, bound)
    except InvalidTag:
        return None


def sealing(key, nonce, clear, bound):
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    return AESGCM(key).encrypt(nonce, clear, bound)


class Tree:
    """RFC 6962, section 2.1: the roots of its complete subtrees."""

    def __init__(self):
        self.size, self.hashes = 0, []

    def push(self, leaf):
        node, size = sha256(b"\0" + leaf), self.size
        while size & 1:
            node, size = sha256(b"\1" + self.hashes.pop() + node), size >> 1
        self.hashes.append(node)
        self.size += 1

    def root(self):
        if not self.hashes:
            return sha256(b"")
        node = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            node = sha256(b"\1" + left + node)
        return node


class Checkpoint:
    def __init__(self, name, text, key):
        self.name, self.problem, self.size, self.root, self.seen = name, None, None, None, None
        body, _, lines = text.rpartition("\n\n")
        body += "\n"
        self.body, self.lines = body, lines
        try:
            origin, size, root = body.split("\n")[:3]
            self.size, self.root = int(size), base64.b64decode(root, validate=True)
        except ValueError:
            self.problem = "cannot be read"
            return
        if key is None:
            return
        public = key.public_bytes_raw()
        name = "sallyport/recording/" + hashlib.sha256(public).hexdigest()[:16]
        identity = sha256(name.encode() + b"\n\1" + public)[:4]
        holds = False
        for line in lines.splitlines():
            words = line.split(" ")
            if len(words) == 3 and words[0] == "\u2014" and words[1] == name:
                try:
                    raw = base64.b64decode(words[2], validate=True)
                except ValueError:
                    self.problem = "has a signature that cannot be read"
                    return
                if raw[:4] == identity:
                    if not signed(key, raw[4:], body.encode()):
                        self.problem = "is not signed by this key"
                        return
                    holds = True
        if origin != name or not holds:
            self.problem = "is not of this log"

    def signed_by(self, witness):
        """Whether a witness, by its key as signed notes write it, has signed it (c2sp.org/tlog-cosignature)."""
        name, identity, encoded = witness.split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        if raw[:1] != b"\4" or sha256(name.encode() + b"\n" + raw)[:4].hex() != identity:
            return False
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        key = Ed25519PublicKey.from_public_bytes(raw[1:])
        for line in self.lines.splitlines():
            words = line.split(" ")
            if len(words) == 3 and words[0] == "\u2014" and words[1] == name:
                raw = base64.b64decode(words[2], validate=True)
                time = int.from_bytes(raw[4:12], "big")
                message = f"cosignature/v1\ntime {time}\n{self.body}".encode()
                if raw[:4].hex() == identity and signed(key, raw[12:], message):
                    return True
        return False

    def watch(self, tree):
        if tree.size == self.size:
            self.seen = tree.root()

    def verdict(self):
        if self.problem is None and self.seen is None:
            return "the log ends before it"
        if self.problem is None and self.seen != self.root:
            return "the log is not the one that it was made of"
        return self.problem


class Verifier:
    def __init__(self, key, checkpoints, keys):
        self.key, self.checkpoints, self.keys = key, checkpoints, keys
        self.problems, self.sessions, self.head, self.tree = [], {}, ZERO, Tree()
        self.decrypted = self.encrypted = 0
        self.gone, self.expired = set(), set()
        for checkpoint in checkpoints:
            checkpoint.watch(self.tree)

    def problem(self, where, what):
        self.problems.append(f"{where}: {what}")

    def leaf(self, text):
        self.tree.push(text.encode())
        for checkpoint in self.checkpoints:
            checkpoint.watch(self.tree)

    def log(self, directory):
        files = {}
        for path in sorted((directory / "segments").glob("*.sl[rz]")):
            there = files.setdefault(int(path.stem.rsplit("-", 1)[1]), [])
            if not any(path.stem == other.stem for other in there):
                there.append(path)
        for expected, number in enumerate(sorted(files), start=1):
            if number != expected or len(files[number]) != 1:
                self.problem(f"segment {expected}", "missing, or there twice")
            for path in files[number]:
                self.segment(path, number)

    def header(self, where, number, header, version):
        its_number, _ = struct.unpack(">Qq", header[16:32])
        if its_number != number:
            self.problem(where, "the number in the header is not that of the name")
        if self.head is not None and header[32:64] != self.head:
            self.problem(where, "the segment before does not end where this one says")
        if self.key:
            if header[64:96] != self.key.public_bytes_raw():
                self.problem(where, "the header names another key")
            if not signed(self.key, header[-64:], b"sallyport segment v%d" % version + header[:-64]):
                self.problem(where, "the header is not signed by this key")
        self.data_key, self.cipher = None, 0
        if version == 2:
            cipher, id_length, wrapped_length = struct.unpack(">BBH", header[96:100])
            self.cipher = cipher
            key_id = header[100:100 + id_length].decode("ascii", "replace")
            wrapped = header[100 + id_length:-64]
            if cipher not in (0, 1) or len(wrapped) != wrapped_length:
                self.problem(where, "the header is damaged")
            if cipher == 1 and key_id in self.keys:
                bound = b"sallyport data key v1" + header[16:24]
                self.data_key = opened(self.keys[key_id], wrapped[:12], wrapped[12:], bound)
                if self.data_key is None:
                    self.problem(where, "its data key was not wrapped by this key for this segment")

    def segment(self, path, number):
        where = path.name
        with path.open("rb") as file:
            packed = path.suffix == ".slz"
            if packed:
                magic, version, length = struct.unpack(">8sII", file.read(16).ljust(16, b"\0"))
                if (magic, version) != (b"SALLYPAK", 1):
                    self.head = None
                    return self.problem(where, "not a packed segment that is known")
            header = file.read(16)
            version, length = struct.unpack(">II", header[8:16]) if len(header) == 16 else (0, 0)
            known = (version, length) == (1, 160) or version == 2 and 164 <= length <= 4096
            header += file.read(length - 16) if known else b""
            if header[:8] != b"SALLYREC" or not known or len(header) != length:
                self.head = None
                return self.problem(where, "no header of a version that is known")
            self.header(where, number, header, version)
            self.number, self.version = number, version
            self.head, offset, first = sha256(header), length, True
            if packed:
                return self.packed(where, file)
            least = 104 if version == 1 else 125
            while True:
                word = file.read(4)
                if not any(word):
                    break
                size = int.from_bytes(word, "big")
                body = file.read(size) if len(word) == 4 and least <= size <= 64 << 20 else b""
                if len(body) != size:
                    self.head = None
                    return self.problem(f"{where} byte {offset}", "unreadable from here")
                self.entry(f"{where} byte {offset}", body, first)
                offset, first = offset + 4 + size, False
            if first:
                self.problem(where, "no roster")
            while block := file.read(1 << 20):
                if block.strip(b"\0"):
                    return self.problem(f"{where} byte {offset}", "there are bytes behind the end")

    def packed(self, where, file):
        link, number, first = self.head, 0, True
        while word := file.read(4):
            group, number = file.read(int.from_bytes(word, "big")), number + 1
            if len(word) != 4 or len(group) != int.from_bytes(word, "big"):
                self.head = None
                return self.problem(where, "the file ends inside a group")
            length = int.from_bytes(group[:4], "big")
            heads, bodies = group[4:4 + length], self.bodies(where, number, group[4 + length:])
            at = 0
            while heads:
                place, size = struct.unpack(">BH", heads[:3])
                envelope, heads = heads[3:3 + size], heads[3 + size:]
                length = int.from_bytes(heads[:4], "big")
                session_link, claimed, heads = heads[4:36], heads[36:68], heads[68:]
                rest, heads = (heads[:length], heads[length:]) if place == 0 else (heads[:32], heads[32:])
                body = rest if place == 0 else None
                if place == 1:
                    stored = length - (16 if envelope[1] & 1 else 0)
                    body = bodies and bodies[at:at + stored]
                    at += stored
                if place == 2 and len(envelope) > 27:
                    self.gone.add(envelope[27:].decode("ascii", "replace"))
                content = (struct.pack(">H", size) + envelope, body, rest)
                self.entry(f"{where} group {number}", content, first, (session_link, link, claimed))
                link, first = claimed, False
        if first:
            self.problem(where, "no roster")

    def bodies(self, where, number, block):
        """The bodies of a group; None when they cannot be had here."""
        length, block = int.from_bytes(block[:4], "big"), block[4:]
        try:
            from compression import zstd
            decompress = zstd.decompress
        except ImportError:
            try:
                import zstandard
                decompress = zstandard.ZstdDecompressor().decompress
            except ImportError:
                return None
        if self.cipher == 1:
            if self.data_key is None:
                return None
            purpose = b"sallyport pack v1"
            key = hmac.digest(self.data_key, purpose + block[-32:], "sha256")
            block = opened(key, b"\0\0\0\1" + struct.pack(">Q", number), block[:-32], purpose)
        try:
            found = decompress(block)
        except Exception:
            found = b""
        if len(found) != length:
            self.problem(where, f"the bodies of group {number} were altered")
            return None
        return found

    def packed_parts(self, content):
        head, body, rest = content
        envelope = head[2:]
        if body is not None and len(body) >= 4 and rest is not body:
            nonce = struct.unpack(">Q", envelope[18:26])[0]
            sealed = body
            if envelope[1] & 1:
                sealed = sealing(self.data_key, bytes(4) + struct.pack(">Q", nonce), body, envelope)
            if sha256(sealed) != rest:
                raise ValueError
            return self.parts_2(head + sealed)
        if body is not None:
            return self.parts_2(head + body)
        known = self.parts_2(head + bytes(4), sha256_of_body=rest)
        return known

    def parts_1(self, content):
        size = int.from_bytes(content[:4], "big")
        envelope = json.loads(content[4:4 + size])
        if envelope["v"] != 1:
            raise ValueError
        kind = {"checkpoint": "roster"}.get(envelope["kind"], envelope["kind"])
        return kind, envelope.get("session"), envelope["sequence"], 0, content[4 + size:], sha256(content)

    def parts_2(self, content, sha256_of_body=None):
        size = int.from_bytes(content[:2], "big")
        envelope, body = content[2:2 + size], content[2 + size:]
        kind, flags, time, sequence, nonce, length = struct.unpack(">BBqQQB", envelope[:27])
        session = envelope[27:].decode("ascii")
        if len(session) != length or len(envelope) != size or flags & 0xFE or not flags and nonce:
            raise ValueError
        kind = {1: "event", 2: "note", 3: "seal", 4: "roster", 5: "mark"}.get(kind, "unknown")
        hashed = (sha256_of_body or sha256(body)) + envelope
        if flags:
            self.encrypted += 1
            if self.data_key and not sha256_of_body:
                clear = opened(self.data_key, bytes(4) + struct.pack(">Q", nonce), body, envelope)
                if clear is None:
                    raise ValueError
                self.decrypted += 1
                body = clear
            else:
                body = bytes(4)
        return kind, session or None, sequence, time, body, hashed

    def entry(self, where, body, first, links=None):
        purpose = b"sallyport entry v%d" % self.version
        if links:
            content, parts, (session_link, log_link, claimed) = body, self.packed_parts, links
        else:
            content, session_link, log_link, claimed = body[:-96], body[-96:-64], body[-64:-32], body[-32:]
            parts = self.parts_1 if self.version == 1 else self.parts_2
        try:
            kind, session, sequence, time, sections, hashed = parts(content)
            right = sha256(purpose + session_link + log_link + hashed) == claimed
            length = int.from_bytes(sections[:4], "big")
            event = sections[4:4 + length]
            right = right and len(sections) >= 4 and len(event) == length
        except (ValueError, KeyError, AttributeError, IndexError, struct.error):
            right, session, sequence, kind, event, time = False, None, 0, None, b"", 0
        if not right:
            self.problem(where, "the entry was altered")
        elif self.head not in (None, log_link):
            self.problem(where, "entries before this one are missing, or it was moved")
        self.head = claimed
        if right and first != (kind == "roster"):
            self.problem(where, "a roster stands first in a segment, and only there")
        if session is not None:
            self.session_entry(str(session), sequence, kind, time, event, session_link, claimed, right)
        elif right and kind == "mark":
            self.leaf(f"log {self.number} {log_link.hex()} {time}")
        elif right and kind == "roster":
            self.roster(where, json.loads(event))
        elif right and kind == "note":
            self.expired.update(json.loads(event).get("expired", []))

    def roster(self, where, roster):
        old = self.version == 1
        listed = {o["session"]: (o["entries"], o["head"], 0 if old else o["opened"]) for o in roster["open"]}
        known = {name: (at["entries"], at["head"].hex(), 0 if old else at["opened"])
                 for name, at in self.sessions.items() if not at["sealed"]}
        if listed != known:
            self.problem(where, "the roster and the entries before it disagree")
        tree = {"size": self.tree.size, "hashes": [node.hex() for node in self.tree.hashes]}
        if not old and roster["tree"] != tree:
            self.problem(where, "the tree in the roster is not that of the entries before it")

    def session_entry(self, session, sequence, kind, time, event, link, claimed, right):
        new = {"entries": 0, "head": ZERO, "sealed": False, "broken": None, "opened": time}
        at = self.sessions.setdefault(session, new)

        def breaks(what):
            at["broken"] = at["broken"] or f"entry {sequence}: {what}"

        if not right:
            breaks("altered")
        elif at["sealed"]:
            breaks("an entry follows the seal")
        elif sequence != at["entries"] or link != at["head"]:
            breaks("it does not follow the one before it")
        if right and kind == "seal":
            at["sealed"] = True
            claim = json.loads(event)
            message = b"sallyport seal v1" + struct.pack(">I", len(session)) + session.encode()
            message += struct.pack(">Q", claim["entries"]) + bytes.fromhex(claim["head"])
            if claim["entries"] != sequence or claim["head"] != link.hex():
                breaks("the seal is not of this recording")
            elif self.key and not signed(self.key, bytes.fromhex(claim["signature"]), message):
                breaks("the seal is not by this key")
            if self.version > 1:
                self.leaf(f"session {session} {sequence} {link.hex()} {at['opened']} {time}")
        at["entries"], at["head"] = sequence + 1, claimed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=pathlib.Path)
    parser.add_argument("key", nargs="?")
    parser.add_argument("--checkpoint", action="append", default=[], type=pathlib.Path)
    parser.add_argument("--keys", type=pathlib.Path)
    parser.add_argument("--witness", action="append", default=[])
    asked = parser.parse_args()
    key = load_key(asked.key) if asked.key else None
    checkpoints = []
    beside = [asked.recording / "checkpoint", asked.recording / "checkpoint.witnessed"]
    for path in [*beside, *asked.checkpoint]:
        if path.exists() or path in asked.checkpoint:
            checkpoints.append(Checkpoint(path.name, path.read_text("utf-8", "replace"), key))
    keys = {}
    if asked.keys:
        for path in asked.keys.glob("*.key"):
            keys[path.stem.split("-", 1)[1]] = path.read_bytes()
    verifier = Verifier(key, checkpoints, keys)
    verifier.log(asked.recording)
    for session in verifier.gone - verifier.expired:
        at = verifier.sessions[session]
        at["broken"] = at["broken"] or "entries are gone, and no note says that they were let go"
    bad = list(verifier.problems)
    if not any(asked.recording.glob("segments/*.sl[rz]")):
        bad.append("there is no segment: this is no recording, or all of it was removed")
    for session, at in sorted(verifier.sessions.items()):
        name = re.sub(r"[^A-Za-z0-9_-]", "?", session)
        state = "BROKEN" if at["broken"] else "sealed" if at["sealed"] else "open"
        print(f"{state:7} {name} {at['entries']} entries")
        if at["broken"]:
            bad.append(f"{name}: {at['broken']}")
    for checkpoint in checkpoints:
        problem = checkpoint.verdict()
        if problem:
            bad.append(f"{checkpoint.name}: {problem}")
        else:
            print(f"holds   {checkpoint.name} of {checkpoint.size} leaves")
    for witness in asked.witness:
        name = witness.split("+")[0]
        sizes = [found.size for found in checkpoints if found.problem is None and found.signed_by(witness)]
        if sizes:
            print(f"signed  by the witness {name}, {max(sizes)} leaves")
        else:
            bad.append(f"no checkpoint here is signed by the witness {name}")
    for line in bad:
        print(f"BROKEN  {line}")
    if verifier.head is not None:
        print(f"head    {verifier.head.hex()}")
    if verifier.encrypted:
        print(f"note    {verifier.decrypted} of {verifier.encrypted} encrypted entries were decrypted")
    print("NOT OK" if bad else "ok" if key else "ok, chains only: no key was given, so no signature was checked")
    sys.exit(1 if bad else 0)


main()
