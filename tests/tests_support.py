"""Data that several test files share: forty short texts on two topics, easily told apart."""

TEXTS = [f"{start} {n}" for n in range(10) for start in ("win a free prize", "call to claim cash")]
TEXTS += [f"{start} {n}" for n in range(10) for start in ("see you at dinner", "home for tea")]
TOPICS = ["prize"] * 20 + ["dinner"] * 20
