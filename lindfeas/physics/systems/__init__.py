"""Sites, charges, levels: the open system and its spectrum."""
