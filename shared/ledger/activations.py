"""Rows."""

from shared.ledger.row import LedgerRow

ROWS: tuple[LedgerRow, ...] = ()
