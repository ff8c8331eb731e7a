"""Examples are found in the checkout and in the installed package alike."""

import pytest

from ucimpact.data import examples
from ucimpact.errors import UsageError
from ucimpact.study import read_records, read_study


@pytest.mark.parametrize("name", examples.names())
def test_every_example_has_a_study_and_records(name):
    folder = examples.folder(name)
    studies = sorted({*folder.glob("study.toml"), *folder.glob("*/study.toml")})
    assert len(studies) == (7 if name == "challenge_fund" else 1)
    for study in studies:
        assert max(read_records(read_study(study)).data.counts().values()) > 0
    assert (folder / "README.md").is_file()


def test_an_unknown_example_is_told_with_those_there_are():
    with pytest.raises(UsageError, match=r'no example "acute"; there are: .*acute_visiting'):
        examples.folder("acute")


def test_examples_are_looked_for_in_the_package_first(tmp_path, monkeypatch):
    monkeypatch.setattr(examples, "PACKAGE", tmp_path / "ucimpact")
    with pytest.raises(UsageError, match="missing from this installation"):
        examples.home()
    beside, within = tmp_path / "examples" / "a", tmp_path / "ucimpact" / "examples" / "b"
    for place in (beside, within):
        place.mkdir(parents=True)
        (place / "study.toml").touch()
        assert examples.home() == place.parent
    assert examples.names() == ["b"]
