#!/usr/bin/env python3
"""Sentences with names of people and addresses, and sentences without, by Faker (`pip install Faker`).

    python3 bench/masking/names.py --seed 1 --count 2000 > names.jsonl
    python3 bench/masking/score.py names.jsonl --program target/release/examples/filter

Cells as those of `generate.py`. Detectors find names and streets in sentences as well as a list and a few words can;
this says how well that is.
"""

import argparse
import json
import random

from faker import Faker

LOCALES = "en_US en_GB en_CA en_AU en_IN de_DE fr_FR es_ES it_IT nl_NL pt_BR pl_PL sv_SE".split()
PEOPLE = ["Spoke with {v} about the refund.", "Please call {v} back tomorrow", "The order was signed by {v}, who asked for a receipt.", "{v} says the parcel never came", "Ticket opened for {v} (gold customer).", "Meeting: {v}, Tuesday at 10:30", "Dear {v}, thank you for your patience.", "Escalated to {v} by the night shift"]
PLACES = ["Deliver to {v} before noon.", "The customer moved to {v} last month", "Return address: {v}, as on the label", "Courier went to {v} and nobody was in.", "Billing stays at {v}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=2000)
    arguments = parser.parse_args()
    r = random.Random(arguments.seed)
    Faker.seed(arguments.seed)
    fakers = [Faker(locale) for locale in LOCALES]
    for number in range(arguments.count):
        faker = r.choice(fakers)
        if number % 3 == 2:
            text, labels = r.choice([faker.sentence(10), faker.text(120), faker.bs().capitalize() + ", " + faker.catch_phrase() + "." if hasattr(faker, "bs") else faker.sentence(8)]), []
        else:
            entity, templates, value = r.choice([("PERSON", PEOPLE, f"{faker.first_name()} {faker.last_name()}"), ("PERSON", PEOPLE, faker.name()), ("LOCATION", PLACES, faker.street_address().replace("\n", ", "))])
            before, after = r.choice(templates).split("{v}")
            text, labels = before + value + after, [{"entity": entity, "start": len(before), "end": len(before) + len(value), "bare": False}]
        print(json.dumps({"id": str(number), "text": text, "column": "note", "kind": "text" if labels else "decoy", "labels": labels}, ensure_ascii=False))


if __name__ == "__main__":
    main()
