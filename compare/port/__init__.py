"""Where two models part, why, and what makes them agree: the library behind `compare port`."""
