"""The rules that decisions share: pure functions over the model."""
