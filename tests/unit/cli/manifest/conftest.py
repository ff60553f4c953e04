from tests.lib.harnesses.run_fixtures import csv_file, service  # noqa: F401 - fixtures
