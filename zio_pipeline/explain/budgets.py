"""The tree of a budget: contributions, hours of the classes, weeks and tariff, each with the clause that says so.

Belongs here: explaining one row of `doelgroep_budgets` (SPEC section 4). Does not belong here: who pays it (`sharing`).
"""

from zio_pipeline.explain.books import VersionBooks
from zio_pipeline.explain.nodes import Given, HalfUp, Less, Node, Product, Sum, Unit, proved
from zio_pipeline.explain.remainder import Remainder, split
from zio_pipeline.setup import Doelgroep, Order, SchoolClass


class BudgetTrees:
    """Budgets of one version, each made once."""

    def __init__(self, books: VersionBooks):
        self._books, self._setup = books, books.setup
        self._made: dict[tuple[str, str], Node] = {}
        self._hours: dict[tuple[str, str], Node] = {}

    def to_divide(self, order_id: str, doelgroep: str) -> Node:
        """What is divided over the streams: the budget less its part of the contributions, in cents.

        Raises:
            NotProved: a published figure does not follow from the workbook.
        """
        key = (order_id, doelgroep)
        if key not in self._made:
            self._made[key] = self._to_divide(self._setup.order(order_id), self._setup.doelgroep(*key))
        return self._made[key]

    def contributions(self, order_id: str, payer: str | None = None) -> tuple[Node, ...]:
        """The contributions to an order as the workbook states them, of one payer or of all."""
        return tuple(
            Node(
                f"Bijdrage van {c.payer}: {c.description}",
                c.amount_cents,
                Unit.CENTS,
                Given("zoals afgesproken"),
                source=self._books.source("contributions", order_id=c.order_id, payer=c.payer),
            )
            for c in self._setup.contributions
            if c.order_id == order_id and payer in (None, c.payer)
        )

    def _to_divide(self, order: Order, group: Doelgroep) -> Node:
        row = self._books.row("doelgroep_budgets", order_id=order.order_id, doelgroep=group.doelgroep)
        budget = self._budget(order, group, row["budget_cents"])
        taken_off = any(c.order_id == order.order_id for c in self._setup.contributions)
        if not taken_off and (row["contribution_cents"], row["amount_cents"]) == (0, budget.value):
            return budget
        label = f"Te verdelen, doelgroep {group.doelgroep} van opdracht {order.order_id}"
        part = self._contribution(order, group, budget, row["contribution_cents"])
        how = Less("budget min het deel van de bijdragen")
        return proved(Node(label, row["amount_cents"], Unit.CENTS, how, (budget, part), "B4"))

    def _budget(self, order: Order, group: Doelgroep, cents: int) -> Node:
        label = f"Budget van doelgroep {group.doelgroep} ({group.name}), opdracht {order.order_id}"
        if order.amount_basis == "computed":
            return proved(Node(label, cents, Unit.CENTS, HalfUp(), self._classes(order, group), "B2"))
        groups = [d for d in self._setup.doelgroepen if d.order_id == order.order_id]
        costs = {d.doelgroep: self._cost(order, d) for d in groups}
        stated = order.stated_amount_cents or 0
        agreed = Node(
            f"Afgesproken bedrag van opdracht {order.order_id}",
            stated,
            Unit.CENTS,
            Given("zoals afgesproken"),
            source=order.source,
        )
        parties = split(stated, [(f"doelgroep {name}", node.value) for name, node in costs.items()])
        how = Remainder(parties, list(costs).index(group.doelgroep), "honderdste centen uren maal tarief")
        return proved(Node(label, cents, Unit.CENTS, how, (agreed, costs[group.doelgroep]), "B3"))

    def _cost(self, order: Order, group: Doelgroep) -> Node:
        classes = self._classes(order, group)
        label = f"Uren maal tarief van doelgroep {group.doelgroep}"
        return proved(Node(label, sum(c.value for c in classes), Unit.EXACT, Sum(), classes, "B2"))

    def _classes(self, order: Order, group: Doelgroep) -> tuple[Node, ...]:
        own = [c for c in self._setup.classes if (c.order_id, c.doelgroep) == (order.order_id, group.doelgroep)]
        return tuple(node for c in own for node in self._class(order, group, c))

    def _class(self, order: Order, group: Doelgroep, school_class: SchoolClass) -> list[Node]:
        """One node per function in which the class has hours; one of nothing when it has none."""
        if self._setup.settings.budget_basis == "per_pupil_weight":
            return [self._by_pupils(order, group, school_class)]
        care = self._care(group, school_class)
        care_tariff = order.tariff_cents if order.care_tariff_cents is None else order.care_tariff_cents
        found = [
            ("begeleiding", self._guidance(group, school_class, care), order.tariff_cents),
            ("verzorging", care, care_tariff),
        ]
        kept = [one for one in found if one[1].value] or found[:1]
        return [self._product(order, school_class, name, per_week, tariff) for name, per_week, tariff in kept]

    def _product(
        self, order: Order, school_class: SchoolClass, function: str, per_week: Node, tariff_cents: int
    ) -> Node:
        weeks = self._weeks(order, school_class)
        parts, total = (per_week, weeks), per_week.value * weeks.value
        year = proved(Node(f"Uren {function} in het schooljaar", total, Unit.HOURS, Product(), parts, "B1"))
        return _priced(order, f"Klas {school_class.class_code}, {function}", year, tariff_cents)

    def _by_pupils(self, order: Order, group: Doelgroep, school_class: SchoolClass) -> Node:
        """The other basis of a year: expected pupils times the hours of a pupil, nothing for a class that needs none."""
        needs_none = school_class.hours_per_week_hundredths == 0
        source = self._class_source(school_class)
        pupils = 0 if needs_none else school_class.expected_pupils
        said = Given("klas zonder uren" if needs_none else "verwacht aantal van de klas")
        expected = Node("Leerlingen", pupils, Unit.PUPILS, said, source=source)
        hours = group.hours_per_pupil_hundredths or 0
        each = Node("Uren per leerling per week", hours, Unit.HOURS, Given("volgens de doelgroep"), source=group.source)
        parts = (expected, each, self._weeks(order, school_class))
        total = self._setup.hours_of(school_class).total_hundredths
        year = proved(Node("Uren in het schooljaar", total, Unit.HOURS, Product(), parts, "B5"))
        return _priced(order, f"Klas {school_class.class_code}", year, order.tariff_cents)

    def _weeks(self, order: Order, school_class: SchoolClass) -> Node:
        if school_class.weeks is None:
            return Node("Weken", order.weeks, Unit.WEEKS, Given("volgens het contract"), source=order.source)
        source = self._class_source(school_class)
        return Node("Weken", school_class.weeks, Unit.WEEKS, Given("eigen weken van de klas"), source=source)

    def _care(self, group: Doelgroep, school_class: SchoolClass) -> Node:
        label = "Waarvan verzorging per week"
        if school_class.hours_per_week_hundredths is None:
            hours, said, source = group.care_hours_hundredths, "volgens de doelgroep", group.source
        else:
            hours, said = school_class.care_hours_hundredths or 0, "eigen uren van de klas"
            source = self._class_source(school_class)
        return Node(label, hours, Unit.HOURS, Given(said), source=source)

    def _guidance(self, group: Doelgroep, school_class: SchoolClass, care: Node) -> Node:
        granted = self._granted(group, school_class)
        if not care.value:
            return granted
        value = granted.value - care.value
        return proved(Node("Waarvan begeleiding per week", value, Unit.HOURS, Less(), (granted, care)))

    def _granted(self, group: Doelgroep, school_class: SchoolClass) -> Node:
        own = school_class.hours_per_week_hundredths
        if own is not None:
            source = self._class_source(school_class)
            return Node("Uren per week", own, Unit.HOURS, Given("eigen uren van de klas"), source=source)
        key = (group.order_id, group.doelgroep)
        if key not in self._hours:
            self._hours[key] = self._of_doelgroep(group)
        return self._hours[key]

    def _of_doelgroep(self, group: Doelgroep) -> Node:
        key = (group.order_id, group.doelgroep)
        row = next(r for r in self._setup.sheets["doelgroepen"] if (r["order_id"], r["doelgroep"]) == key)
        need = Node("Behoefte per week", row["need_hours_hundredths"], Unit.HOURS, Given("zo gemeten"))
        school = Node("Eigen inzet van de school per week", row["own_hours_hundredths"], Unit.HOURS, Given("opgegeven"))
        label = "Toegekende uren per klas per week"
        granted = group.granted_hours_hundredths
        how = Less("behoefte min eigen inzet")
        return proved(Node(label, granted, Unit.HOURS, how, (need, school), "B1", group.source))

    def _class_source(self, school_class: SchoolClass) -> str:
        return self._books.source("classes", school=school_class.school, class_code=school_class.class_code)

    def _contribution(self, order: Order, group: Doelgroep, budget: Node, cents: int) -> Node:
        given = self.contributions(order.order_id)
        label = f"Bijdragen aan opdracht {order.order_id}"
        total = proved(Node(label, sum(c.value for c in given), Unit.CENTS, Sum(), given, "B4"))
        budgets = self._books.rows("doelgroep_budgets", order_id=order.order_id)
        parties = split(total.value, [(f"doelgroep {row['doelgroep']}", row["budget_cents"]) for row in budgets])
        position = [row["doelgroep"] for row in budgets].index(group.doelgroep)
        how = Remainder(parties, position, "centen budget")
        return proved(
            Node(f"Deel van de bijdragen bij {group.doelgroep}", cents, Unit.CENTS, how, (total, budget), "B4")
        )


def _priced(order: Order, label: str, hours: Node, tariff_cents: int) -> Node:
    tariff = Node("Tarief", tariff_cents, Unit.TARIFF, Given("volgens het contract"), source=order.source)
    how = Product("uren maal tarief")
    return proved(Node(label, hours.value * tariff_cents, Unit.EXACT, how, (hours, tariff), "B2"))
