"""Makes a failing run smaller: without steps, clients' requests and publications that the fault does not need."""

from feature import DATA
from view import TooClose


def shrink(plan, fails, say, rounds=3):
    """The smallest plan found. `fails` says of a plan whether it still fails."""

    def still(smaller):
        try:
            return _is_meant(smaller) and fails(smaller)
        except TooClose:
            # Without what was left out, a feature is where nobody can be certain.
            return False

    for _ in range(rounds):
        size = _size(plan)
        steps = _fewer(plan["steps"], lambda steps: still(plan | {"steps": steps}))
        plan = plan | {"steps": steps}
        for number in range(len(steps)):
            def with_actions(actions):
                step = plan["steps"][number] | {"actions": actions}
                return plan | {"steps": [*plan["steps"][:number], step, *plan["steps"][number + 1 :]]}

            actions = _fewer(plan["steps"][number]["actions"], lambda actions: still(with_actions(actions)))
            plan = with_actions(actions)
        say(f"{len(plan['steps'])} steps, {_size(plan)} actions")
        if _size(plan) == size:
            break
    return plan


def _is_meant(plan):
    """Whether the boxes that clients send without a system are in the one in which they are meant."""
    codes = {}
    for action in (action for step in plan["steps"] for action in step["actions"]):
        match action:
            case {"do": "reconnect", "client": client}:
                codes[client] = DATA
            case {"do": "project", "client": client, "code": code}:
                codes[client] = code
            case {"do": "view", "client": client, "code": code, "said": False} if codes.get(client, DATA) != code:
                return False
    return True


def _size(plan):
    return sum(len(step["actions"]) for step in plan["steps"])


def _fewer(items, is_enough):
    """Leaves out runs of items, half of them at first and then ever fewer, as long as the rest is enough."""
    length = max(1, len(items) // 2)
    while items:
        at = 0
        while at < len(items):
            fewer = items[:at] + items[at + length :]
            if is_enough(fewer):
                items = fewer
            else:
                at += length
        if length == 1:
            return items
        length //= 2
    return items
