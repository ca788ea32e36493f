"""The list of cases, named after the numbers that the Autobahn test suite gives to cases of their kind."""

import inspect

#: Number, the rule and where it stands, and a function that takes what connects.
CASES = []


def case(number, rule):
    """Adds a case, a function of a new connection, or of `connect`, if that is what it asks for."""

    def add(function):
        CASES.append((number, rule, connected(function)))
        return function

    return add


def table(number, rule, rows):
    """Adds a case for each row, numbered from 1 on."""

    def add(function):
        run = connected(function)
        for place, row in enumerate(rows, 1):
            CASES.append((f"{number}.{place}", rule, lambda connect, row=row: run(connect, row)))
        return function

    return add


def connected(function):
    if next(iter(inspect.signature(function).parameters)) == "connect":
        return function
    return lambda connect, *row: function(connect(), *row)
