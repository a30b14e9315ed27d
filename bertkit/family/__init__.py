"""One page for each paper: its config, its table of sizes, its heads, and the names in its checkpoints.

A page holds only the difference from its parent: CONFIG, SIZES {published name: config}, HEADS {name: kind},
PRETRAINING (the heads of its pre-training), HUGGINGFACE, and GOOGLE and PRESET where it was published so (see
`formats`). `PAGES` is the one list of them. `entries`, `layer_types` and `summary` are not pages: they read entries
that several config.json share.
"""

import difflib
import importlib
from typing import Any

from bertkit.config import EncoderConfig
from bertkit.errors import Error

PAGES = ("bert", "spanbert", "ernie", "roberta", "xlm_roberta", "camembert", "mpnet", "distilbert", "electra",
         "deberta", "albert", "xlnet", "mobilebert", "modernbert", "longformer", "bigbird", "reformer", "nomic",
         "eurobert")

# Architectures of which bertkit says why it does not have them.
REFUSED = dict.fromkeys(("new", "gte"), (
    "that of GTE (gte-*-v1.5, gte-multilingual), whose feed-forward has a bias on its last matrix alone and whose "
    "angles are scaled"))


def page(name: str) -> Any:
    """Return the module of a family, such as `bertkit.family.bert`.

    Args:
        name: name of the family, one of `PAGES`.

    Returns:
        The module.

    Raises:
        Error: when bertkit has no such family.
    """
    if name not in PAGES:
        raise Error(f"The family {name!r} is not one bertkit knows; it has {', '.join(PAGES)}.")
    return importlib.import_module(f"bertkit.family.{name}")


def of_huggingface(values: dict[str, Any]) -> Any:
    """Return the page of a config.json of Hugging Face.

    It is the page of its model_type, and of its architectures where two pages share a model_type.

    Args:
        values: the parsed config.json.

    Returns:
        The module of the family.

    Raises:
        Error: when bertkit has no family of this model_type.
    """
    pages = {name: page(name).HUGGINGFACE for name in PAGES}
    names = [name for name, form in pages.items() if form.type == values.get("model_type")]
    if why := REFUSED.get(str(values.get("model_type"))):
        raise Error(f"The architecture model_type={values['model_type']!r} is {why}; bertkit has no such blocks. For "
                    "long texts and vectors of texts it reads nomic_bert, modernbert and eurobert.")
    if not names:
        raise Error(f"The architecture model_type={values.get('model_type')!r} is not one bertkit knows; it has "
                    f"{', '.join(sorted({form.type for form in pages.values()}))}.")
    classes = str(values.get("architectures"))
    return page(max(names, key=lambda name: len(name) if f"{pages[name].class_name}For" in classes else 0))


def pages_with(form: str) -> dict[Any, Any]:
    """Return the pages that were published in a form.

    Args:
        form: "GOOGLE" or "PRESET".

    Returns:
        A dict {page: its value of this form}.
    """
    return {page(name): getattr(page(name), form) for name in PAGES if hasattr(page(name), form)}


def published(name: str) -> EncoderConfig:
    """Return the configuration of a published checkpoint.

    Args:
        name: public name of the checkpoint, with or without its organisation.

    Returns:
        An `EncoderConfig`.

    Raises:
        Error: when no published checkpoint has this name; the message gives close names.

    Example:
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
