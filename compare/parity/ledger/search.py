"""Search the ledger: from a described symptom to the rows that can explain it."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from shared.ledger import ROWS, SYMPTOMS, Bites, LedgerRow

MOST_ROWS = 10
MOST_SYMPTOMS = 2
CLOSE = 0.6  # a further symptom is shown from this share of the best one's score
LEAST = 0.35  # a row is shown from this share of the best one's score
OF_SYMPTOMS = (0.7, 0.35)  # weights of a row's best symptoms, relative to the row's own words
OF_NONE = 0.5  # weight of a row in which the frameworks do not differ
OF_BITES: dict[Bites, float] = {"always": 1.0, "sometimes": 0.85, "rarely": 0.6}

# Words without a meaning for differences between frameworks.
STOP = (
    "a about after again all also am an and any are as at be because been before but by can could did do does "
    "doing don for from get gets give gives given got had has have having how i if in into is it its just me "
    "model models more most much my no not now of on once one only or other our out same should so some than that "
    "the their them then there these they this those to too two use used using very was we were what when where "
    "which while who why will with work works would you your keras pytorch torch tensorflow tf framework "
    "frameworks port ported porting"
)
# Words in most rows: they lead to a symptom, not to a row.
GENERIC = frozenset(("output", "weight", "differ", "load", "valu", "layer", "copy", "step", "first", "last"))
# A word of symptoms and rows: other words that people write for it.
SYNONYMS = {
    "accuracy": "acc",
    "average": "avg mean averagepooling",
    "border": "edge boundary",
    "batchnorm": "bn",
    "binary": "bce",
    "convolution": "conv conv1d conv2d conv3d",
    "crossentropy": "xent",
    "differ": "mismatch different difference unequal disagree wrong",
    "evaluation": "eval",
    "fall": "decrease drop improve learn converge",
    "gradient": "grad",
    "image": "img picture photo",
    "initial": "init initialization initialisation initializer",
    "nan": "inf infinite explode diverge",
    "normalisation": "normalise normalize normalization",
    "output": "prediction predict result logit",
    "parameter": "param",
    "pool": "maxpool maxpooling avgpool downsample",
    "rate": "lr",
    "recurrent": "rnn",
    "resize": "upsampling upsample interpolate interpolation",
    "sequence": "seq",
    "transposed": "deconvolution deconv",
    "validation": "val",
}
IGNORED = frozenset(STOP.split())
SAME_AS = {other: word for word, others in SYNONYMS.items() for other in others.split()}
# Terms that are written as one word or as two.
TERMS = {
    r"(batch|layer|group|instance)[ -]?norm(ali[sz]ation)?": r"\1norm",
    r"cross[ -]entropy": "crossentropy",
    r"learning[ -]rate": "rate",
    r"drop[ -]last": "droplast",
    r"weight[ -_]decay": "weightdecay",
    r"class[ -_]weights?": "classweight",
    r"(padding[ =_'\"]*)same": r"\1samepadding",
}


@dataclass(frozen=True)
class Found:
    """The symptoms (keys of SYMPTOMS) and rows that match a text, the likeliest first."""

    symptoms: tuple[str, ...]
    rows: tuple[LedgerRow, ...]


def search(text: str) -> Found:
    """Return the symptoms and rows that match a description best; both are empty if no word of it is known."""
    words = stems(text)
    symptoms = _scores(words, _sentences())
    own = _scores([word for word in words if word not in GENERIC], _questions())
    rows = {
        name: (OF_BITES[row.bites] if row.differs else OF_NONE)
        * (own[name] + sum(share * score for share, score in zip(OF_SYMPTOMS, _of(row, symptoms), strict=False)))
        for name, row in ROWS.items()
    }
    return Found(
        tuple(_best(symptoms, CLOSE)[:MOST_SYMPTOMS]), tuple(ROWS[name] for name in _best(rows, LEAST)[:MOST_ROWS])
    )


def _of(row: LedgerRow, symptoms: Mapping[str, float]) -> list[float]:
    """Return the scores of a row's symptoms, the best first."""
    return sorted((symptoms[name] for name in row.symptoms), reverse=True)


def stems(text: str) -> list[str]:
    """Return the meaningful words of a text, each in its shortest form."""
    found = []
    text = text.lower()
    for term, word in TERMS.items():
        text = re.sub(term, word, text)
    for word in re.findall(r"[a-z0-9]+", text):
        if word in IGNORED:
            continue
        stem = _stem(SAME_AS.get(word, word))
        found.append(_stem(SAME_AS.get(stem, stem)))
    return found


def _stem(word: str) -> str:
    for ending in ("ations", "ation", "ings", "ing", "edly", "ed", "ies", "es", "s", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


@cache
def _sentences() -> dict[str, Counter[str]]:
    """Return the words of each symptom; those of its sentence count twice."""
    return {name: Counter(stems(f"{one.sentence} {one.sentence} {one.words}")) for name, one in SYMPTOMS.items()}


@cache
def _questions() -> dict[str, Counter[str]]:
    """Return the words of each row; those of its name and question count twice."""
    return {
        name: Counter(stems(f"{2 * f'{name} {row.question} '}{row.first} {row.second} {row.aligned}"))
        for name, row in ROWS.items()
    }


def _scores(words: Sequence[str], counts: Mapping[str, Counter[str]]) -> dict[str, float]:
    """Return how well each text matches the words: Okapi BM25 (Robertson et al. 1994), with k1 = 1.2 and b = 0.5."""
    n = len(counts)
    average = sum(count.total() for count in counts.values()) / max(n, 1)
    scores = dict.fromkeys(counts, 0.0)
    for word in dict.fromkeys(words):
        having = [name for name, count in counts.items() if count[word]]
        weight = math.log(1 + (n - len(having) + 0.5) / (len(having) + 0.5))
        for name in having:
            k = 1.2 * (0.5 + 0.5 * counts[name].total() / average)
            scores[name] += weight * counts[name][word] * 2.2 / (counts[name][word] + k)
    return scores


def _best(scores: Mapping[str, float], share: float) -> list[str]:
    top = max(scores.values(), default=0.0)
    ranked = sorted(scores, key=lambda name: -scores[name])
    return [name for name in ranked if top > 0 and scores[name] >= share * top]
