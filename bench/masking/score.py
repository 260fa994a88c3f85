#!/usr/bin/env python3
"""What detectors find in the cells of `generate.py`, and how fast: `sallyport mask` and, if it is there, Presidio.

    python3 bench/masking/generate.py --seed 1001 --rows 60 > cells.jsonl
    python3 bench/masking/score.py cells.jsonl --sallyport target/release/sallyport [--presidio 4000] [--misses 20]

A value counts as found when all of it is covered by findings, whatever they are called. A decoy or near miss
counts as hit when anything in it is covered. Precision is, of the cells of kinds `plain`, `text`, `structured`
and `decoy` in which an entity was found, the share in which something of it is labelled. Each file is run
twice: with the columns' names, and blind (no column). Values of digits alone count blind towards the whole,
not towards their entity. CPU is the least of nine runs, without what both programs need to start.

Presidio (`pip install presidio-analyzer`) runs with every recogniser of patterns it ships, for all countries, and
an engine for language that knows no names: its models are not on the package index. `--presidio N` gives it the
first N cells, since it reads some twenty kilobytes a second.
"""

import argparse
import json
import resource
import shlex
import subprocess
import sys
import time
from collections import defaultdict


def run_program(command, lines):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run(command, input="".join(lines).encode(), stdout=subprocess.PIPE, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    answers = [json.loads(line) for line in out.decode().splitlines()]
    found = [[(f["entity"], f["start"], f["end"]) for f in answer["findings"]] for answer in answers]
    return found, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def python_cpu(lines):
    """What this Python needs to read and write the same lines."""
    code = "import sys,json\nfor line in sys.stdin: sys.stdout.write(json.dumps(json.loads(line)) + '\\n')"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], input="".join(lines).encode(), stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def presidio(cells):
    import inspect
    from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry, predefined_recognizers
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

    class Blank(NlpEngine):
        def load(self): pass
        def is_loaded(self): return True
        def process_text(self, text, language): return NlpArtifacts([], [], [], [], self, language)
        def process_batch(self, texts, language, **_): return ((text, self.process_text(text, language)) for text in texts)
        def is_stopword(self, word, language): return False
        def is_punct(self, word, language): return False
        def get_supported_entities(self): return []
        def get_supported_languages(self): return ["en"]

    registry = RecognizerRegistry(supported_languages=["en"])
    for _, kind in inspect.getmembers(predefined_recognizers, inspect.isclass):
        if issubclass(kind, PatternRecognizer) or kind.__name__ == "PhoneRecognizer":
            if kind.__name__ in ("UrlRecognizer", "DateRecognizer", "UuidRecognizer"):
                continue
            try:
                registry.add_recognizer(kind(supported_language="en"))
            except TypeError:
                pass
    engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])
    begun = time.process_time()
    found = [[(f.entity_type, f.start, f.end) for f in engine.analyze(cell["text"], "en")] for cell in cells]
    return found, time.process_time() - begun


def covered(findings, start, end):
    for _, a, b in sorted(findings, key=lambda f: f[1]):
        if a <= start < b:
            start = b
    return start >= end


def score(name, cells, found, blind, misses):
    labelled, hit, guessed, right = defaultdict(int), defaultdict(int), defaultdict(int), defaultdict(int)
    total, got, kinds, kind_hit, shown = 0, 0, defaultdict(int), defaultdict(int), defaultdict(list)
    for cell, findings in zip(cells, found):
        kind, labels = cell["kind"], cell["labels"]
        kinds[kind] += 1
        whole = all(covered(findings, label["start"], label["end"]) for label in labels)
        if kind in ("decoy", "near"):
            kind_hit[kind] += bool(findings)
            if findings:
                shown[f"{kind} {findings[0][0]}"].append(cell)
        else:
            kind_hit[kind] += whole
        if kind in ("near", "disguised"):
            if kind == "disguised" and not whole:
                shown["disguised " + labels[0]["entity"]].append(cell)
            continue
        for label in labels:
            total += 1
            whole = covered(findings, label["start"], label["end"])
            got += whole
            if not (blind and label["bare"]):
                labelled[label["entity"]] += 1
                hit[label["entity"]] += whole
                if not whole:
                    shown["missed " + label["entity"]].append(cell)
        for entity in {entity for entity, _, _ in findings}:
            guessed[entity] += 1
            spans = [(a, b) for e, a, b in findings if e == entity]
            fits = any(a < label["end"] and label["start"] < b for a, b in spans for label in labels)
            right[entity] += fits
            if not fits and kind != "decoy":
                shown["false " + entity].append(cell)
    percent = lambda part, of: f"{100 * part / of:6.2f} %" if of else "     – "
    print(f"\n{name}, {'blind' if blind else 'column names given'}")
    print(f"  recall {percent(got, total)}   precision {percent(sum(right.values()), sum(guessed.values()))}   decoys hit {percent(kind_hit['decoy'], kinds['decoy'])}"
          f"   near misses hit {percent(kind_hit['near'], kinds['near'])}   disguised {percent(kind_hit['disguised'], kinds['disguised'])}")
    for entity in sorted(set(labelled) | set(guessed)):
        print(f"    {entity:18} {labelled[entity]:6} recall {percent(hit[entity], labelled[entity])}   {guessed[entity]:6} found, precision {percent(right[entity], guessed[entity])}")
    for what, those in sorted(shown.items()) if misses else []:
        for cell in those[:misses]:
            print(f"      {what} ({len(those)}): [{cell['column']}] {cell['text'][:200]!r} {[cell['text'][l['start']:l['end']][:60] for l in cell['labels']]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("cells")
    parser.add_argument("--sallyport", default="target/release/sallyport", help="the program; `mask` is added")
    parser.add_argument("--program", help="another filter of the same form, in place of `sallyport mask`")
    parser.add_argument("--presidio", type=int, default=0, metavar="N")
    parser.add_argument("--misses", type=int, default=0, metavar="N", help="show so many of each kind of fault")
    arguments = parser.parse_args()
    cells = [json.loads(line) for line in open(arguments.cells, encoding="utf-8")]
    command = shlex.split(arguments.program) if arguments.program else [arguments.sallyport, "mask"]
    size = sum(len(cell["text"].encode()) for cell in cells) / 1e6
    given = [json.dumps({k: cell[k] for k in ("id", "text", "column")}, ensure_ascii=False) + "\n" for cell in cells]
    blind = [json.dumps({k: cell[k] for k in ("id", "text")}, ensure_ascii=False) + "\n" for cell in cells]
    for lines, is_blind in ((given, False), (blind, True)):
        found, cpu = run_program(command, lines)
        score("Sallyport", cells, found, is_blind, arguments.misses)
        for what, many in (("each cell once", lines), ("the same ten times over", lines * 10)):
            ours, python = (least(run, many) - least(run, []) for run in (lambda lines: run_program_only(command, lines), python_cpu))
            print(f"  CPU, {what}: {ours:.3f} s; CPython reads and writes the same lines in {python:.3f} s; ratio {ours / python:.2f}")
    if arguments.presidio:
        part = cells[:arguments.presidio]
        found, cpu = presidio(part)
        score(f"Presidio, {len(part)} cells", part, found, True, 0)
        text = sum(len(cell["text"].encode()) for cell in part) / 1e6
        print(f"  {text / cpu:.3f} MB/s")
        found, _ = run_program(command, blind[:arguments.presidio])
        score(f"Sallyport, the same {len(part)} cells", part, found, True, 0)
    print(f"\n{len(cells)} cells, {size:.2f} MB of text")


def least(run, lines):
    return min(run(lines) for _ in range(9))


def run_program_only(command, lines):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, input="".join(lines).encode(), stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
