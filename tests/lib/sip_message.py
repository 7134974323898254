# SPDX-License-Identifier: Apache-2.0
"""A SIP message as tests see it: start line, headers in order, body (RFC 3261 section 7)."""
import hashlib
import re

import one_origin

COMPACT = {
    "v": "Via", "f": "From", "t": "To", "i": "Call-ID", "m": "Contact", "l": "Content-Length",
    "c": "Content-Type", "k": "Supported", "s": "Subject", "e": "Content-Encoding", "o": "Event",
    "u": "Allow-Events",
}
LISTS = {"via", "route", "record-route", "contact"}


def split_list(value):
    """Split a header value at its top-level commas."""
    out, depth, quoted, cur = [], 0, False, ""
    for ch in value:
        if ch == '"':
            quoted = not quoted
        elif not quoted and ch == "<":
            depth += 1
        elif not quoted and ch == ">":
            depth -= 1
        if ch == "," and not quoted and depth == 0:
            out.append(cur.strip())
            cur = ""
        else:
            cur += ch
    if cur.strip():
        out.append(cur.strip())
    return out


class Message:
    """One request or response; header names keep their spelling, look-up ignores case."""

    def __init__(self, start, headers=None, body=b""):
        self.start = start
        self.headers = list(headers or [])
        self.body = body if isinstance(body, bytes) else body.encode()
        self.at = 0.0
        self.source = None

    @classmethod
    def parse(cls, data):
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "replace").split("\r\n")
        unfolded = []
        for line in lines[1:]:
            if line[:1] in " \t" and unfolded:
                unfolded[-1] += " " + line.strip()
            else:
                unfolded.append(line)
        msg = cls(lines[0])
        for line in unfolded:
            name, _, value = line.partition(":")
            name = name.strip()
            name = COMPACT.get(name.lower(), name)
            value = value.strip()
            if name.lower() in LISTS:
                msg.headers += [(name, one) for one in split_list(value)]
            else:
                msg.headers.append((name, value))
        length = msg.get("Content-Length")
        msg.body = body if length is None else body[: int(length)]
        return msg

    def encode(self):
        headers = [h for h in self.headers if h[0].lower() != "content-length"]
        headers.append(("Content-Length", str(len(self.body))))
        text = self.start + "\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers) + "\r\n"
        return text.encode() + self.body

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name, default=None):
        found = self.all(name)
        return found[0] if found else default

    def add(self, name, value):
        self.headers.append((name, value))
        return self

    def drop(self, name):
        self.headers = [h for h in self.headers if h[0].lower() != name.lower()]
        return self

    def replace(self, name, value):
        for i, (n, _) in enumerate(self.headers):
            if n.lower() == name.lower():
                self.headers[i] = (n, value)
                return self
        return self.add(name, value)

    @property
    def is_request(self):
        return not self.start.startswith("SIP/2.0 ")

    @property
    def method(self):
        return self.start.split(" ")[0] if self.is_request else self.cseq_method

    @property
    def uri(self):
        return self.start.split(" ")[1]

    @property
    def status(self):
        return 0 if self.is_request else int(self.start.split(" ")[1])

    @property
    def cseq(self):
        return int(self.get("CSeq").split()[0])

    @property
    def cseq_method(self):
        return self.get("CSeq").split()[1]

    @property
    def call_id(self):
        return self.get("Call-ID")

    @property
    def branch(self):
        return param(self.get("Via"), "branch")

    @property
    def from_tag(self):
        return param(self.get("From"), "tag")

    @property
    def to_tag(self):
        return param(self.get("To"), "tag")

    @property
    def media(self):
        """The description but for its o= line, which cm gives each dialog anew."""
        return one_origin.media(self.body)

    def __repr__(self):
        return f"<{self.start} | {self.get('CSeq')} | {self.call_id}>"


def param(value, name):
    """A parameter of a header value or URI, None when absent, '' when it has no value."""
    if value is None:
        return None
    found = re.search(r";\s*" + re.escape(name) + r"(?:\s*=\s*(\"[^\"]*\"|[^;,>\s]*))?(?=[;,>\s]|$)", value, re.I)
    if not found:
        return None
    return (found.group(1) or "").strip('"')


def uri_of(value):
    """The URI of a name-addr or addr-spec."""
    found = re.search(r"<([^>]*)>", value)
    return found.group(1) if found else value.split(";")[0].strip()


def host_port(uri, default=5060):
    """(host, port) of a SIP URI."""
    rest = re.sub(r"^sips?:", "", uri, flags=re.I).split(";")[0].split("?")[0]
    rest = rest.rsplit("@", 1)[-1]
    host, _, port = rest.partition(":")
    return host, int(port) if port else default


def challenge_params(value):
    """The parameters of a WWW-Authenticate or Proxy-Authenticate value."""
    text = value.split(" ", 1)[1]
    return {k.lower(): (q if q else u) for k, q, u in re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))', text)}


def credentials(challenge, user, password, method, uri, count=1, cnonce="0a4f113b"):
    """The Authorization value that answers a digest challenge (RFC 7616: MD5 or SHA-256)."""
    c = challenge_params(challenge)
    algorithm = c.get("algorithm", "MD5")
    function = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]

    def digest(text):
        return function(text.encode()).hexdigest()

    ha1 = digest(f"{user}:{c['realm']}:{password}")
    ha2 = digest(f"{method}:{uri}")
    if "qop" in c:
        nc = f"{count:08x}"
        response = digest(f"{ha1}:{c['nonce']}:{nc}:{cnonce}:auth:{ha2}")
        extra = f', qop=auth, nc={nc}, cnonce="{cnonce}"'
    else:
        response = digest(f"{ha1}:{c['nonce']}:{ha2}")
        extra = ""
    if "opaque" in c:
        extra += f', opaque="{c["opaque"]}"'
    return (f'Digest username="{user}", realm="{c["realm"]}", nonce="{c["nonce"]}", uri="{uri}", '
            f'response="{response}", algorithm={algorithm}{extra}')
