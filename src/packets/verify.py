#!/usr/bin/env python3
"""Checks an evidence packet of Portico, or a whole data directory against its anchors, with Python's standard library.

    python3 verify.py [PACKET.zip | FOLDER] [--key KEY] [--anchors FOLDER]
    python3 verify.py --data DATA_DIR --anchors FOLDER [--key KEY]

Without an argument it checks the folder it lies in. --key is a key of the gateway that you know from elsewhere
(`portico trail keys` prints it); without it the packet's own key is believed, and printed for you to compare.
Exit code: 0 everything holds, 1 something does not (the first bad record of each trail is named), 2 it cannot be read.
"""
import base64, calendar, functools, hashlib, json, os, re, sqlite3, sys, time, zipfile

BYTES_MAX = 256 << 20
ENTRIES_MAX = 20_000


class Broken(Exception):
    """What is handed in cannot be what it should be."""


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# ---- the Merkle tree: RFC 6962 section 2.1, the checks as in RFC 9162 sections 2.1.3.2 and 2.1.4.2 ----

def leaf_hash(text):
    return sha256(b"\0", text)


def node_hash(left, right):
    return sha256(b"\1", left, right)


def included(leaf, index, size, path, root):
    if index >= size:
        return False
    place, last, node = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = node_hash(step, node)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            node = node_hash(node, step)
        place >>= 1
        last >>= 1
    return last == 0 and node == root


def consistent(old, new, old_root, new_root, path):
    if old == 0 or old == new:
        return not path and (old == 0 or old_root == new_root)
    if old > new:
        return False
    path = list(path)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place >>= 1
        last >>= 1
    a = b = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            a, b = node_hash(step, a), node_hash(step, b)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            b = node_hash(b, step)
        place >>= 1
        last >>= 1
    return last == 0 and a == old_root and b == new_root


class Frontier:
    """The roots of a growing tree's full subtrees, largest first."""

    def __init__(self):
        self.size, self.roots = 0, []

    def push(self, leaf):
        place = self.size
        while place & 1:
            leaf = node_hash(self.roots.pop(), leaf)
            place >>= 1
        self.roots.append(leaf)
        self.size += 1

    def root(self):
        if not self.roots:
            return sha256()
        node = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            node = node_hash(left, node)
        return node


# ---- Ed25519: RFC 8032 section 5.1, checking only ----

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def point_x(y, sign):
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = point_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def add(a, b):
    s, t = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    u, v = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = t - s, v - u, v + u, t + s
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, a):
    total = (0, 1, 1, 0)
    while n:
        if n & 1:
            total = add(total, a)
        a = add(a, a)
        n >>= 1
    return total


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (point_x(BASE_Y, 0), BASE_Y, 1, point_x(BASE_Y, 0) * BASE_Y % P)


@functools.lru_cache(maxsize=100_000)
def signed(public, text, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = point(public), point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= Q:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % Q
    left, right = times(s, BASE), add(r, times(k, a))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


# ---- signed notes and checkpoints: https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint ----

def decode64(text):
    return base64.b64decode(text, validate=True)


def read_key(text):
    name, number, data = text.strip().split("+", 2)
    data = decode64(data)
    if data[:1] != b"\1" or len(data) != 33 or sha256(name.encode(), b"\n", data)[:4].hex() != number:
        raise Broken("this is no Ed25519 key")
    return {"name": name, "id": bytes.fromhex(number), "public": data[1:], "text": text.strip()}


def open_note(note, keys):
    """The text of a note that one of the keys signed; None otherwise."""
    try:
        end = note.rindex("\n\n") + 1
        text, lines, found = note[:end], note[end + 1:], False
        if not lines.endswith("\n"):
            return None
        for line in lines[:-1].split("\n"):
            mark, name, signature = line.split(" ", 2)
            signature = decode64(signature)
            if mark != "\u2014" or len(signature) < 5:
                return None
            for key in keys:
                if key["name"] == name and key["id"] == signature[:4]:
                    if not signed(key["public"], text.encode(), signature[4:]):
                        return None
                    found = True
        return text if found else None
    except (ValueError, UnicodeError):
        return None


def read_checkpoint(note, keys):
    text = open_note(note, keys)
    if text is None:
        return None
    origin, size, root = text.split("\n")[:3]
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", size):
        return None
    return {"origin": origin, "size": int(size), "root": decode64(root)}


def read_keys(marks, trusted):
    """The keys that were announced as they must be: each signed by itself and by the one before it."""
    keys = []
    for place, mark in enumerate(marks):
        key = read_key(mark["key"])
        previous = keys[-1] if keys else None
        text = "portico trail key v1\n%d\n%s\n%s\n" % (mark["n"], mark["key"], previous["text"] if previous else "-")
        text = text.encode()
        good = signed(key["public"], text, decode64(mark["signature"])) and mark["n"] == place + 1
        good = good and mark.get("previous") == (previous["text"] if previous else None)
        if previous:
            good = good and signed(previous["public"], text, decode64(mark["previous_signature"]))
        if not good:
            raise Broken("key %d was not announced as it must be" % mark["n"])
        keys.append(key)
    if trusted and trusted["text"] not in [key["text"] for key in keys]:
        raise Broken("the key you know is none of this gateway's")
    # Keys before the one that is known are believed no more than it says; the ones after it were signed by it.
    return keys


# ---- what was found ----

class Report:
    def __init__(self):
        self.found = []

    def bad(self, where, what, record=None):
        self.found.append((record, where, what))

    def end(self, words):
        records = [item for item in self.found if item[0] is not None]
        for record, where, what in sorted(records, key=lambda item: item[0]) + \
                [item for item in self.found if item[0] is None]:
            print("BAD  %s%s: %s" % (where, "" if record is None else " record %d" % record, what))
        if records:
            print("The first bad record is %d." % min(item[0] for item in records))
        print("NOT WHOLE: %d problems" % len(self.found) if self.found else "WHOLE: " + words)
        return 1 if self.found else 0


# ---- a packet ----

def packet_files(path):
    files, total = {}, 0
    if os.path.isdir(path):
        for folder, _, names in os.walk(path):
            for name in names:
                full = os.path.join(folder, name)
                total += os.path.getsize(full)
                if total > BYTES_MAX or len(files) >= ENTRIES_MAX:
                    raise Broken("the packet is too large")
                with open(full, "rb") as file:
                    files[os.path.relpath(full, path).replace(os.sep, "/")] = file.read()
        return files
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            total += info.file_size
            if total > BYTES_MAX or len(files) >= ENTRIES_MAX or info.filename in files:
                raise Broken("the packet is too large, or has a file twice")
            with archive.open(info) as file:
                files[info.filename] = file.read(info.file_size + 1)
    return files


def check_packet(path, trusted, anchors):
    files, report = packet_files(path), Report()

    def text(name):
        return files[name].decode("utf-8")

    keys = []
    try:
        keys = read_keys(json.loads(text("keys.json"))["keys"], trusted)
    except Exception as error:
        report.bad("keys.json", "the keys cannot be proven (%s)" % error)
    check_list(files, keys, report)
    records = check_records(files, keys, report)
    if records.get("read"):
        try:
            check_details(files, records, report)
        except Exception:
            report.bad("details.json", "it cannot be read")
    check_anchors(files, keys, records.get("checkpoint"), anchors, report)
    check_system(files, keys, records.get("checkpoint"), report)
    if not trusted and keys:
        print("Signed with %s; compare it with what the gateway's operator tells you." % keys[-1]["text"])
    return report.end("%d records, all in the tree of %s records" % (
        len(records["bodies"]), records.get("checkpoint", {}).get("size", "?")))


def check_list(files, keys, report):
    """Every file is on the list, and the list is signed."""
    try:
        listed = {}
        for line in files["sha256sums"].decode("utf-8").splitlines():
            digest, name = line.split("  ", 1)
            listed[name] = digest
        for name in sorted(set(files) - {"sha256sums", "packet.note"} | set(listed)):
            if name not in files:
                report.bad(name, "it is missing")
            elif name not in listed:
                report.bad(name, "it was put in")
            elif sha256(files[name]).hex() != listed[name]:
                report.bad(name, "it was changed")
        packet = json.loads(files["packet.json"].decode("utf-8"))
        signed_text = open_note(files["packet.note"].decode("utf-8"), keys)
        wanted = "portico packet v1\n%s\n%s\n" % (packet["id"], sha256(files["sha256sums"]).hex())
        if signed_text != wanted:
            report.bad("packet.note", "the list of files is not the one that was signed")
    except Exception:
        report.bad("sha256sums", "the list of files, or its signature, cannot be read")


def check_records(files, keys, report):
    """Every record stands in the tree whose root is signed, and the tree continues the last packet's."""
    got = {"bodies": {}, "entries": {}}
    try:
        checkpoint = read_checkpoint(files["checkpoint.note"].decode("utf-8"), keys)
        if checkpoint is None:
            report.bad("checkpoint.note", "it is not signed by a key of this gateway")
            return got
        packet = json.loads(files["packet.json"].decode("utf-8"))
        if checkpoint["origin"] != packet["origin"]:
            report.bad("checkpoint.note", "it is of another trail")
        got["checkpoint"] = checkpoint
        proofs = json.loads(files["proofs.json"].decode("utf-8"))
        paths = {proof["seq"]: [bytes.fromhex(step) for step in proof["path"]] for proof in proofs["records"]}
        order = [proof["seq"] for proof in proofs["records"]]
        lines = files["records.jsonl"].split(b"\n")
        if lines.pop() != b"":
            report.bad("records.jsonl", "its last line has no end")
        check_lines(lines, order, paths, checkpoint, packet, got, report)
        got["read"] = True
        check_previous(files, keys, proofs, checkpoint, report)
    except Exception as error:
        report.bad("records.jsonl", "the records and their proofs cannot be read (%s)" % type(error).__name__)
    return got


def check_lines(lines, order, paths, checkpoint, packet, got, report):
    for place, body in enumerate(lines):
        told = order[place] if place < len(order) else None
        try:
            entry = json.loads(body.decode("utf-8"))
            seq = entry["seq"]
        except (ValueError, KeyError, TypeError):
            entry, seq = None, told
        if seq is None or (told is not None and seq != told):
            report.bad("records.jsonl", "the record in line %d is not the one that stands here" % (place + 1), told or seq)
            continue
        if not included(leaf_hash(body), seq - 1, checkpoint["size"], paths.get(seq, []), checkpoint["root"]):
            report.bad("records.jsonl", "the record does not stand in the signed tree", seq)
            continue
        if entry is None or entry["practice"] != packet["practice"]:
            report.bad("records.jsonl", "the record is of another practice", seq)
            continue
        got["bodies"][seq], got["entries"][seq] = body, entry
    for seq in order[len(lines):]:
        report.bad("records.jsonl", "the record is missing", seq)


def check_previous(files, keys, proofs, checkpoint, report):
    before = proofs.get("previous")
    if not before:
        return
    note = read_checkpoint(files["previous.note"].decode("utf-8"), keys)
    path = [bytes.fromhex(step) for step in before["path"]]
    if note is None or note["origin"] != checkpoint.get("origin") or note["size"] != before["size"]:
        report.bad("previous.note", "the last packet's checkpoint is not signed, or of another trail")
    elif not consistent(note["size"], checkpoint["size"], note["root"], checkpoint["root"], path):
        report.bad("proofs.json", "the trail does not continue the one that the last packet showed")


def check_details(files, records, report):
    """What is shown is what the records committed to, and so is everything in folders: answers, exchanges, messages."""
    known, shown = set(), set()
    for item in json.loads(files["details.json"].decode("utf-8")):
        seq = item["seq"]
        entry = records["entries"].get(seq)
        shown.add(seq)
        if entry is None:
            report.bad("details.json", "a detail belongs to no record", seq)
            continue
        detail = item["text"].encode("utf-8")
        if sha256(bytes.fromhex(item["salt"]), detail).hex() != entry.get("detail_c"):
            report.bad("details.json", "the detail is not the one the record committed to", seq)
            continue
        said, ask = json.loads(detail), entry.get("ask_id")
        named = dict(said.get("files") or {})
        for kind, folder in (("answer", "answers"), ("exchange", "exchanges")):
            digest = (said.get(kind) or {}).get("sha256")
            if digest is not None:
                named["%s/%s.json" % (folder, ask)] = digest
        for name, digest in sorted(named.items()):
            known.add(name)
            if name not in files:
                report.bad(name, "it is missing", seq)
            elif sha256(files[name]).hex() != digest:
                report.bad(name, "it is not what the record committed to", seq)
    for seq, entry in records["entries"].items():
        if entry.get("detail_c") and seq not in shown:
            report.bad("details.json", "the record's detail is missing", seq)
    for name in files:
        if "/" in name and name not in known:
            report.bad(name, "no record committed to it")


def check_anchors(files, keys, checkpoint, folder, report):
    for number, line in enumerate(files.get("anchors.jsonl", b"").decode("utf-8", "replace").splitlines(), 1):
        try:
            anchor = json.loads(line)
            read = read_checkpoint(anchor["note"], keys) if "note" in anchor else None
            wrong = "note" in anchor and (read is None or (
                checkpoint and read["origin"] == checkpoint["origin"] and read["size"] == checkpoint["size"]
                and read["root"] != checkpoint["root"]))
        except Exception:
            wrong = True
        if wrong:
            report.bad("anchors.jsonl", "line %d is not signed, or contradicts the checkpoint" % number)
    if not folder or not checkpoint:
        return
    same = [a for _, a in read_anchors(folder, keys, Report())
            if a["origin"] == checkpoint["origin"] and a["size"] == checkpoint["size"]]
    if not same:
        report.bad("checkpoint.note", "your anchors do not have this checkpoint")
    elif any(a["root"] != checkpoint["root"] for a in same):
        report.bad("checkpoint.note", "your anchors have another checkpoint of this size")


def check_system(files, keys, checkpoint, report):
    """The system's own trail, which commits to all others, has the checkpoint on record."""
    if "system.json" not in files:
        return
    try:
        system = json.loads(files["system.json"].decode("utf-8"))
        note = read_checkpoint(files["system.note"].decode("utf-8"), keys)
        body = system["record"].encode("utf-8")
        entry = json.loads(body)
        path = [bytes.fromhex(step) for step in system["path"]]
        good = note and included(leaf_hash(body), entry["seq"] - 1, note["size"], path, note["root"])
        good = good and entry["mark"]["size"] == checkpoint["size"] and entry["mark"]["root"] == checkpoint["root"].hex()
        if not good:
            report.bad("system.json", "the system's trail does not have this checkpoint on record")
    except Exception:
        report.bad("system.json", "it cannot be read")


# ---- a whole data directory, against its anchors ----

def anchor_files(folder):
    for place, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if name.startswith("anchors-") and name.endswith(".jsonl"):
                yield os.path.join(place, name)


def read_anchors(folder, keys, report):
    keys = list(keys)
    for path in anchor_files(folder):
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                where = "%s line %d" % (os.path.basename(path), number)
                try:
                    said = json.loads(line)
                    if "key" in said and said["key"]["key"] not in [key["text"] for key in keys]:
                        key, mark = read_key(said["key"]["key"]), said["key"]
                        text = "portico trail key v1\n%d\n%s\n%s\n" % (mark["n"], mark["key"], mark.get("previous") or "-")
                        before = [known for known in keys if known["text"] == mark.get("previous")]
                        if not before or not signed(
                                before[0]["public"], text.encode(), decode64(mark["previous_signature"])):
                            raise Broken("a key that was not announced")
                        keys.append(key)
                    if "note" in said:
                        read = read_checkpoint(said["note"], keys)
                        if read is None:
                            raise Broken("not signed")
                        yield where, read
                except Exception:
                    report.bad("anchors", "%s cannot be read or proven" % where)


def unquote(name):
    return re.sub("(?:%[0-9A-F]{2})+", lambda m: bytes.fromhex(m.group().replace("%", "")).decode("utf-8"), name)


def check_data(data, folder, trusted):
    report = Report()
    database = sqlite3.connect("file:%s?mode=ro" % os.path.join(data, "portico.db").replace("?", "%3f"), uri=True)
    marks = [json.loads(row[0]) for row in database.execute("SELECT announcement FROM trail_key ORDER BY n")]
    keys = read_keys(marks, trusted)
    claims = {}
    for where, read in read_anchors(folder, keys, report) if folder else []:
        claims.setdefault(read["origin"], []).append((read["size"], read["root"], "anchor " + where))
    for note, size in database.execute("SELECT note, size FROM trail_checkpoint"):
        read = read_checkpoint(note, keys)
        if read is None or read["size"] != size:
            report.bad("checkpoints", "the checkpoint at %d is not signed" % size)
        else:
            claims.setdefault(read["origin"], []).append((size, read["root"], "the checkpoint at %d" % size))
    names = {unquote(origin.rsplit("/", 1)[1].split("~")[0]) for origin in claims}
    names |= {row[0] for row in database.execute("SELECT DISTINCT practice FROM trail UNION SELECT practice FROM trail_head")}
    total = sum(check_trail(database, name, claims, report) for name in sorted(names))
    return report.end("%d records of %d trails" % (total, len(names)))


def check_trail(database, practice, claims, report):
    where = "trail of %s" % practice
    head = database.execute("SELECT seq, chain, epoch FROM trail_head WHERE practice = ?", (practice,)).fetchone()
    epoch = head[2] if head else 1
    suffix = "" if epoch == 1 else "~%d" % epoch
    mine = [(int((origin.rsplit("~", 1) + ["1"])[1]) if "~" in origin else 1, size, root, by)
            for origin, found in claims.items() for size, root, by in found
            if unquote(origin.rsplit("/", 1)[1].split("~")[0]) == practice]
    chain, frontier, roots = sha256(b"portico trail v1\0", practice.encode()), Frontier(), {}
    wanted = {size for _, size, _, _ in mine}
    for seq, at, body, stored in database.execute(
            "SELECT seq, at, body, chain FROM trail WHERE practice = ? ORDER BY seq", (practice,)):
        expected = frontier.size + 1
        leaf = leaf_hash(body.encode("utf-8"))
        if seq != expected:
            report.bad(where, "records are missing before the next one that is there", expected)
            break
        if sha256(chain, leaf) != stored or not agrees(body, practice, seq, at):
            report.bad(where, "the record was changed, or put in", expected)
            break
        chain = stored
        frontier.push(leaf)
        if frontier.size in wanted:
            roots[frontier.size] = frontier.root()
    else:
        if (head[0] if head else 0) != frontier.size or (head and head[1] != chain):
            report.bad(where, "the trail's end is not that of its records", min(frontier.size, head[0] if head else 0) + 1)
    held = 0
    for of, size, root, by in sorted(mine, key=lambda claim: claim[1]):
        if of < epoch:
            continue
        if of == epoch and roots.get(size) == root:
            held = size
            continue
        if of > epoch or size > frontier.size:
            report.bad(where, "records that %s names are missing" % by, frontier.size + 1)
        else:
            report.bad(where, "%s was signed over other records (one of %d to %d)" % (by, held + 1, size), held + 1)
        break
    return frontier.size


def microseconds(text):
    whole, _, part = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 1_000_000 + int((part + "000000")[:6])


def agrees(body, practice, seq, at):
    try:
        entry = json.loads(body)
        return entry["seq"] == seq and entry["practice"] == practice and microseconds(entry["at"]) == at
    except (ValueError, KeyError, TypeError):
        return False


def main(arguments):
    options, rest = {}, []
    while arguments:
        word = arguments.pop(0)
        if word in ("--key", "--anchors", "--data") and arguments:
            options[word] = arguments.pop(0)
        elif word.startswith("-"):
            print(__doc__)
            return 2
        else:
            rest.append(word)
    try:
        trusted = read_key(options["--key"]) if "--key" in options else None
        if "--data" in options:
            return check_data(options["--data"], options.get("--anchors"), trusted)
        path = rest[0] if rest else os.path.dirname(os.path.abspath(__file__))
        return check_packet(path, trusted, options.get("--anchors"))
    except Exception as error:
        print("CANNOT BE READ: %s" % error)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
