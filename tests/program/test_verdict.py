"""Verdicts are strings to everything that prints, writes or compares them."""

import json
import pickle

import pytest

from lindfeas.program.verdict import Verdict


@pytest.mark.parametrize("verdict", Verdict)
def test_a_verdict_is_its_word(verdict: Verdict) -> None:
    word = verdict.value
    assert type(word) is str and verdict == word
    assert repr(verdict) == repr(word) and str(verdict) == f"{verdict}" == word
    assert json.dumps({"verdict": verdict}) == json.dumps({"verdict": word})
    assert {verdict: 1}[word] == 1
    assert pickle.loads(pickle.dumps(verdict)) is verdict


def test_verdicts_rise_from_impossible_to_possible() -> None:
    assert list(Verdict) == ["impossible", "undecided", "possible"]
