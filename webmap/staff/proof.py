"""Show anew who one is, before an act that one person does alone."""

from __future__ import annotations

from flask import request

from gis.accounts import check_password
from gis.database import GATE
from gis.desk_sessions import note_proof
from gis.errors import UsageError
from gis.second_factor import check_code, second_factor_key
from webmap.services import services
from webmap.staff.access import staff_account, staff_session_id


def require_proof() -> None:
    """Take the code of the second factor, or the password of who has none, from the form's field `proof`.

    Raises
    ------
    UsageError : it does not fit. Wrong tries count, as at the login.
    """
    account, proof = staff_account(), request.form.get("proof", "")[:200]
    with services().database.begin(GATE, account=account.name) as connection:
        if account.has_second_factor:
            is_right = check_code(connection, account.name, second_factor_key(services().settings), proof[:20])
        else:
            is_right = check_password(connection, account.name, proof) is not None
        if is_right:
            note_proof(connection, staff_session_id(), account.name)
    if not is_right:
        raise UsageError("The code or password does not fit.", "After five wrong ones none is taken for some minutes.")
