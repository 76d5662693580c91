"""From a model's answer to the classes that it tells apart."""

from api.model.answers import Value


def class_probabilities(value: Value) -> list[float]:
    """The probability of each class, in the classes' order: of yes/no that of no is the rest."""
    return value if isinstance(value, list) else [1.0 - value, value]


def most_probable(probabilities: list[float]) -> int:
    """The place of the largest; of equal ones the first, as numpy's and XGBoost's argmax take it."""
    return probabilities.index(max(probabilities))
