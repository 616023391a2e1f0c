"""The pages that fix a finding of the register, by what the person may do.

The source of a finding names its subject. Only this module derives the page from the source, when a page is drawn.
"""

from django.urls import reverse
from django.utils.http import urlencode

from governance.models import User
from governance.vocabulary.phrases import phrase
from initiatives.contributions import Part, contributed
from initiatives.integration.systems.findings import DECLINED, lacking
from initiatives.integration.systems.permissions import may_change_account, may_change_system
from initiatives.lifecycle.facts import finding_rules
from initiatives.lifecycle.initiative.who_may import WhoMay
from initiatives.models import Initiative, Link, RequirementFinding, System, Transfer

OWNER, REGIONS = "id_owner", "id_regions"  # fields of the form of a system

Fixes = list[tuple[str, str]]  # addresses, each with its words


class Fixing:
    """The links of an initiative and the person's rights, read once for all findings."""

    def __init__(
        self,
        initiative: Initiative,
        may: WhoMay,
        links: list[Link],
        transfers: dict[int, list[Transfer]],
        back: str,
    ):
        self.initiative, self.may, self.person, self.back = initiative, may, may.person, back
        # Whoever works on the initiative changes its links, and changes or proposes to change what is behind them: the
        # same pages ask whoever may not (system_permissions).
        self.works = bool(may.collaborate)
        self.links = {link.pk: link for link in links}
        self.transfers = transfers

    @classmethod
    def read(cls, initiative: Initiative, may: WhoMay, back: str) -> "Fixing":
        """Return the same for a page that has not read the links yet."""
        links = list(initiative.links.current().select_related("system__owner", "account").order_by("pk"))
        transfers: dict[int, list[Transfer]] = {}
        for transfer in Transfer.objects.filter(link__in=links, ended_at__isnull=True).order_by("position"):
            transfers.setdefault(transfer.link_id, []).append(transfer)
        return cls(initiative, may, links, transfers, back)

    def of(self, row: RequirementFinding | finding_rules.Wanted) -> Fixes:
        """Return the pages on which the person fixes the finding, none if others must."""
        about, *parts = row.source.split(":")
        if about in contributed.fixes:
            return contributed.fixes[about](self.initiative, self.may, row.source)
        # A kind that is no longer used gets no page, rather than a page that fixes another kind.
        return OF[about](self, row, *parts) if about in OF else []

    def of_place(self, link: Link, transfer: int | None) -> Fixes:
        """Return the pages that change a place of a path, a transfer or the linked system."""
        return (
            self._transfer(transfer)
            if transfer
            else [*self._change(link.system, phrase("Change the system"), REGIONS), *self._of(link)]
        )

    def owner_of(self, system: System) -> Fixes:
        """Return the page that names an owner of the system."""
        return self._change(system, phrase("Name an owner of {}", system), OWNER)

    def _link(self, link: Link | None, what: str) -> Fixes:
        if link is None:
            return []
        if what.isdecimal():
            return self.of_place(link, None)
        owned = link.system.owner is not None and link.system.owner.is_active
        if what == "missing":
            transfers = self.transfers.get(link.pk, [])
            found = self._of(link, phrase("Fill in the link")) if lacking(link, transfers) else []
            if not transfers and not link.system.regions:
                found += self._change(link.system, phrase("Enter the region of {}", link.system), REGIONS)
            return [*found, *([] if link.system.owner_id else self.owner_of(link.system))]
        if what in ("fallback", DECLINED):
            return self._of(link)
        if not owned:
            return self.owner_of(link.system)
        mine = link.system.owner_id == self.person.pk
        return [(reverse("link-answer", args=[link.pk]), phrase("Read and answer"))] if mine else []

    def _of(self, link: Link, words: str = phrase("Change the link")) -> Fixes:
        return [(reverse("row-act", args=["links", link.pk, "change"]), words)] if self.works else []

    def _transfer(self, pk: int) -> Fixes:
        found = [
            transfer for transfers in self.transfers.values() for transfer in transfers if transfer.pk == pk
        ]
        if not found or found[0].link_id not in self.links:
            return []
        runs = [(reverse("deployments", args=[self.initiative.ref]), phrase("Versions and scope"))]
        return [
            *(runs if self.works and found[0].deployment_id else []),
            *self._of(self.links[found[0].link_id]),
        ]

    def _account(self, pk: int, what: str) -> Fixes:
        links = [link for link in self.links.values() if link.account_id == pk]
        if what == "closed":
            return [
                one for link in links for one in self._of(link, phrase("Change the link to {}", link.system))
            ]
        mine = any(link.account.owner_id == self.person.pk for link in links)
        verb, words = "change", phrase("Fill in the account")
        if what == "review" and links and may_change_account(links[0].account, self.person):
            verb, words = "review", phrase("Review the account")
        there = self._there(reverse("row-act", args=["service-accounts", pk, verb]))
        return [(there, words)] if self.works or mine else []

    def _system(self, system: System, what: str) -> Fixes:
        if what == "retired":
            links = (
                [link for link in self.links.values() if link.system_id == system.pk] if self.works else []
            )
            return [
                (reverse("row-act", args=["links", link.pk, "close"]), phrase("Close the link"))
                for link in links
            ]
        if what == "members":
            asked = urlencode({"collection": system.pk, "next": self.back})
            there = f"{reverse('plain-act', args=['describe-system'])}?{asked}"
            return [(there, phrase("List a source"))] if may_change_system(system, self.person) else []
        return (
            self.owner_of(system) if what == "orphaned" else self._change(system, phrase("Change the system"))
        )

    def _terms(self, terms: str) -> Fixes:
        conflicts = reverse("integration-definitions", args=[self.initiative.ref])
        return [(f"{conflicts}#term-{terms.partition('-')[0]}", phrase("Open the conflicts"))]

    def _definition(self, pk: int, system: System) -> Fixes:
        there = reverse("row-act", args=["definitions", pk, "change"])
        change = [(self._there(there), phrase("Change the definition"))] if self._may_change(system) else []
        return [
            *change,
            (reverse("integration-profiles", args=[self.initiative.ref]), phrase("Open the data profiles")),
        ]

    def _process(self) -> Fixes:
        page = reverse("integration-processes", args=[self.initiative.ref])
        return [(f"{page}#processes", phrase("Processes and sign-on"))]

    def _flow(self) -> Fixes:
        page = reverse("integration-processes", args=[self.initiative.ref])
        flow = [
            (
                reverse("initiative-act", args=[self.initiative.ref, "record-sign-on"]),
                phrase("Record the sign-on flow"),
            )
        ]
        return [*(flow if self.works else []), (f"{page}#sign-on", phrase("Processes and sign-on"))]

    def _drill(self, link: str, kind: str, _) -> Fixes:
        asked = {"kind": kind} | ({} if link == "initiative" else {"link": link})
        there = f"{reverse('initiative-act', args=[self.initiative.ref, 'record-drill'])}?{urlencode(asked)}"
        return [(there, phrase("Record a drill"))] if self.works else []

    def _record(self, item: int) -> Fixes:
        there = f"{reverse('evidence-add', args=[self.initiative.ref])}?{urlencode({'supersedes': item})}"
        return [(there, phrase("Add the drill record that passes"))] if self.works else []

    def _may_change(self, system: System) -> bool:
        return system.retired_at is None and (self.works or system.owner_id == self.person.pk)

    def _change(self, system: System, words: str, field: str = "") -> Fixes:
        there = self._there(reverse("row-act", args=["systems", system.pk, "change"]))
        return [(f"{there}#{field}" if field else there, words)] if self._may_change(system) else []

    def _there(self, address: str) -> str:
        """Return the address of a form outside the initiative that leads back here."""
        return f"{address}?{urlencode({'next': self.back})}"


# By what a finding is about (`finding_rules.KINDS`), the pages that fix it; other packages contribute `fixes`.
OF = {
    "link": lambda fixing, _, link, what, *__: fixing._link(fixing.links.get(int(link)), what),
    "transfer": lambda fixing, _, transfer, *__: fixing._transfer(int(transfer)),
    "account": lambda fixing, _, account, what: fixing._account(int(account), what),
    "system": lambda fixing, row, _, what: fixing._system(row.system, what),
    "terms": lambda fixing, _, terms, *__: fixing._terms(terms),
    "definition": lambda fixing, row, definition, *_: fixing._definition(int(definition), row.system),
    "process": lambda fixing, *_: fixing._process(),
    "flow": lambda fixing, *_: fixing._flow(),
    "drill": lambda fixing, _, *parts: fixing._drill(*parts),
    "record": lambda fixing, _, item, *__: fixing._record(int(item)),
}


def beside_requirement(person: User, about: tuple[dict, str]) -> Part | None:
    """Return the findings of the register against one requirement, with their fixes.

    `about`: the context of the initiative, and the key of the requirement.
    """
    context, key = about
    initiative, now = context["initiative"], context["now"]
    if not context["facts"].short_of(key, now):
        return None
    fixing = Fixing.read(initiative, context["may"], reverse("requirement", args=[initiative.ref, key]))
    rows = list(initiative.requirement_findings.current().select_related("system").order_by("since", "pk"))
    # A finding that holds because nothing was ever found has no row, and gets its fix all the same.
    rows += finding_rules.unless_found(rows)
    against = [
        (row, fixing.of(row))
        for row in rows
        if row.requirement == key and row.since <= now and (row.until is None or row.until > now)
    ]
    return Part("initiatives/integration/_findings.html", {"against": against}) if against else None
