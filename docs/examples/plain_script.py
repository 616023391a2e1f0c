# SPDX-License-Identifier: Apache-2.0
"""A script that asks Plumbline before each act: one it may do, one a person must approve, one it may not do.

Save Plumbline's client beside it as plumbline.py, set PLUMBLINE_ADDRESS and PLUMBLINE_KEY, and run it. It ends
with 0 when everything was done, and with 1 when something was not.
"""

import argparse
import sys

from plumbline import Plumbline

AGENT = {"type": "agent", "id": "ticket-triage"}


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
    chosen = options.parse_args()
    try:
        plumbline = Plumbline()
    except ValueError as error:
        sys.exit(str(error))

    undone = 0
    for act, name, resource, arguments in PLAN:
        print(f"May I {name} {resource['id']} {arguments or ''}".rstrip() + "?", flush=True)
        # All arguments are part of the question: the answer, and a person's approval, are for exactly these.
        decision = plumbline.ask(AGENT, {"name": name, "properties": arguments}, resource)
        if decision.needs_approval:
            print(f"  wait: {decision.reason}", flush=True)
            decision = plumbline.wait_for_approval(decision, timeout=chosen.wait, every=chosen.every)
        if decision.allowed:
            print(f"  yes: {decision.reason}")
            act(resource["id"], **arguments)
        else:  # denied, refused, nobody answered in time, or Plumbline could not be asked: all of these are a no
            print(f"  no ({decision.code}): {decision.reason}")
            undone += 1
    plumbline.close()
    return 1 if undone else 0


if __name__ == "__main__":
    sys.exit(main())
