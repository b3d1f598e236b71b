from __future__ import annotations

from sqlalchemy import Engine

from gis.accounts import list_accounts
from gis.settings import Settings
from webmap.demo_accounts import add_demo_accounts, load_demo_accounts


def test_the_demonstration_has_an_author_another_approver_and_an_administrator(
    settings: Settings, owner: Engine
) -> None:
    with owner.begin() as connection:
        add_demo_accounts(connection, settings)
        accounts = {account.name: account for account in list_accounts(connection)}
    assert accounts.keys() == {account.name for account in load_demo_accounts()}
    assert all(account.is_demo for account in accounts.values())
    office = [account for account in accounts.values() if account.department == "disaster"]
    assert any(not one.may("approve_alerts") and one.may("write_alerts") for one in office)
    assert any(one.may("approve_alerts") for one in office)
    assert accounts["admin"].may("keep_accounts")
    assert accounts["sato"].role_name == "dept_sewer"
