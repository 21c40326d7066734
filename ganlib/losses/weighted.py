"""`WeightedTerm`, the base class of penalties and regularizers."""

from ganlib.errors import UserError, choose


class WeightedTerm:
    """A term of a loss with a weight.

    Args:
        weight: The factor that multiplies the term, at least 0. The weight of a penalty may also be a schedule. Defaults to
            1.0.

    Raises:
        UserError: If the weight is negative, since the loss would then reward what the term penalizes.

    Attributes:
        name: The name of the term in configs and logs.
    """

    name = None

    def __init__(self, weight=1.0):
        if not callable(weight) and not weight >= 0:
            raise UserError(f"the weight of {self.name!r} must be at least 0, got {weight}")
        self.weight = weight

    def get_config(self):
        """Returns the config, from which `from_config` recreates the term."""
        return {"weight": self.weight}

    @classmethod
    def from_config(cls, config):
        """Creates the term from a config returned by `get_config`."""
        return cls(**config)


def listed(name, terms, known):
    """Returns terms as a list of objects.

    Args:
        name: The name of the argument, for messages.
        terms: A list or tuple of terms, each an object or a name in ``known``; or a single one, or None for none.
        known: A dict from names to classes. A name creates a term with the defaults of its class.

    Raises:
        UserError: If something else is passed.
    """
    terms = [] if terms is None else list(terms) if isinstance(terms, (list, tuple)) else [terms]
    wrong = [term for term in terms if isinstance(term, (dict, type)) or not (isinstance(term, str) or hasattr(term, "weight"))]
    if wrong:
        raise UserError(f"{name} must be a list of terms, such as [ganlib.penalties.R1(weight=1.0)], got {wrong[0]!r:.60}")
    return [choose(name, term, known)() if isinstance(term, str) else term for term in terms]
