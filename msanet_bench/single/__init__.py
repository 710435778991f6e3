"""A single network: trained to a checkpoint, evaluated, asked about images, exported."""
