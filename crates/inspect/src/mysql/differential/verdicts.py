#!/usr/bin/env python3
"""Asks a real MariaDB how it reads, and writes what differential/tests.rs holds the reader against.

    verdicts.py SOCKET

SOCKET is that of a server without data, whose root has no password. Written anew: statements.tsv (does the
server's grammar take it?), precedence.tsv (how it brackets), literals.tsv (what a literal's value is), and
comments.tsv (what of a comment is executed). Expressions are compared with the brackets that the reader puts
into them: write those first with `cargo nextest run --run-ignored only -p sallyport-inspect write_brackets`,
and remove brackets.tsv afterwards. Nothing is executed but SELECT, SET and views of a database of
its own. Only the standard library is needed.
"""

import pathlib
import random
import re
import socket
import struct
import sys

HERE = pathlib.Path(__file__).parent


class Server:
    """As much of the protocol as is needed."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.packet()
        capabilities = 0x0000_8200 | 0x0000_0200 | 0x0008_0000 | 0x0001_0000
        body = struct.pack("<IIB23x", capabilities, 1 << 24, 45) + b"root\0" + b"\0" + b"mysql_native_password\0"
        self.send(1, body)
        assert self.packet()[0] == 0

    def send(self, number, body):
        self.socket.sendall(struct.pack("<I", len(body))[:3] + bytes([number]) + body)

    def exactly(self, length):
        data = b""
        while len(data) < length:
            part = self.socket.recv(length - len(data))
            assert part
            data += part
        return data

    def packet(self):
        head = self.exactly(4)
        return self.exactly(head[0] | head[1] << 8 | head[2] << 16)

    def settle(self):
        """Reads what is left: for an unclosed comment the server answers with a result and an error."""
        self.send(0, b"\x0e")
        while self.packet()[0] != 0:
            pass

    def prepare(self, text):
        """The error's number, or 0."""
        error = self.prepared(text)
        self.settle()
        return error

    def prepared(self, text):
        self.send(0, b"\x16" + text)
        reply = self.packet()
        if reply[0] == 0xFF:
            return struct.unpack("<H", reply[1:3])[0]
        statement, columns, parameters = struct.unpack("<IHH", reply[1:9])
        for count in (parameters, columns):
            if count:
                while True:
                    packet = self.packet()
                    if packet[0] == 0xFE and len(packet) < 9:
                        break
        self.send(0, b"\x19" + struct.pack("<I", statement))
        return 0

    def query(self, text):
        """Rows of byte strings (None is NULL), or the error's number."""
        rows = self.queried(text)
        self.settle()
        return rows

    def queried(self, text):
        self.send(0, b"\x03" + text)
        reply = self.packet()
        if reply[0] == 0xFF:
            return struct.unpack("<H", reply[1:3])[0]
        if reply[0] == 0:
            return []
        rows, ends = [], 0
        while True:
            packet = self.packet()
            if packet[0] == 0xFE and len(packet) < 9:
                ends += 1
                if ends == 2:
                    return rows
            elif packet[0] == 0xFF:
                return struct.unpack("<H", packet[1:3])[0]
            elif ends == 1:
                rows.append(self.row(packet))

    @staticmethod
    def row(packet):
        row, at = [], 0
        while at < len(packet):
            first = packet[at]
            at += 1
            if first == 0xFB:
                row.append(None)
                continue
            length = first
            if first in (0xFC, 0xFD, 0xFE):
                size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
                length = int.from_bytes(packet[at : at + size], "little")
                at += size
            row.append(packet[at : at + length])
            at += length
        return row


def everyday():
    lines = (HERE.parent / "reading" / "everyday.sql").read_text().splitlines()
    lines += (HERE / "more.sql").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("-- ")]


TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|\"[^\"]*\"|`[^`]*`|/\*.*?\*/|[A-Za-z_@][\w@$]*|\d+|\s+|.", re.S)
INSERTED = ["AS", "FROM", "INTO", "NOT", "(", ")", ",", "SELECT", "x", "1", "'s'", "WHERE", ".", ";", "@v", "USING", "ON",
            "ALL", "DISTINCT", "LIMIT 1", "FOR UPDATE", "SET", "IF EXISTS", "DEFAULT", "INTO OUTFILE '/f'", "+", "RETURNING a"]


def mutations(statements):
    """Statements with a word less, twice, moved, or put in; the same at every run."""
    chance = random.Random(20)
    for text in statements:
        words = [word for word in TOKEN.findall(text) if not word.isspace()]
        if len(words) < 2:
            continue
        for kind in ("drop", "twice", "swap", "insert", "insert", "cut"):
            made = list(words)
            at = chance.randrange(len(made))
            if kind == "drop":
                del made[at]
            elif kind == "twice":
                made.insert(at, made[at])
            elif kind == "swap" and at + 1 < len(made):
                made[at], made[at + 1] = made[at + 1], made[at]
            elif kind == "insert":
                made.insert(at + 1, chance.choice(INSERTED))
            elif kind == "cut":
                made = made[: max(1, at)]
            yield glue(made)


def glue(words):
    """Words with spaces, but none where one would change the reading."""
    text = ""
    for word in words:
        tight = word in ".(),;=" or text.endswith((".", "@")) or text.endswith("(")
        if word in "=><!|&-:+*/" and len(word) == 1 and text and text[-1] in "=><!|&-:":
            tight = True
        if text and not tight:
            text += " "
        elif word == "(" and text and not re.search(r"[A-Za-z_0-9`]$", text):
            text += " "
        text += word
    return text


SYNTAX = {1064, 1149, 1479, 1487, 1488}


def statements(server):
    seen, rows = set(), []
    base = everyday()
    for text in base + list(mutations(base)):
        if text in seen or "\n" in text or "\t" in text:
            continue
        seen.add(text)
        error = server.prepare(text.encode())
        rows.append(f"{'syntax' if error in SYNTAX else 'ok'}\t{error}\t{text}")
    (HERE / "statements.tsv").write_text("\n".join(rows) + "\n")
    return len(rows)


OPERATORS = ["OR", "XOR", "AND", "=", "<=>", ">", "<>", "LIKE", "NOT LIKE", "REGEXP", "|", "&", "<<", ">>", "+", "-", "*", "/", "DIV",
             "MOD", "%", "^", "||", "&&", "IS NULL", "IS NOT TRUE", "IS UNKNOWN", "IN (1, 2)", "NOT IN (3)", "BETWEEN 1 AND 2", "COLLATE utf8mb4_bin",
             "BETWEEN a AND b", "NOT BETWEEN 2 AND 3"]
PREFIXES = ["NOT", "!", "-", "~", "BINARY", "+"]


def expressions():
    chance = random.Random(7)
    for _ in range(700):
        text = ""
        for place in range(chance.randrange(2, 5)):
            if place:
                operator = chance.choice(OPERATORS)
                text += f" {operator}"
                if operator[-1] in "L)EN2A3" and operator not in ("AND",) and not operator.endswith("LIKE") or operator.startswith(("IS", "IN", "NOT IN", "BETWEEN", "COLLATE", "NOT BETWEEN")):
                    continue
            while chance.random() < 0.25:
                text += f" {chance.choice(PREFIXES)}"
            text += f" {chance.choice('abcd')}"
        yield text.strip()


MODES = ("", "PIPES_AS_CONCAT", "HIGH_NOT_PRECEDENCE")


def precedence(server):
    """Expressions with the brackets that the reader sees (brackets.tsv, written by its test), and whether the
    server finds the same in both, over many rows."""
    server.query(b"CREATE OR REPLACE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b INT, c INT, d INT)")
    chance = random.Random(3)
    row = lambda: "(" + ",".join(["NULL"] + [chance.choice(["-2", "-1", "0", "0", "1", "1", "2", "3", "7", "NULL"]) for _ in "abcd"]) + ")"
    server.query(("INSERT INTO t VALUES " + ",".join(row() for _ in range(300))).encode())
    made = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else HERE / "brackets.tsv"
    ours = dict(line.rsplit("\t", 1) for line in made.read_text().splitlines()) if made.exists() else {}
    rows, seen, differ = [], set(), 0
    for mode in MODES:
        server.query(f"SET sql_mode='{mode}'".encode())
        server.query(b"SET group_concat_max_len = 1000000")
        for text in expressions():
            if (mode, text) in seen:
                continue
            seen.add((mode, text))
            value = lambda expr: server.query(f"SELECT GROUP_CONCAT(IFNULL(HEX({expr}), 'N') ORDER BY id) FROM t".encode())
            theirs = value(text)
            if isinstance(theirs, int):
                continue
            bracketed = ours.get(f"{mode}\t{text}", "")
            if bracketed:
                differ += value(bracketed) != theirs
                if value(bracketed) != theirs:
                    print("differs", mode, "|", text, "|", bracketed)
                    bracketed = "differs"
            rows.append(f"{mode}\t{text}\t{bracketed}")
    (HERE / "precedence.tsv").write_text("\n".join(rows) + "\n")
    server.query(b"SET sql_mode=''")
    return len(rows), differ


def literals(server):
    utf8 = [r"'a'", r"'a\nb'", r"'a\tb'", r"'\0x'", r"'\Z'", r"'\b'", r"'\r'", r"'\%'", r"'\_'", r"'\\'", r"'\''", r"'\"'", r"'\x41'", r"'\q'",
            r"'a''b'", r"''''", r"''", r"'''a'", r"'a'''", "'\"'", "'`'", r"'\\''", "'é'", "'日本'", "'😀'", r"'\é'", r"'\日'", "'a' 'b'", "'a'\n'b'",
            "'a' /* c */ 'b'", "'a'-- c\n'b'", "'a'#c\n'b'", '"a"', '"a""b"', '"a\'b"', r'"a\"b"', "'#'", "'-- '", "'/*'", "'*/'", "N'a'", "n'é'",
            "N'a' 'b'", "_utf8mb4'a'", "_utf8mb4 'é'", "_latin1'a'", "_binary'a'", "x'41'", "X'4142'", "0x41", "0x4142", "b'1000001'", "B'1000001'", "0b1000001",
            "x''", "b''", "1", "1.5", ".5", "1.", "1e2", "1E2", "1e+2", "1e-2", "1.5e1", ".5e1", "1.e1", "00012", "0x0041", "'a\rb'", "'a\r\nb'",
            r"'\n\\n'", r"'\\\\'", r"'\\\''", r"'a\\'", "'a;b'", "'?'", "'@a'", "':a'", "'--'", "'\x01'", "'\x7f'", "'\u00a0'", "'\u200b'", "'\ufeff'",
            r"'\N'", r"\N", "NULL", "TRUE", "'%_'", r"'a\%b\_c'", r"'\\%'", r"'\\\%'", "'a' 'b' 'c'", "''''''", "'' ''", "'a'''''", r"'\a\c\d\e\f\g'",
            r"'\1\2\9'", r"'\	'", r"'\ '", "'x' 'y''z'", "_utf8mb4 x'4142'", "_utf8mb4 0x41", "0xAf41", "x'aF41'"]
    gbk = [b"'\xbf\x5c'", b"'\xbf\x27'", b"'\xbf\x5c\x27'", b"'\xb0\xa1'", b"'\x81\x40'", b"'\x81\x5c'", b"'\xfe\x5c'", b"'a\xbf\x5c'", b"'\xbf\x5ca'",
           b"'\xbf\x5c' 'b'", b"'\xbf\x5c''b'", b"'\\\xbf\x5c'", b"'\xbf\xbf\x5c'", b"'\xbf\x5c\x5c\x27'", b"'\xd5\x5c'", b"'\xd5\x5c\x27 '", b"'\xa1\xa1'",
           b"'\xbf\x60'", b"'\xbf\x7c'", b"'\xbf\x7e'", b"'\xaa\xa1'", b"'\xbf'", b"'\xff\x5c'", b"'\x80\x5c'"]
    sjis = [b"'\x95\x5c'", b"'\x83\x5c'", b"'\x83\x5c\x27'", b"'\x95\x5c\x5c'", b"'\xb1'", b"'\xb1\x5c'", b"'\xb1\x5c\x27'", b"'\x82\xa0'", b"'\x81\x5c'",
            b"'\xe0\x5c'", b"'\xfc\x4b'", b"'\xa1\x27'", b"'\x83\x27'", b"'\x9f\x5c'", b"'\xef\x40'", b"'\x81\x7f'", b"'\xfd\x5c'"]
    big5 = [b"'\xb3\x5c'", b"'\xa4\x5c'", b"'\xa4\x5c\x27'", b"'\xf9\x5c'", b"'\xa1\x40'", b"'\xa4\xa4'", b"'\xfa\x5c'", b"'\x81\x5c'", b"'\xa4\x27'", b"'\xb3\x5c\x5c\x27'"]
    other = {"euckr": [b"'\xb0\xa1'", b"'\xa1\x5c'", b"'\xb0\x41'", b"'\xb0\x27'", b"'\xfe\x5c'"],
             "ujis": [b"'\xa4\xa2'", b"'\x8e\xb1'", b"'\x8f\xb0\xa1'", b"'\x8e\x5c'", b"'\xa4\x27'", b"'\x8f\x5c'"],
             "eucjpms": [b"'\xa4\xa2'", b"'\x8e\xb1'", b"'\x8f\xb0\xa1'", b"'\x8e\x5c'"],
             "gb2312": [b"'\xb0\xa1'", b"'\xbf\x5c'", b"'\xf7\xfe'", b"'\xf8\xa1'"],
             "latin1": [b"'\xe9'", b"'\xbf\x5c\x27'", b"'\xa0'", b"'\x81'", b"'\x5c\xe9'", b"'\xff'"],
             "cp1251": [b"'\xef\xf0\xe8'", b"'\xef\x5c\x27'", b"'\x98'"], "koi8r": [b"'\xd0\xd2'"], "greek": [b"'\xe1'"], "latin2": [b"'\xb1'"], "utf8mb3": ["'é'".encode()],
             "cp866": [b"'\xaf'"], "latin5": [b"'\xfd'"], "cp1250": [b"'\x9a'"], "ascii": [b"'a'"], "binary": [b"'a'", b"'\xe9'"]}
    rows = []
    cases = [(mode, "utf8mb4", text.encode()) for mode in ("", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES") for text in utf8]
    for name, texts in {"gbk": gbk, "sjis": sjis, "cp932": sjis, "big5": big5, **other}.items():
        cases += [(mode, name, text) for mode in ("", "NO_BACKSLASH_ESCAPES") for text in texts]
    for mode, charset, text in cases:
        server.query(b"SET NAMES utf8mb4")
        server.query(f"SET sql_mode='{mode}'".encode())
        server.query(f"SET NAMES {charset}".encode())
        # The value, as UTF-8; of one row and column, whatever the literal is followed by.
        reply = server.query(b"SELECT HEX(CONVERT(CONCAT(" + text + b") USING utf8mb4))")
        value = "error" if isinstance(reply, int) else "null" if reply[0][0] is None else reply[0][0].decode().lower() or "empty"
        rows.append(f"{mode}\t{charset}\t{text.hex()}\t{value}")
    server.query(b"SET NAMES utf8mb4")
    server.query(b"SET sql_mode=''")
    (HERE / "literals.tsv").write_text("\n".join(rows) + "\n")
    return len(rows)


def comments(server):
    versions = ["", "50000", "50699", "50700", "50701", "80000", "99997", "99999", "100000", "100100", "101100", "101119", "110000", "120000", "999999",
                "1", "1234", "5000", "05000", "040000", "0", "32302", "40101", "1000000"]
    texts = ["1 -- 2\n+ 3", "1 --2", "1 --\t2\n+ 3", "1 --\x012\n+ 3", "1 --", "1 # 2\n+ 3", "1 # 2\r+ 3", "1 #", "1 -- 2\r+ 3", "1 /* 2 */ + 3", "1 /**/ + 3",
             "1 /* /* 2 */ + 3", "1 /* /* 2 */ */ + 3", "1 /*", "1 /*! + 2 */ + 3", "1 /*! + 2", "1 /*!+2*/+3", "1 /*! /* 9 */ + 2 */ + 3",
             "1 /*! + 2 /* 9 */ */ + 3", "1 /*! /*! + 2 */ */ + 3", "1 /*! /*! + 2 */ + 3", "1 /*!99999 /* 9 */ + 2 */ + 3", "1 /*!99999 /* 9 + 2 */ + 3",
             "1 /*!99999 /* /* 9 */ + 2 */ + 3", "1 /*!99999 + 2", "1 /*+ 2 */ + 3", "1 /*+ '*/ + 3", "1*/2", "1 */ 2", "1 /*/ + 2 */ + 3", "1 /*!*/ + 3",
             "1 /*M*/ + 3", "1 /*M + 2 */ + 3", "1 /*m! + 2 */ + 3", "1 /* ! + 2 */ + 3", "1 /*!M + 2 */ + 3", "1 /*! -- 2\n + 3 */", "1 /*! # */ + 2\n + 3 */",
             "1 /*! + '*/' */ + 3", "1 /*! - - 2 */ + 3", "1 - -2", "1 - - 2", "1 /*!50000+2*/ + 3", "1 /*!500002*/ + 3", "1 /*!50000 */+ 3", "1 + /*! 2 */",
             "1 + /*!5000012 */", "1 + /*!50000 12 */", "1 /*!40000 + 2 */ /*!99999 + 4 */ + 8", "1\x0b+\x0c2", "1\r+\r2", "1 + 0x10", "1 + 0b11", "1 + 1e1", "1 +1.e1",
             "1 + 1.e", "1 + 1.e1", "1+1.5", "1+.5", "1+1.", "1.5.5", "1..5", "\u00a01", "1\u00a0+ 2", "1 + 00", "1 + 0X10", "1 + 0B1", "1 + 0x", "1 + 0b", "1 + 0b2", "1 + 0xg",
             "1 + 5a", "1 + 5e", "1 + 5e+", "1 + 5e1a", "1 + 1.5a", "1 + 1e5e5", "1 && 0", "1 || 0", "! 1 + 2", "NOT 1 + 2", "- 1 + 2", "2 DIV 2 + 3", "7 MOD 4", "7 % 4", "1 :=2",
             "1 ;", "1 ; ", "1 ; -- x", "1 /* x", "1 /*x*/ /*! x"]
    texts += [f"1 /*!{version} + 2 */ + 3" for version in versions] + [f"1 /*M!{version} + 2 */ + 3" for version in versions]
    texts += [f"1 /*!{version}+ 2 */ + 3" for version in versions]
    rows = []
    for text in texts:
        reply = server.query(b"SELECT " + text.encode())
        value = "error" if isinstance(reply, int) else reply[0][0].decode() if reply and reply[0][0] is not None else "null"
        rows.append(f"{text.encode().hex()}\t{value}")
    (HERE / "comments.tsv").write_text("\n".join(rows) + "\n")
    return len(rows)


def main():
    server = Server(sys.argv[1])
    version = server.query(b"SELECT VERSION()")[0][0].decode()
    # Without a database the server ends the reading at the first table.
    server.query(b"CREATE DATABASE IF NOT EXISTS reading")
    server.query(b"USE reading")
    print(version, "statements", statements(server), "precedence", precedence(server), "literals", literals(server), "comments", comments(server))
    server.query(b"DROP DATABASE IF EXISTS reading")


main()
