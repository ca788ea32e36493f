"""Random wishes that a client has beside a box: properties that features have to have, the fields that are sent, what is sent
of collections, and in how much detail."""

#: What features may have, of every kind that a wish can mean or not mean.
KINDS = ("rail", "bus", "tram", "7", 7, 7.0, True, "true", None, ["rail"])
DELAYS = (-5, 0, 0.5, 30, 30.0, 61.25, 1000000, "30", False)
#: Without these a client knows neither what it is sent nor under which key.
NEEDED = ("v", "name")
#: Wishes that come with a box only.
OF_BOXES = ("members", "zoom", "tolerance", "min_move")


def properties(random):
    """Those of a feature."""
    return ({"kind": random.choice(KINDS)} if random.random() < 0.8 else {}) | (
        {"delay": random.choice(DELAYS)} if random.random() < 0.7 else {})


def wishes(random, dialect, without):
    """Members of an action `view`."""
    in_words, made = dialect == "text", {}
    if random.random() < 0.3 and "properties" not in without:
        made["properties"] = _asked_in_words(random) if in_words else asked(random)
    if random.random() < 0.25 and "fields" not in without:
        made["fields"] = random.sample([*NEEDED, *random.sample(("kind", "delay", "other"), random.randint(0, 2))], k=len(NEEDED))
        made["fields"] = list(dict.fromkeys([*made["fields"], *NEEDED]))
    if random.random() < 0.25 and "members" not in without:
        made["members"] = random.choice(("inside", "inside", "whole"))
    if random.random() < 0.25 and "detail" not in without:
        made |= _detail(random)
    return made | {"in_words": in_words}


def _asked_in_words(random):
    kinds = random.sample(("rail", "bus", "tram", "7", "7.0", "true", "null"), random.randint(1, 4))
    delays = random.sample(("0", "0.5", "30", "30.0", "-5", "1000000"), random.randint(1, 4))
    return random.choice(({"kind": kinds}, {"kind": kinds}, {"delay": delays}, {"kind": kinds, "delay": delays}))


def asked(random):
    """Properties in JSON."""
    kind = random.choice((
        lambda: random.choice(KINDS[:-1]), lambda: random.sample(KINDS[:-1], random.randint(1, 5)), lambda: []))()
    least, most = sorted(random.sample((-5, 0, 0.5, 30, 60, 61.25), 2))
    delay = random.choice((
        {"min": least, "max": most}, {"min": least}, {"max": most, "min": None}, {"max": most}, 30, [0, 30.0, "30"]))
    return random.choice(({"kind": kind}, {"delay": delay}, {"delay": delay}, {"kind": kind, "delay": delay}))


def _detail(random):
    """What is rounded much is not simplified as well, so that it is clear which positions are sent."""
    match random.choice(("precision", "tolerance", "tolerance", "both")):
        case "precision":
            return {"precision": random.randint(0, 9)}
        case "tolerance":
            return _pixels(random)
        case "both":
            return _pixels(random) | {"precision": random.randint(5, 9)}


def _pixels(random):
    """Movements are told whatever `min_move` is, as the number of a publication is another each time."""
    made = {"zoom": random.choice((random.randint(-2, 12), round(random.uniform(1, 12), 2)))}
    made["tolerance"] = random.choice((0.5, 1, 2, 8, 32, 100, 256))
    return made | ({"min_move": random.choice((1, 2.5, 50))} if random.random() < 0.3 else {})
