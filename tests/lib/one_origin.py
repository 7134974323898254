# SPDX-License-Identifier: Apache-2.0
"""one_origin - what a user agent has to say in o= towards each of its dialogs: RFC 3264 section 8.

check(messages) goes through all that one element was sent by another, in order: in a dialog the origin is one
and the same, its version goes up by one when the description is another than the last one, and only then.
"""

import re

ORIGIN = re.compile(rb"^o=(\S+) (\d+) (\d+) (\S+ \S+ \S+)\r?\n", re.M)


def origin(body):
    """((username, session id, address), version), or None where there is no description."""
    found = ORIGIN.search(body)
    return ((found[1], int(found[2]), found[4]), int(found[3])) if found else None


def media(body):
    """A description but for its o= line."""
    return re.sub(rb"(?m)^o=.*\n", b"", body, count=1)


def version(body):
    return origin(body)[1]


def _tag(message, name):
    found = re.search(r";\s*tag=([^;>\s]+)", message.get(name) or "")
    return found.group(1) if found else None


def description(message):
    """The session description of a message, also as a part of its body; b"" if there is none."""
    kind = message.get("Content-Type") or ""
    if kind == "application/sdp":
        return message.body
    cut = re.match(r'multipart/mixed;boundary="?([^"]+)', kind)
    part = cut and re.search(rb"Content-Type: application/sdp\r\n\r\n(.*?)\r\n--%s" % re.escape(cut.group(1).encode()),
                             message.body, re.S)
    return part.group(1) + b"\r\n" if part else b""


def check(messages):
    """How many descriptions there were; raises what is wrong with one."""
    told, seen, count = {}, set(), 0
    for message in messages:
        data = message.encode()
        body = description(message)
        if origin(body) is None or data in seen:
            continue  # a retransmission is what it was, whatever was said since
        seen.add(data)
        count += 1
        tags = _tag(message, "From"), _tag(message, "To")
        us, them = tags if message.is_request else reversed(tags)
        ours, number = origin(body)
        before = told.get((message.call_id, us, them), told.get((message.call_id, us, None)))
        content = media(body).rstrip()
        if before:
            assert ours == before[0], "another origin than %r:\n%s" % (before[0], message)
            assert number == before[1] + (content != before[2]), "after version %d:\n%s" % (before[1], message)
        else:
            assert number == 1 and ours[0] == b"-" and ours[2] == b"IN IP4 127.0.0.1", message
        told[message.call_id, us, them] = (ours, number, content)
    return count
