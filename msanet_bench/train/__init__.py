"""One plain training loop and what is measured of a trained network."""
