"""The PostgreSQL roles: owner, application login, citizen, service and two per department."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

import psycopg
from psycopg import sql
from sqlalchemy import Connection, text

from gis.errors import Title
from gis.queries import load_queries
from gis.settings import DATA_DIR

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class Department:
    """A section (課) of the city office.

    It is also two roles: `dept_<name>_viewer` sees, `dept_<name>` is a member of it and edits besides.
    """

    name: str
    title_ja: str
    title_en: str

    @property
    def role_name(self) -> str:
        return f"dept_{self.name}"

    @property
    def viewer_role_name(self) -> str:
        return f"dept_{self.name}_viewer"


@cache
def load_departments() -> tuple[Department, ...]:
    """Read `data/departments.toml`."""
    entries = tomllib.loads((DATA_DIR / "departments.toml").read_text(encoding="utf-8"))
    return tuple(Department(name, entry["title_ja"], entry["title_en"]) for name, entry in entries.items())


def department_title(name: str) -> Title:
    """Return what a department is called, for an error; an unknown one by its name."""
    found = next((one for one in load_departments() if one.name == name), None)
    return Title({"ja": found.title_ja, "en": found.title_en} if found else {"ja": name, "en": name})


def create_roles(connection: Connection, app_password: str) -> None:
    """Create every role that is missing, and set the application login's password.

    Runs as the administering login (superuser, or CREATEROLE and owner of the database).
    """
    connection.execute(_QUERIES["create_roles"])
    driver_connection: psycopg.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    for department in load_departments():
        editor, viewer = sql.Identifier(department.role_name), sql.Identifier(department.viewer_role_name)
        for role_name in (department.viewer_role_name, department.role_name):
            known = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :n"), {"n": role_name}).first()
            if not known:
                driver_connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role_name)))
        driver_connection.execute(sql.SQL("GRANT department TO {}, {}").format(viewer, editor))
        driver_connection.execute(sql.SQL("GRANT {} TO {}").format(viewer, editor))
        driver_connection.execute(sql.SQL("GRANT {}, {} TO machimori_app").format(viewer, editor))
        driver_connection.execute(sql.SQL("GRANT {}, {} TO machimori_owner WITH ADMIN OPTION").format(viewer, editor))
    driver_connection.execute(sql.SQL("ALTER ROLE machimori_app PASSWORD {}").format(sql.Literal(app_password)))


def store_departments(connection: Connection) -> None:
    """Write the departments into `gis.department`; existing rows get the new titles."""
    for department in load_departments():
        connection.execute(
            text(
                "INSERT INTO gis.department VALUES (:name, :role_name, :title_ja, :title_en) ON CONFLICT (name)"
                " DO UPDATE SET title_ja = excluded.title_ja, title_en = excluded.title_en"
            ),
            {"name": department.name, "role_name": department.role_name,
             "title_ja": department.title_ja, "title_en": department.title_en},
        )  # fmt: skip
