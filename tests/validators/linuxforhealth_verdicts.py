"""What linuxforhealth-x12 says of X12 files: a line each on standard output, `verdict<TAB>file<TAB>detail`.

Verdicts: accept, reject, no-model (it has none for this transaction set and version). It knows the 837 by the number of
a later erratum only (X222A2, X223A3): for it those numbers are put in the place of ours. It takes no list of contacts of
the payer in an 835, which the guide asks for: PER segments are left out there and the count is made right. Nothing else is
changed.
"""

import sys

from linuxforhealth.x12.io import X12ModelReader

LATER = {"005010X222A1": "005010X222A2", "005010X223A2": "005010X223A3"}


def without_contacts(text):
    """An 835 without its PER segments."""
    element, end = text[3], text[105]
    kept, count = [], 0
    for segment in text.split(end):
        parts = segment.strip().split(element)
        if parts[0] == "PER":
            continue
        count = 1 if parts[0] == "ST" else count + 1
        if parts[0] == "SE":
            segment = segment.replace(element + parts[1] + element, element + str(count) + element, 1)
        kept.append(segment)
    return end.join(kept)


def verdict(path):
    try:
        with open(path, encoding="ascii") as file:
            text = file.read()
        for ours, theirs in LATER.items():
            text = text.replace(ours, theirs)
        if text[3] + "005010X221A1" + text[105] in text:
            text = without_contacts(text)
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
