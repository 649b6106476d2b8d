"""What linuxforhealth-x12 says of X12 files: a line each on standard output, `verdict<TAB>file<TAB>detail`.

Verdicts: accept, reject, no-model (it has none for this transaction set and version). It knows the 837 by the number of
a later erratum only (X222A2, X223A3): for it those numbers are put in the place of ours, and nothing else is changed.
"""

import sys

from linuxforhealth.x12.io import X12ModelReader

LATER = {"005010X222A1": "005010X222A2", "005010X223A2": "005010X223A3"}


def verdict(path):
    try:
        with open(path, encoding="ascii") as file:
            text = file.read()
        for ours, theirs in LATER.items():
            text = text.replace(ours, theirs)
        with X12ModelReader(text) as reader:
            models = sum(1 for _ in reader.models())
        sets = text.count(text[105] + "ST" + text[3]) + text.count(text[105] + "\nST" + text[3])
        if models != sets:
            return "reject", f"{models} of {sets} transaction sets were read"
        return "accept", ""
    except Exception as error:  # it tells its findings by many kinds of exceptions
        words = " ".join(f"{type(error).__name__}: {error}".split())
        return ("no-model" if "Unable to match" in words else "reject"), words[:600]


for name in sys.argv[1:]:
    word, detail = verdict(name)
    print(word, name, detail, sep="\t", flush=True)
