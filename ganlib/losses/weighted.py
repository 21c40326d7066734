"""What penalties and regularizers have in common: terms of a loss with a weight."""

from ganlib.errors import UserError


class WeightedTerm:
    """A weighted term.

    Args:
        weight: what the term is multiplied by, a number that is not negative; a penalty's may be a schedule of it.

    Raises:
        UserError: for a negative weight, which would reward what the term is against.

    Attributes:
        name: what the term is called in configs and logs.
    """

    name = None

    def __init__(self, weight=1.0):
        if not callable(weight) and not weight >= 0:
            raise UserError(f"the weight of {self.name!r} must be at least 0, got {weight}")
        self.weight = weight

    def get_config(self):
        """What `from_config` makes an equal one of."""
        return {"weight": self.weight}

    @classmethod
    def from_config(cls, config):
        """The term that `get_config` describes."""
        return cls(**config)


def listed(name, terms):
    """``terms``, an argument called ``name``, as a list.

    Raises:
        UserError: for what is no list of terms.
    """
    wrong = [terms]
    if isinstance(terms, (list, tuple)):
        wrong = [term for term in terms if isinstance(term, (str, dict, type)) or not hasattr(term, "weight")]
    if wrong:
        raise UserError(f"{name} must be a list of terms, such as [ganlib.penalties.R1(weight=1.0)], got {wrong[0]!r:.60}")
    return list(terms)
