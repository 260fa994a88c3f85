#!/usr/bin/env python3
"""Verifies a Sallyport recording. Written from docs/recording-format.md alone.

    verify_recording.py RECORDING_DIR [PUBLIC_KEY_PEM]

Signatures are checked when a key is given and the `cryptography` package is there; else only chains are.
Ends with 0 when nothing is wrong.
"""
import hashlib
import json
import pathlib
import re
import struct
import sys

ZERO = bytes(32)
HEADER = 160


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


class Verifier:
    def __init__(self, key):
        self.key, self.problems, self.sessions, self.head = key, [], {}, ZERO

    def problem(self, where, what):
        self.problems.append(f"{where}: {what}")

    def log(self, directory):
        files = {}
        for path in sorted((directory / "segments").glob("*.slr")):
            files.setdefault(int(path.stem.rsplit("-", 1)[1]), []).append(path)
        for expected, number in enumerate(sorted(files), start=1):
            if number != expected or len(files[number]) != 1:
                self.problem(f"segment {expected}", "missing, or there twice")
            for path in files[number]:
                self.segment(path, number)

    def segment(self, path, number):
        where = path.name
        with path.open("rb") as file:
            header = file.read(HEADER)
            if len(header) < HEADER or header[:8] != b"SALLYREC":
                self.head = None
                return self.problem(where, "no header")
            version, length, its_number, _ = struct.unpack(">IIQq", header[8:32])
            if version != 1 or length != HEADER:
                self.head = None
                return self.problem(where, "another version")
            if its_number != number:
                self.problem(where, "the number in the header is not that of the name")
            if self.head is not None and header[32:64] != self.head:
                self.problem(where, "the segment before does not end where this one says")
            if self.key:
                if header[64:96] != self.key.public_bytes_raw():
                    self.problem(where, "the header names another key")
                if not signed(self.key, header[96:160], b"sallyport segment v1" + header[:96]):
                    self.problem(where, "the header is not signed by this key")
            self.head, offset, first = sha256(header), HEADER, True
            while True:
                word = file.read(4)
                if word in (b"", bytes(4)):
                    break
                size = int.from_bytes(word, "big")
                body = file.read(size) if len(word) == 4 and 104 <= size <= 64 << 20 else b""
                if len(body) != size:
                    self.head = None
                    return self.problem(f"{where} byte {offset}", "unreadable from here")
                self.entry(f"{where} byte {offset}", body, first)
                offset, first = offset + 4 + size, False
            if first:
                self.problem(where, "no checkpoint")
            while block := file.read(1 << 20):
                if block.strip(b"\0"):
                    return self.problem(f"{where} byte {offset}", "there are bytes behind the end")

    def entry(self, where, body, first):
        content, session_link, log_link, claimed = body[:-96], body[-96:-64], body[-64:-32], body[-32:]
        right = sha256(b"sallyport entry v1" + session_link + log_link + sha256(content)) == claimed
        try:
            size = int.from_bytes(content[:4], "big")
            envelope = json.loads(content[4:4 + size])
            rest = content[4 + size:]
            event = rest[4:4 + int.from_bytes(rest[:4], "big")]
            session, sequence, kind = envelope.get("session"), envelope["sequence"], envelope["kind"]
            right = right and envelope["v"] == 1
        except (ValueError, KeyError, AttributeError):
            right, session, sequence, kind, event = False, None, 0, None, b""
        if not right:
            self.problem(where, "the entry was altered")
        elif self.head not in (None, log_link):
            self.problem(where, "entries before this one are missing, or it was moved")
        self.head = claimed
        if right and first != (kind == "checkpoint"):
            self.problem(where, "a checkpoint stands first in a segment, and only there")
        if session is not None:
            self.session_entry(where, str(session), sequence, kind, event, session_link, claimed, right)
        elif right and kind == "checkpoint":
            listed = {o["session"]: (o["entries"], o["head"]) for o in json.loads(event)["open"]}
            known = {i: (s["entries"], s["head"].hex()) for i, s in self.sessions.items() if not s["sealed"]}
            if listed != known:
                self.problem(where, "the checkpoint and the entries before it disagree")

    def session_entry(self, where, session, sequence, kind, event, link, claimed, right):
        at = self.sessions.setdefault(session, {"entries": 0, "head": ZERO, "sealed": False, "broken": None})

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
        at["entries"], at["head"] = sequence + 1, claimed


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    key = load_key(sys.argv[2]) if len(sys.argv) == 3 else None
    verifier = Verifier(key)
    verifier.log(pathlib.Path(sys.argv[1]))
    bad = list(verifier.problems)
    for session, at in sorted(verifier.sessions.items()):
        name = re.sub(r"[^A-Za-z0-9_-]", "?", session)
        state = "BROKEN" if at["broken"] else "sealed" if at["sealed"] else "open"
        print(f"{state:7} {name} {at['entries']} entries")
        if at["broken"]:
            bad.append(f"{name}: {at['broken']}")
    for line in bad:
        print(f"BROKEN  {line}")
    if verifier.head is not None:
        print(f"head    {verifier.head.hex()}")
    print("NOT OK" if bad else "ok" if key else "ok, chains only: no key was given, so no signature was checked")
    sys.exit(1 if bad else 0)


main()
