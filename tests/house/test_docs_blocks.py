"""The block in the page about adding blocks really is one."""

import importlib.util
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.scenarios.block import Block, Fail, Go
from hub.scenarios.registry import block_of
from tests.scenarios.fakes import FakeContext

PAGE = Path(__file__).parents[2] / "docs" / "blocks.md"


@pytest.fixture
def example(tmp_path: Path) -> Block:
    """The block of the page, loaded from a file as the registry would."""
    found = re.search(r"^```python\n(.+?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found
    file = tmp_path / "split_test.py"
    file.write_text(found[1], encoding="utf-8")
    spec = importlib.util.spec_from_file_location("split_test", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return block_of(module, "split_test")


def test_the_example_runs(example: Block) -> None:
    config = example.Config.model_validate({"number": "{{n}}", "share": 30})
    assert example.run(config, FakeContext({"n": "129"})) == Go("a", {"group": "a"})
    assert example.run(config, FakeContext({"n": "130"})) == Go("b", {"group": "b"})
    assert isinstance(example.run(config, FakeContext({"n": "?"})), Fail)


def test_the_example_refuses_what_it_does_not_know(example: Block) -> None:
    with pytest.raises(ValidationError):
        example.Config.model_validate({"number": "1", "colour": "red"})
