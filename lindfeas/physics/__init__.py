"""What nature does, and every equation for it."""
