"""The shapes of botocore's service models: what is wrong with a value, and how to break each constraint of a valid one alone."""

import json

import regex

UUID = "0f0e0d0c-1111-4222-8333-444455556666"
# For members that the life does not fill: the first that fits the shape is taken.
SAMPLES = [
    "a", "12", "123456789012", UUID, "PT1H", "displayName", "a@example.com", "d-0123456789", "r-abcd", "ou-abcd-01234567",
    "car-01234567", "eu-central-1", "aws:identitystore:enterprise", "https://example.com", "/", "sso:account:access",
    "arn:aws:sso:::instance/ssoins-0123456789abcdef", "arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-0123456789abcdef",
    "arn:aws:sso::123456789012:application/ssoins-0123456789abcdef/apl-0123456789abcdef",
    f"arn:aws:sso::123456789012:trustedTokenIssuer/ssoins-0123456789abcdef/tti-{UUID}",
    "arn:aws:sso::aws:applicationProvider/custom", "arn:aws:iam::aws:policy/ReadOnlyAccess",
]  # fmt: skip
INTRUDERS = " !\n\u0007é\u20ac~/x0\U0001f600"  # one of them is outside every character class


def java(pattern):
    """A pattern of the models for `regex`: \\w, \\d and \\s of Java know ASCII only."""
    plain = {"w": "A-Za-z0-9_", "d": "0-9", "s": " \\t\\n\\x0b\\f\\r"}
    out, inside, at = [], False, 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            follower = pattern[at + 1]
            out.append((plain[follower] if inside else f"[{plain[follower]}]") if follower in plain else char + follower)
            at += 2
            continue
        inside = char == "[" or (inside and char != "]")
        out.append(char)
        at += 1
    return regex.compile("".join(out), regex.DOTALL)


PATTERNS = {}


def fits(shape, text):
    pattern = shape.metadata.get("pattern")
    if not pattern:
        return True
    if pattern not in PATTERNS:
        PATTERNS[pattern] = java(pattern)
    return PATTERNS[pattern].fullmatch(text) is not None


def bounds(shape):
    return shape.metadata.get("min", 0), shape.metadata.get("max", float("inf"))


def is_document(shape):
    return bool(shape.metadata.get("document"))


def exactly_one(shape):
    # The boundary is no union in the model, but its documentation says either of the two.
    return getattr(shape, "is_tagged_union", False) or shape.name == "PermissionsBoundary"


TYPES = {"string": str, "structure": dict, "map": dict, "list": list, "boolean": bool, "integer": int, "long": int}
TYPES |= {"timestamp": (int, float), "float": (int, float), "double": (int, float), "blob": str}


def faults(shape, value, path="", extra=()):
    """What is wrong with a JSON value: pairs of constraint and text."""
    kind = shape.type_name
    if is_document(shape):
        return
    if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield "type", f"{path or 'body'}: {json.dumps(value)[:80]} is no {kind}"
        return
    low, high = bounds(shape)
    size = value if kind in ("integer", "long") else len(value) if kind in ("string", "list", "map") else None
    if size is not None and size < low:
        yield "min", f"{path}: {value!r:.80} is below {low}"
    if size is not None and size > high:
        yield "max", f"{path}: {value!r:.80} is above {high}"
    if kind == "string":
        if getattr(shape, "enum", None) and value not in shape.enum:
            yield "enum", f"{path}: {value!r:.80} is none of {shape.enum}"
        if not fits(shape, value):
            yield "pattern", f"{path}: {value!r:.120} does not match {shape.metadata['pattern']}"
    elif kind == "list":
        for number, item in enumerate(value):
            yield from faults(shape.member, item, f"{path}[{number}]")
    elif kind == "map":
        for key, item in value.items():
            yield from faults(shape.key, key, f"{path}{{}}")
            yield from faults(shape.value, item, f"{path}.{key}")
    elif kind == "structure":
        wire = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        for name in value.keys() - wire.keys() - set(extra):
            yield "unknown", f"{path}.{name}: no member of {shape.name}"
        for key, (name, member) in wire.items():
            if value.get(key) is not None:
                yield from faults(member, value[key], f"{path}.{key}")
            elif name in shape.required_members:
                yield "required", f"{path}.{key}: missing"
            elif key in value:
                yield "null", f"{path}.{key}: null instead of left out"
        if exactly_one(shape) and len(value) != 1:
            yield "union", f"{path}: not exactly one of {list(shape.members)}"


def sample(shape):
    """The least valid value of a shape."""
    kind = shape.type_name
    low, high = bounds(shape)
    if is_document(shape):
        return "a"
    if kind == "structure":
        names = list(shape.members)[:1] if exactly_one(shape) else shape.required_members
        return {name: sample(shape.members[name]) for name in names}
    if kind == "list":
        return [sample(shape.member) for _ in range(max(1, low))]
    if kind == "map":
        return {sample(shape.key): sample(shape.value)}
    if kind == "string":
        candidates = [*(getattr(shape, "enum", None) or SAMPLES), "a" * low, "0" * low]
        return next(text for text in candidates if low <= len(text) <= high and fits(shape, text))
    return {"boolean": True, "timestamp": 1}.get(kind, max(1, low))


def alike(shape, item, count):
    """So many valid items, as different as the shape admits."""
    if isinstance(item, dict):
        key = next((name for name in ("Key", "Issuer") if name in item), None)
        texts = alike(shape.members[key], item[key], count) if key else [None] * count
        return [{**item, key: text} if key else item for text in texts]
    if isinstance(item, str):
        endings = [(item + str(number), item[: -len(str(number))] + str(number)) for number in range(count)]
        return [next((text for text in pair if not list(faults(shape, text))), item) for pair in endings]
    return [item] * count


def violations(shape, value, path=""):
    """Each constraint broken alone: triples of constraint, path and what to send instead of the valid `value`."""
    kind = shape.type_name
    low, high = bounds(shape)
    if is_document(shape):
        return
    if path:
        yield "type", path, 1 if kind in ("string", "blob") else "a"
    if kind == "structure":
        one = exactly_one(shape)
        if one:
            yield "union", path, {}
            if len(shape.members) > 1:
                yield "union", path, {name: sample(member) for name, member in shape.members.items()}
        for name, member in shape.members.items():
            inner = value[name] if name in value else sample(member)
            rest = {} if one else {key: item for key, item in value.items() if key != name}
            if name in shape.required_members:
                yield "required", f"{path}.{name}", rest
            for constraint, where, bad in violations(member, inner, f"{path}.{name}"):
                yield constraint, where, {**rest, name: bad}
    elif kind == "list":
        if low > 0:
            yield "min", path, value[: low - 1]
        if high < 1000:
            yield "max", path, alike(shape.member, value[0] if value else sample(shape.member), high + 1)
        first, others = (value[0], value[1:]) if value else (sample(shape.member), [])
        for constraint, where, bad in violations(shape.member, first, f"{path}[]"):
            yield constraint, where, [bad, *others]
    elif kind == "map":
        (key, item), *_ = (value or sample(shape)).items()
        if low > 0:
            yield "min", path, {}
        if high < 1000:
            yield "max", path, {text: item for text in letters(key, high + 1)}
        for constraint, where, bad in violations(shape.key, key, f"{path}{{}}"):
            if constraint != "type":  # the key of a JSON object is always a string
                yield constraint, where, {bad: item}
        for constraint, where, bad in violations(shape.value, item, f"{path}{{}}"):
            yield constraint, where, {key: bad}
    elif kind in ("integer", "long"):
        if "min" in shape.metadata:
            yield "min", path, low - 1
        if "max" in shape.metadata:
            yield "max", path, high + 1
    elif kind == "string":
        if getattr(shape, "enum", None):
            yield "enum", path, "NO_SUCH_VALUE"
            return
        if low > 0:
            yield "min", path, value[: low - 1]
        if high < 10**6:
            stretched = [char * (high + 1) for char in "a0/"] + [value + value[-1:] * (high + 1 - len(value))]
            stretched += [value.replace("/", "/" + "a" * (high - len(value)) + "/", 1)]
            stretched = [text for text in stretched if len(text) > high]
            yield "max", path, next((text for text in stretched if fits(shape, text)), stretched[0])
        for char in INTRUDERS:
            spoilt = [value[:-1] + char, char + value[1:], value + char]
            spoilt = [text for text in spoilt if low <= len(text) <= high and not fits(shape, text)]
            if spoilt:
                yield "pattern", path, spoilt[0]
                break


def letters(text, count):
    return [text[:-2] + chr(97 + number // 26) + chr(97 + number % 26) for number in range(count)]
