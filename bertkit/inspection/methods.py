"""The names of the methods that explain an answer; read by the command line, which loads no TensorFlow for them."""

from typing import Literal

Method = Literal["integrated_gradients", "gradient_x_input", "occlusion", "lime", "shap", "rollout"]
