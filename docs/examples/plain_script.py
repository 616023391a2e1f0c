# SPDX-License-Identifier: Apache-2.0
"""A script that asks Plumbline before each act: one it may do, one a person must approve, one it may not do.

Save Plumbline's client beside it as plumbline.py, set PLUMBLINE_ADDRESS and PLUMBLINE_KEY, and run it. It ends
with 0 when everything was done, and with 1 when something was not. With --source it first looks up the team of its
ticket there, and falls back when that source is missing, slow or wrong: try it behind fault_proxy.py.
"""

import argparse
import http.client
import json
import sys
from urllib.request import urlopen

from plumbline import Plumbline

AGENT = {"type": "agent", "id": "ticket-triage"}


PATIENCE, TRIES, OLDEST = (
    2.0,
    2,
    3600,
)  # seconds for an answer, how often it is asked, seconds its data may be old
NOBODY_KNOWS = "first line"  # where tickets go while the source cannot be used: people there look themselves


def team_of(ticket, source, patience=PATIENCE):
    """The team of a ticket as its source says; the fallback, and words that say so, when the source cannot be used."""
    for _ in range(TRIES):
        try:
            with urlopen(f"{source}/tickets/{ticket}", timeout=patience) as answer:
                if int(answer.headers.get("Age", 0)) > OLDEST:
                    raise ValueError("what it says is old")
                said = json.load(answer)
            if isinstance(said, dict) and isinstance(said.get("team"), str):
                return said["team"]
            raise ValueError("it does not name a team")
        except (OSError, ValueError, http.client.HTTPException) as error:
            why = error
    print(f"  fallback: the ticket system cannot be used ({why}). Ticket {ticket} goes to {NOBODY_KNOWS}.")
    return NOBODY_KNOWS


def assign(ticket, team):
    print(f"  done: ticket {ticket} now belongs to {team}.")


def refund(ticket, amount, currency):
    print(f"  done: {amount / 100:.2f} {currency} go back to the customer of ticket {ticket}.")


def delete(customer):
    print(f"  done: customer {customer} is deleted.")


# Amounts are whole numbers in the smallest unit: 8000 is 80.00 EUR.
# What this run wants to do: the act, the name the contract knows it by, what it is done to, and its arguments.
PLAN = [
    (assign, "assign_ticket", {"type": "ticket", "id": "4711"}, {"team": "billing"}),
    (refund, "refund_customer", {"type": "ticket", "id": "4711"}, {"amount": 8000, "currency": "EUR"}),
    (delete, "delete_customer", {"type": "customer", "id": "C-9"}, {}),
]


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument(
        "--wait", type=float, default=600, help="seconds to wait for a person (default: 600)"
    )
    options.add_argument("--every", type=float, default=2, help="seconds between two looks (default: 2)")
    options.add_argument("--source", help="where teams are looked up, for instance http://127.0.0.1:8099")
    options.add_argument("--patience", type=float, default=PATIENCE, help=f"seconds (default: {PATIENCE:g})")
    chosen = options.parse_args()
    try:
        plumbline = Plumbline()
    except ValueError as error:
        sys.exit(str(error))

    undone = 0
    for act, name, resource, arguments in PLAN:
        if chosen.source and "team" in arguments:
            arguments = {"team": team_of(resource["id"], chosen.source, chosen.patience)}
        print(f"May I {name} {resource['id']} {arguments or ''}".rstrip() + "?", flush=True)
        # All arguments are part of the request: the answer, and a person's approval, are for exactly these.
        decision = plumbline.ask(AGENT, {"name": name, "properties": arguments}, resource)
        if decision.needs_approval:
            print(f"  wait: {decision.reason}", flush=True)
            decision = plumbline.wait_for_approval(decision, timeout=chosen.wait, every=chosen.every)
        if decision.allowed:
            print(f"  yes: {decision.reason}")
            act(resource["id"], **arguments)
            if trouble := plumbline.outcome(decision, "done"):
                print(f"  not reported: {trouble}")
        else:  # denied, refused, nobody answered in time, or Plumbline could not be asked: all of these are a no
            print(f"  no ({decision.code}): {decision.reason}")
            undone += 1
    plumbline.close()
    return 1 if undone else 0


if __name__ == "__main__":
    sys.exit(main())
