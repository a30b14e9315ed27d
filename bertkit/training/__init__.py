"""What happens around `fit()`: optimizer, schedule, watching, keeping, resuming."""
