"""Values of every entity, near misses of them, and decoys: what `generate.py` places in cells.

Each maker takes a `random.Random` and gives text. VALUES gives `(text, bare)`: `bare` says that the value is
digits alone, which nothing but its column or a word beside it can tell from a customer number. Check digits
are computed here from their published definitions, on purpose without sharing code with the detectors.
"""

import base64
import hashlib
import json
import string

DIGITS, UPPER, LOWER = string.digits, string.ascii_uppercase, string.ascii_lowercase
ALNUM = string.ascii_letters + DIGITS
HEX = "0123456789abcdef"


def some(r, alphabet, n):
    return "".join(r.choice(alphabet) for _ in range(n))


def digits(r, n):
    return some(r, DIGITS, n)


def number(r, n):
    return r.choice("123456789") + digits(r, n - 1)


def mixed(r, alphabet, n):
    """Random, with a digit, an upper- and a lower-case letter where the alphabet has them."""
    while True:
        text = some(r, alphabet, n)
        if all(any(c in kind for c in text) or not any(c in kind for c in alphabet) for kind in (DIGITS, UPPER, LOWER)):
            return text


def shaped(text, *sizes, by=" "):
    out, at = [], 0
    for size in sizes:
        out.append(text[at:at + size])
        at += size
    return by.join(part for part in out + [text[at:]] if part)


# --- check digits

def luhn_digit(body):
    total = sum(int(c) if i % 2 else (int(c) * 2 - 9 if int(c) > 4 else int(c) * 2) for i, c in enumerate(reversed(body)))
    return str(-total % 10)


def ean_digit(body):
    return str(-sum(int(c) * (3 if i % 2 == 0 else 1) for i, c in enumerate(reversed(body))) % 10)


VERHOEFF_D = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 0, 6, 7, 8, 9, 5], [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
              [3, 4, 0, 1, 2, 8, 9, 5, 6, 7], [4, 0, 1, 2, 3, 9, 5, 6, 7, 8], [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
              [6, 5, 9, 8, 7, 1, 0, 4, 3, 2], [7, 6, 5, 9, 8, 2, 1, 0, 4, 3], [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
              [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]]
VERHOEFF_P = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 5, 7, 6, 2, 8, 3, 0, 9, 4], [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
              [8, 9, 1, 6, 0, 4, 3, 5, 2, 7], [9, 4, 5, 3, 1, 2, 6, 8, 7, 0], [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
              [2, 7, 9, 3, 8, 0, 6, 4, 1, 5], [7, 0, 4, 6, 9, 1, 3, 2, 5, 8]]


def verhoeff_digit(body):
    c = 0
    for i, d in enumerate(reversed(body)):
        c = VERHOEFF_D[c][VERHOEFF_P[(i + 1) % 8][int(d)]]
    return str([row.index(0) for row in VERHOEFF_D][c])


# --- cards, accounts

CARDS = [("visa", ["4"], 16, 6), ("mc", [str(n) for n in range(51, 56)], 16, 4), ("mc2", [str(n) for n in range(2221, 2721)], 16, 4),
         ("amex", ["34", "37"], 15, 3), ("discover", ["6011", "644", "649", "65"], 16, 2), ("jcb", [str(n) for n in range(3528, 3590)], 16, 2),
         ("diners", ["300", "305", "36", "38"], 14, 1), ("unionpay", ["62"], 16, 1), ("maestro", ["5018", "5020", "6304", "6759", "6761"], 16, 1)]


def card_number(r, wrong=False):
    _, prefixes, length, _ = r.choices(CARDS, [c[3] for c in CARDS])[0]
    body = r.choice(prefixes)
    body += digits(r, length - 1 - len(body))
    digit = luhn_digit(body)
    return body + (str((int(digit) + r.randint(1, 9)) % 10) if wrong else digit)


def write_card(r, card):
    sizes = {15: (4, 6), 14: (4, 6)}.get(len(card), (4, 4, 4))
    return r.choice([card, card, card, shaped(card, *sizes), shaped(card, *sizes), shaped(card, *sizes, by="-"), shaped(card, *sizes, by="-"), shaped(card, *sizes, by=".")])


IBANS = {"DE": (18, "n"), "GB": ("a4", 14), "FR": (23, "n"), "ES": (20, "n"), "IT": ("a1", 22), "NL": ("a4", 10), "BE": (12, "n"), "AT": (16, "n"),
         "CH": (17, "n"), "SE": (20, "n"), "NO": (11, "n"), "DK": (14, "n"), "FI": (14, "n"), "PL": (24, "n"), "PT": (21, "n"), "IE": ("a4", 14),
         "LU": (16, "n"), "CZ": (20, "n"), "SK": (20, "n"), "HU": (24, "n"), "RO": ("a4", 16), "BG": ("a4", 14), "HR": (17, "n"), "SI": (15, "n"),
         "EE": (16, "n"), "LT": (16, "n"), "LV": ("a4", 13), "GR": (23, "n"), "MT": ("a4", 23), "TR": (22, "n"), "SA": (20, "n"), "AE": (19, "n"), "IL": (19, "n")}


def iban(r, wrong=False):
    country = r.choice(list(IBANS))
    a, b = IBANS[country]
    body = digits(r, a) if b == "n" else some(r, UPPER, int(a[1:])) + digits(r, b)
    value = int("".join(str(int(c, 36)) for c in body + country + "00"))
    check = 98 - value % 97
    if wrong:
        check = (check - 2 + r.randint(1, 90)) % 97 + 2
    text = f"{country}{check:02d}{body}"
    return r.choice([text, text, shaped(text, *[4] * (len(text) // 4))])


# --- people

FIRST = "Alice Bob Carol David Emma Frank Grace Henry Isabel Jack Karen Liam Maria Noah Olivia Paul Quinn Rosa Samuel Teresa Ursula Victor Wendy Yusuf Zoe Anna Jürgen Søren Chloé José Łukasz Priya Wei Hiroshi Fatima".split()
LAST = "Smith Johnson Garcia Müller Schneider Dupont Martin Rossi Bianchi Novak Kowalski Andersson Jansen Silva Santos Kumar Patel Chen Tanaka Brown Wilson Taylor O'Brien Lopez Moreau Fischer".split()
DOMAINS = "example.com example.org mail.example.net acme.co.uk firma.de posteo.de laposte.fr gmail.com outlook.com uni-bonn.de correo.es uol.com.br infosys.in telstra.com.au contoso.onmicrosoft.com sub.domain.example.io".split()


def email(r):
    first, last = (r.choice(names).lower().replace("'", "") for names in (FIRST, LAST))
    ascii_ = lambda s: s.encode("ascii", "ignore").decode() or "x"
    first, last = (ascii_(first), ascii_(last)) if r.random() < 0.95 else (first, last)
    form = r.choice(["{f}.{l}", "{f}{l}", "{f}_{l}", "{i}{l}", "{f}.{l}+{t}", "{f}{n}", "{f}-{l}", "{l}.{i}"])
    return form.format(f=first, l=last, i=first[:1], t=some(r, LOWER, 4), n=r.randint(1, 9999)) + "@" + r.choice(DOMAINS)


def nanp(r):
    area = r.choice("205 212 213 303 312 404 415 503 512 602 617 702 713 786 818 917 972 416 604 514".split())
    return area, str(r.randint(200, 999)).replace("11", "12"), digits(r, 4)


def phone(r):
    """In the ways people of that country write it."""
    a, b, c = nanp(r)
    w = [
        lambda: r.choice([f"+1 {a} {b} {c}", f"+1-{a}-{b}-{c}", f"+1 ({a}) {b}-{c}", f"+1{a}{b}{c}", f"+1.{a}.{b}.{c}"]),
        lambda: r.choice([f"({a}) {b}-{c}", f"{a}-{b}-{c}", f"{a}.{b}.{c}", f"1-{a}-{b}-{c}", f"({a}){b}-{c}", f"{a}-{b}-{c} ext. {r.randint(10, 9999)}", f"001-{a}-{b}-{c}x{r.randint(10, 999)}"]),
        lambda: r.choice(["+44 20 7{x3} {x4}", "020 7{x3} {x4}", "+44 7{x3} {x6}", "07{x3} {x6}", "+44 (0)20 7{x3} {x4}", "(020) 7{x3} {x4}", "+447{x9}", "0161 {n3} {x4}"]),
        lambda: r.choice(["+49 30 {n8}", "+49 151 {n8}", "030 {n7}", "0151 {n8}", "0171-{n7}", "+49 (0) 89 {n6}", "0221/{n7}", "+49-40-{n6}-{x2}", "+4917{x9}", "0049 30 {n7}"]),
        lambda: r.choice(["+33 6 {x2} {x2} {x2} {x2}", "06 {x2} {x2} {x2} {x2}", "01.{x2}.{x2}.{x2}.{x2}", "+33 1 {x2} {x2} {x2} {x2}", "+336{x8}", "07-{x2}-{x2}-{x2}-{x2}"]),
        lambda: r.choice(["+34 6{x2} {x3} {x3}", "+34 91 {x3} {x2} {x2}", "+346{x8}", "+34 6{x2} {x2} {x2} {x2}"]),
        lambda: r.choice(["+39 06 {n4} {x4}", "+39 3{x2} {x3} {x4}", "+393{x9}", "06 {n4} {x4}"]),
        lambda: r.choice(["+55 11 9{x4}-{x4}", "(11) 9{x4}-{x4}", "+55 (21) 9{x4}-{x4}", "(21) 3{x3}-{x4}", "+55119{x8}"]),
        lambda: r.choice(["+91 98{x3} {x5}", "+91-98{x3}-{x5}", "+9198{x8}", "098{x3} {x5}"]),
        lambda: r.choice(["+61 4{x2} {x3} {x3}", "04{x2} {x3} {x3}", "(02) 9{x3} {x4}", "+61 2 9{x3} {x4}", "+614{x8}"]),
        lambda: r.choice(["+48 5{x2} {x3} {x3}", "+46 70 {x3} {x2} {x2}", "070-{x3} {x2} {x2}", "+31 6 {n8}", "06-{n8}", "+31 20 {x3} {x4}", "+351 91{x1} {x3} {x3}", "+41 79 {x3} {x2} {x2}", "+43 664 {n7}"]),
        lambda: r.choice(["+81 90 {x4} {x4}", "090-{x4}-{x4}", "+86 138 {x4} {x4}", "+82 10 {x4} {x4}", "010-{x4}-{x4}", "+65 9{x3} {x4}", "+972 54 {x3} {x4}", "+971 50 {x3} {x4}", "+234 803 {x3} {x4}", "+52 55 {x4} {x4}", "+7 916 {x3}-{x2}-{x2}", "+358 40 {n7}"]),
        lambda: r.choice([f"({a}) {b}-{c} x{r.randint(10, 999)}", "+44 (0)20 7{x3} {x4} ext {x3}", "(+358) 4{x8}", "+46 (0)8 {n3} {x3} {x2}", "08-{n3} {x3} {x2}", "0{n3}-{n3} {x2}", "8 (9{x2}) {n3}-{x2}-{x2}", "+7 (9{x2}) {n3}-{x2}-{x2}", "4{x2} {x2} {x3}", "{n2} 3{x3}-{x4}".replace("{n2}", r.choice(["11", "21", "31", "47", "85"])), "+47 4{x2} {x2} {x3}", "02.9{x3}.{x4}", "(0221) {n7}", "0{n3} {n5}{x2}", "+420 {n3} {x3} {x3}", "+353 87 {x3} {x4}", "+90 5{x2} {x3} {x2} {x2}"]),
    ]
    return r.choices(w, [5, 5, 4, 4, 3, 2, 2, 2, 2, 2, 3, 3, 4])[0]().format(
        **{f"x{n}": digits(r, n) for n in range(1, 10)}, **{f"n{n}": number(r, n) for n in range(2, 10)})


def ymd(r, low=1935, high=2008):
    return r.randint(low, high), r.randint(1, 12), r.randint(1, 28)


MONTHS = "January February March April May June July August September October November December".split()


def birth(r):
    y, m, d = ymd(r)
    return r.choice([f"{y}-{m:02}-{d:02}", f"{m:02}/{d:02}/{y}", f"{d:02}.{m:02}.{y}", f"{d} {MONTHS[m - 1]} {y}", f"{MONTHS[m - 1]} {d}, {y}", f"{d:02}/{m:02}/{y}", f"{d} {MONTHS[m - 1][:3]} {y}", f"{y}/{m:02}/{d:02}"])


def ssn(r, area=None):
    area = area or r.choice([n for n in range(1, 899) if n != 666])
    return f"{area:03}", f"{r.randint(1, 99):02}", f"{r.randint(1, 9999):04}"


# --- national numbers: (plain digits, written form)

def nhs(r, wrong=False):
    while True:
        body = r.choice("467") + digits(r, 8)
        check = (11 - sum(int(c) * (10 - i) for i, c in enumerate(body)) % 11) % 11
        if check < 10:
            text = body + str((check + (r.randint(1, 9) if wrong else 0)) % 10)
            return text, shaped(text, 3, 3)


def steuer_id(r, wrong=False):
    pool = r.sample(DIGITS, 10)
    body = pool[:9] + [r.choice(pool[:9])]
    r.shuffle(body)
    if body[0] == "0":
        return steuer_id(r, wrong)
    product = 10
    for c in body:
        total = (int(c) + product) % 10 or 10
        product = total * 2 % 11
    check = (11 - product) % 10
    text = "".join(body) + str((check + (r.randint(1, 9) if wrong else 0)) % 10)
    return text, shaped(text, 2, 3, 3)


def nir(r, wrong=False):
    body = r.choice("12") + f"{r.randint(35, 99):02}{r.randint(1, 12):02}{r.randint(1, 95):02}" + digits(r, 3) + f"{r.randint(1, 999):03}"
    key = 97 - int(body) % 97
    text = body + f"{(key + (r.randint(1, 95) if wrong else 0) - 1) % 97 + 1:02}"
    return text, shaped(text, 1, 2, 2, 2, 3, 3)


def cpf(r, wrong=False):
    d = [int(c) for c in digits(r, 9)]
    for n in (10, 11):
        d.append(sum(x * (n - i) for i, x in enumerate(d)) * 10 % 11 % 10)
    if wrong:
        d[10] = (d[10] + r.randint(1, 9)) % 10
    text = "".join(map(str, d))
    return text, f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"


def cnpj(r, wrong=False):
    d = [int(c) for c in digits(r, 8) + "000" + r.choice("1112")]
    for weights in ([5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2], [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]):
        rest = sum(x * w for x, w in zip(d, weights)) % 11
        d.append(0 if rest < 2 else 11 - rest)
    if wrong:
        d[13] = (d[13] + r.randint(1, 9)) % 10
    text = "".join(map(str, d))
    return text, f"{text[:2]}.{text[2:5]}.{text[5:8]}/{text[8:12]}-{text[12:]}"


def nif_pt(r, wrong=False):
    body = r.choice("12") + digits(r, 7)
    rest = sum(int(c) * (9 - i) for i, c in enumerate(body)) % 11
    text = body + str(((0 if rest < 2 else 11 - rest) + (r.randint(1, 9) if wrong else 0)) % 10)
    return text, text


def pesel(r, wrong=False):
    y, m, d = ymd(r)
    body = f"{y % 100:02}{m + (20 if y > 1999 else 0):02}{d:02}{digits(r, 4)}"
    check = -sum(int(c) * w for c, w in zip(body, [1, 3, 7, 9] * 3)) % 10
    text = body + str((check + (r.randint(1, 9) if wrong else 0)) % 10)
    return text, text


def personnummer(r, wrong=False):
    y, m, d = ymd(r)
    body = f"{y % 100:02}{m:02}{d:02}{digits(r, 3)}"
    digit = luhn_digit(body)
    digit = str((int(digit) + r.randint(1, 9)) % 10) if wrong else digit
    full = r.choice([f"{y // 100}", ""])
    return full + body + digit, f"{full}{body[:6]}-{body[6:]}{digit}"


def bsn(r, wrong=False):
    while True:
        body = number(r, 8)
        check = sum(int(c) * (9 - i) for i, c in enumerate(body)) % 11
        if check < 10:
            text = body + str((check + (r.randint(1, 9) if wrong else 0)) % 10)
            return text, text


def aadhaar(r, wrong=False):
    body = r.choice("23456789") + digits(r, 10)
    check = verhoeff_digit(body)
    text = body + (str((int(check) + r.randint(1, 9)) % 10) if wrong else check)
    return text, shaped(text, 4, 4)


def tfn(r, wrong=False):
    while True:
        body = number(r, 8)
        for check in DIGITS:
            if (sum(int(c) * w for c, w in zip(body + check, [1, 4, 3, 7, 5, 8, 6, 9, 10])) % 11 == 0) != wrong:
                return body + check, shaped(body + check, 3, 3)


def medicare(r, wrong=False):
    body = r.choice("23456") + digits(r, 7)
    check = sum(int(c) * w for c, w in zip(body, [1, 3, 7, 9, 1, 3, 7, 9])) % 10
    text = body + str((check + (r.randint(1, 9) if wrong else 0)) % 10) + r.choice("123456789")
    return text, shaped(text, 4, 5)


def sin(r, wrong=False):
    body = r.choice("1234567") + digits(r, 7)
    digit = luhn_digit(body)
    text = body + (str((int(digit) + r.randint(1, 9)) % 10) if wrong else digit)
    return text, shaped(text, 3, 3, by=r.choice(" -"))


def dni(r, wrong=False):
    body = digits(r, 8)
    letter = "TRWAGMYFPDXBNJZSQVHLCKE"[int(body) % 23]
    letter = r.choice([c for c in "TRWAGMYFPDXBNJZSQVHLCKE" if c != letter]) if wrong else letter
    return r.choice([body + letter, body + "-" + letter, f"{body[:2]}.{body[2:5]}.{body[5:]}-{letter}"])


def nie(r, wrong=False):
    first, body = r.choice("XYZ"), digits(r, 7)
    letter = "TRWAGMYFPDXBNJZSQVHLCKE"[int("XYZ".index(first).__str__() + body) % 23]
    letter = r.choice([c for c in "TRWAGMYFPDXBNJZSQVHLCKE" if c != letter]) if wrong else letter
    return r.choice([first + body + letter, f"{first}-{body}-{letter}"])


CF_ODD = dict(zip(DIGITS + UPPER, [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]))


def codice_fiscale(r, wrong=False):
    y, m, d = ymd(r)
    body = some(r, "BCDFGLMNPRSTVZ", 6) + f"{y % 100:02}" + "ABCDEHLMPRST"[m - 1] + f"{d + r.choice([0, 40]):02}" + r.choice("ABCDEFGHIL") + digits(r, 3)
    total = sum(CF_ODD[c] if i % 2 == 0 else int(c) if c in DIGITS else ord(c) - 65 for i, c in enumerate(body))
    return body + UPPER[(total + (r.randint(1, 25) if wrong else 0)) % 26]


def nino(r, wrong=False):
    prefix = r.choice(["BG", "GB", "NK", "ZZ", "QQ", "DA", "FO"]) if wrong else r.choice("ABCEGHJKLMNPRSTWXYZ") + r.choice("ABCEGHJKLMPRSTWXYZ")
    if not wrong and prefix in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ"):
        prefix = "AB"
    body = digits(r, 6)
    letter = r.choice("ABCD")
    return r.choice([prefix + body + letter, f"{prefix} {body[:2]} {body[2:4]} {body[4:]} {letter}"])


def pan_in(r):
    return some(r, UPPER, 3) + r.choice("PPPPCHFT") + r.choice(UPPER) + digits(r, 4) + r.choice(UPPER)


def personalausweis(r):
    body = r.choice("LMNPRTVWXY") + some(r, "CFGHJKLMNPRTVWXYZ" + DIGITS * 2, 8)
    check = sum((int(c, 36)) * w for c, w in zip(body, [7, 3, 1] * 3)) % 10
    return body + str(check)


# --- network, wallets

def ipv4(r):
    return r.choice([f"{r.randint(11, 223)}.{r.randint(0, 255)}.{r.randint(0, 255)}.{r.randint(1, 254)}", f"10.{r.randint(0, 255)}.{r.randint(0, 255)}.{r.randint(1, 254)}", f"192.168.{r.randint(0, 255)}.{r.randint(1, 254)}", f"172.{r.randint(16, 31)}.{r.randint(0, 255)}.{r.randint(1, 254)}"])


def ipv6(r):
    group = lambda: f"{r.randint(1, 65535):x}"
    return r.choice([":".join(group() for _ in range(8)), "2001:db8::" + ":".join(group() for _ in range(r.randint(1, 3))), f"fe80::{group()}:{group()}:{group()}:{group()}", f"2a00:1450:{group()}:{group()}::{group()}"])


def mac(r):
    octets = [f"{r.randint(0, 255):02x}" for _ in range(6)]
    text = r.choice([":".join(octets), "-".join(octets), ":".join(octets)])
    if r.random() < 0.1:
        text = ".".join("".join(octets[i:i + 2]) for i in (0, 2, 4))
    return text if any(c in "abcdef" for c in text) and r.random() < 0.5 else text.upper() if "." not in text else text


B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58check(payload, wrong=False):
    check = hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    data = payload + (bytes([check[0] ^ 1]) + check[1:] if wrong else check)
    value, out = int.from_bytes(data, "big"), ""
    while value:
        value, rest = divmod(value, 58)
        out = B58[rest] + out
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + out


def bech32(r, wrong=False):
    charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    version = r.choice([0, 1])
    data = [version] + [r.randint(0, 31) for _ in range(32 if version == 0 else 52)]
    data[-1] = 0 if version == 1 else data[-1]
    def polymod(values):
        chk = 1
        for v in values:
            top = chk >> 25
            chk = (chk & 0x1FFFFFF) << 5 ^ v
            for i, g in enumerate([0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]):
                chk ^= g if top >> i & 1 else 0
        return chk
    mod = polymod([3, 3, 0, 2, 3] + data + [0] * 6) ^ (1 if version == 0 else 0x2BC830A3)
    sum_ = [mod >> 5 * (5 - i) & 31 for i in range(6)]
    if wrong:
        sum_[0] = (sum_[0] + 1) % 32
    return "bc1" + "".join(charset[d] for d in data + sum_)


def crypto(r, wrong=False):
    if wrong:
        return r.choice([base58check(bytes([0]) + r.randbytes(20), True), bech32(r, True), "0x" + some(r, HEX, 39)])
    return r.choice([base58check(bytes([0]) + r.randbytes(20)), base58check(bytes([5]) + r.randbytes(20)), bech32(r), "0x" + mixed(r, HEX, 40), base58check(bytes([0x30]) + r.randbytes(20)), base58check(bytes([0x41]) + r.randbytes(20))])


# --- secrets

def b64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwt(r, wrong=False):
    head = {"alg": r.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"} if not wrong else {"a": 1, "b": some(r, LOWER, 8)}
    body = {"sub": digits(r, 10), "iat": r.randint(1600000000, 1800000000), "name": r.choice(FIRST)}
    dump = lambda o: b64url(json.dumps(o, separators=(",", ":")).encode())
    return f"{dump(head)}.{dump(body)}.{b64url(r.randbytes(32))}"


def aws(r, wrong=False):
    return r.choice(["AKIA", "AKIA", "ASIA"]) + some(r, UPPER + "234567", 15 if wrong else 16)


def github(r, wrong=False):
    if not wrong and r.random() < 0.3:
        return "github_pat_" + mixed(r, ALNUM, 22) + "_" + mixed(r, ALNUM, 59)
    return r.choice(["ghp_", "gho_", "ghs_", "ghu_", "ghr_"]) + mixed(r, ALNUM, 30 if wrong else 36)


def vendor_key(r):
    a, x, d = lambda n: mixed(r, ALNUM, n), lambda n: mixed(r, HEX, n), lambda n: number(r, n)
    return r.choice([
        lambda: f"xoxb-{d(12)}-{d(12)}-{a(24)}", lambda: f"xoxp-{d(11)}-{d(11)}-{d(12)}-{x(32)}", lambda: f"xapp-1-A{mixed(r, UPPER + DIGITS, 10)}-{d(13)}-{x(64)}",
        lambda: f"sk_live_{a(24)}", lambda: f"rk_live_{a(24)}", lambda: f"sk_test_{a(32)}", lambda: f"whsec_{a(32)}",
        lambda: f"SG.{a(22)}.{a(43)}", lambda: f"SK{x(32)}", lambda: f"npm_{a(36)}", lambda: f"pypi-AgEIcHlwaS5vcmc{a(60)}",
        lambda: f"sk-{a(20)}T3BlbkFJ{a(20)}", lambda: f"sk-proj-{a(48)}", lambda: f"sk-ant-api03-{a(93)}AA",
        lambda: f"dop_v1_{x(64)}", lambda: f"HRKU-AA{a(58)}", lambda: f"glpat-{a(20)}", lambda: f"glrt-{a(20)}", lambda: f"AIza{a(35)}", lambda: f"GOCSPX-{a(28)}", lambda: f"ya29.{a(60)}",
        lambda: f"hf_{mixed(r, string.ascii_letters, 34)}", lambda: f"shpat_{x(32)}", lambda: f"hvs.{a(24)}", lambda: f"dckr_pat_{a(27)}", lambda: f"lin_api_{a(40)}",
        lambda: f"sq0atp-{a(22)}", lambda: f"dapi{x(32)}", lambda: f"{a(3)}8Q~{a(34)}", lambda: f"glsa_{a(32)}_{x(8)}", lambda: f"{d(10)}:AA{a(33)}", lambda: f"key-{x(32)}", lambda: f"{x(32)}-us{r.randint(1, 21)}",
        lambda: f"NRAK-{mixed(r, UPPER + DIGITS, 27)}", lambda: f"PMAK-{x(24)}-{x(34)}", lambda: f"rubygems_{x(48)}", lambda: f"tskey-auth-{a(12)}-{a(24)}", lambda: f"figd_{a(40)}", lambda: f"ATATT3{a(60)}", lambda: f"gsk_{a(52)}",
        lambda: f"https://hooks.slack.com/services/T{mixed(r, UPPER + DIGITS, 8)}/B{mixed(r, UPPER + DIGITS, 10)}/{a(24)}",
    ])()


def private_key(r):
    kind = r.choice(["RSA ", "EC ", "", "OPENSSH ", "ENCRYPTED "])
    body = base64.b64encode(r.randbytes(r.choice([96, 240]))).decode()
    lines = "\n".join(body[i:i + 64] for i in range(0, len(body), 64))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----"


def password(r):
    word = r.choice(["hunter", "Sommer", "correct", "Tr0ub4dor", "letmein", "Passw0rd", "winter", "qwerty"])
    made = mixed(r, ALNUM + "!@#$%^&*()_+", r.choice([10, 12, 16]))
    at = r.randrange(1, len(made))
    return r.choice([word + str(r.randint(1, 9999)) + r.choice("!#?*$"), mixed(r, ALNUM, 12), made[:at] + r.choice("!#%^*") + made[at:], word.title() + r.choice("@!") + str(r.randint(10, 2030)), word + "-" + r.choice(["horse", "staple", "battery"]) + str(r.randint(0, 99))])


def in_config(r):
    """(before, secret, after): a password where configuration holds it."""
    user, host = r.choice(["app", "svc_api", "root", "admin"]), r.choice(["db.internal", "10.9.8.7x", "cache", "rds.example.com"]).replace("10.9.8.7x", "localhost")
    return r.choice([
        (f"postgres://{user}:", "@" + host + ":5432/shop"), (f"mysql://{user}:", f"@{host}/crm"), ("redis://:", f"@{host}:6379/0"), (f"amqp://{user}:", f"@{host}//"), (f"mongodb+srv://{user}:", f"@{host}/?retryWrites=true"),
        (f"host={host} user={user} password=", " dbname=shop"), (f"Server={host};User Id={user};Password=", ";Encrypt=true"), ("DB_PASSWORD=", ""), ("export PGPASSWORD='", "' && psql"),
        ("{\"user\": \"" + user + "\", \"password\": \"", "\"}"), ("spring.datasource.password=", ""), ("  password: ", "\n  pool: 5"), ("<add key=\"Password\" value=\"", "\"/>"), ("<password>", "</password>"), ("mysql --password=", f" -h {host}"), ("secret_key = \"", "\""), ("'passwd' => '", "',"),
        (f"{host}:5432:shop:{user}:", ""), (f"*:*:*:{user}:", "\n"), (f"curl -u {user}:", f" https://{host}/v1/orders"), (f"curl --user '{user}:", f"' http://{host}/"), (f"jdbc:postgresql://{host}:5432/shop?user={user}&password=", ""), (f"jdbc:oracle:thin:{user}/", f"@//{host}:1521/orcl"), (f"Driver={{ODBC Driver 17}};Server={host};Uid={user};Pwd=", ";"),
        (f"mysql -u {user} -p", " shop"), ("sshpass -p '", f"' ssh {user}@{host}"), ("redis-cli -a ", " ping"), (f'resource "db" "x" {{\n  username = "{user}"\n  password = "', '"\n}'), ("environment:\n  - MYSQL_ROOT_PASSWORD=", "\n"), ("docker run -e POSTGRES_PASSWORD=", " postgres:15"), (f"CREATE USER {user} IDENTIFIED BY '", "'"), (f"ALTER USER {user} WITH PASSWORD '", "'"),
        (f"2026-03-01 10:30:00 INFO login user={user} password=", " ip=-"), (f"smtp://{user}:", f"@{host}:587"), (f"ftp://{user}:", f"@{host}/in"),
    ])


def secret_in_context(r):
    """(before, secret, after): a high-entropy secret beside its name."""
    value = r.choice([lambda: mixed(r, ALNUM, 32), lambda: mixed(r, HEX, 40), lambda: base64.b64encode(r.randbytes(32)).decode(), lambda: mixed(r, ALNUM + "+/", 40)])()
    before, after = r.choice([("api_key=", ""), ("AWS_SECRET_ACCESS_KEY=", ""), ("\"client_secret\": \"", "\""), ("Authorization: Bearer ", ""), ("secret: ", ""), ("X-Api-Key: ", ""), ("access_token=", "&scope=read"), ("ENCRYPTION_KEY=", ""), ("auth_token: ", ""), ("AccountKey=", ";EndpointSuffix=core.windows.net"), ("refresh_token=", "")])
    return before, value, after


def plain(make):
    return lambda r: (make(r), False)


def either(make, bare=0.4):
    def one(r):
        digits_, written = make(r)
        text = digits_ if r.random() < bare else written
        return text, text.isdigit()
    return one


VALUES = {
    "CREDIT_CARD": lambda r: (write_card(r, card_number(r)), False), "EMAIL_ADDRESS": plain(email), "PHONE_NUMBER": plain(phone), "IBAN_CODE": plain(iban),
    "US_SSN": either(lambda r: ("".join(p := ssn(r)), "-".join(p)), 0.25), "UK_NHS": either(nhs), "UK_NINO": plain(nino), "DE_TAX_ID": either(steuer_id, 0.6), "DE_ID_CARD": plain(personalausweis),
    "FR_NIR": either(nir, 0.6), "ES_NIF": plain(dni), "ES_NIE": plain(nie), "IT_FISCAL_CODE": plain(codice_fiscale), "PT_NIF": either(nif_pt, 1), "BR_CPF": either(cpf, 0.3), "BR_CNPJ": either(cnpj, 0.3),
    "PL_PESEL": either(pesel, 1), "SE_PERSONNUMMER": either(personnummer, 0.3), "NL_BSN": either(bsn, 1), "IN_AADHAAR": either(aadhaar, 0.3), "IN_PAN": plain(pan_in), "AU_TFN": either(tfn, 0.4),
    "AU_MEDICARE": either(medicare, 0.4), "CA_SIN": either(sin, 0.3), "IP_ADDRESS": lambda r: (ipv4(r) if r.random() < 0.7 else ipv6(r), False), "MAC_ADDRESS": plain(mac), "CRYPTO": plain(crypto),
    "AWS_ACCESS_KEY": plain(aws), "GITHUB_TOKEN": plain(github), "API_KEY": plain(vendor_key), "JWT": plain(jwt), "PRIVATE_KEY": plain(private_key),
}

NEAR = {
    "CREDIT_CARD": lambda r: write_card(r, card_number(r, True)), "IBAN_CODE": lambda r: iban(r, True), "US_SSN": lambda r: r.choice([f"{r.choice(['000', '666'])}-{r.randint(1, 99):02}-{r.randint(1, 9999):04}", f"{ssn(r)[0]}-00-{digits(r, 4)}", f"{ssn(r)[0]}-{r.randint(1, 99):02}-0000", f"{ssn(r)[0]}-{r.randint(1, 99):02}-{digits(r, 5)}"]),
    "UK_NHS": lambda r: r.choice(nhs(r, True)), "UK_NINO": lambda r: nino(r, True), "DE_TAX_ID": lambda r: r.choice(steuer_id(r, True)), "FR_NIR": lambda r: r.choice(nir(r, True)), "ES_NIF": lambda r: dni(r, True), "ES_NIE": lambda r: nie(r, True),
    "IT_FISCAL_CODE": lambda r: codice_fiscale(r, True), "BR_CPF": lambda r: r.choice(cpf(r, True)), "BR_CNPJ": lambda r: r.choice(cnpj(r, True)), "PL_PESEL": lambda r: pesel(r, True)[0], "SE_PERSONNUMMER": lambda r: r.choice(personnummer(r, True)), "NL_BSN": lambda r: bsn(r, True)[0],
    "IN_AADHAAR": lambda r: r.choice(aadhaar(r, True)), "AU_TFN": lambda r: r.choice(tfn(r, True)), "AU_MEDICARE": lambda r: r.choice(medicare(r, True)), "CA_SIN": lambda r: r.choice(sin(r, True)), "PT_NIF": lambda r: nif_pt(r, True)[0],
    "IP_ADDRESS": lambda r: r.choice([f"{r.randint(256, 999)}.{r.randint(0, 255)}.{r.randint(0, 255)}.1", f"{r.randint(1, 99)}.{r.randint(0, 255)}.{r.randint(0, 255)}", f"{r.randint(1, 9)}.{r.randint(0, 99)}.{r.randint(0, 99)}.{r.randint(0, 99)}.{r.randint(0, 99)}"]),
    "MAC_ADDRESS": lambda r: r.choice([mac(r)[:-3].strip(":-.") if "." not in (m := mac(r)) else "00:1a:2b:3c:4d", "0g:" + ":".join(some(r, HEX, 2) for _ in range(5))]), "CRYPTO": lambda r: crypto(r, True), "JWT": lambda r: jwt(r, True), "AWS_ACCESS_KEY": lambda r: aws(r, True), "GITHUB_TOKEN": lambda r: github(r, True),
    "EMAIL_ADDRESS": lambda r: r.choice([email(r).split("@")[0] + "@localhost", "@" + some(r, LOWER, 8), email(r).replace("@", " at "), "user@" + digits(r, 3)]), "PHONE_NUMBER": lambda r: r.choice([f"+1 {digits(r, 3)} {digits(r, 4)}", f"+999 {digits(r, 9)}", f"0{r.randint(10, 99)}-{digits(r, 3)}", f"+{digits(r, 18)}"]),
}


def stamp(r):
    y, m, d = ymd(r, 2015, 2026)
    return y, m, d, r.randint(0, 23), r.randint(0, 59), r.randint(0, 59)


DECOYS = {
    "order_id": lambda r: r.choice([f"ORD-{r.randint(2019, 2026)}-{digits(r, 6)}", number(r, 10), f"#{number(r, 6)}", f"SO{number(r, 8)}", f"{digits(r, 3)}-{digits(r, 7)}-{digits(r, 7)}"]),
    "customer_no": lambda r: number(r, 9), "ean": lambda r: (b := number(r, 12)) + ean_digit(b), "upc": lambda r: (b := "0" + number(r, 10)) + ean_digit(b), "sha256": lambda r: some(r, HEX, 64), "md5": lambda r: some(r, HEX, 32), "git_sha": lambda r: r.choice([some(r, HEX, 40), some(r, HEX, 7)]),
    "row_uuid": lambda r: shaped(some(r, HEX, 32), 8, 4, 4, 4, by="-"), "amount": lambda r: r.choice([f"{r.uniform(0, 9e5):,.2f}", f"{r.uniform(0, 9e9):.2f}", f"EUR {r.uniform(0, 9e4):.2f}", f"${r.uniform(0, 9e5):,.2f}", f"-{r.uniform(0, 9e3):.4f}"]),
    "created_at": lambda r: "{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}{}".format(*(s := stamp(r))[:3], r.choice(" T"), *s[3:], r.choice(["", "Z", "+00", ".123456+02:00"])), "epoch": lambda r: str(r.randint(1500000000, 1800000000)) + r.choice(["", "", "000", digits(r, 3), digits(r, 6)]),
    "trace_id": lambda r: r.choice([some(r, HEX, 32), f"00-{some(r, HEX, 32)}-{some(r, HEX, 16)}-01", f"Root=1-{some(r, HEX, 8)}-{some(r, HEX, 24)}", number(r, 19)]), "app_version": lambda r: r.choice([f"{r.randint(0, 20)}.{r.randint(0, 40)}.{r.randint(0, 99)}", f"v{r.randint(1, 9)}.{r.randint(0, 20)}.{r.randint(0, 9)}-rc.{r.randint(1, 9)}", f"{r.randint(80, 140)}.0.0.0", f"1.{r.randint(0, 20)}.0-4+deb12u1"]),
    "user_agent": lambda r: f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{r.randint(90, 140)}.0.{r.choice([0, r.randint(1000, 6999)])}.{r.choice([0, r.randint(1, 250)])} Safari/537.36",
    "serial_no": lambda r: r.choice([f"SN{number(r, 10)}", mixed(r, UPPER + DIGITS, 12), f"{some(r, UPPER, 2)}-{digits(r, 4)}-{digits(r, 4)}", f"C02{mixed(r, UPPER + DIGITS, 9)}"]), "isbn": lambda r: (b := "978" + digits(r, 9)) and r.choice([b + ean_digit(b), shaped(b + ean_digit(b), 3, 1, 3, 5, by="-")]), "coordinates": lambda r: f"{r.uniform(-90, 90):.6f}, {r.uniform(-180, 180):.6f}",
    "tracking_no": lambda r: r.choice([f"1Z{mixed(r, UPPER + DIGITS, 6)}{digits(r, 10)}", f"TBA{digits(r, 12)}", f"JD{digits(r, 18)}", f"{some(r, UPPER, 2)}{digits(r, 9)}DE", number(r, 12)]), "ticket": lambda r: f"{r.choice(['OPS', 'JIRA', 'INC', 'SUP', 'CHG'])}-{r.randint(1, 99999)}", "part_no": lambda r: r.choice([f"{digits(r, 3)}-{digits(r, 4)}-{digits(r, 2)}", f"P/N {digits(r, 3)}-{digits(r, 5)}", f"{digits(r, 5)}-{digits(r, 3)}", f"PN-{digits(r, 3)}-{digits(r, 3)}-{digits(r, 4)}", f"{digits(r, 2)}-{some(r, UPPER, 2)}-{digits(r, 4)}"]),
    "status": lambda r: r.choice("shipped pending cancelled active returned draft paid".split()), "quantity": lambda r: str(r.randint(0, 5000)), "sku": lambda r: f"SKU-{digits(r, 2)}-{digits(r, 4)}-{r.choice(['XL', 'S', 'M'])}", "url_path": lambda r: f"/api/v{r.randint(1, 3)}/orders/{number(r, 9)}/items?page={r.randint(1, 99)}", "session_len": lambda r: f"{r.randint(0, 23):02}:{r.randint(0, 59):02}:{r.randint(0, 59):02}.{digits(r, 3)}",
    "etag": lambda r: f'W/"{some(r, HEX, 16)}"', "integrity": lambda r: "sha512-" + base64.b64encode(r.randbytes(64)).decode(), "snowflake": lambda r: str(r.randint(10 ** 17, 19 * 10 ** 17)), "postal": lambda r: r.choice([digits(r, 5), f"{digits(r, 5)}-{digits(r, 4)}", "SW1A 1AA"]), "hexcolor": lambda r: "#" + some(r, HEX, 6), "image": lambda r: f"registry.example.com/shop/api:{r.randint(1, 9)}.{r.randint(0, 20)}.{r.randint(0, 9)}@sha256:{some(r, HEX, 64)}", "cron": lambda r: f"{r.randint(0, 59)} {r.randint(0, 23)} * * 1-5", "lsn": lambda r: f"{r.randint(0, 99):X}/{some(r, '0123456789ABCDEF', 7)}",
    "ulid": lambda r: "01" + some(r, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24), "nanoid": lambda r: mixed(r, ALNUM + "_-", 21), "ksuid": lambda r: "2" + mixed(r, ALNUM, 26), "cuid": lambda r: "c" + some(r, LOWER + DIGITS, 24), "object_id": lambda r: some(r, HEX, 24), "push_id": lambda r: "-N" + mixed(r, ALNUM, 18), "firebase_uid": lambda r: mixed(r, ALNUM, 28), "video_id": lambda r: mixed(r, ALNUM + "_-", 11), "shortuuid": lambda r: mixed(r, ALNUM, 22), "crm_id": lambda r: "001" + some(r, DIGITS + UPPER, 5) + "00000" + mixed(r, ALNUM, 5), "charge_id": lambda r: r.choice(["ch_", "pi_", "cus_", "in_", "sub_"]) + mixed(r, ALNUM, 24),
    "checksum_b64": lambda r: base64.b64encode(r.randbytes(r.choice([16, 20, 32]))).decode(), "imei": lambda r: (b := "35" + digits(r, 12)) + luhn_digit(b), "vin": lambda r: some(r, "ABCDEFGHJKLMNPRSTUVWXYZ" + DIGITS, 17), "plate": lambda r: r.choice([f"{some(r, UPPER, 1)}-{some(r, UPPER, 2)} {number(r, 4)}", f"{some(r, UPPER, 3)} {digits(r, 3)}", f"{some(r, UPPER, 2)}{digits(r, 2)} {some(r, UPPER, 3)}"]), "handle": lambda r: r.choice([f"{r.choice(FIRST)}#{digits(r, 4)}", f"@{r.choice(LAST).lower()}{digits(r, 2)}", f"{r.choice(FIRST).lower()}_{digits(r, 3)}"]), "host": lambda r: r.choice([f"web-{digits(r, 2)}-prod", f"ip-10-{r.randint(0, 255)}-{r.randint(0, 255)}-{r.randint(0, 255)}", f"k8s-app-{some(r, HEX, 10)}-{some(r, LOWER + DIGITS, 5)}", f"db{r.randint(1, 9)}.eu-central-1.internal"]),
    "shop_order": lambda r: r.choice([f"{digits(r, 3)}-{digits(r, 7)}-{digits(r, 7)}", f"{digits(r, 4)}-{digits(r, 4)}-{digits(r, 4)}", f"{r.randint(1, 9)}{digits(r, 2)}/{digits(r, 4)}/{digits(r, 4)}", f"2026-{digits(r, 6)}", f"PO{digits(r, 10)}"]), "semver_range": lambda r: r.choice(["^", "~", ">=", "~> "]) + f"{r.randint(0, 20)}.{r.randint(0, 40)}.{r.randint(0, 99)}", "routing_no": lambda r: number(r, 9), "bic": lambda r: some(r, UPPER, 4) + r.choice(["DE", "GB", "FR", "US"]) + some(r, UPPER + DIGITS, r.choice([2, 5])), "isin": lambda r: r.choice(["US", "DE", "GB"]) + some(r, DIGITS + UPPER, 9) + digits(r, 1), "flight": lambda r: some(r, UPPER, 2) + number(r, 4), "analytics": lambda r: r.choice([f"UA-{number(r, 8)}-{r.randint(1, 9)}", f"G-{some(r, UPPER + DIGITS, 10)}"]), "arn": lambda r: f"arn:aws:s3:::bucket-{some(r, LOWER, 6)}/{some(r, HEX, 8)}", "instance": lambda r: "i-0" + some(r, HEX, 16), "doi": lambda r: f"10.{number(r, 4)}/{some(r, LOWER + DIGITS, 8)}", "job": lambda r: r.choice(["Data engineer", "Head of Sales EMEA", "Nurse (night shift)", "C++ developer", "QA lead, level 3"]), "percent": lambda r: r.choice([f"{r.randint(1, 99)}%", f"+{r.random() * 9:.1f} %", f"Save{r.randint(5, 90)}%"]), "formula": lambda r: r.choice(["=SUM(A1:B2)", "f(X1)+g(Y2)", "C8H10N4O2", "x = 2*y + 3", "^[A-Za-z0-9]+$"]), "glob": lambda r: r.choice(["*.log", "src/**/*.rs", "report-2026-??.csv", "!node_modules"]), "file": lambda r: r.choice([f"IMG_{digits(r, 8)}_{digits(r, 6)}.jpg", f"Report-{r.randint(2019, 2026)}-Q{r.randint(1, 4)}.xlsx", "/var/log/app/worker-3.log", "C:\\Temp\\out1.txt"]), "size": lambda r: f"{r.randint(1, 999)}.{r.randint(0, 9)} {r.choice(['GiB', 'MB', 'kB'])}", "duration": lambda r: r.choice([f"PT{r.randint(1, 59)}M{r.randint(1, 59)}S", f"{r.randint(1, 48)}h{r.randint(1, 59)}m"]), "bcrypt": lambda r: "$2b$12$" + some(r, ALNUM + "./", 53), "score": lambda r: f"{r.random():.16f}", "range": lambda r: f"[{number(r, 4)},{number(r, 5)})",
    "contract_start": lambda r: "{:04}-{:02}-{:02}".format(*ymd(r, 1998, 2026)), "event_date": lambda r: (d := ymd(r, 2009, 2026)) and r.choice([f"{d[2]:02}.{d[1]:02}.{d[0]}", f"{d[1]:02}/{d[2]:02}/{d[0]}", f"{d[2]} {MONTHS[d[1] - 1]} {d[0]}", f"{MONTHS[d[1] - 1][:3]} {d[2]}, {d[0]}"]), "fiscal_period": lambda r: r.choice([f"{r.randint(1990, 2026)}-Q{r.randint(1, 4)}", f"FY{r.randint(1990, 2026)}", f"{r.randint(1, 12):02}/{r.randint(1990, 2026)}", f"{r.randint(1985, 2005)}-{r.randint(2006, 2026)}"]), "year": lambda r: str(r.randint(1930, 2026)), "model": lambda r: r.choice(["MacBookPro16", "iPhone15ProMax", "GalaxyTabS9FE", "WH-1000XM5", "RTX4090Ti-24G", "ThinkPadX1C11", "EOS-R6MarkII"]) + r.choice(["", "", "-EU", "v2", f"-{digits(r, 2)}"]), "product_code": lambda r: r.choice([f"{some(r, UPPER, 3)}{digits(r, 4)}{some(r, UPPER, 2)}", f"{some(r, UPPER, 2)}-{digits(r, 3)}{some(r, UPPER, 1)}/{digits(r, 2)}", f"B0{mixed(r, UPPER + DIGITS, 8)}", mixed(r, UPPER + DIGITS, 16)]), "build": lambda r: r.choice([f"{r.randint(1, 30)}.{r.randint(0, 20)}.{r.randint(0, 9)}+build.{digits(r, 4)}", f"2.{r.randint(0, 9)}.{r.randint(0, 9)}-SNAPSHOT", f"{r.randint(20, 26)}.{r.randint(1, 12):02}.{r.randint(1, 9)}-lts", f"{r.randint(10, 24)}H{r.randint(1, 2)}.{number(r, 5)}.{number(r, 4)}"]), "digest_b64url": lambda r: base64.urlsafe_b64encode(hashlib.sha256(r.randbytes(8)).digest()).decode().rstrip("="), "ticket_ref": lambda r: r.choice([f"INC{number(r, 7)}", f"CASE-{digits(r, 4)}-{some(r, UPPER, 3)}", f"REQ{digits(r, 4)}-{digits(r, 4)}", f"#{number(r, 8)}"]), "locale": lambda r: r.choice(["en_US.UTF-8", "de_DE@euro", "zh-Hans-CN", "sr_RS@latin", "pt-BR", "ca_ES@valencia"]), "compound": lambda r: r.choice(["C6H12O6", "NaHCO3", "C8H10N4O2", "Fe2(SO4)3", "CuSO4*5H2O", "K4[Fe(CN)6]", "CH3(CH2)4COOH"]), "licence_plate": lambda r: r.choice([f"{some(r, UPPER, 2)} {digits(r, 2)} {some(r, UPPER, 2)} {number(r, 4)}", f"{digits(r, 1)}{some(r, UPPER, 3)}{digits(r, 3)}", f"{some(r, UPPER, 2)}-{digits(r, 3)}-{some(r, UPPER, 2)}", f"{digits(r, 4)} {some(r, UPPER, 3)}"]),
    "matrix": lambda r: "\n".join("\t".join(str(r.randint(0, 999)) for _ in range(4)) for _ in range(3)), "series": lambda r: r.choice([", ", ",", " ", ";", "\n"]).join(str(r.randint(1, 99)) for _ in range(r.randint(4, 14))), "html": lambda r: f"<p>Order <b>{number(r, 6)}</b> is <i>{r.choice(['paid', 'late', 'lost'])}</i><br>Total: <span>{r.uniform(1, 999):.2f}</span></p>", "note": lambda r: r.choice(["Meet at the dot on the map", "3 boxes @ 4.99 each", "See the docs at example.com for more", "All hands @ HQ on Monday", "café crème, déjà vu, naïve", "lines\\nwith\\tescapes in them", "run @ main.py again", "ratio 16:9 at 60 Hz", "limit=40&offset=80&sort=asc", "KEY=\nVALUE=3"]), "float": lambda r: r.choice([f"{number(r, 7)}.0", f"{number(r, 10)}.00", f"{r.random() * 10:.15f}e{r.randint(10, 18)}", f"{r.random():.6e}"]), "path": lambda r: f"/srv/{digits(r, 4)}/{digits(r, 2)}/{digits(r, 2)}/{digits(r, 8)}_{digits(r, 6)}.bin", "pair": lambda r: number(r, 8) + r.choice(["-", "/", "_", "+", "\n", "\t"]) + number(r, 8), "short_id": lambda r: r.choice([mixed(r, ALNUM, r.choice([6, 7, 8, 9, 10, 11])), mixed(r, LOWER + DIGITS, r.choice([12, 16, 20])), mixed(r, UPPER + DIGITS, r.choice([12, 14, 16]))]),
}
