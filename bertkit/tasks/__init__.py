"""What a task is, in numpy: what an input is, what the model's numbers mean, answers and official metrics."""
