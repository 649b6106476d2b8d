"""Holds the verdicts of the validators against rules.tsv and exceptions.tsv; ends with 1 where they do not fit."""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
VALIDATORS = ("pyx12", "linuxforhealth")


def table(name, columns):
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    for row in rows:
        if len(row) != columns:
            sys.exit(f"tests/validators/{name}: {columns} columns are wanted: {row}")
    return rows


def segments(text):
    """The segments, and the element separator and segment end."""
    return text[3], text[105], [segment.strip() for segment in text.split(text[105]) if segment.strip()]


def kind(path, rules):
    element, _, parts = segments(path.read_text(encoding="latin-1"))
    first = lambda name: next((part.split(element) for part in parts if part.split(element)[0] == name), [""] * 9)
    guide, transaction = (first("GS") + [""] * 9)[8], (first("ST") + [""] * 9)[1]
    for row in rules:
        if guide.startswith(row[1]) and transaction == row[2]:
            return row[0]
    return f"{transaction or 'TA1'} {guide}".strip()


def damaged(path, folder):
    """A copy whose first transaction set lacks the segment after ST, with the right count: nobody may accept it."""
    element, end, parts = segments(path.read_text(encoding="latin-1"))
    at = next(place for place, part in enumerate(parts) if part.startswith("ST" + element))
    del parts[at + 1]
    close = next(place for place, part in enumerate(parts) if place > at and part.startswith("SE" + element))
    parts[close] = element.join(["SE", str(close - at + 1), parts[close].split(element)[2]])
    copy = folder / path.name
    copy.write_text("".join(part + end for part in parts), encoding="latin-1")
    return copy


def verdicts(out, validator, files):
    """Verdict and detail of each file."""
    if not files:
        return {}
    python = out / validator / "bin" / "python"
    command = [python, HERE / f"{validator}_verdicts.py", *files]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    rows = (line.split("\t", 2) for line in told.splitlines() if line.count("\t") == 2)
    found = {pathlib.Path(name).name: (word, detail) for word, name, detail in rows}
    missing = [path.name for path in files if path.name not in found]
    if missing:
        sys.exit(f"tests/validators: {validator} said nothing of {missing}")
    return found


def main():
    out = pathlib.Path(sys.argv[1])
    rules, problems = table("rules.tsv", 5), []
    exceptions = {(row[0], row[1]): row[2] for row in table("exceptions.tsv", 3)}
    files = sorted((out / "samples").iterdir())
    kinds = {path.name: kind(path, rules) for path in files}
    known = {row[0]: dict(zip(VALIDATORS, row[3:])) for row in rules}
    told = {validator: verdicts(out, validator, files) for validator in VALIDATORS}
    accepted = {validator: 0 for validator in VALIDATORS}
    controls = {validator: {} for validator in VALIDATORS}
    for path in files:
        words = []
        for validator in VALIDATORS:
            word, detail = told[validator][path.name]
            words.append(f"{validator}: {word}")
            must = known.get(kinds[path.name], {}).get(validator) == "accept"
            reason = exceptions.pop((validator, path.name), None)
            if word == "accept":
                accepted[validator] += 1
                if must:
                    controls[validator].setdefault(kinds[path.name], path)
                if reason:
                    problems.append(f"{path.name}: {validator} accepts it: take it out of exceptions.tsv")
            elif must and reason:
                words[-1] += f" (its defect: {reason})"
            elif must:
                problems.append(f"{path.name}: {validator} must accept it: {word} {detail}")
        print(f"{path.name}\t{kinds[path.name]}\t" + "\t".join(words))
    for validator, name in exceptions:
        problems.append(f"exceptions.tsv: there is no sample {name}")
    for name, row in known.items():
        for validator in VALIDATORS:
            if row[validator] == "accept" and name not in controls[validator]:
                problems.append(f"{name}: {validator} accepts no sample of it")
    # A validator that accepts anything proves nothing.
    folder = out / "damaged"
    folder.mkdir(exist_ok=True)
    refused = 0
    for validator in VALIDATORS:
        copies = [damaged(path, folder) for path in controls[validator].values()]
        for name, (word, _) in verdicts(out, validator, copies).items():
            if word in ("accept", "no-map", "no-model"):
                problems.append(f"{name} without its second segment: {validator} says {word}")
            refused += word not in ("accept", "no-map", "no-model")
    total = ", ".join(f"{validator} accepts {accepted[validator]}" for validator in VALIDATORS)
    print(f"tests/validators: {len(files)} files written; {total}; {refused} damaged copies were refused")
    for problem in problems:
        print(f"tests/validators: {problem}", file=sys.stderr)
    sys.exit(1 if problems or not files else 0)


main()
