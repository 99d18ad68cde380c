from tiny_models import tiny_clip  # noqa: F401 - a fixture
