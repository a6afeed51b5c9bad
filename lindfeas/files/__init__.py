"""Problem files in, tables out."""
