#!/usr/bin/env python3
"""A table with labelled cells and decoys, from a seed: what detectors are measured on.

    python3 bench/masking/generate.py --seed 1 --rows 200 > cells.jsonl

One cell a line: `{"id", "text", "column", "kind", "labels": [{"entity", "start", "end", "bare"}]}`; `start` and
`end` count characters; `bare` marks a value of digits alone. Kinds: `plain` (the cell is the value), `text` (a
sentence), `structured` (JSON, XML, CSV, log lines, URLs), `disguised` (split, spaced, full-width, zero-width,
encoded, nested, with marks or tags between, spelled out), `near` (wrong check digits or lengths; nothing to find) and `decoy` (nothing to find). Seeds
1 to 99 are for tuning; what is reported is measured on others.
"""

import argparse
import base64
import html
import json
import random
import re
import sys
import urllib.parse

import values
from values import DECOYS, NEAR, VALUES, birth, in_config, password, secret_in_context

COLUMNS = {
    "CREDIT_CARD": ["card_number", "credit_card", "cc_number", "cardNo"], "EMAIL_ADDRESS": ["email", "contact_email", "mail"], "PHONE_NUMBER": ["phone", "mobile", "phone_number", "telephone", "fax"], "IBAN_CODE": ["iban", "bank_account"],
    "US_SSN": ["ssn", "social_security_number"], "UK_NHS": ["nhs_number", "nhs_no"], "UK_NINO": ["nino", "national_insurance_number"], "DE_TAX_ID": ["steuer_id", "tax_id", "steueridnr"], "DE_ID_CARD": ["personalausweis", "id_card_number"], "FR_NIR": ["nir", "numero_securite_sociale"],
    "ES_NIF": ["dni", "nif"], "ES_NIE": ["nie"], "IT_FISCAL_CODE": ["codice_fiscale"], "PT_NIF": ["nif", "contribuinte"], "BR_CPF": ["cpf"], "BR_CNPJ": ["cnpj"], "PL_PESEL": ["pesel"], "SE_PERSONNUMMER": ["personnummer", "personal_number"], "NL_BSN": ["bsn", "burgerservicenummer"], "IN_AADHAAR": ["aadhaar", "aadhaar_number"], "IN_PAN": ["pan", "pan_number"],
    "AU_TFN": ["tfn", "tax_file_number"], "AU_MEDICARE": ["medicare", "medicare_number"], "CA_SIN": ["sin", "social_insurance_number"], "IP_ADDRESS": ["client_ip", "ip_address", "remote_addr"], "MAC_ADDRESS": ["mac", "hw_address"], "CRYPTO": ["wallet", "btc_address"], "AWS_ACCESS_KEY": ["aws_key", "access_key_id"],
    "GITHUB_TOKEN": ["github_token", "token"], "API_KEY": ["api_key", "token", "credential"], "JWT": ["jwt", "session_token"], "PRIVATE_KEY": ["private_key", "pem"],
}
WORDS = {
    "CREDIT_CARD": "card", "EMAIL_ADDRESS": "e-mail", "PHONE_NUMBER": "phone", "IBAN_CODE": "IBAN", "US_SSN": "SSN", "UK_NHS": "NHS number", "UK_NINO": "NI number", "DE_TAX_ID": "Steuer-ID", "DE_ID_CARD": "Personalausweis", "FR_NIR": "NIR", "ES_NIF": "DNI", "ES_NIE": "NIE", "IT_FISCAL_CODE": "codice fiscale",
    "PT_NIF": "NIF", "BR_CPF": "CPF", "BR_CNPJ": "CNPJ", "PL_PESEL": "PESEL", "SE_PERSONNUMMER": "personnummer", "NL_BSN": "BSN", "IN_AADHAAR": "Aadhaar", "IN_PAN": "PAN", "AU_TFN": "TFN", "AU_MEDICARE": "Medicare number", "CA_SIN": "SIN", "IP_ADDRESS": "address", "MAC_ADDRESS": "MAC", "CRYPTO": "wallet",
    "AWS_ACCESS_KEY": "key", "GITHUB_TOKEN": "token", "API_KEY": "key", "JWT": "token", "PRIVATE_KEY": "key",
}
SENTENCES = [
    "The customer's {w} is {v}.", "Please update {w} {v} before Friday", "{w}: {v}", "My {w} changed, it is now {v}, thanks!", "Called at 10:30, confirmed {w} {v} and order 4711.", "{w}={v}", "Updated ({w} {v}) on 2026-03-01.", "Hi team,\n{w} {v}\nRegards", "see {w} \"{v}\" in the ticket OPS-4411",
    "Verified {w} no. {v} with the branch;", "{w} # {v}", "new {w}: {v}; old one was removed",
]
BLIND_SENTENCES = ["Spoke with the client today, wrote down {v}.", "{v} was rejected twice", "Forwarded: {v} / please check", "note to self {v}", "[{v}]", "It says '{v}' on the form", "moved from {v}, see attachment"]
NOTES = ["notes", "comment", "description", "body", "message"]


def cut(template, value, **words):
    """The sentence and where the value stands in it."""
    before, after = template.split("{v}")
    before, after = (part.replace("{w}", words.get("w", "")) for part in (before, after))
    return before + value + after, len(before)


def cell(kind, text, column, labels=()):
    return {"text": text, "column": column, "kind": kind, "labels": [{"entity": e, "start": s, "end": s + n, "bare": b} for e, s, n, b in labels]}


def plain(r, entity):
    value, bare = VALUES[entity](r)
    return cell("plain", value, r.choice(COLUMNS[entity]), [(entity, 0, len(value), bare)])


def in_text(r, entity):
    value, bare = VALUES[entity](r)
    if entity == "PRIVATE_KEY" or bare or r.random() < 0.6:
        text, at = cut(r.choice(SENTENCES), value, w=WORDS[entity])
        bare = False
    else:
        text, at = cut(r.choice(BLIND_SENTENCES), value)
    return cell("text", text, r.choice(NOTES), [(entity, at, len(value), bare)])


def structured(r, entity):
    value, _ = VALUES[entity](r)
    if entity == "PRIVATE_KEY":
        value = value.replace("\n", "\\n")
    key, order, name = r.choice(COLUMNS[entity]), values.number(r, 9), r.choice(values.FIRST)
    esc = lambda text: text.replace('"', '\\"')
    template = r.choice([
        f'{{"id": {order}, "name": "{name}", "{key}": "{{v}}", "status": "ok"}}', f'{{"customer": {{"no": "{order}", "contact": {{"{key}": ["{{v}}"]}}}}, "total": 12.50}}', f"<row><id>{order}</id><{key}>{{v}}</{key}></row>", f'<user id="{order}" {key}="{{v}}"/>',
        f"id,{key},status\n{order},{{v}},paid", f"{order};{{v}};2026-01-02", f"2026-03-01T10:30:00Z INFO [worker-7] trace={values.some(r, values.HEX, 16)} {key}={{v}} order={order}", f'"id"=>"{order}", "{key}"=>"{{v}}"', f"{{{order},{{v}},x}}" if "," not in value and '"' not in value else f'[{order},"{{v}}"]',
        f"id: {order}\n{key}: {{v}}\nstate: open", f"| {order} | {{v}} | open |", f'{{"event":"update","payload":"{{\\"{key}\\":\\"{{v}}\\"}}"}}',
    ] + ([] if " " in value or "+" in value or "/" in value else [f"https://app.example.com/u?ref={order}&{key}={{v}}&page=2"]))
    before, after = template.split("{v}", 1)
    # A bare number where neither its key nor a word says what it is cannot be told from another.
    if value.isdigit() and key not in before:
        return structured(r, entity)
    bare = False
    return cell("structured", before + value + after, r.choice(["payload", "data", "attributes", "raw", "log"]), [(entity, len(before), len(value), bare)])


def full_width(text):
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else "\u3000" if c == " " else c for c in text)


def disguise(r, value, digits_only):
    """The value so dressed that a reader still sees it; nothing when the dress does not fit it."""
    every = lambda by: by.join(value.replace(" ", "").replace("-", "")) if len(value) < 40 else None
    return r.choice([
        lambda: every(" "), lambda: every("-") if digits_only else None, lambda: every(".") if digits_only else None, lambda: full_width(value), lambda: r.choice("\u200b\u200d\u2060\ufeff").join(value), lambda: value[:4] + "\u200b" + value[4:8] + "\u200b" + value[8:],
        lambda: urllib.parse.quote(value, safe="") if urllib.parse.quote(value, safe="") != value else None, lambda: "".join(f"%{b:02X}" for b in value.encode()), lambda: base64.b64encode(value.encode()).decode(), lambda: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="), lambda: value.encode().hex(), lambda: "\\x" + value.encode().hex(),
        lambda: "".join(f"&#{ord(c)};" for c in value), lambda: "".join(f"&#x{ord(c):x};" for c in value), lambda: "".join(f"\\u{ord(c):04x}" for c in value) if value.isascii() else None, lambda: html.escape(value).replace("@", "&#64;").replace(".", "&period;") if "@" in value else None,
        lambda: value.replace("-", "\u2013").replace(" ", "\u00a0") if "-" in value or " " in value else None, lambda: "".join(chr(0x660 + int(c)) if c.isdigit() else c for c in value) if digits_only else None, lambda: value.replace("-", " - ") if "-" in value and digits_only else None, lambda: value.replace("@", r.choice([" [at] ", "(at)", " (at) "])).replace(".", r.choice([".", " [dot] "])) if "@" in value and value.isascii() else None,
        lambda: value.replace("e", "\u0435").replace("o", "\u043e").replace("a", "\u0430") if any(c in value for c in "eoa") and value.isascii() else None, lambda: "".join(chr(0x1D7CE + int(c)) if c.isdigit() else c for c in value) if digits_only else None,
        lambda: "".join(c + mark for c in value) if (mark := r.choice("\u0332\u0336\u0301\u20dd\u20e3")) else None, lambda: "".join(r.choice("⁰¹²³⁴⁵⁶⁷⁸⁹ ₀₁₂₃₄₅₆₇₈₉ ⓪①②③④⑤⑥⑦⑧⑨ ⓿❶❷❸❹❺❻❼❽❾".split())[int(c)] if c.isdigit() else c for c in value) if digits_only else None,
        lambda: re.sub("[ -]", r.choice(["\n", "\t", "+", "_", "/", "\r\n"]), value) if re.fullmatch(r"\d{4}([ -]\d{4}){3}|\d{4}([ -])\d{6}\2\d{4,5}|\d{3}-\d\d-\d{4}", value) else None, lambda: r.choice([value + ".0", f"{value[0]}.{value[1:].rstrip('0')}e{len(value) - 1}"]) if digits_only and re.fullmatch(r"\d{14,16}", value) and not value.endswith("00") else None,
        lambda: re.sub("[^A-Za-z0-9]", lambda m: f"={ord(m[0]):02X}", value) if "@" in value and value.isascii() else None, lambda: "".join(f"={b:02X}" for b in value.encode()), lambda: value.replace("@", r.choice(["<b>@</b>", "<wbr>@", "<!-- -->@", "<span class=\"x\">@</span>"])) if "@" in value else None, lambda: "".join(f"<b>{c}</b>" for c in value)[3:-4] if len(value) < 40 and "<" not in value else None,
        lambda: value.replace("@", r.choice([" AT ", " at ", " @ ", "_at_"])).replace(".", r.choice([" DOT ", " dot "])) if "@" in value and value.isascii() and "_" not in value else None, lambda: base64.b32encode(value.encode()).decode().rstrip(r.choice(["", "="])), lambda: r.choice([base64.b85encode, base64.a85encode])(value.encode()).decode() if value.isascii() and len(value) > 11 else None,
        lambda: base64.b64encode(base64.b64encode(value.encode())).decode(), lambda: urllib.parse.quote("".join(f"%{b:02X}" for b in value.encode())), lambda: value.encode().hex(" "), lambda: " ".join(str(b) for b in value.encode()) if len(value) > 8 and value.isascii() else None, lambda: base64.b64encode(value.encode("utf-16-le")).decode() if value.isascii() else None,
    ])()


def disguised(r, entity):
    while True:
        value, bare = VALUES[entity](r)
        if bare or "\n" in value:
            value, bare = (VALUES["CREDIT_CARD"](r)[0], False) if entity == "PRIVATE_KEY" else VALUES[entity](r)
            entity = "CREDIT_CARD" if entity == "PRIVATE_KEY" else entity
            if bare:
                return None
        worn = disguise(r, value, all(c.isdigit() or c in " -./()+" for c in value))
        if worn and worn != value:
            break
    where = r.random()
    if where < 0.6:
        return cell("disguised", worn, r.choice(COLUMNS[entity]), [(entity, 0, len(worn), False)])
    before, after = r.choice([('{"data": "', '"}'), ("<v>", "</v>"), ('{"a": {"b": ["', '", "x"]}}'), ('{"raw": "{\\"v\\": \\"', '\\"}"}')])
    worn = worn.replace("\\", "\\\\") if before.startswith("{") and "\\u" not in worn else worn
    return cell("disguised", before + worn + after, "payload", [(entity, len(before), len(worn), False)])


def birth_cells(r):
    value = birth(r)
    yield cell("plain", value, r.choice(["dob", "date_of_birth", "birth_date", "birthday"]), [("DATE_TIME", 0, len(value), True)])
    value = birth(r)
    text, at = cut(r.choice(["DOB: {v}", "born {v} in Leeds", "date of birth {v}", "Patient born on {v}, seen 2026-01-02", "geboren am {v}", '{"name": "x", "birth_date": "{v}"}']), value)
    yield cell("text", text, r.choice(NOTES), [("DATE_TIME", at, len(value), False)])


def secret_cells(r):
    before, after = in_config(r)
    word = password(r) if not before.endswith(("@", "/")) else values.mixed(r, values.ALNUM, 12)
    if "://" in before:
        word = "".join(c for c in word if c not in "#?/@")
    yield cell("structured", before + word + after, r.choice(["config", "dsn", "env", "settings"]), [("PASSWORD", len(before), len(word), False)])
    before, value, after = secret_in_context(r)
    yield cell("structured", before + value + after, r.choice(["config", "env", "headers", "log"]), [("SECRET", len(before), len(value), False)])
    value = password(r)
    yield cell("plain", value, r.choice(["password", "passwd", "pwd"]), [("PASSWORD", 0, len(value), True)])
    value = values.mixed(r, values.ALNUM, r.choice([24, 32, 40]))
    yield cell("plain", value, r.choice(["api_secret", "client_secret", "secret_key", "access_token"]), [("SECRET", 0, len(value), True)])


def decoys(r):
    for column, make in DECOYS.items():
        yield cell("decoy", make(r), column)
    column = r.choice(list(DECOYS))
    text, _ = cut(r.choice(["order {v} shipped", "see {v} for details", "{v} failed at step 3", "re-sent {v} to the warehouse", "id={v} state=done"]), DECOYS[column](r))
    yield cell("decoy", text, r.choice(NOTES))
    column = r.choice(list(DECOYS))
    value = json.dumps(DECOYS[column](r))
    yield cell("decoy", r.choice([f'{{"{column}": {value}, "state": "done", "n": {r.randint(1, 99)}}}', f"<{column}>{json.loads(value)}</{column}>", f"{column}={json.loads(value)}"]), "payload")


def row(r):
    for entity in VALUES:
        yield plain(r, entity)
        # The commonest entities make most of a real table; the rest are there in part.
        if r.random() < 0.5:
            yield in_text(r, entity)
        if r.random() < 0.5:
            yield structured(r, entity)
        if r.random() < 0.4 and (dressed := disguised(r, entity)):
            yield dressed
        if entity in NEAR and r.random() < 0.5:
            yield cell("near", NEAR[entity](r), r.choice(["value", "ref", "code"]))
    for _ in range(3):
        for entity in ("CREDIT_CARD", "EMAIL_ADDRESS", "PHONE_NUMBER", "US_SSN", "IP_ADDRESS"):
            yield plain(r, entity)
    yield from birth_cells(r)
    yield from secret_cells(r)
    yield from decoys(r)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=200)
    arguments = parser.parse_args()
    r = random.Random(arguments.seed)
    count = 0
    for _ in range(arguments.rows):
        for one in row(r):
            sys.stdout.write(json.dumps({"id": str(count), **one}, ensure_ascii=False) + "\n")
            count += 1


if __name__ == "__main__":
    main()
