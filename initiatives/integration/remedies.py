"""Where a finding of the register against an initiative is fixed: pages, by what the person may do.

What a finding is about stands in its source; which page changes that is worked out here alone, when a page is drawn.
"""

from django.urls import reverse
from django.utils.http import urlencode

from governance.models import User
from initiatives.contributions import Part, contributed
from initiatives.integration.systems.findings import DECLINED, lacking
from initiatives.integration.systems.permissions import may_change_account, may_change_system
from initiatives.lifecycle.facts import finding_rules
from initiatives.lifecycle.initiative.initiative_frame import WhoMay
from initiatives.models import Initiative, Link, RequirementFinding, System, Transfer

OWNER, REGIONS = "id_owner", "id_regions"  # fields of the form of a system

Fixes = list[tuple[str, str]]  # addresses, each with its words


class Fixing:
    """The links of an initiative with their places, and what the person may change of them: read once for all
    findings.
    """

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
        """The same for a page that has not read the links yet."""
        links = list(initiative.links.current().select_related("system__owner", "account").order_by("pk"))
        transfers: dict[int, list[Transfer]] = {}
        for transfer in Transfer.objects.filter(link__in=links, ended_at__isnull=True).order_by("position"):
            transfers.setdefault(transfer.link_id, []).append(transfer)
        return cls(initiative, may, links, transfers, back)

    def of(self, row: RequirementFinding | finding_rules.Wanted) -> Fixes:
        """The pages on which the person fixes it; none where that is for others."""
        about, *parts = row.source.split(":")
        if about in contributed.fixes:
            return contributed.fixes[about](self.initiative, self.may, row.source)
        # Of a kind that is of no use any more nothing is offered, rather than something that fixes another.
        return OF[about](self, row, *parts) if about in OF else []

    def of_place(self, link: Link, transfer: int | None) -> Fixes:
        """The pages on which a place of a path is changed: a transfer, or the linked system itself."""
        return (
            self._transfer(transfer)
            if transfer
            else [*self._change(link.system, "Change the system", REGIONS), *self._of(link)]
        )

    def owner_of(self, system: System) -> Fixes:
        """The page on which somebody is named who looks after the system."""
        return self._change(system, f"Name an owner of {system}", OWNER)

    def _link(self, link: Link | None, what: str) -> Fixes:
        if link is None:
            return []
        if what.isdecimal():
            return self.of_place(link, None)
        owned = link.system.owner is not None and link.system.owner.is_active
        if what == "missing":
            transfers = self.transfers.get(link.pk, [])
            found = self._of(link, "Fill in the link") if lacking(link, transfers) else []
            if not transfers and not link.system.regions:
                found += self._change(link.system, f"Say where {link.system} is", REGIONS)
            return [*found, *([] if link.system.owner_id else self.owner_of(link.system))]
        if what in ("fallback", DECLINED):
            return self._of(link)
        if not owned:
            return self.owner_of(link.system)
        mine = link.system.owner_id == self.person.pk
        return [(reverse("link-answer", args=[link.pk]), "Read and answer")] if mine else []

    def _of(self, link: Link, words: str = "Change the link") -> Fixes:
        return [(reverse("link-change", args=[link.pk]), words)] if self.works else []

    def _transfer(self, pk: int) -> Fixes:
        found = [
            transfer for transfers in self.transfers.values() for transfer in transfers if transfer.pk == pk
        ]
        if not found or found[0].link_id not in self.links:
            return []
        runs = [(reverse("deployments", args=[self.initiative.ref]), "Versions and scope")]
        return [
            *(runs if self.works and found[0].deployment_id else []),
            *self._of(self.links[found[0].link_id]),
        ]

    def _account(self, pk: int, what: str) -> Fixes:
        links = [link for link in self.links.values() if link.account_id == pk]
        if what == "closed":
            return [one for link in links for one in self._of(link, f"Change the link to {link.system}")]
        mine = any(link.account.owner_id == self.person.pk for link in links)
        page, words = "account-change", "Fill in the account"
        if what == "review" and links and may_change_account(links[0].account, self.person):
            page, words = "account-review", "Look at the account"
        return [(self._there(reverse(page, args=[pk])), words)] if self.works or mine else []

    def _system(self, system: System, what: str) -> Fixes:
        if what == "retired":
            links = (
                [link for link in self.links.values() if link.system_id == system.pk] if self.works else []
            )
            return [
                (reverse("row-act", args=["links", link.pk, "close"]), "Close the link") for link in links
            ]
        if what == "members":
            there = f"{reverse('system-describe')}?{urlencode({'collection': system.pk, 'next': self.back})}"
            return [(there, "List a source")] if may_change_system(system, self.person) else []
        return self.owner_of(system) if what == "orphaned" else self._change(system, "Change the system")

    def _terms(self, terms: str) -> Fixes:
        conflicts = reverse("integration-definitions", args=[self.initiative.ref])
        return [(f"{conflicts}#term-{terms.partition('-')[0]}", "See the conflicts")]

    def _definition(self, pk: int, system: System) -> Fixes:
        there = reverse("definition-change", args=[pk])
        change = [(self._there(there), "Change the definition")] if self._may_change(system) else []
        return [
            *change,
            (reverse("integration-profiles", args=[self.initiative.ref]), "See the data profiles"),
        ]

    def _process(self) -> Fixes:
        page = reverse("integration-processes", args=[self.initiative.ref])
        return [(f"{page}#processes", "Processes and sign-on")]

    def _flow(self) -> Fixes:
        page = reverse("integration-processes", args=[self.initiative.ref])
        flow = [(reverse("sign-on-add", args=[self.initiative.ref]), "Record the sign-on flow")]
        return [*(flow if self.works else []), (f"{page}#sign-on", "Processes and sign-on")]

    def _drill(self, link: str, kind: str, _) -> Fixes:
        asked = {"kind": kind} | ({} if link == "initiative" else {"link": link})
        there = f"{reverse('drill-add', args=[self.initiative.ref])}?{urlencode(asked)}"
        return [(there, "Record a drill")] if self.works else []

    def _record(self, item: int) -> Fixes:
        there = f"{reverse('evidence-add', args=[self.initiative.ref])}?{urlencode({'supersedes': item})}"
        return [(there, "Add the drill record that passes")] if self.works else []

    def _may_change(self, system: System) -> bool:
        return system.retired_at is None and (self.works or system.owner_id == self.person.pk)

    def _change(self, system: System, words: str, field: str = "") -> Fixes:
        there = self._there(reverse("system-change", args=[system.pk])) + "&propose=on"
        return [(f"{there}#{field}" if field else there, words)] if self._may_change(system) else []

    def _there(self, address: str) -> str:
        """A form outside the initiative that leads back to the page that is looked at."""
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
    """What the register says now against one requirement, each with its fixes.

    `about`: the context of the initiative, and the key of the requirement.
    """
    context, key = about
    initiative, now = context["initiative"], context["now"]
    if not context["facts"].short_of(key, now):
        return None
    fixing = Fixing.read(initiative, context["may"], reverse("requirement", args=[initiative.ref, key]))
    rows = list(initiative.requirement_findings.current().select_related("system").order_by("since", "pk"))
    # What stands against it because nothing was ever found has no row of its own, and is fixed all the same.
    rows += finding_rules.unless_found(rows)
    against = [
        (row, fixing.of(row))
        for row in rows
        if row.requirement == key and row.since <= now and (row.until is None or row.until > now)
    ]
    return Part("initiatives/integration/_findings.html", {"against": against}) if against else None
