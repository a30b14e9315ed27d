"""The table of checks: what each one measures, what its fault costs, what to do, and by which source it is judged.

The functions stand in the modules that the table names and are imported when they are first called; each is named like
its check with `_` for `-`, takes a `Case` and returns a `Measured`.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured

BERT = "Devlin et al. 2018, arXiv 1810.04805; google-research/bert, modeling.py"
ATTENTION = "Vaswani et al. 2017, arXiv 1706.03762, section 3.2"
WRONG = "Every answer is off, and fine-tuning starts from a damaged encoder."


@dataclass(frozen=True)
class Check:
    """An entry of the table.

    Args:
        name: The name of the check.
        home: The module of `bertkit.doctor` that holds its function.
        measures: What it measures, a few words.
        cost: What an ill one costs the user.
        remedy: What to do.
        source: The paper or file that it is judged by.
    """
    name: str
    home: str
    measures: str
    cost: str
    remedy: str
    source: str

    def function(self) -> Callable[[Case], Measured] | None:
        """Return the function of the check.

        Returns:
            `function(case)` -> `Measured`; None where bertkit has none.
        """
        try:
            module = importlib.import_module(f"bertkit.doctor.{self.home}")
        except ModuleNotFoundError as error:
            if error.name == f"bertkit.doctor.{self.home}":
                return None
            raise
        return getattr(module, self.name.replace("-", "_"), None)


TABLE = (
    Check("reference", "comparisons", "all outputs at real positions equal the independent encoder", WRONG,
          "Compare hidden states layer by layer with the reference; the first that differs holds the fault.", BERT),
    Check("attention-scale", "attention", "scores divided by √(head size)",
          "Attention is too sharp or too flat; " + WRONG,
          "Divide the scores by the square root of hidden_size / num_attention_heads, once.", ATTENTION + ".1"),
    Check("attention-softmax", "attention", "softmax over the keys, rows sum to one", WRONG,
          "Take the softmax over the last axis of scores [B,N,queries,keys], after the mask was added.",
          ATTENTION + ".1"),
    Check("attention-heads", "attention", "heads split and merged as (head, feature), per token",
          "Heads or tokens are mixed up; " + WRONG,
          "Reshape [B,T,D] to [B,T,N,H], then transpose to [B,N,T,H]; undo both in the opposite order.",
          ATTENTION + ".2"),
    Check("attention-direction", "attention", "which tokens see which, as the config says",
          "Tokens do not see the text on one side: a BERT becomes a language model that reads one way.",
          "Leave the causal mask out of an encoder; is_decoder in config.json alone asks for it.", BERT),
    Check("projections", "attention", "query, key, value and output each in its place, not transposed", WRONG,
          "PyTorch keeps kernels as [outputs, inputs], Keras as [inputs, outputs]: transpose each; check the names.",
          "torch.nn.Linear: x Wᵀ + b; keras.layers.Dense: x W + b"),
    Check("layer-norm", "norms", "mean off, biased variance, gamma and beta in their places", WRONG,
          "Subtract the mean, divide by √(mean of squares + ε) over the features, multiply by gamma, add beta.",
          "Ba et al. 2016, arXiv 1607.06450, equations 3 and 4"),
    Check("layer-norm-eps", "norms", "the config's epsilon in every LayerNorm",
          "Tokens of small variance are scaled wrongly; half precision and distilled models suffer first.",
          "Pass layer_norm_eps of config.json to every LayerNorm; Keras has 1e-3, PyTorch 1e-5 where nothing is said.",
          "config.json, layer_norm_eps; google-research/bert, modeling.py: layer_norm, 1e-12"),
    Check("activation", "blocks", "the config's activation, to 1e-4", "Every layer adds an error of about 1e-3.",
          "Use the activation of config.json: gelu is the erf form, gelu_new and gelu_pytorch_tanh the tanh form.",
          "Hendrycks and Gimpel 2016, arXiv 1606.08415; config.json, hidden_act"),
    Check("residual", "blocks", "post- or pre-norm, and what the residual adds", WRONG,
          "A block of BERT is x = norm(x + attention(x)), then x = norm(x + feed_forward(x)).",
          "Xiong et al. 2020, arXiv 2002.04745; " + BERT),
    Check("embeddings", "inputs", "the sum of the tables, unscaled, normalised", WRONG,
          "Add the word, position and segment rows, without a factor, and normalise the sum once.", BERT),
    Check("positions", "inputs", "used, from the right start, padding counted as the family does, to the table's end",
          "The order of words is lost or shifted by rows that were trained for other places.",
          "BERT counts from 0; RoBERTa counts real tokens from pad_token_id + 1 and gives padding pad_token_id.",
          "transformers, create_position_ids_from_input_ids; Liu et al. 2019, arXiv 1907.11692; " + BERT),
    Check("segments", "inputs", "used, and 0 is row 0", "The two texts of a pair cannot be told apart.",
          "Add the row of token_type_embeddings that the segment id names.", BERT),
    Check("pooler", "outputs", "tanh of a linear map of the first token",
          "Classifiers read a vector that was not trained.", "pooled = tanh(W · sequence[:, 0] + b).", BERT),
    Check("decoder", "outputs", "transform, tied matrix and bias of the masked-language head",
          "Predicted words and losses are wrong.",
          "logits = norm(activation(W x + b)) · Eᵀ + bias, E being the word embeddings.", BERT),
    Check("layers", "blocks", "each layer once, in order, with its own weights", WRONG,
          "Sort layers by number, not by name (10 stands before 2), and give each its own weights.", BERT),
    Check("padding", "masks", "more padding and other ids under it move no real position",
          "The answer to a text depends on what it is batched with.",
          "Give the padding mask to every attention and add it to the scores before the softmax.", BERT),
    Check("mask-source", "masks", "the mask that is given decides, not the ids",
          "Masks that are not `ids > 0` have no effect; a real token with the pad id is not seen.",
          "Use the mask that the caller gives; make one from ids only where none is given.", BERT),
    Check("mask-strength", "masks", "a masked key has no influence at all",
          "Words under the mask leak into every answer.",
          "Add -1e9 (float32) or -10000 (float16) to the scores of masked keys, or set them to the lowest number.",
          "google-research/bert, modeling.py: adder = (1 - mask) * -10000"),
    Check("padded-row", "masks", "a row of padding is finite and disturbs no other",
          "One empty row makes the loss of a whole batch NaN.",
          "Mask with a large finite number instead of minus infinity.", "pytorch/pytorch#41508"),
    Check("batch", "rows", "rows alone, together and in another order give the same",
          "The answer to a text depends on the other texts of its batch.",
          "Keep the batch on the first axis everywhere; torch.nn.TransformerEncoder needs batch_first=True.",
          ATTENTION),
    Check("lengths", "rows", "1, the longest and a batch of one; one too long is refused or said",
          "Rows of some lengths crash, lose an axis, or are answered by a guess.",
          "Never squeeze the batch axis; refuse rows longer than the table of positions.", BERT),
    Check("determinism", "rows", "two calls agree: no dropout at inference",
          "The same text gets another answer at each call.",
          "Call the model with training=False, or model.eval() in PyTorch.", "Srivastava et al. 2014, JMLR 15"),
    Check("gradients", "gradients", "backward pass against central differences",
          "Training follows a wrong direction.",
          "Compare the custom backward pass with the derivative of its forward pass.",
          "Central differences: f'(x) = (f(x + h) - f(x - h)) / 2h + O(h²)"),
    Check("gradient-flow", "gradients", "every weight that the loss depends on gets a gradient, finite and not zero",
          "A part of the model is not trained, although nothing says so.",
          "Remove stop_gradient, detach and conversions to numpy between the weight and the loss.", BERT),
    Check("finite", "rows", "weights and outputs hold no NaN or infinity", "Every answer that passes there is NaN.",
          "Load the weights again; one that overflowed in half precision must be trained again from before it.",
          "IEEE 754-2019, section 6: infinity and NaN"),
    Check("precision", "ranges", "drift and overflow in float16 or bfloat16 against float32",
          "Answers are lost in rounding, or overflow.",
          "Keep LayerNorm, softmax and sums in float32, or use bfloat16.",
          "Micikevicius et al. 2017, arXiv 1710.03740"),
    Check("saturation", "ranges", "softmax rows that are one-hot everywhere, units that never act",
          "Such a head or unit computes nothing, and gets no gradient.",
          "Look at the initial weights, the learning rate and the scale of the scores.",
          "Zhai et al. 2023, arXiv 2303.06296"),
    Check("int8-ranges", "quantized", "channels and constants that leave no steps for the rest",
          "Integers of eight bits cannot tell the remaining values apart.",
          "Use a mask constant near -20 and a scale a channel; keep channels with outliers in float.",
          "Jacob et al. 2017, arXiv 1712.05877; Bondarenko et al. 2021, arXiv 2109.12948"),
    Check("tensors", "tensors", "names, shapes and number of tensors as the config asks",
          "Missing tensors are drawn at random by many loaders, without an error.",
          "Save the model again, or correct config.json.", "config.json; transformers, from_pretrained"),
    Check("loaded", "tensors", "every part holds trained weights",
          "A part at its initial values undoes what is before it.",
          "Load that part's tensors; look for names that did not match.", "BERT's initializer_range, 0.02"),
    Check("reload", "tensors", "saved and loaded again it answers the same",
          "What is deployed is not what was measured.",
          "Compare the names and shapes of the saved file with the model's.", "bertkit's own bundle"),
    Check("same-as", "comparisons", "the other form of the model answers the same",
          "What is deployed is not what was measured.",
          "Compare both configs, activation and epsilon first, then the weights.",
          "The model that was given with it"),
    Check("labels", "labels", "names 0…C-1, as many as outputs, both maps inverse", "Predictions carry a wrong name.",
          "Write id2label with the keys 0 to C-1 and label2id as its inverse.",
          "transformers, PretrainedConfig.id2label"),
    Check("vocabulary", "vocabulary", "as many entries as rows, none twice, none empty",
          "Some words have no embedding, or another word's.",
          "Resize the embeddings to the vocabulary, or restore it.", BERT),
    Check("special-ids", "vocabulary", "special tokens where vocabulary, config and tokenizer say",
          "The encoder reads texts without the marks that it was trained with.",
          "Look up the special tokens in the vocabulary; assume no ids.", BERT),
    Check("casing", "vocabulary", "lower-cased if and only if the vocabulary is",
          "Capital words become [UNK] or pieces.", "Set do_lower_case as the vocabulary asks.",
          "google-research/bert, tokenization.py"),
    Check("accents", "vocabulary", "stripped if and only if the vocabulary is without",
          "Accented words become [UNK] or pieces.", "Set strip_accents as the vocabulary asks.",
          "google-research/bert, tokenization.py"),
    Check("tokens", "tokenization", "ids and segment ids equal the reference tokenizer's",
          "Texts are read as other texts.", "Use the tokenizer of the checkpoint.",
          "google-research/bert, tokenization.py; tokenizers"),
    Check("truncation", "tokenization", "a long text or pair keeps its special tokens; the longer side is cut",
          "Long texts lose their [SEP] or their question.", "Cut before the special tokens are added.", BERT),
    Check("weight-decay", "optimizers", "none on norms and biases, some on matrices",
          "Norms and biases shrink although no gradient asks for it.",
          "Exclude bias, gamma and beta (LayerNorm.weight) from the decay by their real names.",
          "google-research/bert, optimization.py; Loshchilov and Hutter 2017, arXiv 1711.05101"),
    Check("schedule", "schedule", "rises, falls, ends at 0 with the run, never negative",
          "Training starts with a jolt, or ends at a rate that is too high.",
          "Warm up over about a tenth of the steps, then fall to 0 at the last step; call the schedule at each step.",
          "google-research/bert, optimization.py; " + BERT),
    Check("learning-rate", "schedule", "the peak is within what the task bears",
          "The pre-trained encoder is forgotten in the first steps.", "Fine-tune with 2e-5 to 5e-5.",
          "BERT, appendix A.3; arXiv 1810.04805"),
    Check("frozen", "optimizers", "every weight that gets a gradient moves in a few steps",
          "A part of the model is not trained.", "Give the optimiser all trainable variables.", BERT),
    Check("dropout", "dropout", "acts in training at the config's rate, and not in evaluation",
          "Overfitting, or noise in every answer.", "Pass training=True in training alone.",
          "Srivastava et al. 2014, JMLR 15"),
    Check("loss", "losses", "equals the cross entropy of its logits; 0 when the answer is certain",
          "Training goes on after the answer is right, and learns slowly.",
          "Give logits to a loss that takes logits, or probabilities with from_logits=False.",
          "keras.losses, from_logits"),
    Check("loss-mask", "losses", "padding and ignored labels do not count, the rest does",
          "The model learns to answer padding.",
          "Weight the loss by the labels that are not -100, and divide by their number.",
          "torch.nn.CrossEntropyLoss, ignore_index"),
    Check("accumulation", "losses", "several batches give the gradient of the one they stand for",
          "The effective learning rate depends on how batches are cut.",
          "Divide by the number of labels of all batches, not the mean of the means.",
          "huggingface/transformers#34191"),
    Check("masking", "masking", "15 % of words, 80/10/10, never special tokens",
          "Pre-training learns to predict its own marks.", "Choose among real tokens that are not special.", BERT),
    Check("label-alignment", "label_alignment", "the first piece of each word has its label",
          "Words count several times, and entities are cut.", "Give the other pieces of a word -100.",
          "BERT, section 5.3; transformers, examples of token classification"),
    Check("leakage", "leakage", "dev rows that are training rows", "The measured quality is too high.",
          "Remove the rows from one of the two.", "Lee et al. 2021, arXiv 2107.06499"),
    Check("cost", "costs", "parameters, arithmetic, memory and latency against the closed form",
          "The encoder is slower or larger than its config.", "Look for parts that the config does not name.",
          "bertkit.cost; Kaplan et al. 2020, arXiv 2001.08361, section 2.1"),
    Check("padding-waste", "padding_waste", "share of the arithmetic spent on padding", "Time and money for padding.",
          "Sort rows by length into batches, or pack them.", "Krell et al. 2021, arXiv 2107.02027"),
    Check("peers", "peers", "agreement with transformers and keras-hub where installed", WRONG,
          "Compare hidden states layer by layer; the first that differs holds the fault.", "transformers; keras-hub"),
)
CHECKS = tuple(check.name for check in TABLE)
