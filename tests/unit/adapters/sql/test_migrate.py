"""What the service reads of a schema without Alembic is what Alembic would say."""

import subprocess
import sys

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from pseudo_service.adapters.sql.migrate import check_schema, configure
from pseudo_service.adapters.sql.migrations import HEAD
from pseudo_service.core.errors import ConfigurationInvalid


def test_the_head_is_the_newest_migration():
    assert ScriptDirectory.from_config(configure()).get_heads() == [HEAD]


@pytest.mark.parametrize("found", [[], ["0001"], ["0001", HEAD]])
def test_another_schema_is_refused(found):
    with create_engine("sqlite://").connect() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
        for revision in found:
            connection.execute(
                text("INSERT INTO alembic_version VALUES (:revision)"),
                {"revision": revision},
            )
        with pytest.raises(ConfigurationInvalid, match=f"needs {HEAD}"):
            check_schema(connection)


def test_a_database_without_a_schema_is_refused():
    with (
        create_engine("sqlite://").connect() as connection,
        pytest.raises(ConfigurationInvalid, match="has schema none"),
    ):
        check_schema(connection)


def test_a_database_that_is_current_needs_no_alembic(tmp_path):
    code = (
        "import sys\n"
        "from pseudo_service.adapters.sql.migrate import migrate\n"
        f"migrate('sqlite:///{tmp_path}/a.db')\n"
        "print('alembic' in sys.modules)"
    )
    answers = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert answers == ["True", "False"]
