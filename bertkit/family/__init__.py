"""One page per paper: its config, its table of sizes, its heads, and its checkpoints' names.

A page holds only the difference from its parent: CONFIG, SIZES {published name: config}, HEADS {name: kind},
PRETRAINING (the heads of its pre-training), HUGGINGFACE, and GOOGLE and PRESET where it was published so (see
`formats`). `PAGES` is the one list of them; `entries`, `layer_types` and `summary` are no pages: they read what several
config.json share.
"""

import difflib
import importlib

from bertkit.errors import Error

PAGES = ("bert", "spanbert", "roberta", "xlm_roberta", "camembert", "distilbert", "electra", "albert", "xlnet",
         "mobilebert", "modernbert", "longformer", "bigbird", "reformer")


def page(name):
    """Return the module of a family, such as `bertkit.family.bert`."""
    if name not in PAGES:
        raise Error(f"The family {name!r} is not one bertkit knows; it has {', '.join(PAGES)}.")
    return importlib.import_module(f"bertkit.family.{name}")


def of_huggingface(values):
    """Return the page of a config.json: that of its model_type, and of its architectures where two share a type."""
    pages = {name: page(name).HUGGINGFACE for name in PAGES}
    found = [name for name, form in pages.items() if form.type == values.get("model_type")]
    if not found:
        raise Error(f"The architecture model_type={values.get('model_type')!r} is not one bertkit knows; it has "
                    f"{', '.join(sorted({form.type for form in pages.values()}))}.")
    classes = str(values.get("architectures"))
    return page(max(found, key=lambda name: len(name) if f"{pages[name].class_name}For" in classes else 0))


def published_as(form):
    """Return {page: its value} of the pages that were published in a form, "GOOGLE" or "PRESET"."""
    return {page(name): getattr(page(name), form) for name in PAGES if hasattr(page(name), form)}


def published(name):
    """Return the EncoderConfig of a published checkpoint by its public name; raises `Error` on others.

    >>> published("bert-base-uncased").hidden_dim
    768
    """
    sizes = {size: config for each in PAGES for size, config in page(each).SIZES.items()}
    name = str(name).rsplit("/", 1)[-1]
    if name not in sizes:
        near = difflib.get_close_matches(name, sizes, n=3, cutoff=0.4) or list(sizes)[:3]
        raise Error(f"No published checkpoint is called {name!r}; close names are "
                    f"{', '.join(near)}.")
    return sizes[name]
