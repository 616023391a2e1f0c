# SPDX-License-Identifier: Apache-2.0
"""An MCP server over stdio that asks Plumbline before each tool call. Python's own library and the client, no more.

Save Plumbline's client beside it as plumbline.py and let your assistant start it, with PLUMBLINE_ADDRESS and
PLUMBLINE_KEY in its environment. It follows the Model Context Protocol, revision 2025-06-18.

A call that is not allowed is answered with an error that gives the reason, so that the model can tell its user.
A call that needs a person waits for a while; made again with the same arguments, it goes on waiting for the same
approval. A call that was cancelled meanwhile is not carried out, even when it is approved.
"""

import argparse
import json
import sys
import threading

from plumbline import Plumbline

VERSION = "2025-06-18"
NOT_JSON, BAD_MESSAGE, NO_METHOD, BAD_ARGUMENTS = -32700, -32600, -32601, -32602  # JSON-RPC's numbers
AGENT = {"type": "agent", "id": "ticket-triage"}
TICKETS = {"4711": {"subject": "Charged twice", "team": "", "refunded": 0}}  # in place of your ticket system
GOODBYE = (
    3.0  # seconds for calls under way when the assistant hangs up; what waits for a person is not done then
)


def found(ticket):
    if ticket not in TICKETS:
        raise LookupError(f"There is no ticket {ticket}.")
    return TICKETS[ticket]


def read_ticket(ticket):
    return json.dumps(found(ticket))


def assign_ticket(ticket, team):
    found(ticket)["team"] = team
    return f"Ticket {ticket} now belongs to {team}."


def refund_customer(ticket, amount):
    found(ticket)["refunded"] += amount
    return f"{amount} euros go back to the customer of ticket {ticket}."


TEXT, AMOUNT = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 1}  # amounts: whole euros
TOOLS = {  # by name: what carries it out, what it does in words, its arguments
    "read_ticket": (read_ticket, "Read a ticket.", {"ticket": TEXT}),
    "assign_ticket": (assign_ticket, "Assign a ticket to a team.", {"ticket": TEXT, "team": TEXT}),
    "refund_customer": (refund_customer, "Give the customer money back.", {"ticket": TEXT, "amount": AMOUNT}),
}


class Refused(Exception):
    """The message is not as the protocol wants it."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def is_id(key):
    """Whether it can be the id of a request."""
    return isinstance(key, (str, int)) and not isinstance(key, bool)


def fits(value, schema):
    """Whether an argument is what its schema says."""
    if schema is TEXT:
        return isinstance(value, str) and value != ""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


class Server:
    """One conversation with one assistant."""

    def __init__(self, plumbline, wait, every):
        self.plumbline, self.wait, self.every = plumbline, wait, every
        self.lock, self.calls, self.begun = threading.Lock(), [], False
        self.cancelled = set()  # ids of calls
        self.waiting = {}  # a call in words: the decision that waits for a person

    def run(self, lines):
        """Answer line by line until the assistant hangs up."""
        for line in lines:
            try:
                message = json.loads(line)
            except (ValueError, RecursionError):
                self.say({"id": None, "error": {"code": NOT_JSON, "message": "This line is not JSON."}})
                continue
            try:
                self.take(message)
            except Refused as error:
                key = message.get("id") if isinstance(message, dict) else None
                key = key if is_id(key) else None
                self.say({"id": key, "error": {"code": error.code, "message": str(error)}})
        for call in self.calls:
            call.join(GOODBYE)

    def say(self, message):
        with self.lock:
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            sys.stdout.flush()

    def take(self, message):
        """One message: a request is answered, a notification is not."""
        if not isinstance(message, dict) or not isinstance(message.get("method", ""), str):
            raise Refused(BAD_MESSAGE, "A message is an object with a method.")
        method, params = message.get("method"), message.get("params", {})
        if method is None and ("result" in message or "error" in message):
            return  # an answer, and this server asks the assistant nothing
        if "id" not in message:
            if method == "notifications/cancelled" and isinstance(params, dict):
                self.cancelled.add(str(params.get("requestId")))
            return
        if method is None or not is_id(message["id"]):
            raise Refused(BAD_MESSAGE, "A request has a method, and an id that is a text or a whole number.")
        if not isinstance(params, dict):
            raise Refused(BAD_ARGUMENTS, "The parameters are an object.")
        if method == "tools/call" and self.begun:
            tool, arguments = self.checked(params)
            call = threading.Thread(target=self.call, args=(message["id"], tool, arguments), daemon=True)
            self.calls = [other for other in self.calls if other.is_alive()] + [call]
            call.start()
        else:
            self.say({"id": message["id"], "result": self.answer(method, params)})

    def answer(self, method, params):
        """What is answered at once."""
        if method == "ping":
            return {}
        if method == "initialize":
            if not isinstance(params.get("protocolVersion"), str):
                raise Refused(BAD_ARGUMENTS, "Say which protocolVersion you speak.")
            self.begun = True
            about = {"name": "ticket-triage", "title": "Ticket triage, asking Plumbline", "version": "1"}
            return {"protocolVersion": VERSION, "capabilities": {"tools": {}}, "serverInfo": about}
        if method in ("tools/list", "tools/call") and not self.begun:
            raise Refused(BAD_MESSAGE, "Initialize first.")
        if method == "tools/list":
            return {"tools": [described(name) for name in TOOLS]}
        raise Refused(NO_METHOD, f"There is no method {method}.")

    def checked(self, params):
        """The name and arguments of a call, if there is such a tool and they are what it takes."""
        name, arguments = params.get("name"), params.get("arguments", {})
        if not isinstance(name, str) or name not in TOOLS:
            raise Refused(BAD_ARGUMENTS, f"Unknown tool: {name}")
        schema = TOOLS[name][2]
        if not isinstance(arguments, dict) or set(arguments) != set(schema):
            raise Refused(BAD_ARGUMENTS, f"{name} takes exactly: {', '.join(schema)}.")
        for argument, value in arguments.items():
            if not fits(value, schema[argument]):
                raise Refused(BAD_ARGUMENTS, f"{argument} does not fit its schema: {schema[argument]}.")
        return name, arguments

    def call(self, key, name, arguments):
        """In a thread of its own, so that others are answered while a person decides."""
        words = json.dumps([name, arguments], sort_keys=True)
        decision = self.waiting.pop(words, None)
        if decision is None:
            decision = self.ask(name, arguments)
        if decision.needs_approval:
            decision = self.plumbline.wait_for_approval(decision, timeout=self.wait, every=self.every)
        if decision.needs_approval:
            self.waiting[words] = decision
        if str(key) in self.cancelled:
            return  # nobody wants it any more, and the protocol wants no answer
        try:
            text = self.carry_out(name, arguments) if decision.allowed else refusal(name, decision)
            failed = not decision.allowed
        except Exception as error:
            text, failed = f"{name} failed. {error}", True
        self.say({"id": key, "result": {"content": [{"type": "text", "text": text}], "isError": failed}})

    def ask(self, name, arguments):
        """All arguments are part of the request: the answer, and an approval, are for exactly these."""
        others = {argument: value for argument, value in arguments.items() if argument != "ticket"}
        ticket = {"type": "ticket", "id": arguments["ticket"]}
        if "amount" in others:  # contracts count money in its smallest unit, and name the currency
            others |= {"amount": others["amount"] * 100, "currency": "EUR"}
        return self.plumbline.ask(AGENT, {"name": name, "properties": others}, ticket)

    def carry_out(self, name, arguments):
        with self.lock:
            return TOOLS[name][0](**arguments)


def described(name):
    """A tool as `tools/list` shows it."""
    _, words, schema = TOOLS[name]
    takes = {"type": "object", "properties": schema, "required": list(schema), "additionalProperties": False}
    return {"name": name, "description": words, "inputSchema": takes}


def refusal(name, decision):
    """What the model is told, so that it neither tries again blindly nor finds a way around."""
    if decision.needs_approval:
        return f"Not done: {name} waits for a person. {decision.reason} Call it again later, unchanged."
    return f"Not allowed: {name} was not carried out. {decision.reason}"


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument(
        "--wait", type=float, default=45, help="seconds a call waits for a person (default: 45)"
    )
    options.add_argument("--every", type=float, default=2, help="seconds between two looks (default: 2)")
    chosen = options.parse_args()
    try:
        plumbline = Plumbline()
    except ValueError as error:
        sys.exit(str(error))  # on standard error: standard output belongs to the protocol
    Server(plumbline, chosen.wait, chosen.every).run(sys.stdin.buffer)
    plumbline.close()


if __name__ == "__main__":
    main()
