"""What pyx12 says of X12 files: a line each on standard output, `verdict<TAB>file<TAB>detail`.

Verdicts: accept, reject, no-map (it has no map for this transaction set and version), crash.
"""

import io
import logging
import sys

import pyx12.map_index
import pyx12.params
import pyx12.x12n_document

DETAILS_MAX = 6


class Lines(logging.Handler):
    """Keeps the first messages of the validator, which tells them to its log."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        if record.levelno >= logging.WARNING and len(self.lines) < DETAILS_MAX:
            self.lines.append(record.getMessage().strip().replace("\t", " ").replace("\n", " "))


def header(path):
    """ISA12, GS01, GS08 and BHT02 as far as they are there."""
    with open(path, encoding="ascii", errors="replace") as file:
        text = file.read(4096)
    element, end = text[3:4], text[105:106]
    found = {}
    for segment in text.split(end):
        parts = segment.strip().split(element)
        if parts[0] not in found:
            found[parts[0]] = parts
    at = lambda name, place: (found.get(name, []) + [""] * 20)[place].strip()
    return at("ISA", 12), at("GS", 1), at("GS", 8), at("BHT", 2)


def verdict(path):
    log = Lines()
    logger = logging.getLogger("pyx12")
    logger.handlers, logger.propagate = [log], False
    try:
        version, group, guide, purpose = header(path)
        index = pyx12.map_index.map_index()
        if index.get_filename(version, guide, group, purpose) is None and index.get_filename(version, guide, group) is None:
            return "no-map", f"{guide} {group}"
        report = io.StringIO()
        with open(path, encoding="ascii") as source:
            accepted = pyx12.x12n_document.x12n_document(pyx12.params.params(), source, None, None, None, report)
        if accepted:
            return "accept", ""
        return "reject", " ; ".join(log.lines) or report.getvalue().replace("\n", " ")[:600]
    except Exception as error:  # a validator that falls over has not accepted anything
        return "crash", f"{type(error).__name__}: {error}"


for name in sys.argv[1:]:
    word, detail = verdict(name)
    print(word, name, detail, sep="\t", flush=True)
