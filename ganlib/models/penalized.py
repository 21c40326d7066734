"""The penalties in the train step of a GAN: terms of the losses, and terms with an optimizer step of their own."""

from ganlib.errors import UserError
from ganlib.penalties import KINDS
from ganlib.training import gradients


class Penalized:
    """A mixin for `ganlib.GAN`, whose attribute ``penalties`` is a list of `ganlib.penalties.Penalty`."""

    def _build_penalties(self):
        names = [penalty.name for penalty in self.penalties]
        if len(set(names)) < len(names):
            raise UserError(f"each penalty may be used once, got {', '.join(names)}: remove the duplicates")
        conditioning = self.discriminator.conditioning if self.discriminator.num_classes else None
        required = {kind.conditioning: kind.name for kind in KINDS if kind.conditioning}
        if conditioning in required and conditioning not in [penalty.conditioning for penalty in self.penalties]:
            raise UserError(
                f"a discriminator with conditioning={conditioning!r} learns labels only through penalty "
                f"{required[conditioning]!r}: add it"
            )
        with self.distribute_strategy.scope():
            for penalty in self.penalties:
                penalty.build(self.generator, self.discriminator)
        self.penalty_states = [penalty.state for penalty in self.penalties if penalty.state]

    def _discriminator_penalties(self, critic, real, fake, rng):
        penalties = self._penalties_of("discriminator")
        arguments = critic, real, fake, rng, self.step.value
        return {_log_name("discriminator", penalty): penalty(*arguments) for penalty in penalties}

    def _generator_penalties(self, critic, fake, rng):
        penalties = self._penalties_of("generator")
        arguments = critic, self.generator, fake, rng, self.step.value
        return {_log_name("generator", penalty): penalty.of_generator(*arguments) for penalty in penalties}

    def _penalty_steps(self, which, updates, batch, rng):
        """Updates a network by each penalty that has an optimizer step of its own and is due, and returns the penalties."""
        ((network, optimizer),) = updates
        variables, logs = [*network.trainable_variables, *optimizer.variables], {}
        for penalty in self._penalties_of(which, separate=True):

            def term(real, labels, rng, penalty=penalty):
                critic, step = self.critic(labels, rng), self.step.value
                if which == "generator":
                    value = penalty.of_generator(critic, self.generator, real, rng, step)
                else:
                    value = penalty(critic, real, None, rng, step)
                return value, {_log_name(which, penalty): value}

            (computed,), term_logs = self.compute_gradients(term, updates, batch, rng, regularized=False)
            # All weights take the step, also those that the penalty does not reach.
            computed = gradients.with_zeros(computed, network.trainable_variables)
            apply = lambda computed=computed: self.apply_gradients(updates, [computed])  # noqa: E731
            gradients.apply_if(penalty.is_due(self.step.value), variables, apply)
            logs |= term_logs
        return logs

    def _penalties_of(self, which, separate=False):
        """Returns the penalties of ``"generator"`` or ``"discriminator"`` with or without an optimizer step of their own."""
        return [p for p in self.penalties if getattr(p, f"on_{which}") and getattr(p, "separate", False) == separate]


def _log_name(which, penalty):
    """Returns the name of a penalty in the logs, for ``"generator"`` or ``"discriminator"``."""
    return f"generator_{penalty.name}" if which == "generator" else penalty.name
