"""Writes the bill's tables into the documents: `python -m benchmarks.bill`."""

from benchmarks.bill.deployments import ROOT
from benchmarks.bill.tables import TABLES, written

if __name__ == "__main__":
    for document in TABLES:
        page = ROOT / document
        page.write_text(written(document, page.read_text()))
