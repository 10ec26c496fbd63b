"""Records of a conversation: what the user said, and what was answered.

A message is an object that says whose it is (``role``, ``from``, …) and what it is (``content``,
``value``, ``text``, or ``parts`` of it). The text of a conversation is the last message of the
user, its label what the assistant answered to that; what the system said is neither.

Leaf module.
"""

from collections.abc import Mapping, Sequence

__all__ = ["ROLES", "are_messages", "message_of", "other_turns"]

ROLES = {
    "user": ("user", "human", "prompter", "customer"),
    "assistant": ("assistant", "gpt", "model", "bot", "chatgpt", "ai", "completion"),
    "system": ("system", "developer"),
}
"""What headtune calls who speaks -> what records of conversations call them."""

WHO = ("role", "from", "speaker", "author")
WHAT = ("content", "value", "text", "parts")


def are_messages(value: object) -> bool:
    """Whether a value is a conversation: a list of messages, of the user or the assistant."""
    return isinstance(value, list | tuple) and any(
        _role(message) in ("user", "assistant") for message in value
    )


def message_of(messages: Sequence[object], role: str) -> str | None:
    """What one of ``ROLES`` said: the user last, the assistant after that, the system first.

    None where it said nothing.
    """
    roles = [_role(message) for message in messages]
    last = max((i for i, each in enumerate(roles) if each == "user"), default=-1)
    if role == "user":
        return _content(messages[last]) if last >= 0 else None
    found = [i for i, each in enumerate(roles) if each == role and (role == "system" or i > last)]
    return _content(messages[found[0]]) if found else None


def other_turns(messages: object) -> tuple[int, int]:
    """How many messages of the user are not the last, and how many are the system's."""
    if not isinstance(messages, list | tuple):
        return 0, 0
    roles = [_role(message) for message in messages]
    return max(roles.count("user") - 1, 0), roles.count("system")


def _role(message: object) -> str | None:
    if not isinstance(message, Mapping):
        return None
    who = next((message[key] for key in WHO if isinstance(message.get(key), str)), "")
    if not any(key in message for key in WHAT):
        return None
    return next((role for role, names in ROLES.items() if str(who).lower() in names), None)


def _content(message: object) -> str | None:
    if not isinstance(message, Mapping):
        return None
    return _written(next((message[key] for key in WHAT if message.get(key) is not None), None))


def _written(content: object) -> str | None:
    """A string, or the strings of a list of parts: ``[{"type": "text", "text": "…"}]``."""
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        return _written(content.get("text"))
    if isinstance(content, list | tuple):
        written = [part for each in content if (part := _written(each)) is not None]
        return "\n".join(written) if written else None
    return None
