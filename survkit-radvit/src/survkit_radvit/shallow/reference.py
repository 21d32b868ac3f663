"""What designs A and B gave when they were designed: three seeds each, on a CPU.

These are numbers of this package's own designs. The values of the paper (Shi and Li, 2026) are not
available, and none of these stands for one.
"""

from __future__ import annotations

HEADING = "reference (this package's own design; the paper's values are not available)"

Range = tuple[float, float]

ORACLE = "concordance of the true log hazard"
ALL = "concordance, all tokens"
AUROC = "token AUROC"
MASS = "attention on relevant tokens"
EVEN = "attention on relevant tokens, were it even"


def at(threshold: float, what: str) -> str:
    """Return the name of a measure at a threshold."""
    return f"c = {threshold:g}: {what}"


KEPT, PRECISION, RECALL, JACCARD = "share kept", "precision", "recall", "Jaccard index"
PRUNED, RETRAINED = "concordance, pruned", "concordance, pruned and retrained"
GAIN = "concordance gained by pruning alone"

_A = {
    ORACLE: (0.780, 0.802),
    EVEN: (0.167, 0.167),
    at(0.5, KEPT): (1.0, 1.0),
    at(1, GAIN): (0.007, 0.011),
    at(1.5, RECALL): (0.26, 0.61),
    at(1.5, GAIN): (-0.12, -0.03),
    at(2, RECALL): (0.16, 0.21),
    at(2, GAIN): (-0.12, -0.03),
}
_B = {
    ORACLE: (0.724, 0.745),
    AUROC: (1.0, 1.0),
    EVEN: (0.111, 0.111),
    at(1, KEPT): (0.111, 0.111),
    at(1, PRECISION): (1.0, 1.0),
    at(1, RECALL): (1.0, 1.0),
    at(1, GAIN): (0.002, 0.019),
    at(1.5, KEPT): (0.111, 0.111),
    at(1.5, PRECISION): (1.0, 1.0),
    at(1.5, RECALL): (1.0, 1.0),
}

REFERENCE: dict[tuple[str, float], dict[str, Range]] = {
    ("A", 0.15): _A
    | {
        ALL: (0.768, 0.787),
        AUROC: (0.997, 0.999),
        MASS: (0.23, 0.27),
        at(1, KEPT): (0.28, 0.29),
        at(1, PRECISION): (0.57, 0.59),
        at(1, RECALL): (1.0, 1.0),
        at(1, PRUNED): (0.775, 0.796),
        at(1, RETRAINED): (0.772, 0.796),
    },
    ("A", 0.30): _A
    | {
        ALL: (0.741, 0.752),
        AUROC: (0.93, 0.94),
        MASS: (0.22, 0.25),
        at(1, KEPT): (0.31, 0.33),
        at(1, PRECISION): (0.46, 0.49),
        at(1, RECALL): (0.90, 0.92),
        at(1, PRUNED): (0.751, 0.763),
        at(1, RETRAINED): (0.746, 0.761),
    },
    ("B", 0.15): _B
    | {
        ALL: (0.721, 0.739),
        MASS: (0.29, 0.32),
        at(1, PRUNED): (0.723, 0.744),
        at(1, RETRAINED): (0.725, 0.743),
    },
    ("B", 0.30): _B
    | {
        ALL: (0.695, 0.717),
        MASS: (0.28, 0.33),
        at(1, PRUNED): (0.706, 0.730),
        at(1, RETRAINED): (0.712, 0.733),
    },
}
"""Lowest and highest of three seeds by design and noise, then by measure."""
