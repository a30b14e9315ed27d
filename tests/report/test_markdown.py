"""The model card: its head as Hugging Face reads it, its sections, and texts that cannot break it."""

from huggingface_hub import ModelCard

from bertkit.card import Card
from bertkit.report.markdown import render_model_card

SCORES = {"dev": {"accuracy": {"score": 0.875, "low": 0.75, "high": 0.9375}, "rows": 40},
          "test": {"f1": {"score": float("nan"), "low": 0.0, "high": 1.0}}}


def made(name="films", **changes):
    return Card(**{"name": name, "task": "classify", "recipe": "classify", "scores": SCORES,
                   "model": {"labels": ["no", "y | <b>"], "encoder": {"family": "bert", "num_layers": 2}},
                   "data": {"dev": {"file": "dev: 1.tsv", "rows": 40, "classes": {"no": 10, "y | <b>": 30}}},
                   **changes})


def test_hugging_face_reads_its_head():
    found = ModelCard(render_model_card(made('a: "b" #c'))).data
    assert (found.library_name, found.pipeline_tag) == ("bertkit", "text-classification")
    (score,) = found.eval_results                   # what is undefined is no result
    assert (score.metric_type, score.metric_value, score.dataset_name) == ("accuracy", 0.875, "dev: 1.tsv")
    assert found.model_name == 'a: "b" #c'


def test_all_sections_of_the_paper_are_there():
    text = render_model_card(made())
    titles = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert titles == ["Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data",
                      "Quantitative analyses", "Ethical considerations", "Caveats and recommendations"]
    assert "| dev | accuracy | 0.8750 | 0.7500 | 0.9375 |" in text


def test_names_of_classes_are_no_markup():
    for card in (made(), made("<b>\n# x")):
        body = render_model_card(card).split("\n---\n")[1]
        assert "<b>" not in body and "\n# x" not in body


def test_a_task_that_hugging_face_does_not_know_has_no_results():
    found = ModelCard(render_model_card(made(task="pretrain"))).data
    assert found.pipeline_tag is None and not found.eval_results
