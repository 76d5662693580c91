"""The tables of README.md and docs/costs.md, as Markdown."""

from collections.abc import Callable

from benchmarks.bill import prices, traffic
from benchmarks.bill.deployments import DEPLOYMENTS
from benchmarks.bill.million import ROWS, million
from benchmarks.bill.rest import standing

RATES = (10, 1_000, 10_000)
"""Requests a second."""

NOTHING = "–"  # noqa: RUF001 - the dash that README's other tables have


def rest() -> str:
    """A month without a request: a row for each item, a column for each stack."""
    bills = [standing(deployment, deployment.tasks(0)) for deployment in DEPLOYMENTS]
    lines = [_row("", *(deployment.name for deployment in DEPLOYMENTS), "Price"), _rule(3, after="---")]
    for items in zip(*bills, strict=True):
        counts = " / ".join(f"{item.count:.2g}" if item.count else NOTHING for item in items)
        label = items[0].item if {item.count for item in items} <= {0, 1} else f"{items[0].item}: {counts}"
        lines.append(_row(label, *(_dollars(item.monthly, 2) for item in items), _price(items[0].price)))
    sums = (sum(item.monthly for item in bill) for bill in bills)
    lines.append(_row("**Sum**", *(f"**{total:.2f}**" for total in sums), ""))
    return "\n".join(lines) + "\n"


def per_million() -> str:
    """A million predictions: a row for each item, a column for each stack and rate."""
    columns = [(deployment, rate) for deployment in DEPLOYMENTS for rate in RATES]
    bills = [million(deployment, rate) for deployment, rate in columns]
    lines = [
        _row("", *(f"{deployment.name}, {rate:,}/s" for deployment, rate in columns)),
        _rule(len(columns)),
        _row("*Tasks that scaling makes*", *(f"*{deployment.tasks(rate)}*" for deployment, rate in columns)),
        *(_row(row, *(_dollars(bill[row], 3) for bill in bills)) for row in ROWS),
        _row("**Sum**", *(f"**{sum(bill.values()):.2f}**" for bill in bills)),
    ]
    logged = [sum(million(deployment, rate, log_requests="all").values()) for deployment, rate in columns]
    lines.append(_row("Sum with `log_requests: all`", *(f"{total:.2f}" for total in logged)))
    return "\n".join(lines) + "\n"


def capacity() -> str:
    """The load balancer's capacity units by their four dimensions, a row for each rate."""
    lines = [_row("", "new connections", "active connections", "bytes", "rules", "billed"), _rule(5)]
    for rate in RATES:
        units = traffic.capacity_units(rate)
        parts = (units.new_connections, units.active_connections, units.bytes, units.rule_evaluations, units.billed)
        lines.append(_row(f"{rate:,}/s", *(_dollars(part, 3) for part in parts)))
    return "\n".join(lines) + "\n"


def price_list() -> str:
    """Every price with where it is from."""
    lines = [_row("", "US dollars", "AWS's page, below `aws.amazon.com/`", "Read in"), "|---|---|---|---|"]
    lines.extend(
        _row(price.what, _price(price), f"`{price.source.page}`", price.source.read_in) for price in prices.LIST
    )
    return "\n".join(lines) + "\n"


TABLES: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"million": per_million, "rest": rest},
    "docs/costs.md": {"capacity": capacity, "prices": price_list},
}
"""By document and by name, what stands between its marks."""

BEGIN = "<!-- {}: written by python -m benchmarks.bill -->\n"
END = "<!-- end of {} -->\n"


def written(document: str, text: str) -> str:
    """The text of a document with its tables written anew between their marks."""
    for name, table in TABLES[document].items():
        begin, end = BEGIN.format(name), END.format(name)
        above, _, rest_ = text.partition(begin)
        text = f"{above}{begin}{table()}{end}{rest_.partition(end)[2]}"
    return text


def _price(price: prices.Price) -> str:
    digits = max(2, len(f"{price.dollars:g}".partition(".")[2]))
    return f"{price.dollars:.{digits}f} per {price.unit}"


def _dollars(value: float, digits: int) -> str:
    if not value:
        return NOTHING
    smallest = 10**-digits
    return f"{value:.{digits}f}" if value >= smallest / 2 else f"<{smallest:.{digits}f}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(numbers: int, after: str = "") -> str:
    return f"|---|{'--:|' * numbers}{f'{after}|' if after else ''}"
