"""Charging a quota, in the transaction of what it pays for."""

from datetime import timedelta

from sqlalchemy import Connection, and_, bindparam, delete, select, update

from pseudo_service.adapters.sql.schema import quota_states
from pseudo_service.adapters.sql.statements import insert_absent
from pseudo_service.core.access.quota import QuotaState, charge
from pseudo_service.ports.journal import QuotaCharge

_KEPT = timedelta(days=2)
# Built once: every call runs them, and building costs more than running.
_IS_AT = and_(
    quota_states.c.caller == bindparam("at_caller"),
    quota_states.c.project == bindparam("at_project"),
    quota_states.c.day == bindparam("at_day"),
)
_SELECT = select(quota_states.c.state).where(_IS_AT)
_SELECT_AND_LOCK = _SELECT.with_for_update()
_UPDATE = update(quota_states).where(_IS_AT).values(state=bindparam("new_state"))


def charge_quota(connection: Connection, request: QuotaCharge) -> None:
    """Add a charge to the stored state, which all processes share.

    Reads first without a lock, because most charges of a caller who repeats
    itself change nothing; only a change locks the row and looks again.

    Raises:
        QuotaExceeded: The charge would go over its limit; nothing is written.
    """
    if len(request.codes) == 0:
        return
    state = _read(connection, request, lock=False)
    if _merge(state, request) is state:
        return
    _insert_empty(connection, request)
    state = _read(connection, request, lock=True)
    merged = _merge(state, request)
    if merged is not state:
        connection.execute(_UPDATE, {**_locate(request), "new_state": merged.encode()})


def order_charge(request: QuotaCharge | None) -> str:
    """Return where a charge stands in its group, so that locks have one order."""
    if request is None:
        return ""
    return f"{request.project}\x1f{request.caller}\x1f{request.day.isoformat()}"


def _merge(state: QuotaState, request: QuotaCharge) -> QuotaState:
    return charge(state, request.codes, limit=request.limit, project=request.project)


def _locate(request: QuotaCharge) -> dict[str, object]:
    return {
        "at_caller": request.caller,
        "at_project": request.project,
        "at_day": request.day,
    }


def _read(connection: Connection, request: QuotaCharge, *, lock: bool) -> QuotaState:
    data = connection.scalar(_SELECT_AND_LOCK if lock else _SELECT, _locate(request))
    return QuotaState.empty() if data is None else QuotaState.decode(data)


def _insert_empty(connection: Connection, request: QuotaCharge) -> None:
    """Make the row that is then locked; the first of a day drops the old days."""
    values = {
        "caller": request.caller,
        "project": request.project,
        "day": request.day,
        "state": QuotaState.empty().encode(),
    }
    if insert_absent(connection, quota_states, values):
        connection.execute(
            delete(quota_states).where(
                quota_states.c.caller == request.caller,
                quota_states.c.project == request.project,
                quota_states.c.day < request.day - _KEPT,
            )
        )
