"""Special tokens that are written out in a text are text, in the tokenizers of every family."""

import copy
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from headtune.errors import TokenizationError
from headtune.pretrained import PretrainedFolder
from headtune.tokens import encode_texts, load_tokenizer, special_tokens, token_places
from headtune.tokens.special_tokens import cut_special_pieces
from special_families import FAMILIES, WRITTEN

PARTS = st.sampled_from([*WRITTEN, "win", " the", " ", "<", "|>", "</", "[", "ten\n", "é"])

Load = Callable[..., PreTrainedTokenizerBase]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], PretrainedFolder]:
    made: dict[str, PretrainedFolder] = {}

    def of(family: str) -> PretrainedFolder:
        if family not in made:
            path = tmp_path_factory.mktemp(family)
            FAMILIES[family][0]().save_pretrained(path)
            made[family] = PretrainedFolder(family, path)
        return made[family]

    return of


@pytest.fixture(scope="module")
def ways(
    saved: Callable[[str], PretrainedFolder], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], list[PreTrainedTokenizerBase]]:
    """Family -> as it is loaded to train; as a run loads it again; as transformers alone does."""
    made: dict[str, list[PreTrainedTokenizerBase]] = {}

    def of(family: str) -> list[PreTrainedTokenizerBase]:
        if family not in made:
            first = load_tokenizer(saved(family), split_special_tokens=True)
            again = tmp_path_factory.mktemp("again")
            first.save_pretrained(again)
            run = load_tokenizer(PretrainedFolder("run", again), split_special_tokens=True)
            made[family] = [first, run, AutoTokenizer.from_pretrained(again)]
        return made[family]

    return of


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(
    before=st.lists(PARTS, max_size=3),
    token=st.sampled_from(WRITTEN),
    after=st.lists(PARTS, max_size=3),
)
def test_no_text_has_the_id_of_a_special_token(
    family: str,
    ways: Callable[[str], list[PreTrainedTokenizerBase]],
    before: list[str],
    token: str,
    after: list[str],
) -> None:
    """But for those that the tokenizer puts around it, and the unknown token for what it lacks."""
    text = "".join([*before, token, *after])
    tokenizers = ways(family)
    ids = [tokenizer(text)["input_ids"] for tokenizer in tokenizers]
    assert ids[0] == ids[1] == ids[2]
    first = tokenizers[0]
    around = first.num_special_tokens_to_add()
    inside = first(text, add_special_tokens=False)["input_ids"]
    assert len(ids[0]) == len(inside) + around
    unknown = {first.unk_token_id} if "é" in text or family == "bert" else set()
    assert not set(inside) & (special_tokens(first).keys() - unknown)


@pytest.mark.parametrize("family", FAMILIES)
def test_other_text_is_cut_as_before(family: str, saved: Callable[[str], PretrainedFolder]) -> None:
    split, whole = (load_tokenizer(saved(family), split_special_tokens=s) for s in (True, False))
    for text in ("win the </ prize", "call <s now", "ten [MASK", "the <|im_end <tool_call> | >"):
        assert split(text)["input_ids"] == whole(text)["input_ids"]


@pytest.mark.parametrize("family", FAMILIES)
def test_without_it_they_act_as_such(family: str, saved: Callable[[str], PretrainedFolder]) -> None:
    tokenizer = load_tokenizer(saved(family), split_special_tokens=False)
    for token_id, token in special_tokens(tokenizer).items():
        assert token_id in tokenizer(f"win {token} now", add_special_tokens=False)["input_ids"]


def test_a_token_that_is_not_special_stays(
    ways: Callable[[str], list[PreTrainedTokenizerBase]],
) -> None:
    for tokenizer in ways("qwen"):
        assert "<tool_call>" in tokenizer.tokenize("win <tool_call> now")


def test_the_splitting_goes_with_a_copy(
    ways: Callable[[str], list[PreTrainedTokenizerBase]],
) -> None:
    first = ways("sentence_piece")[0]
    assert copy.deepcopy(first)("a </s> b") == first("a </s> b")


def test_what_a_class_of_its_own_said_is_kept(
    saved: Callable[[str], PretrainedFolder],
) -> None:
    """The general class that takes its place has the same settings."""
    split, whole = (
        load_tokenizer(saved("sentence_piece"), split_special_tokens=s) for s in (True, False)
    )
    assert split.special_tokens_map == whole.special_tokens_map
    assert split.model_input_names == whole.model_input_names
    assert split.padding_side == whole.padding_side
    assert len(split) == len(whole)


def test_one_without_an_unknown_token_names_the_row() -> None:
    """The parts of a special token may be what the tokenizer has nothing for."""
    made = Tokenizer(models.WordLevel({"<s>": 0, "win": 1, "</s>": 2}))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    plain = PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", split_special_tokens=True
    )
    assert plain("win </s>")["input_ids"] == [1, 2]  # as a word of the vocabulary
    tokenizer = cut_special_pieces(plain)
    assert [e.input_ids.tolist() for e in encode_texts(["win win"], tokenizer, 9)] == [[1, 1]]
    with pytest.raises(TokenizationError, match=r"no token for .* in row 2") as refused:
        encode_texts(["win", "win </s>"], tokenizer, 9)
    assert refused.value.row == 2


@pytest.mark.parametrize("side", ["left", "right"])
def test_places_are_those_of_the_tokens_that_are_kept(
    ways: Callable[[str], list[PreTrainedTokenizerBase]], side: str
) -> None:
    tokenizer = copy.deepcopy(ways("llama3")[0])
    tokenizer.truncation_side = side
    text = "win the prize " * 9_000 + "call <|eot_id|> now"
    (example,) = encode_texts([text], tokenizer, 12)
    places = token_places(text, tokenizer, 12)
    assert places is not None
    assert places[0] == (0, 0)  # the beginning of text, which is not in it
    said = "".join(text[start:end] for start, end in places)
    assert said == tokenizer.decode(example.input_ids[1:])
    assert said in text
