"""One file a question, and what certifies the answer."""
