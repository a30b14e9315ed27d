"""A checkpoint on the tasks of GLUE: runs of several seeds, their table, and predictions to submit."""
