"""A BERT expert's review of any implementation, as findings with evidence."""
