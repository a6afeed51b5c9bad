"""Master equations, one a file: Redfield, Lindblad, and the rate equation below them."""
