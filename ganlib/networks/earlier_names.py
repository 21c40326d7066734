"""Method names of earlier versions, for custom networks that override or call them."""

EARLIER_NAMES = {
    "as_in_training": "prepare_real_images",
    "choices": "num_conditions",
    "conditions": "condition_spec",
    "draws": "sample_noise",
    "joined": "concat_label_embedding",
    "keep": "set_instances",
}
"""Earlier name -> name."""


class WithEarlierNames:
    """Mixin for networks. A subclass that overrides a method by its earlier name overrides the method, and the earlier names of
    methods can be called.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for earlier, name in EARLIER_NAMES.items():
            if earlier in vars(cls) and name not in vars(cls):
                setattr(cls, name, vars(cls)[earlier])
            elif name in vars(cls):
                setattr(cls, earlier, vars(cls)[name])
