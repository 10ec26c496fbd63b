"""Where the disaster tweets are, which tests measure on and the project does not ship."""

import os
from pathlib import Path

import pytest

_GIVEN = os.environ.get("HEADTUNE_TWEETS")
_BESIDE = Path(__file__).parents[3] / "shared" / "data" / "disaster_tweets.csv"

TWEETS = Path(_GIVEN) if _GIVEN else _BESIDE

needs_tweets = pytest.mark.skipif(
    not TWEETS.is_file(), reason="HEADTUNE_TWEETS names no file of disaster tweets"
)
