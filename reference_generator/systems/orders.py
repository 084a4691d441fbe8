"""Orders that were sent to a server: what a restart must know so that nothing is paid twice."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ipvg_eval.core.bounded import read_bounded
from ipvg_eval.reference_generator.errors import CostCapReached, SystemUnusable
from ipvg_eval.reference_generator.record import write_json

SUFFIX = ".orders.json"


class Order(BaseModel):
    """One order.

    Attributes:
        hash: of what was ordered.
        state: "sending" until the server's answer is known, then "open"; "failed" where the server gave up.
        job: the server's number.
        price: what it costs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    hash: str
    state: Literal["sending", "open", "failed"]
    job: str | None = None
    price: float = 0.0


class OrderBook(BaseModel):
    """A sample's orders, oldest first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    orders: tuple[Order, ...] = ()


def kept_file(record: Path) -> Path:
    """Where a sample's orders are kept, beside its record."""
    return record.with_name(record.stem + SUFFIX)


class Orders:
    """The orders of an output folder, one file per sample beside its record. For several threads.

    Args:
        records: folder of the records.
        price: of one order.
        cap: what all may cost together; None for no limit.
    """

    def __init__(self, records: Path, *, price: float, cap: float | None) -> None:
        self._records, self._price, self._cap = records, price, cap
        self._lock = threading.Lock()

    def standing(self, kept: Path, hash_: str) -> Order | None:
        """The order for this very video that was sent and has not failed."""
        last = next((order for order in reversed(read_orders(kept)) if order.hash == hash_), None)
        return None if last is None or last.state == "failed" else last

    def spent(self) -> float:
        """What all orders cost, failed ones included: whether those are charged only the server knows."""
        files = self._records.rglob(f"*{SUFFIX}") if self._records.is_dir() else ()
        return sum(order.price for file in files for order in read_orders(file))

    def check(self, new: int) -> None:
        """Refuse to begin what the cap does not allow.

        Raises:
            CostCapReached: so many further orders cost too much.
        """
        if self._cap is None or not new:
            return
        spent = self.spent()
        # Prices are decimal fractions: a sum that is the cap but for rounding is not above it.
        if spent + new * self._price > self._cap * (1 + 1e-9):
            affordable = max(0, int((self._cap * (1 + 1e-9) - spent) / self._price))
            raise CostCapReached(
                f"{new} videos at {self._price:g} cost {new * self._price:g}, {spent:g} are spent, and the "
                f"cap is {self._cap:g}",
                hint=f"Make at most {affordable} new ones with --limit, or raise http.cost_cap.",
            )

    def send(self, kept: Path, hash_: str) -> None:
        """Note that an order is about to be sent.

        Raises:
            CostCapReached: it costs too much; another process may have spent the rest.
        """
        with self._lock:
            self.check(1)
            self._write(kept, (*read_orders(kept), Order(hash=hash_, state="sending", price=self._price)))

    def taken(self, kept: Path, job: str) -> None:
        """Note the server's number of the order that was sent last."""
        self._change(kept, {"state": "open", "job": job})

    def failed(self, kept: Path) -> None:
        """Note that the server gave up on the order that was sent last."""
        self._change(kept, {"state": "failed"})

    def refused(self, kept: Path) -> None:
        """Forget the order that was sent last: the server certainly did not take it."""
        with self._lock:
            self._write(kept, read_orders(kept)[:-1])

    def _change(self, kept: Path, update: dict[str, str]) -> None:
        with self._lock:
            *before, last = read_orders(kept)
            self._write(kept, (*before, last.model_copy(update=update)))

    def _write(self, kept: Path, orders: tuple[Order, ...]) -> None:
        if orders:
            write_json(kept, OrderBook(orders=orders).model_dump(mode="json"))
        else:
            kept.unlink(missing_ok=True)


def read_orders(kept: Path) -> tuple[Order, ...]:
    """A sample's orders.

    Raises:
        SystemUnusable: its file is damaged, and ordering anew might pay twice.
    """
    try:
        return OrderBook.model_validate_json(read_bounded(kept)).orders
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, ValidationError) as error:
        raise SystemUnusable(
            "the list of orders cannot be read, and ordering anew might pay twice",
            path=kept,
            hint="Look at the server's own list of orders, then remove the file.",
        ) from error
